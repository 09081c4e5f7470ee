//! Brings the tables of a state to the version that this Ferry knows, once, however many processes open it at the same time.
//!
//! A file carries its version itself, and a copy of it is kept before. A server has it in a table of one row, and lets one process after the
//! other look at it. In: an open state. Out: the same, with the tables of this version.

use std::fs::File;
use std::path::Path;

use rusqlite::TransactionBehavior;

use super::database::{Connection, OptionalExtension};
use super::durable;
use super::error::{Error, Result, disk};
use super::lease::HOME;
use super::state::State;
use super::tables::{OF_SERVER, STEPS, VERSION};

/// What processes that open a server's state wait for; any number that nobody else uses there will do.
const TURN: i64 = 0x6665_7272_7901;

impl State {
    /// The version of its tables; 0 where there are none.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn version(&self) -> Result<i64> {
        match self.database.file() {
            Some(file) => Ok(file.pragma_query_value(None, "user_version", |row| row.get(0))?),
            None => version_of_server(&self.database),
        }
    }

    pub(super) fn migrate(&self) -> Result<()> {
        let found = self.version()?;
        let Some(steps) = usize::try_from(found).ok().and_then(|from| STEPS.get(from..)) else {
            return Err(Error::NewerState { found, known: VERSION });
        };
        if steps.is_empty() {
            return Ok(());
        }
        match self.database.file() {
            Some(file) => self.migrate_file(file, found, steps),
            None => self.migrate_server(found, steps),
        }
    }

    fn migrate_file(&self, file: &rusqlite::Connection, found: i64, steps: &[&str]) -> Result<()> {
        if found > 0 {
            self.keep_before_migration(file, found)?;
        }
        let change = rusqlite::Transaction::new_unchecked(file, TransactionBehavior::Immediate)?;
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

    fn migrate_server(&self, found: i64, steps: &[&str]) -> Result<()> {
        let change = self.database.begin()?;
        change.query_row("SELECT pg_advisory_xact_lock(?1)", [TURN], |_| Ok(()))?;
        if version_of_server(&change)? != found {
            return Ok(());
        }
        // Nobody takes the lease until the tables are of this version; whoever has it does not know them.
        let at_work = change.locking("SELECT expires > clock_timestamp() FROM lease WHERE name = ?1");
        if found > 0 && change.query_row(&at_work, [HOME], |row| row.get(0)).optional()?.flatten() == Some(true) {
            return Err(Error::OlderState { found, known: VERSION });
        }
        for step in steps {
            change.declare(step)?;
        }
        if found == 0 {
            change.declare(OF_SERVER)?;
            change.queue("INSERT INTO state (version) VALUES (?1)", [VERSION])?;
        } else {
            change.queue("UPDATE state SET version = ?1", [VERSION])?;
        }
        change.commit()
    }

    /// Keeps a copy of the state as an earlier version made it: an older Ferry can be put back with it. It is there whole or not at all,
    /// and takes the place of one of an earlier attempt, which may be older or half made.
    fn keep_before_migration(&self, file: &rusqlite::Connection, found: i64) -> Result<()> {
        let Some(path) = file.path().map(Path::new) else { return Ok(()) };
        let copy = path.with_file_name(format!("state.version-{found}.db"));
        durable::abandon(&copy)?;
        let beside = durable::temporary(&copy);
        self.back_up(&beside)?;
        durable::complete(&File::open(&beside).map_err(disk("cannot read", &beside))?, &copy)
    }
}

fn version_of_server(database: &Connection) -> Result<i64> {
    // Not `to_regclass`, which remembers that there was none from before another process made it, and is not reminded by the turn.
    let is_there = "SELECT 1 FROM pg_tables WHERE schemaname = ANY (current_schemas(false)) AND tablename = 'state'";
    if database.query_row(is_there, (), |_| Ok(())).optional()?.is_none() {
        return Ok(0);
    }
    Ok(database.query_row("SELECT version FROM state", (), |row| row.get(0)).optional()?.unwrap_or(0))
}
