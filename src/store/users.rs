//! The identity map: which Gainsight user a Dynamics user is. Ferry keeps it itself, as no public call reads or writes
//! Gainsight's own avatars.
//!
//! Runs enter whom a key finds, with the acknowledgement of the call; people settle the rest (`associations`). Users that could be one of
//! several stand beside the map, and are brought up to date in the transaction that ends a run.

use std::sync::Arc;

use arrow::array::{BooleanArray, StringArray};
use arrow::record_batch::RecordBatch;

use super::database::{Transaction, params};
use super::error::{Error, Result};
use super::ledger::End;
use super::state::{State, Tenancy};
use crate::model::dataset::avatar_schema;

/// What a run enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The Dynamics user's id.
    pub source_id: String,
    /// Whether the Dynamics user is enabled.
    pub active: Option<bool>,
    /// The Gainsight user.
    pub user_gsid: String,
    /// When: RFC 3339, UTC.
    pub at: String,
}

/// What stands in the map where a key has settled it. What a person has settled begins with [`PERSON`].
pub const KEY: &str = "key";
/// Before the name of the person who has settled an entry.
pub const PERSON: &str = "person ";

impl State {
    /// The map, in the columns of [`avatar_schema`].
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn all_identities(&self, of: &Tenancy) -> Result<RecordBatch> {
        let query = self.database.prepare(
            "SELECT source_id, active, user_gsid, parted_gsid FROM identity WHERE organization = ?1 AND tenant = ?2 ORDER BY 1",
        );
        let rows = query.query_map(params![of.organization, of.tenant], |row| {
            let gsids = (row.get::<Option<String>>(2)?, row.get::<Option<String>>(3)?);
            Ok((row.get::<String>(0)?, row.get::<Option<bool>>(1)?, gsids))
        })?;
        let rows: Vec<_> = rows;
        let ids = StringArray::from_iter_values(rows.iter().map(|r| &r.0));
        let active: BooleanArray = rows.iter().map(|r| r.1).collect();
        let users: StringArray = rows.iter().map(|r| r.2.0.as_deref()).collect();
        let parted: StringArray = rows.iter().map(|r| r.2.1.as_deref()).collect();
        RecordBatch::try_new(avatar_schema(), vec![Arc::new(ids), Arc::new(active), Arc::new(users), Arc::new(parted)])
            .map_err(|e| Error::Dataset { what: "avatar".to_owned(), detail: e.to_string() })
    }

    /// Whether a person has changed the map since a run began. Of what was said in a state of an earlier version only the moment is known.
    pub(super) fn said_since(&self, of: &Tenancy, run: &str) -> Result<bool> {
        let said = self.database.query_row(
            "SELECT EXISTS (SELECT 1 FROM identity JOIN run ON run.id = ?4
                 WHERE identity.organization = ?1 AND identity.tenant = ?2 AND settled_by LIKE ?3 || '%'
                 AND coalesce(said_behind >= began, since >= started))",
            params![of.organization, of.tenant, PERSON, run],
            |row| row.get(0),
        )?;
        Ok(said)
    }
}

/// Takes an entry in, over the one that is there. The same user stays settled as he was.
pub(super) fn keep_identity(change: &Transaction<'_>, of: &Tenancy, entry: &Identity) -> Result<()> {
    change.queue("INSERT INTO identity (organization, tenant, source_id, active, user_gsid, since, settled_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (organization, tenant, source_id) DO UPDATE SET active = excluded.active, user_gsid = excluded.user_gsid,
                 since = CASE WHEN identity.user_gsid IS NOT DISTINCT FROM excluded.user_gsid THEN identity.since ELSE excluded.since END,
                 settled_by = CASE WHEN identity.user_gsid IS NOT DISTINCT FROM excluded.user_gsid THEN identity.settled_by
                     ELSE excluded.settled_by END", params![of.organization, of.tenant, entry.source_id, entry.active, entry.user_gsid, entry.at, KEY])?;
    forget_ambiguous(change, of, &entry.source_id)
}

/// Forgets that a user could be one of several, as it is settled.
pub(super) fn forget_ambiguous(change: &Transaction<'_>, of: &Tenancy, source_id: &str) -> Result<()> {
    change.queue(
        "DELETE FROM ambiguous WHERE organization = ?1 AND tenant = ?2 AND source_id = ?3",
        params![of.organization, of.tenant, source_id],
    )?;
    Ok(())
}

/// Brings the users that could be one of several up to date with the end of a run. One that was stopped takes nothing away.
pub(super) fn keep_ambiguous(change: &Transaction<'_>, end: &End<'_>) -> Result<()> {
    let of = end.of;
    let forget = change.prepare(
        "DELETE FROM ambiguous WHERE organization = ?1 AND tenant = ?2 AND job = ?3 AND run <> ?4
         AND (?5 IS NULL OR source_id = ?5)",
    );
    let keep = change.prepare(
        "INSERT INTO ambiguous (organization, tenant, source_id, job, run, since, candidates) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (organization, tenant, source_id) DO UPDATE SET job = excluded.job, run = excluded.run,
             candidates = excluded.candidates",
    );
    for one in end.failed.iter().filter(|one| !one.candidates.is_empty()) {
        let candidates = one.candidates.join(" ");
        keep.queue(params![of.organization, of.tenant, one.source_id, end.job, end.run, end.ended, candidates])?;
    }
    match end.chosen {
        _ if !end.are_all => {}
        None => forget.queue(params![of.organization, of.tenant, end.job, end.run, None::<&str>])?,
        Some(chosen) => {
            for id in chosen {
                forget.queue(params![of.organization, of.tenant, end.job, end.run, id])?;
            }
        }
    }
    Ok(())
}
