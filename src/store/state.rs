//! The state database: SQLite, one writer, every commit on disk before it counts.
//!
//! Its tables are reached through the files beside this one: `runs`, `pages`, `batches`, `due`, `users`, `links`, `refusals`,
//! `connections`, `windows`, `updates`, `slots`, `alive`; `tables` declares them. Everything that belongs to a tenant is keyed by the Dynamics organisation's id and the Gainsight tenant, not by names in
//! scripts. Every change passes `lease`, which lets nobody write who has lost the home.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use super::durable;
use super::error::{Error, Result, disk};
use super::home::{is_busy, owner_only, state_path};
use super::tables::{STEPS, VERSION};

/// SQLite before this version can lose committed writes of the write-ahead log.
const SQLITE_AT_LEAST: i32 = 3_051_003;
/// How long a writer waits for a reader.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The open state of one home.
pub struct State {
    pub(super) database: Connection,
    /// Which opening for writing this is; none where it was opened for reading.
    pub(super) epoch: Option<i64>,
    /// When it was opened, in milliseconds since 1970: whoever had it before can have sent nothing later.
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
    /// If the file cannot be used, or a newer Ferry made it.
    pub fn open(path: &Path) -> Result<Self> {
        Self::opened(path).map_err(|error| error.at(path))
    }

    fn opened(path: &Path) -> Result<Self> {
        let mut state = Self::connected(path)?;
        state.migrate()?;
        state.take()?;
        Ok(state)
    }

    /// Opens the state beside whoever holds the home, for what any process may write: approvals, pauses, update activities.
    ///
    /// # Errors
    /// If the file cannot be used, a newer Ferry made it, or an earlier one is at work on it: it would not know its tables any more.
    pub fn join(path: &Path) -> Result<Self> {
        Self::joined(path).map_err(|error| error.at(path))
    }

    fn joined(path: &Path) -> Result<Self> {
        let mut state = Self::connected(path)?;
        let found = state.version()?;
        // What lies beside the state of a home is nobody's but whose it is.
        let is_at_work = |home: &Path| state_path(home) == path && is_busy(home);
        if found > 0 && found < VERSION && path.parent().is_some_and(is_at_work) {
            return Err(Error::OlderState { found, known: VERSION });
        }
        state.migrate()?;
        Ok(state)
    }

    fn connected(path: &Path) -> Result<Self> {
        if rusqlite::version_number() < SQLITE_AT_LEAST {
            return Err(Error::OldSqlite(rusqlite::version()));
        }
        let database = Connection::open(path)?;
        owner_only(path)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        database.pragma_update(None, "foreign_keys", "ON")?;
        Ok(Self::on(database))
    }

    /// Opens the state for reading; none if there is none yet.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn look(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        Self::looked(path).map_err(|error| error.at(path))
    }

    fn looked(path: &Path) -> Result<Option<Self>> {
        match Self::looked_with(path, OpenFlags::SQLITE_OPEN_READ_ONLY) {
            // What a killed process left in the log has to be recovered before anybody can read, and that is a write.
            Err(Error::State { source, .. }) if source.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {
                Self::looked_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            }
            looked => looked,
        }
    }

    fn looked_with(path: &Path, flags: OpenFlags) -> Result<Option<Self>> {
        let database = Connection::open_with_flags(path, flags)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        // A process that ended while it made the state leaves a file without a table.
        let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((version > 0).then(|| Self::on(database)))
    }

    fn on(database: Connection) -> Self {
        let opened_ms = chrono::Utc::now().timestamp_millis();
        Self { database, epoch: None, opened_ms, alive: RefCell::default(), left_ms: Cell::new(opened_ms) }
    }

    /// Whether a table is there: a state that an earlier version made is looked at as it is.
    pub(super) fn has_table(&self, name: &str) -> Result<bool> {
        let known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1";
        Ok(self.database.query_row(known, [name], |_| Ok(())).optional()?.is_some())
    }

    fn migrate(&mut self) -> Result<()> {
        let found: i64 = self.database.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let Some(steps) = usize::try_from(found).ok().and_then(|from| STEPS.get(from..)) else {
            return Err(Error::NewerState { found, known: VERSION });
        };
        if steps.is_empty() {
            return Ok(());
        }
        if found > 0 {
            self.keep_before_migration(found)?;
        }
        let change = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have done it meanwhile.
        if change.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? != found {
            return Ok(());
        }
        for step in steps {
            change.execute_batch(step)?;
        }
        change.pragma_update(None, "user_version", VERSION)?;
        Ok(change.commit()?)
    }

    /// Keeps a copy of the state as an earlier version made it: an older Ferry can be put back with it. It is there whole or not at all,
    /// and takes the place of one of an earlier attempt, which may be older or half made.
    fn keep_before_migration(&self, found: i64) -> Result<()> {
        let Some(path) = self.database.path().map(Path::new) else { return Ok(()) };
        let copy = path.with_file_name(format!("state.version-{found}.db"));
        durable::abandon(&copy)?;
        let beside = durable::temporary(&copy);
        self.back_up(&beside)?;
        durable::complete(&File::open(&beside).map_err(disk("cannot read", &beside))?, &copy)
    }
}
