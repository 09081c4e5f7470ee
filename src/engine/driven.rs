//! A stream that a thread of its own drives: the partitions of a plan are worked on side by side.
//!
//! In: batches as a plan makes them. Out: the same, a few of them made ahead, and an error where the thread ended before they did.

use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc::channel;
use tokio::task::JoinHandle;

/// Batches of one partition that may wait for rows of another: those of a file, as files are dealt out in turns.
const WAITING_BATCHES: usize = 4;

/// Batches, or what went wrong on the way to one.
type Stream = BoxStream<'static, Result<RecordBatch>>;

/// A stream that a thread drives, a few batches ahead. It stops where nobody listens any more.
pub(super) fn driven(mut stream: Stream) -> Stream {
    let (sender, batches) = channel(WAITING_BATCHES);
    let handle = Handle::current();
    // On a thread of its own, not as a task: tasks that share workers took turns, and half the machine idled.
    let driver = handle.clone().spawn_blocking(move || {
        handle.block_on(async move {
            while let Some(batch) = stream.next().await {
                let is_over = batch.is_err();
                if sender.send(batch).await.is_err() || is_over {
                    break;
                }
            }
        });
    });
    // A thread that ended before its stream did has lost rows: that is an error, not an end.
    let ended = async move |driver: JoinHandle<()>| driver.await.err().map(|e| DataFusionError::External(Box::new(e)));
    futures::stream::unfold((batches, Some(driver)), move |(mut batches, driver)| async move {
        match batches.recv().await {
            Some(batch) => Some((batch, (batches, driver))),
            None => ended(driver?).await.map(|error| (Err(error), (batches, None))),
        }
    })
    .boxed()
}
