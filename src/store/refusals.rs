//! Records that Gainsight refused: remembered by a digest of their values, so that the same record is not sent again
//! until something about it has changed.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::record_batch::RecordBatch;

use super::database::{Transaction, params};
use super::error::{Error, Result};
use super::state::{State, Tenancy};
use crate::model::dataset::refused_schema;

/// One refused record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The source row's primary key.
    pub source_id: String,
    /// The digest of its values.
    pub fingerprint: String,
    /// Gainsight's words.
    pub message: String,
    /// The field that it named.
    pub field: Option<String>,
    /// The value that it named.
    pub value: Option<String>,
}

impl State {
    /// What is remembered for a job, in the columns of [`refused_schema`].
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn all_refusals(&self, of: &Tenancy, job: &str) -> Result<RecordBatch> {
        let query = self.database.prepare(
            "SELECT source_id, fingerprint, message, field, value FROM refusal
             WHERE organization = ?1 AND tenant = ?2 AND job = ?3 ORDER BY 1",
        );
        let rows = query.query_map(params![of.organization, of.tenant, job], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
        })?;
        let rows: Vec<[Option<String>; 5]> = rows;
        let column = |n: usize| -> StringArray { rows.iter().map(|r| r[n].as_deref()).collect() };
        let columns: Vec<arrow::array::ArrayRef> = (0..5).map(|n| Arc::new(column(n)) as _).collect();
        RecordBatch::try_new(refused_schema(), columns)
            .map_err(|e| Error::Dataset { what: "refused".to_owned(), detail: e.to_string() })
    }
}

/// Remembers what a run was refused.
pub(super) fn keep_refusal(change: &Transaction<'_>, of: &Tenancy, job: &str, run: &str, one: &Refused) -> Result<()> {
    change.queue(
        "INSERT INTO refusal (organization, tenant, job, source_id, fingerprint, message, field, value, run)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (organization, tenant, job, source_id) DO UPDATE SET fingerprint = excluded.fingerprint,
                 message = excluded.message, field = excluded.field, value = excluded.value, run = excluded.run",
        params![
            of.organization,
            of.tenant,
            job,
            one.source_id,
            one.fingerprint,
            one.message,
            one.field,
            one.value,
            run
        ],
    )?;
    Ok(())
}

/// Forgets what a row was refused, as it could be written.
pub(super) fn forget_refusal(change: &Transaction<'_>, of: &Tenancy, job: &str, source_id: &str) -> Result<()> {
    change.queue(
        "DELETE FROM refusal WHERE organization = ?1 AND tenant = ?2 AND job = ?3 AND source_id = ?4",
        params![of.organization, of.tenant, job, source_id],
    )?;
    Ok(())
}
