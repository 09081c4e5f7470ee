//! Ids that stand in more than one row of the source: of these rows the last one counts.
//!
//! Pages may overlap, and seldom do. To find out with a join would hold every id twice; this holds 8 bytes of each, so many at a time.
//! In: the source. Out: the ids, or that there are none.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::logical_expr::{cast, ident};
use datafusion::prelude::DataFrame;
use futures::StreamExt;

use super::error::Result;
use super::session::Engine;
use super::side::hashes;
use crate::model::dataset;
use crate::model::job::Job;

/// Hashes that are held at a time.
const HELD_AT_MOST: usize = 8 << 20;
/// Ids that are named one by one.
const NAMED_AT_MOST: usize = 100_000;

/// What was found.
#[derive(Default, Clone)]
pub(super) enum Repeated {
    /// No id stands in two rows.
    Nothing,
    /// These may, in the column `repeated_id`; no other does.
    Few(DataFrame),
    /// So many that all rows are to be looked at; or nobody has looked.
    #[default]
    Many,
}

/// Looks at all ids of the source.
pub(super) async fn repeated(engine: &Engine, job: &Job) -> Result<Repeated> {
    let mut hashes = HashSet::new();
    let (mut pass, mut passes) = (0, 1);
    while pass < passes {
        let mut held = Vec::new();
        let mut batches = ids(engine, job).await?;
        while let Some(batch) = batches.next().await {
            held.extend(self::hashes(&batch?, &[0])?.into_iter().filter(|hash| hash % passes == pass));
            if held.len() > HELD_AT_MOST {
                // The first pass finds out how many there have to be. Each takes the hashes that are left over by its number.
                passes *= 2;
                held.retain(|hash| hash % passes == pass);
            }
        }
        held.sort_unstable();
        hashes.extend(held.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]));
        if hashes.len() > NAMED_AT_MOST {
            return Ok(Repeated::Many);
        }
        pass += 1;
    }
    if hashes.is_empty() { Ok(Repeated::Nothing) } else { named(engine, job, &hashes).await }
}

/// The ids with these hashes.
async fn named(engine: &Engine, job: &Job, hashes: &HashSet<u64>) -> Result<Repeated> {
    let mut found = HashSet::new();
    let mut batches = ids(engine, job).await?;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        let texts = batch.column(0).as_string::<i32>();
        let all = self::hashes(&batch, &[0])?.into_iter().zip(texts.iter());
        found.extend(all.filter(|(hash, _)| hashes.contains(hash)).filter_map(|(_, id)| id.map(str::to_owned)));
    }
    let mut found: Vec<String> = found.into_iter().collect();
    found.sort_unstable();
    let schema = Arc::new(Schema::new(vec![Field::new("repeated_id", DataType::Utf8, true)]));
    let batch = RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(found)) as ArrayRef]);
    let batch = batch.map_err(datafusion::error::DataFusionError::from)?;
    Ok(Repeated::Few(engine.given(batch)?))
}

/// The ids, in any order.
async fn ids(engine: &Engine, job: &Job) -> Result<super::session::Batches> {
    let fields = dataset::table_fields(job, None);
    let source = engine.dataset(dataset::SOURCE, &dataset::table_schema(&fields, true, None)).await?;
    let id = cast(ident(&job.columns[job.id].field.name), DataType::Utf8).alias("id");
    engine.in_any_order(source.select(vec![id])?).await
}
