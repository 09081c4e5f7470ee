//! A file of SQLite's: how it is opened, and that it is one whose commits hold.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::super::error::{Error, Result};

/// SQLite before this version can lose committed writes of the write-ahead log.
const AT_LEAST: i32 = 3_051_003;
/// How long one connection waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long it waits before it looks again: most changes take less than a millisecond, so it looks often at first. SQLite's own waits begin
/// with one millisecond and grow. <https://www.sqlite.org/c3ref/busy_timeout.html>
const SHORT_WAIT: Duration = Duration::from_micros(100);
const SHORT_WAITS: u32 = 100;
const LONG_WAIT: Duration = Duration::from_millis(10);
/// Statements that a connection keeps prepared.
const PREPARED_AT_MOST: usize = 128;

/// For writing; made if it is not there.
pub(super) fn opened(path: &Path) -> Result<Connection> {
    if rusqlite::version_number() < AT_LEAST {
        return Err(Error::OldSqlite(rusqlite::version()));
    }
    let mut database = Connection::open(path)?;
    super::super::home::owner_only(path)?;
    database.busy_handler(Some(waits))?;
    database.set_prepared_statement_cache_capacity(PREPARED_AT_MOST);
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "foreign_keys", "ON")?;
    Ok(database)
}

/// For reading, or to recover what a killed process left.
pub(super) fn opened_with(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let mut database = Connection::open_with_flags(path, flags)?;
    database.busy_handler(Some(waits))?;
    Ok(database)
}

/// For writing without waiting for the disk.
pub(super) fn opened_in_haste(path: &Path) -> Result<Connection> {
    let mut database = Connection::open(path)?;
    database.busy_handler(Some(waits))?;
    database.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(database)
}

/// Waits for whoever has the file, and says whether that is worth it once more.
fn waits(tried: i32) -> bool {
    let tried = u32::try_from(tried).unwrap_or_default();
    let so_far = SHORT_WAIT * tried.min(SHORT_WAITS) + LONG_WAIT * tried.saturating_sub(SHORT_WAITS);
    if so_far >= BUSY_TIMEOUT {
        return false;
    }
    std::thread::sleep(if tried < SHORT_WAITS { SHORT_WAIT } else { LONG_WAIT });
    true
}
