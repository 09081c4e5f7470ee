//! Writing records: batches of 50 for objects and users, one person a call. One outcome for each record.
//!
//! An insert is never sent a second time after an unclear answer: it is not idempotent on their side.

use arrow::array::ArrayRef;
use serde_json::{Map, Value, json};

use super::assumptions::NOTIFY_USERS;
use super::client::{Call, Gainsight};
use super::error::{Error, Refusal};
use super::narrow::{Next, judge};
use super::stored;
use super::windows::Bucket;
use crate::http::client::Method;
use crate::http::retry::Repeat;

/// A record by API names.
pub type Record = Map<String, Value>;

/// What became of one record: the GSID, if the answer gave it, or the refusal.
pub type Written = Result<Option<String>, Refusal>;

/// A way to write batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    /// New records of an object.
    InsertObject(String),
    /// Existing records of an object; each record carries its `Gsid`.
    UpdateObject(String),
    /// New users.
    InsertUsers,
    /// Existing users; each record carries its `Gsid`.
    UpdateUsers,
}

/// One value in stored form as Gainsight takes it.
#[must_use]
pub fn value(array: &ArrayRef, row: usize) -> Value {
    stored::json(array, row)
}

impl Gainsight {
    /// Writes one batch, and narrows a refusal down to the records that deserve it.
    ///
    /// # Errors
    /// If a call fails as a whole. What became of records before that is lost to the caller, and found again by
    /// comparing at the next run.
    pub async fn write(&self, batch: &Batch, records: &[Record]) -> Result<Vec<Written>, Error> {
        let mut outcomes: Vec<Option<Written>> = records.iter().map(|_| None).collect();
        let mut open: Vec<Vec<usize>> = vec![(0..records.len()).collect()];
        while let Some(part) = open.pop() {
            if part.is_empty() {
                continue;
            }
            let call = call(batch, part.iter().map(|i| &records[*i]));
            let (_, envelope) = self.call(&call).await?;
            if envelope.result {
                let ids = ids(&envelope.data, part.len());
                for (index, gsid) in part.into_iter().zip(ids) {
                    outcomes[index] = Some(Ok(gsid));
                }
                continue;
            }
            let sent: Vec<&Record> = part.iter().map(|i| &records[*i]).collect();
            match judge(&sent, &envelope) {
                Next::Blame(blamed) => {
                    let rest = (0..part.len()).filter(|i| !blamed.iter().any(|(b, _)| b == i)).map(|i| part[i]);
                    open.push(rest.collect());
                    for (index, refusal) in blamed {
                        outcomes[part[index]] = Some(Err(refusal));
                    }
                }
                Next::Halve => {
                    let (left, right) = part.split_at(part.len() / 2);
                    open.push(right.to_vec());
                    open.push(left.to_vec());
                }
            }
        }
        Ok(outcomes.into_iter().map(|o| o.expect("every record was answered or blamed")).collect())
    }

    /// Writes one person, with the companies it belongs to. A true upsert by the resolution key, so it may be repeated.
    ///
    /// # Errors
    /// If the call fails as a whole.
    pub async fn write_person(&self, person: &Record) -> Result<Result<(), Refusal>, Error> {
        let call = Call {
            method: Method::Put,
            path: "/v1/peoplemgmt/v1.0/people".to_owned(),
            body: Some(Value::Object(person.clone())),
            bucket: Bucket::Synchronous,
            repeat: Repeat::Harmless,
            is_write: true,
            what: "a person".to_owned(),
        };
        let (_, envelope) = self.call(&call).await?;
        if envelope.result {
            return Ok(Ok(()));
        }
        match judge(&[person], &envelope) {
            Next::Blame(mut blamed) if !blamed.is_empty() => Ok(Err(blamed.remove(0).1)),
            _ => Ok(Err(Refusal {
                code: "none".to_owned(),
                message: "no reason given".to_owned(),
                field: None,
                value: None,
            })),
        }
    }
}

fn call<'a>(batch: &Batch, records: impl Iterator<Item = &'a Record>) -> Call {
    let records: Vec<Value> = records.map(|r| Value::Object(r.clone())).collect();
    let (method, path, bucket) = match batch {
        Batch::InsertObject(name) => (Method::Post, format!("/v1/data/objects/{name}"), Bucket::Synchronous),
        Batch::UpdateObject(name) => (Method::Put, format!("/v1/data/objects/{name}?keys=Gsid"), Bucket::Synchronous),
        Batch::InsertUsers => (Method::Post, format!("/v1/users/services?notify={NOTIFY_USERS}"), Bucket::Users),
        Batch::UpdateUsers => (Method::Put, "/v1/users/services?key=Gsid".to_owned(), Bucket::Users),
    };
    let what = match batch {
        Batch::InsertObject(name) | Batch::UpdateObject(name) => name.clone(),
        Batch::InsertUsers | Batch::UpdateUsers => "users".to_owned(),
    };
    // Updates by GSID set the same values again, so they may be repeated; inserts may not.
    let repeat = if method == Method::Put { Repeat::Harmless } else { Repeat::Never };
    Call { method, path, body: Some(json!({ "records": records })), bucket, repeat, is_write: true, what }
}

/// The GSIDs of an answer, in the order of the records; none where the answer does not give them.
fn ids(data: &Value, wanted: usize) -> Vec<Option<String>> {
    let records = data["records"].as_array().filter(|list| list.len() == wanted);
    (0..wanted)
        .map(|i| {
            let record = records?.get(i)?;
            record.get("Gsid").or_else(|| record.get("gsid")).and_then(Value::as_str).map(str::to_owned)
        })
        .collect()
}
