//! Calls that were spent out of the target's windows, so that a restart does not forget them.
//!
//! A connection to the database of its own, beside that of the state: calls are counted while a run holds the other. What is
//! lost with a crash of the whole machine is a few calls of one minute, so these commits do not wait for the disk.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, params};

use super::error::Result;
use super::state::State;
use crate::model::spent::Spent;

/// How long a writer waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The windows of one tenant in a state database.
pub struct SpentCalls {
    database: Mutex<Connection>,
    tenant: String,
}

impl SpentCalls {
    /// Opens the windows of a tenant, in a state that is there.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn open(path: &Path, tenant: &str) -> Result<Self> {
        let database = Connection::open(path)?;
        database.busy_timeout(BUSY_TIMEOUT)?;
        database.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self { database: Mutex::new(database), tenant: tenant.to_owned() })
    }
}

impl State {
    /// The calls that a tenant's windows of a length are known to have spent: of each API the number of the window and its calls.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn spent(&self, tenant: &str, length_ms: i64) -> Result<Vec<(String, i64, u32)>> {
        let mut query = self
            .database
            .prepare("SELECT api, number, calls FROM spent WHERE tenant = ?1 AND length_ms = ?2 ORDER BY api")?;
        let rows = query.query_map(params![tenant, length_ms], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }
}

impl Spent for SpentCalls {
    fn add(&self, api: &str, length_ms: i64, number: i64, calls: u32) -> std::result::Result<u32, String> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = database.query_row(
            "INSERT INTO spent (tenant, api, length_ms, number, calls) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (tenant, api, length_ms) DO UPDATE SET
                 calls = excluded.calls + CASE WHEN number >= excluded.number THEN calls ELSE 0 END,
                 number = excluded.number
             RETURNING calls",
            params![self.tenant, api, length_ms, number, calls],
            |row| row.get(0),
        );
        kept.map_err(|error| error.to_string())
    }
}
