//! What the state holds that whoever watches wants to see as numbers.

use std::collections::BTreeMap;

use super::database::params;
use super::error::Result;
use super::state::State;
use crate::model::outcome::Status;

/// Calls that were spent out of a window of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentInWindow {
    /// The Gainsight tenant's host.
    pub tenant: String,
    /// The API, by its word in the state.
    pub api: String,
    /// How long the window is, in milliseconds.
    pub length_ms: i64,
    /// Which window it is, counted from 1970.
    pub number: i64,
    /// Calls in it.
    pub calls: u32,
}

impl State {
    /// When each job last ended with a success or a partial success: RFC 3339, UTC.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn last_completed(&self) -> Result<BTreeMap<String, String>> {
        let query = self
            .database
            .prepare("SELECT job, max(ended) FROM run WHERE status IN (?1, ?2) AND ended IS NOT NULL GROUP BY job");
        let words = params![Status::Success.word(), Status::Partial.word()];
        query.query_map(words, |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The calls that were spent, by tenant, API and length of the window.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn spent_in_windows(&self) -> Result<Vec<SpentInWindow>> {
        if !self.has_table("spent")? {
            return Ok(Vec::new());
        }
        let query = self
            .database
            .prepare("SELECT tenant, api, length_ms, number, calls FROM spent ORDER BY tenant, api, length_ms");
        query.query_map((), |row| {
            Ok(SpentInWindow {
                tenant: row.get(0)?,
                api: row.get(1)?,
                length_ms: row.get(2)?,
                number: row.get(3)?,
                calls: row.get(4)?,
            })
        })
    }
}
