//! A join whose side does not fit into memory: both split by the hash of the key, and joined part by part on the disk.
//!
//! Rows of one key are in one part, so the parts can be joined one after the other, each with a side that fits. Rows come out in the
//! order of their numbers again. In: a side, and rows. Out: what `attach` would give.

use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::spill_file::SpillFile;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};
use futures::{StreamExt, TryStreamExt};

use super::attach::Shape;
use super::ordered::{Stream, merged, numbers};
use super::side::{Side, bytes_of, hashes};
use crate::model::dataset::ROW;

/// Parts of a side: it may be that many times as large as one that fits, as far as its keys are spread.
const PARTS: usize = 64;
/// Rows that are split at once, so that what is written of a part is no crumb.
const ROWS_AT_ONCE: usize = 65_536;
/// Rows of a batch that is read back.
const ROWS_PER_BATCH: usize = 8_192;

/// Rows on the disk, by the hash of a key.
pub(super) struct Parts {
    manager: SpillManager,
    files: Vec<Option<Arc<dyn SpillFile>>>,
    /// Whether the rows had numbers, and came in their order.
    is_ordered: bool,
}

/// Splits rows by the hash of the key in these columns. The rows of a part are in the order in which they came.
pub(super) async fn split(
    mut rows: Stream,
    schema: &SchemaRef,
    keys: &[usize],
    context: &TaskContext,
) -> Result<Parts> {
    let manager = manager(schema, context);
    let mut files =
        (0..PARTS).map(|_| manager.create_in_progress_file("a part of a join")).collect::<Result<Vec<_>>>()?;
    let (mut held, mut count) = (Vec::new(), 0);
    let (mut is_ordered, mut last) = (schema.index_of(ROW).is_ok(), i64::MIN);
    loop {
        let next = rows.try_next().await?;
        if let Some(batch) = next.as_ref().filter(|batch| is_ordered && batch.num_rows() > 0) {
            let numbers = numbers(batch)?;
            is_ordered = numbers[0] > last && numbers.is_sorted_by(|one, other| one < other);
            last = numbers[numbers.len() - 1];
        }
        let is_last = next.is_none();
        count += next.as_ref().map_or(0, RecordBatch::num_rows);
        held.extend(next);
        if count >= ROWS_AT_ONCE || (is_last && count > 0) {
            let all = concat_batches(schema, &held)?;
            let mut of_part: Vec<Vec<u32>> = vec![Vec::new(); PARTS];
            for (row, hash) in (0_u32..).zip(hashes(&all, keys)?) {
                of_part[part(hash)].push(row);
            }
            for (file, chosen) in files.iter_mut().zip(of_part) {
                let chosen = take_record_batch(&all, &UInt32Array::from(chosen))?;
                for begin in (0..chosen.num_rows()).step_by(ROWS_PER_BATCH) {
                    file.append_batch(&chosen.slice(begin, ROWS_PER_BATCH.min(chosen.num_rows() - begin)))?;
                }
            }
            (held, count) = (Vec::new(), 0);
        }
        if is_last {
            break;
        }
    }
    let files = files.iter_mut().map(|file| file.finish()).collect::<Result<_>>()?;
    Ok(Parts { manager, files, is_ordered })
}

/// Rows with what a side holds for them, where the side is on the disk. No part of it may take more than `bytes`.
pub(super) async fn joined_by_parts(
    side: &Parts,
    rows: SendableRecordBatchStream,
    shape: &Shape,
    bytes: usize,
    context: &TaskContext,
) -> Result<Stream> {
    let schema = rows.schema();
    let rows = split(rows.boxed(), &schema, &shape.row_keys, context).await?;
    let results = manager(&shape.schema, context);
    let mut streams = Vec::new();
    for (held, wanted) in side.files.iter().zip(&rows.files) {
        let Some(wanted) = wanted else { continue };
        let held = in_memory(side, held.as_ref(), shape, bytes).await?;
        let mut file = results.create_in_progress_file("a part of a join's rows")?;
        let mut batches = rows.manager.read_spill_as_stream(Arc::clone(wanted), None)?;
        while let Some(batch) = batches.try_next().await? {
            file.append_batch(&shape.joined(&held, &batch)?)?;
        }
        if let Some(file) = file.finish()? {
            streams.push(results.read_spill_as_stream(file, None)?.boxed());
        }
    }
    // Rows that came in no order are a side of another join, or are sorted later.
    let is_ordered = rows.is_ordered && shape.schema.index_of(ROW).is_ok();
    Ok(if is_ordered { merged(streams) } else { futures::stream::iter(streams).flatten().boxed() })
}

async fn in_memory(side: &Parts, file: Option<&Arc<dyn SpillFile>>, shape: &Shape, bytes: usize) -> Result<Side> {
    let batches: Vec<RecordBatch> = match file {
        Some(file) => side.manager.read_spill_as_stream(Arc::clone(file), None)?.try_collect().await?,
        None => Vec::new(),
    };
    let taken: usize = batches.iter().map(bytes_of).sum();
    if taken > bytes {
        let words = format!("one of {PARTS} parts of a lookup takes {taken} bytes of {bytes} that it may");
        return Err(DataFusionError::ResourcesExhausted(words));
    }
    Side::new(side.manager.schema(), &batches, &shape.side_keys)
}

/// The part of a hash: by its upper bits, as the places in a side go by the lower ones.
fn part(hash: u64) -> usize {
    usize::try_from(hash >> 48).unwrap_or_default() % PARTS
}

fn manager(schema: &SchemaRef, context: &TaskContext) -> SpillManager {
    let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
    SpillManager::new(context.runtime_env(), metrics, Arc::clone(schema))
}
