//! A file of SQLite's: how it is opened, and that it is one whose commits hold.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::super::error::{Error, Result};

/// SQLite before this version can lose committed writes of the write-ahead log.
const AT_LEAST: i32 = 3_051_003;
/// How long a writer waits for a reader.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Statements that a connection keeps prepared.
const PREPARED_AT_MOST: usize = 128;

/// For writing; made if it is not there.
pub(super) fn opened(path: &Path) -> Result<Connection> {
    if rusqlite::version_number() < AT_LEAST {
        return Err(Error::OldSqlite(rusqlite::version()));
    }
    let database = Connection::open(path)?;
    super::super::home::owner_only(path)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    database.set_prepared_statement_cache_capacity(PREPARED_AT_MOST);
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "foreign_keys", "ON")?;
    Ok(database)
}

/// For reading, or to recover what a killed process left.
pub(super) fn opened_with(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    Ok(database)
}

/// For writing without waiting for the disk.
pub(super) fn opened_in_haste(path: &Path) -> Result<Connection> {
    let database = Connection::open(path)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    database.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(database)
}
