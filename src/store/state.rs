//! The state database: SQLite in a file of the home, or PostgreSQL for several machines; one writer, every commit on disk before it counts.
//!
//! Its tables are reached through the files beside this one: `runs`, `pages`, `batches`, `due`, `users`, `links`, `refusals`,
//! `connections`, `windows`, `updates`, `slots`, `alive`; `tables` declares them. Everything that belongs to a tenant is keyed by the Dynamics organisation's id and the Gainsight tenant, not by names in
//! scripts. Every change passes `lease`, which lets nobody write who has lost the home.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::ErrorCode;

use super::database::{Connection, Failure, OptionalExtension, Server};
use super::error::{Error, Result};
use super::place::Place;
use super::tables::VERSION;
use super::tenure::Tenure;

/// The open state of one home, or of several that share a server.
pub struct State {
    // Dropped in this order: the lease is given back before its connection goes.
    /// The lease, of a state in a server that was opened for writing.
    pub(super) tenure: Option<Tenure>,
    pub(super) database: Connection,
    /// Where it is.
    pub(super) place: Place,
    /// Which opening for writing this is; none where it was opened for reading.
    pub(super) epoch: Option<i64>,
    /// When it was opened, in milliseconds since 1970 by this machine's clock: whoever had it before can have sent nothing later. That
    /// holds of a lease that ran out too, as its owner begins no call unless it outlives one.
    pub(super) opened_ms: i64,
    /// Runs that this process is working on: what they have under way is nobody's to wait for, nor to give up.
    pub(super) alive: RefCell<BTreeSet<String>>,
    /// When a run of this process was last left with calls under way, in milliseconds since 1970; see `alive`.
    pub(super) left_ms: Cell<i64>,
}

/// Whose state: the source's organisation and the target's tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tenancy {
    /// The Dynamics organisation's id.
    pub organization: String,
    /// The Gainsight tenant's host.
    pub tenant: String,
}

/// The version of the database that this Ferry was built with.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

impl State {
    /// Opens the state for writing; makes it if there is none.
    ///
    /// # Errors
    /// If the file or the server cannot be used, a newer Ferry made it, or another process has the lease of a server's.
    pub fn open(place: impl Into<Place>) -> Result<Self> {
        let place = place.into();
        Self::opened(&place).map_err(|error| error.at(&place))
    }

    fn opened(place: &Place) -> Result<Self> {
        let mut state = Self::connected(place)?;
        state.migrate()?;
        state.hold_server_against_its_past()?;
        state.take()?;
        state.opened_ms = chrono::Utc::now().timestamp_millis();
        state.left_ms.set(state.opened_ms);
        Ok(state)
    }

    /// Opens the state beside whoever holds the home, for what any process may write: approvals, pauses, update activities.
    ///
    /// # Errors
    /// If it cannot be used, a newer Ferry made it, or an earlier one is at work on it: it would not know its tables any more.
    pub fn join(place: impl Into<Place>) -> Result<Self> {
        let place = place.into();
        Self::joined(&place).map_err(|error| error.at(&place))
    }

    fn joined(place: &Place) -> Result<Self> {
        let state = Self::connected(place)?;
        let found = state.version()?;
        if found > 0 && found < VERSION && place.is_at_work()? {
            return Err(Error::OlderState { found, known: VERSION });
        }
        state.migrate()?;
        Ok(state)
    }

    fn connected(place: &Place) -> Result<Self> {
        let database = match place {
            Place::File(path) => Connection::open(path)?,
            Place::Server(server) => Connection::reach(server)?,
        };
        Ok(Self::on(database, place))
    }

    /// Opens the state for reading; none if there is none yet.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn look(place: impl Into<Place>) -> Result<Option<Self>> {
        let place = place.into();
        let looked = match &place {
            Place::File(path) if !path.exists() => return Ok(None),
            Place::File(path) => Self::look_into_file(path, &place),
            Place::Server(server) => Self::look_into_server(server, &place),
        };
        looked.map_err(|error| error.at(&place))
    }

    fn look_into_file(path: &Path, place: &Place) -> Result<Option<Self>> {
        match Self::looked(Connection::look(path, false)?, place) {
            // What a killed process left in the log has to be recovered before anybody can read, and that is a write.
            Err(Error::State { source: Failure::File(source), .. })
                if source.sqlite_error_code() == Some(ErrorCode::ReadOnly) =>
            {
                Self::looked(Connection::look(path, true)?, place)
            }
            looked => looked,
        }
    }

    fn look_into_server(server: &Server, place: &Place) -> Result<Option<Self>> {
        Self::looked(Connection::reach(server)?, place)
    }

    fn looked(database: Connection, place: &Place) -> Result<Option<Self>> {
        let state = Self::on(database, place);
        // A process that ended while it made the state leaves a file without a table.
        Ok((state.version()? > 0).then_some(state))
    }

    fn on(database: Connection, place: &Place) -> Self {
        let opened_ms = chrono::Utc::now().timestamp_millis();
        Self {
            tenure: None,
            database,
            place: place.clone(),
            epoch: None,
            opened_ms,
            alive: RefCell::default(),
            left_ms: Cell::new(opened_ms),
        }
    }

    /// Whether a table is there: a state that an earlier version made is looked at as it is.
    pub(super) fn has_table(&self, name: &str) -> Result<bool> {
        if self.tenure.is_some() {
            // Whoever opened a server's state for writing has made its tables.
            return Ok(true);
        }
        let known = match &self.place {
            Place::File(_) => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
            Place::Server(_) => "SELECT 1 WHERE to_regclass(?1) IS NOT NULL",
        };
        Ok(self.database.query_row(known, [name], |_| Ok(())).optional()?.is_some())
    }
}
