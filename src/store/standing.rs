//! How a run stands that is not at its end: what the ledger knows of it, for whoever looks from outside.

use super::database::OptionalExtension;
use super::error::Result;
use super::ledger::{Phase, Tally};
use super::state::State;
use crate::model::dataset;

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How far it has come.
    pub phase: Phase,
    /// How many processes have worked on it.
    pub attempts: i64,
    /// Rows of the source that are kept.
    pub read: u64,
    /// The plan's counts as JSON, once it was made.
    pub planned: Option<String>,
    /// What became of the rows that were to be written, so far.
    pub tally: Tally,
    /// Calls that were made, and those of them that have no answer.
    pub calls: (u64, u64),
}

impl State {
    /// How a run stands; none if it is not there, or of an earlier version.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn standing(&self, run: &str) -> Result<Option<Standing>> {
        if !self.has_table("outcome")? {
            return Ok(None);
        }
        let found = self.database.query_row("SELECT phase, attempts, planned FROM run WHERE id = ?1", [run], |row| {
            Ok((row.get::<String>(0)?, row.get(1)?, row.get(2)?))
        });
        let Some((phase, attempts, planned)) = found.optional()? else { return Ok(None) };
        let read = self.kept_reading(run, dataset::SOURCE)?.map_or(0, |reading| reading.rows);
        let calls = self.database.query_row(
            "SELECT count(*), count(*) FILTER (WHERE state IN ('sent', 'unknown')) FROM batch WHERE run = ?1",
            [run],
            |row| Ok((row.get::<i64>(0)?.unsigned_abs(), row.get::<i64>(1)?.unsigned_abs())),
        )?;
        Ok(Some(Standing { phase: Phase::parse(&phase), attempts, read, planned, tally: self.tally_of(run)?, calls }))
    }
}
