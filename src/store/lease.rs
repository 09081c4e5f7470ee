//! Whose the state is: one process at a time, and none that has lost it.
//!
//! The lock of the home keeps others out; this is what holds if that lock is gone, because somebody removed its file or the disk is
//! shared. Each opening for writing raises an epoch, and each change compares it in its own transaction: a process that was
//! taken over changes nothing more. In: changes. Out: the same, or the error that the state belongs to another.

use std::path::Path;

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::error::{Error, Result};
use super::state::State;
use crate::model::sabotage::{self, Bug};

/// The one lease there is: that of the whole home.
const HOME: &str = "home";

/// Who holds a home, as far as its state says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The number of the process.
    pub process: i64,
    /// Since when: RFC 3339, UTC.
    pub since: String,
}

impl State {
    /// Takes the state over.
    pub(super) fn take(&mut self) -> Result<()> {
        let since = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let change = Transaction::new(&mut self.database, TransactionBehavior::Immediate)?;
        let epoch = change.query_row(
            "INSERT INTO lease (name, epoch, process, since) VALUES (?1, 1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1, process = excluded.process, since = excluded.since
             RETURNING epoch",
            params![HOME, std::process::id(), since],
            |row| row.get(0),
        )?;
        change.commit()?;
        self.epoch = Some(epoch);
        Ok(())
    }

    /// Who took the state last; nobody in a state of an earlier version.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn holder(&self) -> Result<Option<Holder>> {
        if !self.has_table("lease")? {
            return Ok(None);
        }
        let read = |row: &rusqlite::Row<'_>| Ok(Holder { process: row.get(0)?, since: row.get(1)? });
        Ok(self.database.query_row("SELECT process, since FROM lease WHERE name = ?1", [HOME], read).optional()?)
    }

    /// Whether whoever opened the state for writing still holds it.
    pub(super) fn holds(&self) -> Result<()> {
        let epoch: Option<i64> =
            self.database.query_row("SELECT epoch FROM lease WHERE name = ?1", [HOME], |row| row.get(0)).optional()?;
        if epoch == self.epoch || sabotage::has(Bug::NoFencing) { Ok(()) } else { Err(Error::OwnershipLost) }
    }

    /// One change, whole or not at all, by whoever holds the state. `name` is where a test may kill.
    pub(super) fn change<T>(&self, name: &str, how: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.changed(name, how).map_err(|error| match self.database.path() {
            Some(path) => error.at(Path::new(path)),
            None => error,
        })
    }

    fn changed<T>(&self, name: &str, how: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        sabotage::place(&format!("{name}.before"));
        let change = Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        let epoch: Option<i64> =
            change.query_row("SELECT epoch FROM lease WHERE name = ?1", [HOME], |row| row.get(0)).optional()?;
        if epoch != self.epoch && !sabotage::has(Bug::NoFencing) {
            return Err(Error::OwnershipLost);
        }
        let made = how(&change)?;
        sabotage::place(&format!("{name}.within"));
        change.commit()?;
        sabotage::place(&format!("{name}.after"));
        Ok(made)
    }
}
