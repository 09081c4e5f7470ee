//! Connections in the state: with which organisation or tenant each was established, and whether it was revoked.
//!
//! It keeps no secret and no token. A connection is known by its identifier; what was synchronised belongs to the organisation
//! and the tenant, so that renaming a connection loses nothing.

use super::database::{OptionalExtension, Row, params};
use super::error::Result;
use super::state::State;

/// A connection that has worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Established {
    /// Its identifier.
    pub name: String,
    /// The URL that it was established with.
    pub url: String,
    /// The Dynamics organisation's id, or the Gainsight tenant's host.
    pub identity: String,
    /// When it first worked: RFC 3339, UTC.
    pub since: String,
    /// When it was revoked, if it is: RFC 3339, UTC.
    pub revoked: Option<String>,
}

impl State {
    /// The connection of a name, if it was established.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn connection(&self, name: &str) -> Result<Option<Established>> {
        Ok(self.connections()?.into_iter().find(|c| c.name.eq_ignore_ascii_case(name)))
    }

    /// All established connections, by name. A state that an earlier version made has none.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn connections(&self) -> Result<Vec<Established>> {
        if !self.has_table("connection")? {
            return Ok(Vec::new());
        }
        let query = self.database.prepare("SELECT name, url, identity, since, revoked FROM connection ORDER BY name");
        query.query_map((), read)
    }

    /// Keeps a connection as established; one that was revoked is not any more.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn establish(&self, one: &Established) -> Result<()> {
        self.change("establish", |change| {
            change.queue(
                "INSERT INTO connection (name, url, identity, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET url = excluded.url, identity = excluded.identity,
                     since = excluded.since, revoked = NULL",
                params![one.name, one.url, one.identity, one.since],
            )?;
            Ok(())
        })
    }

    /// Marks a connection as revoked.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn revoke(&self, name: &str, at: &str) -> Result<()> {
        self.change("revoke", |change| {
            change.queue("UPDATE connection SET revoked = ?2 WHERE name = ?1", params![name, at])?;
            Ok(())
        })
    }

    /// Forgets a connection, and what was kept of its organisation or tenant where no other connection leads there.
    ///
    /// # Errors
    /// If it cannot be forgotten.
    pub fn forget(&self, name: &str) -> Result<()> {
        self.change("forget", |change| {
            let identity: Option<String> = change
                .query_row("SELECT identity FROM connection WHERE name = ?1", [name], |row| row.get(0))
                .optional()?;
            change.queue("DELETE FROM connection WHERE name = ?1", [name])?;
            let Some(identity) = identity else { return Ok(()) };
            for table in ["identity", "ambiguous", "refusal", "due", "link", "base"] {
                let orphaned = format!(
                    "DELETE FROM {table} WHERE ?1 IN (organization, tenant)
                     AND NOT EXISTS (SELECT 1 FROM connection WHERE connection.identity = ?1)"
                );
                change.queue(&orphaned, [&identity])?;
            }
            Ok(())
        })
    }
}

fn read(row: &Row<'_>) -> Result<Established> {
    Ok(Established {
        name: row.get(0)?,
        url: row.get(1)?,
        identity: row.get(2)?,
        since: row.get(3)?,
        revoked: row.get(4)?,
    })
}
