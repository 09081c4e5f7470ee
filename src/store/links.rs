//! Links: which record a source row became, by job and object. So deletions and departures find their record when the row says
//! nothing any more.
//!
//! Only jobs that act on what the source loses keep them. A link is written with the acknowledgement that it comes of, and cut
//! with the acknowledgement of what was done about the lost row, so that it is done once.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray};
use arrow::record_batch::RecordBatch;

use super::database::{Transaction, params};
use super::error::{Error, Result};
use super::state::{State, Tenancy};
use crate::model::dataset::link_schema;

/// Links that are read at a time.
const LINKS_AT_ONCE: i64 = 65_536;

/// One link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The source row's primary key.
    pub source_id: String,
    /// The API name of the record's object.
    pub object: String,
    /// The record; none if its GSID was not told, as of new people.
    pub gsid: Option<String>,
    /// The digest of the key that the row gave the record.
    pub key: String,
}

/// What becomes of links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relink {
    /// The row is this record from now on.
    To(Link),
    /// The row with this primary key no longer passes the filter, and what was to be done about that is done. Should its row be
    /// gone one day, its record is still known.
    Left(String),
    /// The row with this primary key is of no record any more.
    Cut(String),
}

impl State {
    /// The links of a job behind a place, or from the first one on, in the columns of [`link_schema`] and the order of source id and
    /// object. No rows, when there are no more.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn links_behind(&self, of: &Tenancy, job: &str, after: Option<(&str, &str)>) -> Result<RecordBatch> {
        let query = self.database.prepare(
            "SELECT source_id, object, gsid, key, has_left FROM link
             WHERE organization = ?1 AND tenant = ?2 AND job = ?3 AND (?4 IS NULL OR (source_id, object) > (?4, ?5))
             ORDER BY source_id, object LIMIT ?6",
        );
        let (id, object) = after.unzip();
        let rows = query.query_map(params![of.organization, of.tenant, job, id, object, LINKS_AT_ONCE], |row| {
            let texts: [Option<String>; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            Ok((texts, row.get::<bool>(4)?))
        })?;
        let rows: Vec<([Option<String>; 4], bool)> = rows;
        let text = |n: usize| Arc::new(rows.iter().map(|row| row.0[n].as_deref()).collect::<StringArray>()) as ArrayRef;
        let has_left: BooleanArray = rows.iter().map(|row| Some(row.1)).collect();
        let columns = vec![text(0), text(1), text(2), text(3), Arc::new(has_left) as ArrayRef];
        RecordBatch::try_new(link_schema(), columns)
            .map_err(|e| Error::Dataset { what: "link".to_owned(), detail: e.to_string() })
    }

    pub(super) fn keep_relinks(&self, of: &Tenancy, job: &str, all: &[Relink]) -> Result<()> {
        self.change("relink", |change| all.iter().try_for_each(|one| keep_relink(change, of, job, one)))
    }
}

/// Brings one link up to date.
pub(super) fn keep_relink(change: &Transaction<'_>, of: &Tenancy, job: &str, one: &Relink) -> Result<()> {
    let (organization, tenant) = (&of.organization, &of.tenant);
    match one {
        Relink::To(link) => change.queue(
            "INSERT INTO link (organization, tenant, job, source_id, object, gsid, key, has_left)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)
                 ON CONFLICT (organization, tenant, job, source_id, object)
                 DO UPDATE SET gsid = excluded.gsid, key = excluded.key, has_left = 0",
            params![organization, tenant, job, link.source_id, link.object, link.gsid, link.key],
        )?,
        Relink::Left(source_id) => change.queue(
            "UPDATE link SET has_left = 1 WHERE organization = ?1 AND tenant = ?2 AND job = ?3 AND source_id = ?4",
            params![organization, tenant, job, source_id],
        )?,
        Relink::Cut(source_id) => change.queue(
            "DELETE FROM link WHERE organization = ?1 AND tenant = ?2 AND job = ?3 AND source_id = ?4",
            params![organization, tenant, job, source_id],
        )?,
    };
    Ok(())
}
