//! Whether a server is the one that it was: a copy that took its place may be older than what was sent since.
//!
//! A standby that had not heard of the last commits, or a restored copy, is another cluster or another timeline of the same. What it knows of
//! calls under way, and of what the target holds, is then of a time before; it is treated as a copy that was put back (`restoring`). Not
//! noticed: a copy that is read into the same server again, of which `ferry state restored` tells. In: a server's state. Out: the same,
//! with nothing in it that could be older than the target.

use super::database::{Connection, Failure, OptionalExtension, Row, Why, params};
use super::error::{Error, Result};
use super::place::Place;
use super::restoring::{EPOCHS_FAR, forget_what_was_under_way};
use super::state::State;
use super::updates::{Update, keep_update};

/// Which cluster, and which timeline of it: https://www.postgresql.org/docs/current/functions-info.html
const IDENTITY: &str = "SELECT (SELECT system_identifier FROM pg_control_system())::text,
    substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)";

impl State {
    /// Looks whether the server is the one that it was, before anybody takes the state.
    pub(super) fn hold_server_against_its_past(&self) -> Result<()> {
        let Place::Server(server) = &self.place else { return Ok(()) };
        // On a connection of its own, as it is asked before anybody has the state.
        let read = |row: &Row<'_>| Ok((row.get::<String>(0)?, row.get::<String>(1)?));
        let (system, timeline) = match Connection::reach(server)?.query_row(IDENTITY, (), read) {
            // One that does not tell, as some that are rented do not, is believed.
            Err(Error::State { source: Failure::Server { why: Why::Forbidden | Why::Unsupported, .. }, .. }) => {
                return Ok(());
            }
            told => told?,
        };
        let is_known = "SELECT 1 FROM state WHERE system = ?1 AND timeline = ?2";
        if self.database.query_row(is_known, params![system, timeline], |_| Ok(())).optional()?.is_some() {
            return Ok(());
        }
        self.past_is_unknown(Some((&system, &timeline)), "the server")
    }

    /// Somebody has put a copy in the place of the state: nothing is gone on with or begun with, and whoever is at work writes nothing more.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn was_restored(&self, by: &str) -> Result<()> {
        self.past_is_unknown(None, by)
    }

    fn past_is_unknown(&self, is_now: Option<(&str, &str)>, by: &str) -> Result<()> {
        let now = chrono::Utc::now();
        let at = now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let change = self.database.begin()?;
        // In the order in which everybody locks.
        let leases: Vec<i64> =
            change.query_map(&change.locking("SELECT epoch FROM lease ORDER BY name"), (), |row| row.get(0))?;
        let known = change.query_row(&change.locking("SELECT system, timeline FROM state"), (), |row| {
            Ok((row.get::<Option<String>>(0)?, row.get::<Option<String>>(1)?))
        })?;
        let is_same = is_now.is_some_and(|(system, timeline)| known == (Some(system.into()), Some(timeline.into())));
        if is_same {
            // Another process has looked meanwhile.
            return Ok(());
        }
        if let Some((system, timeline)) = is_now {
            change.queue("UPDATE state SET system = ?1, timeline = ?2", params![system, timeline])?;
        }
        if is_now.is_none() || known != (None, None) {
            if !leases.is_empty() {
                change.queue("UPDATE lease SET epoch = epoch + ?1", [EPOCHS_FAR])?;
            }
            let given_up = forget_what_was_under_way(&change, &at, now.timestamp_millis())?;
            let after = format!("a server or a copy whose past is not known; {} runs were given up", given_up.len());
            let [kind, name, action] = ["state", "state", "restored"].map(str::to_owned);
            keep_update(
                &change,
                &Update { at, by: by.to_owned(), kind, name, action, before: None, after: Some(after) },
            )?;
        }
        change.commit()
    }
}
