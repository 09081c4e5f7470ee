//! The identity map: which Gainsight user a Dynamics user is. Ferry keeps it itself, as no public call reads or writes
//! Gainsight's own avatars.

use std::sync::Arc;

use arrow::array::{BooleanArray, StringArray};
use arrow::record_batch::RecordBatch;
use rusqlite::{Transaction, params};

use super::error::{Error, Result};
use super::state::{State, Tenancy};
use crate::model::dataset::avatar_schema;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The Dynamics user's id.
    pub source_id: String,
    /// Whether the Dynamics user is enabled.
    pub active: Option<bool>,
    /// The Gainsight user.
    pub user_gsid: Option<String>,
}

impl State {
    /// The map, in the columns of [`avatar_schema`].
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn all_identities(&self, of: &Tenancy) -> Result<RecordBatch> {
        let mut query = self.database.prepare(
            "SELECT source_id, active, user_gsid FROM identity WHERE organization = ?1 AND tenant = ?2 ORDER BY 1",
        )?;
        let rows = query.query_map(params![of.organization, of.tenant], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<bool>>(1)?, row.get::<_, Option<String>>(2)?))
        })?;
        let rows: Vec<_> = rows.collect::<std::result::Result<_, _>>()?;
        let ids = StringArray::from_iter_values(rows.iter().map(|r| &r.0));
        let active: BooleanArray = rows.iter().map(|r| r.1).collect();
        let users: StringArray = rows.iter().map(|r| r.2.as_deref()).collect();
        RecordBatch::try_new(avatar_schema(), vec![Arc::new(ids), Arc::new(active), Arc::new(users)])
            .map_err(|e| Error::Dataset { what: "avatar".to_owned(), detail: e.to_string() })
    }
}

/// Takes an entry in, over the one that is there.
pub(super) fn keep_identity(change: &Transaction<'_>, of: &Tenancy, entry: &Identity) -> Result<()> {
    change
        .prepare_cached(
            "INSERT INTO identity (organization, tenant, source_id, active, user_gsid) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (organization, tenant, source_id)
             DO UPDATE SET active = excluded.active, user_gsid = excluded.user_gsid",
        )?
        .execute(params![of.organization, of.tenant, entry.source_id, entry.active, entry.user_gsid])?;
    Ok(())
}
