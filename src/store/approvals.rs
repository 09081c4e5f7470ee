//! What people say while nobody has to be at rest: a run may go on, a schedule pauses, a run is to stop. Any process may write it.

use super::database::{OptionalExtension, params};
use super::error::Result;
use super::runs::{Run, run};
use super::slots::unfollow;
use super::state::State;
use super::updates::{Update, keep_update};

/// A pause, of the schedule of a job or a chain, or of a run that is to stop where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// The name of a job or a chain, or the number of a run.
    pub name: String,
    /// Since when: RFC 3339, UTC.
    pub at: String,
    /// Who said so.
    pub by: String,
    /// Whether a run is to be given up, and not only to stop.
    pub is_cancel: bool,
}

impl State {
    /// Allows a run to change as much of the target as it planned, and keeps who allowed it.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn approve(&self, run: &str, update: &Update) -> Result<()> {
        self.aside(|change| {
            change.queue(
                "INSERT INTO approval (run, at, by) VALUES (?1, ?2, ?3) ON CONFLICT (run) DO NOTHING",
                params![run, update.at, update.by],
            )?;
            keep_update(change, update)
        })
    }

    /// Whether somebody allowed it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn is_run_approved(&self, run: &str) -> Result<bool> {
        let found = self.database.query_row("SELECT 1 FROM approval WHERE run = ?1", [run], |_| Ok(()));
        Ok(found.optional()?.is_some())
    }

    /// Runs that waited for somebody to allow them, and may go on now.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn approved_runs(&self) -> Result<Vec<Run>> {
        let query = self.database.prepare(
            "SELECT run.* FROM run JOIN approval ON approval.run = run.id
             WHERE status = 'waiting_approval' AND phase NOT IN ('ended', 'planning') ORDER BY run.id",
        );
        query.query_map((), run)
    }

    /// Keeps a pause; one that is there stays as it is.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn pause(&self, one: &Pause, update: &Update) -> Result<()> {
        self.aside(|change| {
            change.queue(
                "INSERT INTO pause (name, at, by, is_cancel) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET is_cancel = CASE WHEN pause.is_cancel > excluded.is_cancel THEN pause.is_cancel ELSE excluded.is_cancel END",
                params![one.name, one.at, one.by, one.is_cancel],
            )?;
            // What passes while it pauses is not missed, also where nobody looks meanwhile.
            unfollow(change, &one.name)?;
            keep_update(change, update)
        })
    }

    /// Ends a pause, and says whether there was one. It is an update activity only where one is given.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn unpause(&self, name: &str, update: Option<&Update>) -> Result<bool> {
        self.aside(|change| {
            let was = change.execute("DELETE FROM pause WHERE name = ?1", [name])? > 0;
            if let Some(update) = update.filter(|_| was) {
                keep_update(change, update)?;
            }
            Ok(was)
        })
    }

    /// All pauses, by name. A state that an earlier version made has none.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn pauses(&self) -> Result<Vec<Pause>> {
        if !self.has_table("pause")? {
            return Ok(Vec::new());
        }
        let query = self.database.prepare("SELECT name, at, by, is_cancel FROM pause ORDER BY name");
        query.query_map((), |row| {
            Ok(Pause { name: row.get(0)?, at: row.get(1)?, by: row.get(2)?, is_cancel: row.get(3)? })
        })
    }
}
