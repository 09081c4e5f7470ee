//! Bulk imports: a file of many records is handed over, and asked about until it was taken in.
//!
//! The job that takes it in was made by the tenant's administrator: which columns go where, by which key, and that it upserts. What the
//! documents leave open about the answers is written down in the reference (`gainsight-api.md` §9). In: a file. Out: how it ended.
//! <https://support.gainsight.com/gainsight_nxt/Connectors/API_Integrations/Gainsight_Bulk_API>

use bytes::Bytes;
use ring::digest::{Context, SHA256};
use serde_json::Value;

use super::assumptions::IMPORT_COMPLETED;
use super::client::{Call, Gainsight, JSON, judged, refused};
use super::error::Error;
use super::windows::Bucket;
use crate::http::client::Method;
use crate::http::quoted::quoted;
use crate::http::retry::Repeat;

const PATH: &str = "/v1.0/admin/connector/job/bulkimport";
/// What an import is while it is not at its end. Any other word is an end, whatever it means.
const UNDER_WAY: [&str; 2] = ["INIT", "IN_PROGRESS"];

/// What became of a file that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// It is being taken in; by this id it is asked about.
    Taken(String),
    /// It is larger than Gainsight takes.
    TooLarge,
}

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is not at its end.
    UnderWay,
    /// It is, as far as Gainsight says.
    Ended {
        /// Records that were written.
        written: u64,
        /// Records that were not.
        failed: u64,
        /// Where those are that were not.
        failures: Option<String>,
    },
}

impl Gainsight {
    /// Hands a file over. Whoever calls writes down beforehand that the call is made: Gainsight takes it in as often as it comes.
    ///
    /// # Errors
    /// If the call fails as a whole; [`Error::is_unclear`] says whether the file may have been taken all the same.
    pub async fn import(&self, job_id: &str, file: &str, csv: &[u8]) -> Result<Handed, Error> {
        let boundary = boundary(job_id, file, csv);
        let call = Call {
            method: Method::Post,
            path: PATH.to_owned(),
            body: Some(body(&boundary, job_id, file, csv)),
            kind: format!("multipart/form-data; boundary={boundary}").into(),
            bucket: Bucket::Bulk,
            repeat: Repeat::Never,
            is_write: true,
            what: format!("the bulk import {job_id}"),
        };
        // A gateway may say in a page of its own that the file is too large.
        let answer = self.call_judged(&call, async |answer| match answer.status {
            413 => Ok(None),
            _ => judged(&call, &answer).map(Some),
        });
        let Some((status, envelope)) = answer.await? else { return Ok(Handed::TooLarge) };
        if !envelope.result {
            return Err(refused(&call, status, envelope));
        }
        match text(&envelope.data["statusId"]).filter(|id| is_id(id)) {
            Some(id) => Ok(Handed::Taken(id)),
            None => Err(Error::Unclear { what: call.what, detail: "the answer has no status id".to_owned() }),
        }
    }

    /// How far an import is.
    ///
    /// # Errors
    /// If it cannot be told.
    pub async fn import_standing(&self, id: &str) -> Result<Standing, Error> {
        let what = "a bulk import".to_owned();
        if !is_id(id) {
            return Err(Error::Unreadable { what, detail: "its id is none".to_owned() });
        }
        let data = self.expect(&read(format!("{PATH}/status/{id}"), what.clone())).await?;
        let count = |name: &str| data[name].as_u64().unwrap_or(0);
        match text(&data["jobStatus"]).as_deref() {
            Some(IMPORT_COMPLETED) => Ok(Standing::Ended {
                written: count("success"),
                failed: count("failed"),
                failures: text(&data["failedRecordsUrl"]),
            }),
            Some(word) if UNDER_WAY.contains(&word) => Ok(Standing::UnderWay),
            // It failed, or was given up there: what it has written is looked for.
            Some(_) => Ok(Standing::Ended { written: 0, failed: 0, failures: None }),
            None => Err(Error::Unreadable { what, detail: "it has no jobStatus".to_owned() }),
        }
    }

    /// The records that an import did not take, as the file of them says. It is read from the tenant's own host only, as the key goes along.
    ///
    /// # Errors
    /// If it lies elsewhere, or cannot be read.
    pub async fn import_failures(&self, url: &str) -> Result<Vec<u8>, Error> {
        let path = self.own_path(url, PATH)?;
        let call = read(path, "the failures of a bulk import".to_owned());
        let body = self.call_judged(&call, async |answer| {
            if answer.is_success() {
                return Ok(answer.body.to_vec());
            }
            let detail = format!("HTTP {}", answer.status);
            Err(Error::Unreadable { what: call.what.clone(), detail })
        });
        body.await
    }
}

/// Words of an import that can stand in a message.
#[must_use]
pub fn plain(words: &str) -> String {
    quoted(words)
}

fn read(path: String, what: String) -> Call {
    let (body, kind, bucket, repeat) = (None, JSON, Bucket::Synchronous, Repeat::Harmless);
    Call { method: Method::Get, path, body, kind, bucket, repeat, is_write: false, what }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether an id can be part of a path.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What stands between the parts of a body: nothing that stands in one of them, and nothing that who filled them could know.
fn boundary(job_id: &str, file: &str, csv: &[u8]) -> String {
    let mut boundary = String::new();
    for salt in 0_u32.. {
        let mut digest = Context::new(&SHA256);
        [job_id.as_bytes(), file.as_bytes(), &salt.to_be_bytes(), csv].into_iter().for_each(|part| digest.update(part));
        boundary = digest.finish().as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        if memchr::memmem::find(csv, boundary.as_bytes()).is_none() {
            break;
        }
    }
    boundary
}

/// The body of a call: <https://www.rfc-editor.org/rfc/rfc7578>.
fn body(boundary: &str, job_id: &str, file: &str, csv: &[u8]) -> Bytes {
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"jobId\"\r\n\r\n{job_id}\r\n--{boundary}\r\nContent-Disposition: form-data; \
         name=\"file\"; filename=\"{file}\"\r\nContent-Type: text/csv; charset=utf-8\r\n\r\n"
    );
    let mut body = Vec::with_capacity(head.len() + csv.len() + boundary.len() + 8);
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(csv);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    Bytes::from(body)
}
