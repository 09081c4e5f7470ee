//! The state database: SQLite, one writer, every commit on disk before it counts.
//!
//! Its tables are reached through the files beside this one: `runs`, `pages`, `batches`, `due`, `users`, `links`, `refusals`,
//! `connections`, `windows`. Everything that belongs to a tenant is keyed by the Dynamics organisation's id and the Gainsight tenant, not by names in
//! scripts. Every change passes `lease`, which lets nobody write who has lost the home.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::error::{Error, Result};
use super::home::owner_only;

/// The version that this code writes.
const VERSION: i64 = 6;
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

/// What the fourth version added: the ledger of runs. A row of `outcome` without a result is one whose call was sent and is not
/// answered yet.
const LEDGER: &str = "
CREATE TABLE lease (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, process INTEGER NOT NULL, since TEXT NOT NULL) STRICT;
ALTER TABLE run ADD COLUMN organization TEXT;
ALTER TABLE run ADD COLUMN tenant TEXT;
ALTER TABLE run ADD COLUMN phase TEXT NOT NULL DEFAULT 'ended';
ALTER TABLE run ADD COLUMN job_digest TEXT;
ALTER TABLE run ADD COLUMN now_ms INTEGER;
ALTER TABLE run ADD COLUMN relied TEXT;
ALTER TABLE run ADD COLUMN chosen TEXT;
ALTER TABLE run ADD COLUMN planned TEXT;
ALTER TABLE run ADD COLUMN plan_digest TEXT;
ALTER TABLE run ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1;
CREATE INDEX run_by_job ON run (job, id);
CREATE TABLE reading (
    run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, dataset TEXT NOT NULL, checkpoint TEXT NOT NULL,
    rows INTEGER NOT NULL, is_done INTEGER NOT NULL, PRIMARY KEY (run, dataset)
) STRICT;
CREATE TABLE page (
    run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, dataset TEXT NOT NULL, number INTEGER NOT NULL,
    file TEXT NOT NULL, rows INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (run, dataset, number)
) STRICT;
CREATE TABLE batch (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, step INTEGER NOT NULL,
    what TEXT NOT NULL, rows INTEGER NOT NULL, epoch INTEGER NOT NULL, sent_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sent', 'acknowledged', 'refused', 'withdrawn', 'unknown', 'abandoned'))
) STRICT;
CREATE INDEX batch_by_run ON batch (run, state);
CREATE TABLE outcome (
    run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, row INTEGER NOT NULL, step INTEGER NOT NULL,
    batch INTEGER REFERENCES batch (id) ON DELETE CASCADE, source_id TEXT NOT NULL, result TEXT, gsid TEXT, message TEXT,
    field TEXT, value TEXT, PRIMARY KEY (run, row, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX outcome_by_batch ON outcome (batch);
CREATE TABLE due (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, job TEXT NOT NULL, source_id TEXT NOT NULL, code TEXT NOT NULL,
    retried TEXT NOT NULL, message TEXT NOT NULL, since TEXT NOT NULL, tries INTEGER NOT NULL, run TEXT NOT NULL,
    PRIMARY KEY (organization, tenant, job, source_id)
) STRICT, WITHOUT ROWID;
";

/// What the fifth version added: which record each row became, for jobs that act on what the source loses.
const LINKS: &str = "
CREATE TABLE link (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, job TEXT NOT NULL, source_id TEXT NOT NULL, object TEXT NOT NULL,
    gsid TEXT, key TEXT NOT NULL, has_left INTEGER NOT NULL, PRIMARY KEY (organization, tenant, job, source_id, object)
) STRICT, WITHOUT ROWID;
";

/// What the sixth version added: where a job's next run begins to read. Its rows lie in the folder of the run that is named.
const BASE: &str = "
CREATE TABLE base (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, job TEXT NOT NULL, run TEXT NOT NULL REFERENCES run (id),
    digest TEXT NOT NULL, full_at_ms INTEGER NOT NULL, cursors TEXT NOT NULL, PRIMARY KEY (organization, tenant, job)
) STRICT, WITHOUT ROWID;
";

/// What leads from each version to the next.
const STEPS: [&str; 6] = [TABLES, CONNECTIONS, SPENT, LEDGER, LINKS, BASE];

/// The open state of one home.
pub struct State {
    pub(super) database: Connection,
    /// Which opening for writing this is; none where it was opened for reading.
    pub(super) epoch: Option<i64>,
    /// When it was opened, in milliseconds since 1970: whoever had it before can have sent nothing later.
    pub(super) opened_ms: i64,
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
        Self::opened(path).map_err(|error| error.at(path))
    }

    fn opened(path: &Path) -> Result<Self> {
        if rusqlite::version_number() < SQLITE_AT_LEAST {
            return Err(Error::OldSqlite(rusqlite::version()));
        }
        let database = Connection::open(path)?;
        owner_only(path)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        database.pragma_update(None, "foreign_keys", "ON")?;
        let mut state = Self { database, epoch: None, opened_ms: chrono::Utc::now().timestamp_millis() };
        state.migrate()?;
        state.take()?;
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
        Ok((version > 0).then_some(Self { database, epoch: None, opened_ms: chrono::Utc::now().timestamp_millis() }))
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
        let change = self.database.transaction()?;
        for step in steps {
            change.execute_batch(step)?;
        }
        change.pragma_update(None, "user_version", VERSION)?;
        Ok(change.commit()?)
    }
}
