//! Pages read ahead: while a page is brought to the disk and into the ledger, the next ones are asked for and decoded.
//!
//! Each page goes with the checkpoint behind it, and pages are kept one after the other in the order in which they came, so what the
//! ledger says is what is on the disk, however far the reading has come. A page that was read ahead and not kept is asked for again by
//! whoever goes on. In: readings, of services or of what is merged. Out: pages for whoever keeps them.

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::error::Error;
use super::merging::{Merging, with_gone};
use crate::dynamics::pages::Whole;
use crate::gainsight::read::Records;

/// Pages of one reading that may wait to be kept, beside the one that is being kept and the one that is being read. They are held in memory.
const PAGES_AHEAD: usize = 2;
/// Rows of a page that a merge makes.
const ROWS_OF_A_PAGE: usize = 32_768;

/// A page, and where the reading stood behind it.
pub(super) struct Page {
    pub(super) rows: RecordBatch,
    pub(super) checkpoint: String,
}

/// A way for pages from who reads them to who keeps them.
pub(super) fn pages() -> (Sender<Page>, Receiver<Page>) {
    channel(PAGES_AHEAD)
}

/// Reads and keeps at the same time. What was read before a reading failed is kept before that is told; a failure of whoever keeps ends
/// both at once. Gives what each came to.
pub(super) async fn side_by_side<R, K>(
    reading: impl Future<Output = Result<R, Error>>,
    keeping: impl Future<Output = Result<K, Error>>,
) -> Result<(R, K), Error> {
    let (read, kept) = futures::try_join!(async { Ok(reading.await) }, keeping)?;
    Ok((read?, kept))
}

/// Reads a table to its end; of changes with those that are gone, by the column of their id.
pub(super) async fn table(mut whole: Whole<'_>, changes_by: Option<&str>, to: Sender<Page>) -> Result<(), Error> {
    while let Some(page) = whole.next().await? {
        let rows = match changes_by {
            Some(id) => with_gone(&page.rows, page.gone, id)?,
            None => page.rows,
        };
        let checkpoint = serde_json::to_string(&whole.checkpoint()).map_err(|e| Error::Books(e.to_string()))?;
        if to.send(Page { rows, checkpoint }).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Reads records to their end, or until so many pages are there, `pages` before these included; whether these are all.
pub(super) async fn records(
    mut records: Records<'_>,
    is_change: bool,
    mut pages: usize,
    pages_at_most: usize,
    to: Sender<Page>,
) -> Result<bool, Error> {
    loop {
        if pages >= pages_at_most && !records.is_done() {
            return Ok(false);
        }
        let Some(rows) = records.next().await? else { return Ok(true) };
        pages += 1;
        let rows = if is_change { with_gone(&rows, Vec::new(), "Gsid")? } else { rows };
        let checkpoint = records.after().unwrap_or_default().to_owned();
        if to.send(Page { rows, checkpoint }).await.is_err() {
            return Ok(false);
        }
    }
}

/// Merges to the end. These pages have no checkpoint: a merge that was interrupted begins again.
pub(super) async fn merged(mut merging: Merging, schema: &SchemaRef, to: Sender<Page>) -> Result<(), Error> {
    let mut held: Vec<RecordBatch> = Vec::new();
    loop {
        let batch = merging.next().await?;
        let is_last = batch.is_none();
        held.extend(batch);
        let rows: usize = held.iter().map(RecordBatch::num_rows).sum();
        if rows >= ROWS_OF_A_PAGE || (is_last && rows > 0) {
            let rows = concat_batches(schema, &held).map_err(|e| Error::Books(e.to_string()))?;
            held.clear();
            if to.send(Page { rows, checkpoint: String::new() }).await.is_err() {
                break;
            }
        }
        if is_last {
            break;
        }
    }
    Ok(())
}
