//! Whose the state is: one process at a time, and none that has lost it.
//!
//! Of a file the lock of the home keeps others out; this is what holds if that lock is gone, because somebody removed its file or the disk
//! is shared. Of a server it is a lease that runs out (`tenure`). Each opening for writing raises an epoch, and each change compares
//! it in its own transaction: a process that was taken over changes nothing more. In: changes. Out: the same, or the error that
//! the state belongs to another.

use super::database::{OptionalExtension, Transaction, params};
use super::error::{Error, Result};
use super::place::Place;
use super::state::State;
use super::tenure::Tenure;
use crate::model::sabotage::{self, Bug};

/// The lease of the whole state.
pub(super) const HOME: &str = "home";
/// The lease of the schedules; see `following`.
pub(super) const SCHEDULES: &str = "schedules";

/// Who holds a home, as far as its state says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The number of the process.
    pub process: i64,
    /// Which machine it is on; of a file this one.
    pub machine: Option<String>,
    /// Since when: RFC 3339, UTC.
    pub since: String,
}

impl Holder {
    /// Whether it is on this machine, as far as its name says.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.machine.as_ref().is_none_or(|name| *name == machine())
    }

    /// Whether it is this process.
    #[must_use]
    pub fn is_us(&self) -> bool {
        self.is_here() && self.process == i64::from(process())
    }

    /// Who that is, behind "another ferry".
    pub(super) fn words(&self) -> String {
        let machine = self.machine.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
        format!(" (process {}{machine}, since {})", self.process, self.since)
    }
}

impl State {
    /// Takes the state over.
    pub(super) fn take(&mut self) -> Result<()> {
        let since = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let Place::Server(server) = &self.place else { return self.take_file(&since) };
        let Some(tenure) = Tenure::take(server, &self.database, HOME, &since)? else {
            let holder = self.holder()?.map(|holder| holder.words()).unwrap_or_default();
            return Err(Error::Busy { path: self.place.to_string().into(), holder });
        };
        self.epoch = Some(tenure.epoch());
        self.database.belong_to(HOME, tenure.epoch());
        self.tenure = Some(tenure);
        Ok(())
    }

    fn take_file(&mut self, since: &str) -> Result<()> {
        let change = self.database.begin()?;
        let epoch = change.query_row(
            "INSERT INTO lease (name, epoch, process, since) VALUES (?1, 1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1, process = excluded.process, since = excluded.since
             RETURNING epoch",
            params![HOME, process(), since],
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
        self.holder_of(HOME)
    }

    pub(super) fn holder_of(&self, lease: &str) -> Result<Option<Holder>> {
        if !self.has_table("lease")? {
            return Ok(None);
        }
        let machine = if self.place.is_server() { "machine" } else { "NULL" };
        let known = format!("SELECT process, since, {machine} FROM lease WHERE name = ?1");
        self.database
            .query_row(&known, [lease], |row| {
                Ok(Holder { process: row.get(0)?, since: row.get(1)?, machine: row.get(2)? })
            })
            .optional()
    }

    /// Whether somebody has the lease of a server's state, by the server's clock.
    pub(super) fn is_leased(&self) -> Result<bool> {
        let known = "SELECT 1 FROM lease WHERE name = ?1 AND expires > clock_timestamp()";
        Ok(self.database.query_row(known, [HOME], |_| Ok(())).optional()?.is_some())
    }

    /// Whether whoever opened the state for writing still holds it, for longer than a call may take.
    pub(super) fn holds(&self) -> Result<()> {
        let epoch: Option<i64> =
            self.database.query_row("SELECT epoch FROM lease WHERE name = ?1", [HOME], |row| row.get(0)).optional()?;
        if sabotage::has(Bug::NoFencing) {
            return Ok(());
        }
        if epoch != self.epoch {
            return Err(Error::OwnershipLost);
        }
        self.tenure.as_ref().map_or(Ok(()), Tenure::outlives_a_call)
    }

    /// One change, whole or not at all, by whoever holds the state. `name` is where a test may kill.
    pub(super) fn change<T>(&self, name: &str, how: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.changed(name, how).map_err(|error| error.at(&self.place))
    }

    fn changed<T>(&self, name: &str, how: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        sabotage::place(&format!("{name}.before"));
        let change = self.database.begin()?;
        // Nobody takes it over before this change is at its end: a file is written by one at a time, and in a server the row is locked.
        let epoch: Option<i64> = change
            .query_row(change.locking("SELECT epoch FROM lease WHERE name = ?1").as_ref(), [HOME], |row| row.get(0))
            .optional()?;
        if epoch != self.epoch && !sabotage::has(Bug::NoFencing) {
            return Err(Error::OwnershipLost);
        }
        let made = how(&change)?;
        sabotage::place(&format!("{name}.within"));
        if let Some(tenure) = &self.tenure {
            // The heartbeat waits for the row that is locked here, so a change that takes long renews the lease by itself.
            tenure.renew_within(&change)?;
        }
        change.commit()?;
        sabotage::place(&format!("{name}.after"));
        Ok(made)
    }
}

pub(super) fn process() -> u32 {
    std::process::id()
}

/// What this machine calls itself.
#[cfg(unix)]
pub(super) fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// What this machine calls itself.
#[cfg(not(unix))]
pub(super) fn machine() -> String {
    "this machine".to_owned()
}
