//! A plan on several threads, its rows in one order.
//!
//! Each partition of a plan is driven by a thread of its own and gives its rows in the order of their numbers; here they become one
//! stream again, the same whatever the threads did. Batches are cut, and copied (`woven`) only where
//! streams alternate. In: a physical plan. Out: batches by row number.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::driven::driven;
use super::error::Error;
use super::session::Rows;
use super::woven::{Run, woven};
use crate::model::dataset::ROW;

/// Rows that are copied together where those of several streams alternate.
const ROWS_PER_BATCH: usize = 8_192;
/// So many of one stream are given out as they are.
const ROWS_AS_THEY_ARE: usize = 2_048;

/// Carries a plan out. Its rows have numbers, and those of each partition ascend.
pub(super) fn ordered(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> Result<Rows> {
    let schema = plan.schema();
    let partitions = execute_stream_partitioned(plan, context)?;
    let lanes = partitions.into_iter().map(|one| driven(one.boxed())).collect();
    Ok(Rows { schema, batches: merged(lanes).map(|batch| batch.map_err(Error::from)).boxed() })
}

/// Carries a plan out whose rows may come in any order.
pub(super) fn unordered(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>) -> Result<Stream> {
    let partitions = execute_stream_partitioned(plan, context)?;
    Ok(futures::stream::select_all(partitions.into_iter().map(|one| driven(one.boxed()))).boxed())
}

/// Batches, or what went wrong on the way to one.
pub(super) type Stream = BoxStream<'static, Result<RecordBatch>>;

/// Streams as one, by the numbers of their rows, which ascend in each.
pub(super) fn merged(streams: Vec<Stream>) -> Stream {
    let lanes: Vec<Lane> = streams.into_iter().map(Lane::of).collect();
    let merge = Merge { heads: BinaryHeap::new(), empty: (0..lanes.len()).collect(), lanes, last: i64::MIN };
    futures::stream::try_unfold(merge, |mut merge| async move { Ok(merge.next().await?.map(|batch| (batch, merge))) })
        .boxed()
}

/// One stream under way.
struct Lane {
    batches: Stream,
    /// The batch that its next row is in, the numbers of its rows, and where that row is.
    head: Option<(RecordBatch, ScalarBuffer<i64>)>,
    at: usize,
}

impl Lane {
    fn of(batches: Stream) -> Self {
        Self { batches, head: None, at: 0 }
    }

    /// Waits for the next batch; the number of its first row, if there is one.
    async fn fill(&mut self) -> Result<Option<i64>> {
        self.head = None;
        while let Some(batch) = self.batches.next().await.transpose()? {
            let numbers = numbers(&batch)?;
            if let Some(first) = numbers.first().copied() {
                (self.head, self.at) = (Some((batch, numbers)), 0);
                return Ok(Some(first));
            }
        }
        Ok(None)
    }
}

struct Merge {
    lanes: Vec<Lane>,
    /// The numbers of the rows that are next, and their lanes.
    heads: BinaryHeap<Reverse<(i64, usize)>>,
    /// Lanes whose next batch has to be waited for.
    empty: Vec<usize>,
    /// The number of the row that was taken last.
    last: i64,
}

impl Merge {
    /// The next rows: as they are where many of a stream follow each other, else copied together.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let (mut batches, mut runs, mut rows) = (Vec::new(), Vec::new(), 0);
        // By lane, where its batch stands among `batches`.
        let mut places: Vec<Option<usize>> = vec![None; self.lanes.len()];
        while rows < ROWS_PER_BATCH {
            for lane in std::mem::take(&mut self.empty) {
                places[lane] = None;
                if let Some(first) = self.lanes[lane].fill().await? {
                    self.heads.push(Reverse((first, lane)));
                }
            }
            let Some(Reverse((first, at))) = self.heads.pop() else { break };
            let other = self.heads.peek().map_or(i64::MAX, |Reverse((other, _))| *other);
            let lane = &mut self.lanes[at];
            let Some((batch, numbers)) = &lane.head else { break };
            let left = &numbers[lane.at..];
            // Everything before the first row of the others.
            let count = if left.len() < 2 || left[1] >= other { 1 } else { left.partition_point(|n| *n < other) };
            if first <= self.last || count == 0 {
                let words = format!(
                    "row {first} came behind row {}: pages in the run's folder are not what was read; `--anew` reads them again",
                    self.last
                );
                return Err(DataFusionError::Execution(words));
            }
            if count >= ROWS_AS_THEY_ARE && !runs.is_empty() {
                self.heads.push(Reverse((first, at)));
                break;
            }
            self.last = left[count - 1];
            let place = *places[at].get_or_insert_with(|| {
                batches.push(batch.clone());
                batches.len() - 1
            });
            runs.push(Run { batch: place, first: lane.at, count });
            rows += count;
            lane.at += count;
            match numbers.get(lane.at) {
                Some(next) => self.heads.push(Reverse((*next, at))),
                None => self.empty.push(at),
            }
        }
        woven(&batches, &runs)
    }
}

/// The numbers of a batch's rows.
pub(super) fn numbers(batch: &RecordBatch) -> Result<ScalarBuffer<i64>> {
    let column = batch.column_by_name(ROW).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let column = column.ok_or_else(|| DataFusionError::Internal("rows have no numbers".to_owned()))?;
    Ok(column.values().clone())
}
