//! Rows of files for a preview: as many as are asked for, kept in no ledger.
//!
//! It is no reading of a run: nothing is gone on with, and no mark is left. In: a query, and how many rows. Out: a dataset.

use super::error::Error;
use super::file_tables::{shape_of, shaped};
use super::newest::{Dealing, parts};
use super::progress::Voice;
use crate::dynamics::odata::Query;
use crate::dynamics::pages::schema_of;
use crate::files::client::Files;
use crate::store::dataset::RunFolder;

/// For a preview: of the source rows until there are so many, of other tables all. Of an export the versions of those are told apart.
pub(super) async fn preview(
    files: &Files,
    query: Query,
    folder: &RunFolder,
    limit: usize,
    progress: &Voice<'_>,
) -> Result<u64, Error> {
    let (shape, schema) = (shape_of(&query, files.is_export()), schema_of(&query));
    let id = query.table.primary_id.as_str();
    let mut reading = files.read(&query.table.name, shape.clone(), None).await?;
    let mut dealing = if files.is_export() {
        Some(Dealing::begin(folder, "dealt", &shape.schema, id, parts(reading.bytes)).await?)
    } else {
        None
    };
    let mut writer = folder.write(&query.dataset, schema.clone());
    let mut read = 0;
    while let Some(batch) = reading.next().await? {
        read += batch.num_rows();
        match &mut dealing {
            Some(dealing) => dealing.add(batch).await?,
            None => {
                let behind = query.is_numbered().then_some(writer.rows);
                writer.add(shaped(&batch, &schema, behind)?).await?;
            }
        }
        if query.is_numbered() {
            progress.advanced("extract", read as u64, None);
            if read >= limit {
                break;
            }
        }
    }
    if let Some(dealing) = dealing {
        let mut parts = dealing.end().await?;
        while let Some(newest) = parts.next().await? {
            for batch in newest.rows {
                let behind = query.is_numbered().then_some(writer.rows);
                writer.add(shaped(&batch, &schema, behind)?).await?;
            }
        }
        parts.clear().await?;
    }
    Ok(writer.finish().await?)
}
