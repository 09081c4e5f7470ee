//! The state database: SQLite, one writer, every commit on disk before it counts.
//!
//! Its tables are reached through the files beside this one: `runs`, `users`, `refusals`, `connections`, `windows`. Everything that belongs to a
//! tenant is keyed by the Dynamics organisation's id and the Gainsight tenant, not by names in scripts.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::{Error, Result};
use super::home::owner_only;

/// The version that this code writes.
const VERSION: i64 = 3;
/// SQLite before this version can lose committed writes of the write-ahead log.
const SQLITE_AT_LEAST: i32 = 3_051_003;
/// How long a writer waits for a reader.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

const TABLES: &str = "
CREATE TABLE run (
    id TEXT PRIMARY KEY, job TEXT NOT NULL, chain TEXT, started TEXT NOT NULL, ended TEXT, status TEXT NOT NULL,
    report TEXT, message TEXT
) STRICT;
CREATE TABLE stage (
    run TEXT NOT NULL REFERENCES run (id), name TEXT NOT NULL, started TEXT NOT NULL, seconds REAL NOT NULL,
    rows INTEGER NOT NULL
) STRICT;
CREATE TABLE identity (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, source_id TEXT NOT NULL, active INTEGER, user_gsid TEXT,
    PRIMARY KEY (organization, tenant, source_id)
) STRICT;
CREATE TABLE refusal (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, job TEXT NOT NULL, source_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL, message TEXT NOT NULL, field TEXT, value TEXT, run TEXT NOT NULL,
    PRIMARY KEY (organization, tenant, job, source_id)
) STRICT;
";

/// What the second version added.
const CONNECTIONS: &str = "
CREATE TABLE connection (
    name TEXT PRIMARY KEY, url TEXT NOT NULL, identity TEXT NOT NULL, since TEXT NOT NULL, revoked TEXT
) STRICT;
";

/// What the third version added.
const SPENT: &str = "
CREATE TABLE spent (
    tenant TEXT NOT NULL, api TEXT NOT NULL, length_ms INTEGER NOT NULL, number INTEGER NOT NULL, calls INTEGER NOT NULL,
    PRIMARY KEY (tenant, api, length_ms)
) STRICT;
";

/// What leads from each version to the next.
const STEPS: [&str; 3] = [TABLES, CONNECTIONS, SPENT];

/// The open state of one home.
pub struct State {
    pub(super) database: Connection,
}

/// Whose state: the source's organisation and the target's tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenancy {
    /// The Dynamics organisation's id.
    pub organization: String,
    /// The Gainsight tenant's host.
    pub tenant: String,
}

impl State {
    /// Opens the state for writing; makes it if there is none.
    ///
    /// # Errors
    /// If the file cannot be used, or a newer Ferry made it.
    pub fn open(path: &Path) -> Result<Self> {
        assert!(rusqlite::version_number() >= SQLITE_AT_LEAST, "the bundled SQLite is too old");
        let database = Connection::open(path)?;
        owner_only(path)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        database.pragma_update(None, "foreign_keys", "ON")?;
        let mut state = Self { database };
        state.migrate()?;
        Ok(state)
    }

    /// Opens the state for reading; none if there is none yet.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn look(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        Ok(Some(Self { database }))
    }

    fn migrate(&mut self) -> Result<()> {
        let found: i64 = self.database.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let Some(steps) = usize::try_from(found).ok().and_then(|from| STEPS.get(from..)) else {
            return Err(Error::NewerState { found, known: VERSION });
        };
        let change = self.database.transaction()?;
        for step in steps {
            change.execute_batch(step)?;
        }
        change.pragma_update(None, "user_version", VERSION)?;
        Ok(change.commit()?)
    }
}
