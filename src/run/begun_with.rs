//! A Dynamics table that begins with an export: its rows, and over them what changed since the moment up to which it is whole.
//!
//! No row is missed. What changed in Dynamics after that moment is asked for, as are the keys of all rows, and what changed while these
//! came. A row of which neither the export nor a change tells the version that its key has is a gap: everything is read from Dynamics
//! then. In: a query. Out: the dataset, and where the next run begins.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Field as ArrowField, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::error::Error;
use super::newest::{Dealing, parts};
use super::refreshing::{Came, Refreshing, again, delta, keys};
use super::services::{Services, Source};
use super::ways::{TableWay, is_tracked};
use crate::dynamics::client::Dynamics;
use crate::dynamics::odata::{Query, Reach};
use crate::dynamics::pages::schema_of;
use crate::files::assumptions::EXPORT_BEHIND_SECONDS;
use crate::files::client::Files;
use crate::files::shape::{GONE, VERSION};
use crate::model::dataset::VERSION_NUMBER;

/// The export that a job begins with.
pub(super) fn export_of<'s>(services: &'s Services, connection: Option<&str>) -> Option<&'s Files> {
    match services.connected(connection?) {
        Ok(Source::Files(files)) => Some(files),
        _ => None,
    }
}

impl Refreshing<'_> {
    /// Reads the table so.
    pub(super) async fn begun_with(
        &self,
        dynamics: &Dynamics,
        query: Query,
        column: &str,
    ) -> Result<(u64, Option<Came>), Error> {
        let (name, id) = (query.dataset.as_str(), query.table.primary_id.as_str());
        let begins_with = self.job.source.begins_with.as_ref();
        let (Some(files), Some(table)) = (self.export, begins_with) else {
            let missing = begins_with.map_or(&self.job.source.connection, |table| &table.connection);
            return Err(Error::NotOpen(missing.clone()));
        };
        let begun = format!("begun/{name}");
        let rows = Query { dataset: begun.clone(), table: table.clone(), ..query.clone() };
        let complete_to_ms = self.export_rows(files, rows, id).await?;
        let ask = |reach: Reach, dataset: String| Query { reach, dataset, filter: None, ..query.clone() };
        let from_ms = complete_to_ms.saturating_sub(EXPORT_BEHIND_SECONDS.saturating_mul(1_000));
        self.staging.table(dynamics, ask(Reach::Since(column.to_owned(), from_ms), delta(name))).await?;
        let version = query.fields.iter().filter(|field| field.name == VERSION_NUMBER).cloned().collect();
        let only_keys = Query { fields: version, ..ask(Reach::Whole, keys(name)) };
        let all = self.staging.table(dynamics, only_keys).await?;
        let now_ms = self.began_ms(self.ways.borrow().ahead.dynamics, dynamics.seconds_ahead());
        let lag_ms = i64::try_from(self.lag_seconds()).unwrap_or(i64::MAX).saturating_mul(1_000);
        let while_read = Reach::Since(column.to_owned(), now_ms.saturating_sub(lag_ms));
        self.staging.table(dynamics, ask(while_read, again(name))).await?;
        let earlier = (self.staging.folder, begun.as_str());
        let staged = [delta(name), again(name)];
        let (rows, came) = self.merged(name, earlier, &staged, Some(&keys(name)), id, schema_of(&query)).await?;
        let gaps = self.gaps(name, id, all).await?;
        if gaps > 0 {
            self.staging.progress.notice(format!(
                "the export lacks {gaps} rows or changes of rows that Dynamics has; everything is read from Dynamics"
            ));
            let is_tracked = is_tracked(self.job, &query.table, true);
            self.change_way(name, if is_tracked { TableWay::Tracked } else { TableWay::Whole })?;
            return Box::pin(self.table(dynamics, query)).await;
        }
        self.note(dynamics, &query, None, rows)?;
        Ok((rows, Some(came)))
    }

    /// Rows of Dynamics that the merged ones lack, or have in an older version only. Both are dealt out by their keys: what is left of the
    /// keys, which come first, is newer than any row.
    async fn gaps(&self, name: &str, id: &str, all: u64) -> Result<u64, Error> {
        let schema = version_schema(id);
        let (folder, dealt) = (self.staging.folder, format!("dealt/keys/{name}"));
        let mut dealing = Dealing::begin(folder, &dealt, &schema, id, parts(all * BYTES_OF_A_KEY)).await?;
        for (dataset, is_key) in [(keys(name), true), (name.to_owned(), false)] {
            let mut rows = folder.read(&dataset).await?;
            while let Some(batch) = rows.next().await? {
                dealing.add(versions_of(&batch, &schema, id, is_key)?).await?;
            }
        }
        let (mut parts, mut gaps) = (dealing.end().await?, 0);
        while let Some(newest) = parts.next().await? {
            gaps += newest.gone.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
        }
        parts.clear().await?;
        Ok(gaps)
    }

    /// The rows of the export as a dataset of their own; gives the moment up to which they are whole.
    async fn export_rows(&self, files: &Files, rows: Query, id: &str) -> Result<i64, Error> {
        let noted = format!("whole/{}", rows.dataset);
        let kept = self.staging.ledger.reading(self.staging.run, &noted)?;
        if let Some(at) = kept.and_then(|kept| kept.checkpoint.parse().ok())
            && self.is_whole(&rows.dataset).await?
        {
            return Ok(at);
        }
        let complete_to_ms = self.exported(files, &rows, id).await?;
        self.staging.ledger.note(self.staging.run, &noted, &complete_to_ms.to_string())?;
        Ok(complete_to_ms)
    }
}

/// Bytes that a key and its version take while they are compared.
const BYTES_OF_A_KEY: u64 = 120;

/// Keys with versions, and whether they are what Dynamics says.
fn version_schema(id: &str) -> SchemaRef {
    let columns = vec![
        ArrowField::new(id, DataType::Utf8, true),
        ArrowField::new(VERSION, DataType::Int64, false),
        ArrowField::new(GONE, DataType::Boolean, false),
    ];
    Arc::new(Schema::new(columns))
}

fn versions_of(rows: &RecordBatch, schema: &SchemaRef, id: &str, is_key: bool) -> Result<RecordBatch, Error> {
    let column = |name: &str| {
        let found = rows.column_by_name(name).cloned();
        found.ok_or_else(|| Error::Books(format!("rows that an export began have no column {name}")))
    };
    let versions = column(VERSION_NUMBER)?;
    let versions: Int64Array =
        versions.as_primitive::<Int64Type>().iter().map(|version| Some(version.unwrap_or(i64::MIN))).collect();
    let flags = BooleanArray::from(vec![is_key; rows.num_rows()]);
    let columns: Vec<ArrayRef> = vec![column(id)?, Arc::new(versions), Arc::new(flags)];
    RecordBatch::try_new(schema.clone(), columns).map_err(|e| Error::Books(e.to_string()))
}
