//! The stages of a plan over a run folder, each kept as a dataset that the next one reads.
//!
//! The same changes come of the same folder, whatever means the engine has. In: what was read. Out: `changes/`, of jobs that act on
//! what the source loses `compared/`, and `queue/` where the script asks for an order; between them `screened/`, and `mapped/` or
//! buckets.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use futures::StreamExt;

use super::buckets::{deal, rows_held};
use super::chosen::only;
use super::error::Error;
use crate::engine::compare::{Comparison, queue};
use crate::engine::lost::lost;
use crate::engine::map::Mapped;
use crate::engine::screen::{Screen, Sifting};
use crate::engine::session::{Engine, Rows};
use crate::model::dataset;
use crate::model::job::Job;
use crate::store::dataset::{RunFolder, Writer};

/// Makes all stages of a job's plan. `seen` gets each batch of the changes, of which rows that are not `chosen` are filtered, and before
/// them nothing once, when the source's side is done. Gives the digest of everything that is loaded.
///
/// # Errors
/// If a dataset cannot be read or written, or memory does not suffice.
pub async fn stages(
    engine: &Engine,
    job: &Job,
    folder: &RunFolder,
    chosen: Option<&HashSet<&str>>,
    mut seen: impl FnMut(Option<&RecordBatch>),
) -> Result<String, Error> {
    // What an earlier process left half done is no part of this plan.
    let between = [dataset::SCREENED, dataset::LEFT, dataset::MAPPED, dataset::BUCKETS];
    let of_stages = between.into_iter().chain([dataset::COMPARED, dataset::CHANGES, dataset::QUEUE]);
    for name in of_stages {
        folder.clear(name).await?;
    }
    let (mapped, comparison) = Box::pin(mapped(engine, job, folder)).await?;
    seen(None);
    let compared = Box::pin(compared(&comparison, folder)).await?;
    let changes = if job.keeps_links() {
        are_all(mapped, write_fleeting(folder, dataset::COMPARED, compared).await?)?;
        lost(engine, job).await?
    } else {
        compared
    };
    let (mut rows, mut see) = (0, |batch: &RecordBatch| seen(Some(batch)));
    let counted = |batch: &RecordBatch| {
        rows += batch.num_rows() as u64;
        see(batch);
    };
    let mut digest = write(folder, dataset::CHANGES, changes, counted, chosen).await?;
    // Rows that are gone come on top.
    are_all(mapped, if job.keeps_links() { rows.min(mapped) } else { rows })?;
    folder.clear(dataset::BUCKETS).await?;
    folder.clear(dataset::LEFT).await?;
    if let Some((_, descending)) = &job.load_first {
        digest.push_str(&write(folder, dataset::QUEUE, queue(engine, *descending).await?, |_| {}, None).await?);
    }
    Ok(digest)
}

/// The source's side: rows that are settled by screening, and mapped rows to be compared with records; gives how many rows there are.
async fn mapped<'a>(engine: &'a Engine, job: &'a Job, folder: &RunFolder) -> Result<(u64, Comparison<'a>), Error> {
    // What stands in two rows of the source, and what the target holds: each is looked through once.
    let (of_source, sifting) = futures::try_join!(Mapped::of(engine, job), Sifting::begin(engine, job))?;
    if let Some(sifting) = sifting {
        let (rows, screen) = screened(folder, job, of_source.screened().await?, sifting).await?;
        let comparison = Comparison::begin(engine, job, Some(Arc::clone(&screen))).await?;
        if screen.left > 0 {
            if !comparison.is_left_whole() {
                let left = deal(folder, of_source.left(&screen).await?, comparison.buckets, dataset::mapped_in).await?;
                are_all(screen.left as u64, left)?;
                folder.clear(dataset::LEFT).await?;
            }
            let held = deal(folder, comparison.records().await?, comparison.buckets, dataset::held_in).await?;
            are_all(screen.wanted as u64, held)?;
        }
        return Ok((rows, comparison));
    }
    let comparison = Comparison::begin(engine, job, None).await?;
    let rows = of_source.all().await?;
    let rows = if comparison.is_dealt() {
        deal(folder, comparison.records().await?, comparison.buckets, dataset::held_in).await?;
        deal(folder, rows, comparison.buckets, dataset::mapped_in).await?
    } else {
        write_fleeting(folder, dataset::MAPPED, rows).await?
    };
    Ok((rows, comparison))
}

/// Screens rows; keeps what is known of each, and what is to be compared of them.
async fn screened(
    folder: &RunFolder,
    job: &Job,
    rows: Rows,
    mut sifting: Sifting<'_>,
) -> Result<(u64, Arc<Screen>), Error> {
    let Rows { schema, mut batches } = rows;
    let mut all = folder.write_fleeting(dataset::SCREENED, Sifting::kept(job, &schema));
    let mut left = folder.write_fleeting(dataset::LEFT, Sifting::left(&schema));
    while let Some(batch) = batches.next().await {
        let sifted = sifting.take(&batch?)?;
        all.add(sifted.all).await?;
        if let Some(rows) = sifted.left {
            left.add(rows).await?;
        }
    }
    let screen = sifting.end();
    are_all((screen.left - screen.late) as u64, left.finish().await?)?;
    Ok((all.finish().await?, screen))
}

/// The compared rows: bucket by bucket, where there are too many to be held at once.
async fn compared(comparison: &Comparison<'_>, folder: &RunFolder) -> Result<Rows, Error> {
    if comparison.buckets > 1 {
        for number in 0..comparison.buckets {
            let rows = comparison.bucket(number).await?;
            let writer = folder.write_fleeting(&dataset::compared_in(number), Arc::clone(&rows.schema));
            written(writer.with_groups_of(rows_held(comparison.buckets)), rows).await?;
        }
    }
    Ok(comparison.together().await?)
}

async fn write(
    folder: &RunFolder,
    name: &str,
    rows: Rows,
    mut seen: impl FnMut(&RecordBatch),
    chosen: Option<&HashSet<&str>>,
) -> Result<String, Error> {
    let Rows { schema, mut batches } = rows;
    let mut writer = folder.write(name, schema);
    while let Some(batch) = batches.next().await {
        let batch = match chosen {
            Some(ids) => only(&batch?, ids)?,
            None => batch?,
        };
        seen(&batch);
        writer.add(batch).await?;
    }
    Ok(writer.finish_digested().await?)
}

/// What the next stage reads at once, and nobody later; gives its rows.
async fn write_fleeting(folder: &RunFolder, name: &str, rows: Rows) -> Result<u64, Error> {
    written(folder.write_fleeting(name, Arc::clone(&rows.schema)), rows).await
}

async fn written(mut writer: Writer, mut rows: Rows) -> Result<u64, Error> {
    while let Some(batch) = rows.batches.next().await {
        writer.add(batch?).await?;
    }
    Ok(writer.finish().await?)
}

/// A stage that lost rows ends the run before anything is written: a row that is missing would be taken for one that is gone.
fn are_all(expected: u64, rows: u64) -> Result<(), Error> {
    if rows == expected {
        Ok(())
    } else {
        Err(Error::Books(format!("a stage of the plan has {rows} of {expected} rows")))
    }
}
