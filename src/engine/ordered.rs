//! A plan on several threads, its rows in one order.
//!
//! Each partition of a plan is driven by a thread of its own and gives its rows in the order of their numbers; here they become one
//! stream again, the same whatever the threads did. Batches are cut, never copied. In: a physical plan. Out: batches by row number.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::concat_batches;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream_partitioned};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc::channel;

use super::error::Error;
use super::session::Rows;
use crate::model::dataset::ROW;

/// Batches of one partition that may wait for rows of another: those of a file, as files are dealt out in turns.
const WAITING_BATCHES: usize = 4;

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
    let lanes = streams.into_iter().map(|batches| Lane { batches, head: None, is_done: false }).collect();
    let merge = Merge { lanes, last: i64::MIN, begun: Vec::new() };
    futures::stream::try_unfold(merge, |mut merge| async move { Ok(merge.next().await?.map(|batch| (batch, merge))) })
        .boxed()
}

/// A stream that a thread drives, a few batches ahead. It stops where nobody listens any more.
pub(super) fn driven(mut stream: Stream) -> Stream {
    let (sender, batches) = channel(WAITING_BATCHES);
    let handle = Handle::current();
    // On a thread of its own, not as a task: tasks that share workers took turns, and half the machine idled.
    handle.clone().spawn_blocking(move || {
        handle.block_on(async move {
            while let Some(batch) = stream.next().await {
                let is_over = batch.is_err();
                if sender.send(batch).await.is_err() || is_over {
                    break;
                }
            }
        });
    });
    futures::stream::unfold(batches, |mut batches| async move { Some((batches.recv().await?, batches)) }).boxed()
}

/// One stream under way.
struct Lane {
    batches: Stream,
    /// The batch that is next, with rows in it; none before it was asked for, and behind the last.
    head: Option<RecordBatch>,
    is_done: bool,
}

impl Lane {
    /// Waits for the next batch, if none is there.
    async fn fill(&mut self) -> Result<()> {
        while self.head.is_none() && !self.is_done {
            match self.batches.next().await.transpose()? {
                Some(batch) if batch.num_rows() > 0 => self.head = Some(batch),
                Some(_) => {}
                None => self.is_done = true,
            }
        }
        Ok(())
    }
}

struct Merge {
    lanes: Vec<Lane>,
    /// The number of the row that was taken last.
    last: i64,
    /// Rows that were taken and are not given out yet.
    begun: Vec<RecordBatch>,
}

impl Merge {
    /// The next rows: as they are where many of a stream follow each other, else copied together.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let (mut runs, mut rows) = (std::mem::take(&mut self.begun), 0);
        rows += runs.iter().map(RecordBatch::num_rows).sum::<usize>();
        while rows < ROWS_PER_BATCH {
            let Some(run) = self.run().await? else { break };
            if run.num_rows() >= ROWS_AS_THEY_ARE && !runs.is_empty() {
                self.begun.push(run);
                break;
            }
            rows += run.num_rows();
            runs.push(run);
        }
        match &runs[..] {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            [first, ..] => Ok(Some(concat_batches(first.schema_ref(), &runs)?)),
        }
    }

    /// Rows of one stream that come before all of the others.
    async fn run(&mut self) -> Result<Option<RecordBatch>> {
        for lane in &mut self.lanes {
            lane.fill().await?;
        }
        let mut firsts = Vec::new();
        for (at, lane) in self.lanes.iter().enumerate() {
            if let Some(head) = &lane.head {
                firsts.push((numbers(head)?[0], at));
            }
        }
        firsts.sort_unstable();
        let Some(&(first, at)) = firsts.first() else { return Ok(None) };
        let Some(head) = self.lanes[at].head.take() else { return Ok(None) };
        // Everything before the first row of the others.
        let count = match firsts.get(1) {
            Some((other, _)) => numbers(&head)?.partition_point(|number| number < other),
            None => head.num_rows(),
        };
        let last = numbers(&head)?[count.max(1) - 1];
        if first <= self.last || count == 0 {
            let words = format!("row {first} came behind row {}", self.last);
            return Err(DataFusionError::Internal(words));
        }
        self.last = last;
        if count < head.num_rows() {
            self.lanes[at].head = Some(head.slice(count, head.num_rows() - count));
        }
        Ok(Some(head.slice(0, count)))
    }
}

/// The numbers of a batch's rows.
pub(super) fn numbers(batch: &RecordBatch) -> Result<&[i64]> {
    let column = batch.column_by_name(ROW).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let column = column.ok_or_else(|| DataFusionError::Internal("rows have no numbers".to_owned()))?;
    Ok(column.values())
}
