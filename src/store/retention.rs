//! What is kept of old runs, and how it goes: rows of the state that nobody asks for any more.
//!
//! A run's own row goes last, and never that of a job's newest run, of one that the next run begins with, or of one whose rows are due.

use super::database::{OptionalExtension, params};
use super::error::Result;
use super::state::State;

/// A run as far as its age decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aged {
    /// Its number.
    pub id: String,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// When it ended, or where it never did, when it began.
    pub ended: String,
    /// Its status.
    pub status: String,
    /// Whether the ledger has anything of its pages and calls.
    pub has_details: bool,
}

/// Under this name stands when the state began.
pub(super) const BEGAN: &str = "began";

impl State {
    /// All runs with their age, the oldest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn aged_runs(&self) -> Result<Vec<Aged>> {
        let query = self.database.prepare(
            "SELECT id, started, coalesce(ended, started), status, EXISTS (SELECT 1 FROM page WHERE page.run = run.id)
                 OR EXISTS (SELECT 1 FROM reading WHERE reading.run = run.id)
                 OR EXISTS (SELECT 1 FROM batch WHERE batch.run = run.id)
                 OR EXISTS (SELECT 1 FROM outcome WHERE outcome.run = run.id)
             FROM run ORDER BY id",
        );
        query.query_map((), |row| {
            Ok(Aged {
                id: row.get(0)?,
                started: row.get(1)?,
                ended: row.get(2)?,
                status: row.get(3)?,
                has_details: row.get(4)?,
            })
        })
    }

    /// Forgets a run with its stages, notices and approval; whether it could be forgotten.
    ///
    /// # Errors
    /// If it cannot be forgotten.
    pub fn forget_run(&self, id: &str) -> Result<bool> {
        self.change("retire", |change| {
            let is_needed = change.query_row(
                "SELECT EXISTS (SELECT 1 FROM base WHERE run = ?1) OR EXISTS (SELECT 1 FROM due WHERE run = ?1)
                     OR EXISTS (SELECT 1 FROM ambiguous WHERE run = ?1) OR EXISTS (SELECT 1 FROM notice WHERE run = ?1 AND state = 'due')
                     OR NOT EXISTS (SELECT 1 FROM run AS newer, run AS one WHERE one.id = ?1 AND newer.job = one.job AND newer.began > one.began)",
                [id],
                |row| row.get::<bool>(0),
            )?;
            if is_needed {
                return Ok(false);
            }
            for table in ["stage", "notice", "approval"] {
                change.queue(&format!("DELETE FROM {table} WHERE run = ?1"), [id])?;
            }
            Ok(change.execute("DELETE FROM run WHERE id = ?1", [id])? > 0)
        })
    }

    /// Forgets update activities, and times that were due, from before a time: RFC 3339, UTC, and the same in milliseconds since 1970. Of
    /// each schedule the last time stays, as it says where the next ones begin. Gives how many update activities went.
    ///
    /// # Errors
    /// If they cannot be forgotten.
    pub fn forget_before(&self, at: &str, at_ms: i64) -> Result<u64> {
        let is_old =
            "SELECT EXISTS (SELECT 1 FROM slot WHERE at_ms < ?1) OR EXISTS (SELECT 1 FROM change WHERE at < ?2)";
        // Most of the time nothing is, and nothing is written.
        if !self.database.query_row(is_old, params![at_ms, at], |row| row.get::<bool>(0))? {
            return Ok(0);
        }
        self.change("retire", |change| {
            change.queue(
                "DELETE FROM slot WHERE at_ms < ?1 AND at_ms < (SELECT max(at_ms) FROM slot AS other WHERE other.name = slot.name)",
                [at_ms],
            )?;
            // Only what stands before all that stays: one taken out of the middle would look like a forgery. The last one is kept, as the
            // next one carries its digest.
            let gone = change.execute(
                "DELETE FROM change WHERE id < coalesce((SELECT min(id) FROM change WHERE at >= ?1), (SELECT max(id) FROM change))",
                [at],
            )?;
            Ok(gone as u64)
        })
    }

    /// When the state began, in milliseconds since 1970: which of several it is. One that does not know yet began now.
    ///
    /// # Errors
    /// If it cannot be read or kept.
    pub fn birth(&self, now_ms: i64) -> Result<i64> {
        if let Some(at_ms) = self.upkept(BEGAN)? {
            return Ok(at_ms);
        }
        self.upkeep(BEGAN, now_ms)?;
        Ok(now_ms)
    }

    /// When something was last done that is done from time to time, in milliseconds since 1970.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn upkept(&self, name: &str) -> Result<Option<i64>> {
        self.database.query_row("SELECT at_ms FROM upkeep WHERE name = ?1", [name], |row| row.get(0)).optional()
    }

    /// Keeps that it was done.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn upkeep(&self, name: &str, at_ms: i64) -> Result<()> {
        self.aside(|change| {
            change.queue(
                "INSERT INTO upkeep (name, at_ms) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms",
                params![name, at_ms],
            )?;
            Ok(())
        })
    }
}
