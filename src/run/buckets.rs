//! Rows and records put into buckets, each a dataset of its own: what is compared in one of them needs nothing of the others.
//!
//! In: a plan's rows with digests of their keys. Out: a dataset for each bucket, also for one that nothing falls into.

use futures::StreamExt;

use super::error::Error;
use crate::engine::bucket::{dealt, dealt_schema};
use crate::engine::session::Rows;
use crate::store::dataset::RunFolder;

/// Rows that the files under way of all buckets together may hold in memory: while rows are dealt out, and while what was made of them is
/// merged.
const HELD_AT_MOST: usize = 65_536;

/// Rows of each of so many buckets that may be held.
pub(super) fn rows_held(buckets: usize) -> usize {
    HELD_AT_MOST / buckets
}

/// Deals rows out to so many buckets, of which `name` says where each lies; gives their number.
pub(super) async fn deal(
    folder: &RunFolder,
    rows: Rows,
    buckets: usize,
    name: impl Fn(usize) -> String,
) -> Result<u64, Error> {
    let Rows { schema, mut batches } = rows;
    let schema = dealt_schema(&schema);
    let writer = |bucket| folder.write_fleeting(&name(bucket), schema.clone()).with_files_of(rows_held(buckets));
    let mut writers: Vec<_> = (0..buckets).map(writer).collect();
    let mut count = 0;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        count += batch.num_rows() as u64;
        for (bucket, rows) in dealt(&batch, buckets)? {
            writers[bucket].add(rows).await?;
        }
    }
    for writer in writers {
        writer.finish().await?;
    }
    Ok(count)
}
