//! What was deleted in Gainsight, by its own log.
//!
//! In: a moment. Out: the GSIDs of records of any object that were deleted since.

use serde_json::{Value, json};

use super::assumptions::DELETE_LOG;
use super::client::Gainsight;
use super::error::Error;
use super::read::{moment, narrow};
use crate::model::connection::Limits;

impl Gainsight {
    /// The records that were deleted since a moment, in milliseconds since 1970. The log names them by their GSIDs, which no two objects
    /// share, so it is asked once for all.
    ///
    /// # Errors
    /// What the service or the network says; a tenant may have no such log.
    pub async fn deleted_since(&self, since_ms: i64) -> Result<Vec<String>, Error> {
        let [log, record, deleted] = DELETE_LOG;
        let mut gone = Vec::new();
        loop {
            let mut body = json!({
                "select": [record, deleted], "orderBy": { deleted: "asc", record: "asc" }, "limit": Limits::READ_ROWS,
                "offset": gone.len(),
            });
            narrow(&mut body, deleted, "GTE", &[moment(since_ms)]);
            let rows = self.rows(log, body).await?;
            let is_last = rows.len() < Limits::READ_ROWS;
            let ids: Option<Vec<String>> =
                rows.iter().map(|row| row.get(record).and_then(Value::as_str).map(str::to_owned)).collect();
            let unreadable = |detail: String| Error::Unreadable { what: log.to_owned(), detail };
            let ids = ids.ok_or_else(|| unreadable(format!("an entry has no {record}")))?;
            if is_last {
                gone.extend(ids);
                return Ok(gone);
            }
            // Whoever takes no notice of the offset gives the same page for ever.
            if gone.ends_with(&ids) {
                return Err(unreadable("paging does not advance".to_owned()));
            }
            gone.extend(ids);
        }
    }
}
