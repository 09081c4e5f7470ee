//! The streams of a plan's partitions side by side, each driven by a thread of its own.
//!
//! Of a plan that chooses or computes columns of a dataset, and does nothing else, they have the same rows in the same batches whenever it is
//! carried out, whichever columns those are: a row is told by where it stands. In: a physical plan. Out: a stream for each partition.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use futures::{StreamExt, TryStreamExt};

use super::driven::driven;
use super::error::Error;
use super::session::Batches;

/// Makes of a batch what is wanted of it; it gets the number of the stream, and of the batch in it.
pub(super) trait Each: Fn(usize, usize, RecordBatch) -> Result<RecordBatch> + Clone + Send + 'static {}

impl<F: Fn(usize, usize, RecordBatch) -> Result<RecordBatch> + Clone + Send + 'static> Each for F {}

/// Carries a plan out. What is made of each batch its own thread makes, so that no more waits for others than is wanted.
pub(super) fn lanes(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>, each: impl Each) -> Result<Vec<Batches>> {
    let lanes = execute_stream_partitioned(plan, context)?.into_iter().enumerate();
    let lanes = lanes.map(|(lane, batches)| {
        let each = each.clone();
        let made = batches.enumerate().map(move |(number, batch)| each(lane, number, batch?));
        driven(made.boxed()).map_err(Error::from).boxed()
    });
    Ok(lanes.collect())
}
