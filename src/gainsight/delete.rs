//! Deleting records of companies, relationships and custom objects: one call for each.
//!
//! A record that is not there is as deleted as it can be, so a call whose answer was lost may be made again.
//! <https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs/Company_and_Relationship_API/Company_API_Documentation>

use super::assumptions::NO_ROWS_CODES;
use super::client::{Call, Gainsight, JSON};
use super::error::{Error, Refusal};
use super::narrow::whole;
use super::windows::Bucket;
use crate::http::client::Method;
use crate::http::retry::Repeat;

impl Gainsight {
    /// Deletes a record. Whoever calls writes down beforehand that the call is made.
    ///
    /// # Errors
    /// If the call fails as a whole; [`Error::is_unclear`] says whether it may have been carried out all the same.
    pub async fn delete(&self, object: &str, gsid: &str) -> Result<Result<(), Refusal>, Error> {
        // It becomes part of a path.
        if gsid.is_empty() || !gsid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            let message = "the GSID that is kept of the record is none".to_owned();
            return Ok(Err(Refusal { code: "none".to_owned(), message, field: None, value: None }));
        }
        let call = Call {
            method: Method::Delete,
            path: format!("/v1/data/objects/{object}/{gsid}"),
            body: None,
            kind: JSON,
            bucket: Bucket::Synchronous,
            repeat: Repeat::Harmless,
            is_write: true,
            what: object.to_owned(),
        };
        let (_, envelope) = self.call(&call).await?;
        let is_absent = envelope.error_code.as_deref().is_some_and(|code| NO_ROWS_CODES.contains(&code));
        Ok(if envelope.result || is_absent { Ok(()) } else { Err(whole(&envelope)) })
    }
}
