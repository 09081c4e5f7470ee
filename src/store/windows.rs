//! Calls that were spent out of the target's windows, so that a restart does not forget them.
//!
//! A connection to the database of its own, beside that of the state: calls are counted while a run holds the other. What is
//! lost with a crash of the whole machine is a few calls of one minute, so commits into a file do not wait for the disk.

use std::sync::{Mutex, PoisonError};

use super::database::{Connection, Row, params};
use super::error::Result;
use super::place::Place;
use super::state::State;
use crate::model::spent::Spent;

/// How many windows the clock of another machine may be behind without opening one anew. Of a file all clocks are one.
const CLOCKS_APART: i64 = 1;

/// The windows of one tenant in a state database.
pub struct SpentCalls {
    database: Mutex<Connection>,
    place: Place,
    tenant: String,
}

impl SpentCalls {
    /// Opens the windows of a tenant, in a state that is there.
    ///
    /// # Errors
    /// If the file or the server cannot be used.
    pub fn open(place: impl Into<Place>, tenant: &str) -> Result<Self> {
        let place = place.into();
        let database = Mutex::new(Self::connected(&place).map_err(|error| error.at(&place))?);
        Ok(Self { database, place, tenant: tenant.to_owned() })
    }

    fn connected(place: &Place) -> Result<Connection> {
        match place {
            Place::File(path) => Connection::open_in_haste(path),
            Place::Server(server) => Connection::reach(server),
        }
    }

    fn added(&self, database: &Connection, api: &str, length_ms: i64, number: i64, calls: u32) -> Result<u32> {
        let apart = if self.place.is_server() { CLOCKS_APART } else { 0 };
        database.query_row(
            "INSERT INTO spent (tenant, api, length_ms, number, calls) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (tenant, api, length_ms) DO UPDATE SET
                 calls = excluded.calls + CASE WHEN spent.number >= excluded.number THEN spent.calls ELSE 0 END,
                 number = CASE WHEN spent.number BETWEEN excluded.number AND excluded.number + ?6 THEN spent.number
                     ELSE excluded.number END
             RETURNING calls",
            params![self.tenant, api, length_ms, number, calls, apart],
            |row| row.get(0),
        )
    }
}

impl State {
    /// The calls that a tenant's windows of a length are known to have spent: of each API the number of the window and its calls.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn spent(&self, tenant: &str, length_ms: i64) -> Result<Vec<(String, i64, u32)>> {
        let query = "SELECT api, number, calls FROM spent WHERE tenant = ?1 AND length_ms = ?2 ORDER BY api";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        self.database.query_map(query, params![tenant, length_ms], read)
    }
}

impl Spent for SpentCalls {
    fn add(&self, api: &str, length_ms: i64, number: i64, calls: u32) -> std::result::Result<u32, String> {
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.added(&database, api, length_ms, number, calls).or_else(|error| {
            // A server may have been away: a connection that ended then is made anew, and what was counted twice is counted too much.
            if !self.place.is_server() {
                return Err(error);
            }
            *database = Self::connected(&self.place)?;
            self.added(&database, api, length_ms, number, calls)
        });
        kept.map_err(|error| error.at(&self.place).to_string())
    }
}
