//! Writing records: calls with batches of 50 for objects and users, and with one person. What is sent again, and when, is decided by
//! whoever keeps the books.
//!
//! An insert is never sent a second time from here after an unclear answer: it is not idempotent on their side.

use arrow::array::ArrayRef;
use serde_json::{Map, Value};

use super::assumptions::NOTIFY_USERS;
use super::client::{Call, Gainsight, JSON};
use super::error::{Error, Refusal};
use super::narrow::{judge, whole};
use super::sent::{Fields, body};
use super::stored;
use super::windows::Bucket;
use crate::http::client::Method;
use crate::http::retry::Repeat;
use crate::model::sabotage::{self, Bug};

/// A record by API names.
pub type Record = Map<String, Value>;

/// What Gainsight says of one call with a batch. It carries a batch out or refuses it, always as a whole.
#[derive(Debug)]
pub enum Judged {
    /// It was carried out: the GSID of each record, where the answer gives it.
    Written(Vec<Option<String>>),
    /// It was refused, and these are to blame: the position of each with its refusal. The others may be sent again.
    Blamed(Vec<(usize, Refusal)>),
    /// It was refused, and nobody is named: halves of it may be sent again.
    Halve,
}

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
    /// Makes one call with a batch: of each record its fields, and its GSID where it is not among them. Whoever calls writes down
    /// beforehand that the call is made: an insert is not idempotent.
    ///
    /// # Errors
    /// If the call fails as a whole; [`Error::is_unclear`] says whether it may have been carried out all the same.
    pub async fn write(&self, batch: &Batch, records: &[(&Fields, Option<&str>)]) -> Result<Judged, Error> {
        let (_, envelope) = self.call(&call(batch, records)).await?;
        if envelope.result {
            return Ok(Judged::Written(ids(&envelope.data, records.len())));
        }
        if sabotage::has(Bug::NoNarrowing) {
            let all = (0..records.len()).map(|i| (i, whole(&envelope))).collect();
            return Ok(Judged::Blamed(all));
        }
        let records: Vec<Record> = records.iter().map(|(fields, _)| fields.record()).collect();
        Ok(judge(&records.iter().collect::<Vec<_>>(), &envelope))
    }

    /// Writes one person, with the companies it belongs to: an upsert by the resolution key. Where the person or its place at a
    /// company would be new, a second call beside the first could make it twice, so it is not repeated here.
    ///
    /// # Errors
    /// As for [`Gainsight::write`].
    pub async fn write_person(&self, person: &Record, is_new: bool) -> Result<Result<(), Refusal>, Error> {
        let call = Call {
            method: Method::Put,
            path: "/v1/peoplemgmt/v1.0/people".to_owned(),
            body: Some(Value::Object(person.clone()).to_string().into()),
            kind: JSON,
            bucket: Bucket::Synchronous,
            repeat: if is_new { Repeat::Never } else { Repeat::Harmless },
            is_write: true,
            what: "a person".to_owned(),
        };
        let (_, envelope) = self.call(&call).await?;
        if envelope.result {
            return Ok(Ok(()));
        }
        match judge(&[person], &envelope) {
            Judged::Blamed(mut blamed) if !blamed.is_empty() => Ok(Err(blamed.remove(0).1)),
            _ => Ok(Err(whole(&envelope))),
        }
    }
}

fn call(batch: &Batch, records: &[(&Fields, Option<&str>)]) -> Call {
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
    let again = method == Method::Put || sabotage::has(Bug::SentTwice);
    let repeat = if again { Repeat::Harmless } else { Repeat::Never };
    Call { method, path, body: Some(body(records)), kind: JSON, bucket, repeat, is_write: true, what }
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
