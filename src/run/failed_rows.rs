//! The rows of an error file, read ahead of whoever writes it: what the plan says of each, and what the source holds of it.
//!
//! Both datasets hold the same rows in the same order: what is the one's row is the other's. Two pages are on their way and no more,
//! however many rows failed. In: the run's folder, and which rows failed while they were loaded. Out: the failed rows, page by page.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::Array;
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::columns;
use super::error::Error;
use crate::engine::reason::Reasons;
use crate::model::dataset;
use crate::store::dataset::RunFolder;
use crate::store::sift::{Sift, Sifted};

/// Pages that are read and wait for whoever writes, beside the next one, which may be read too.
const PAGES_AHEAD: usize = 1;
/// Files of the source of which rows are picked side by side.
const FILES_AT_ONCE: usize = 4;

/// Failed rows on their way.
pub(super) struct FailedRows {
    pages: mpsc::Receiver<FailedPage>,
    /// Who reads them; given up where this is dropped.
    reading: JoinSet<Result<(), Error>>,
}

/// The failed rows of one file of the plan.
pub(super) struct FailedPage {
    /// What the plan says of them, in the columns of [`columns::lines`].
    pub(super) lines: Vec<RecordBatch>,
    /// What the source holds of them, in the same order. Rows that are gone have none here.
    pub(super) source: RecordBatch,
}

impl FailedRows {
    /// Begins to read the rows that the plan found to fail, and those that failed while they were loaded, by number.
    pub(super) async fn of(folder: &RunFolder, reasons: &Reasons, loaded: HashSet<i64>) -> Result<Self, Error> {
        let reasons = reasons.clone();
        let failed = move |rows: &RecordBatch| failed(rows, &reasons, &loaded);
        let planned = folder.sift(dataset::CHANGES, columns::failures()).await?;
        let planned = planned.picking(failed).picked_in(columns::lines());
        let source = SourceRows::of(folder).await?;
        let (told, pages) = mpsc::channel(PAGES_AHEAD);
        let mut reading = JoinSet::new();
        reading.spawn(read(planned, source, told));
        Ok(Self { pages, reading })
    }

    /// The next page; none after the last.
    pub(super) async fn next(&mut self) -> Result<Option<FailedPage>, Error> {
        if let Some(page) = self.pages.recv().await {
            return Ok(Some(page));
        }
        match self.reading.join_next().await {
            Some(Ok(read)) => read.map(|()| None),
            Some(Err(error)) => Err(Error::Books(format!("the failed rows were not read to their end: {error}"))),
            None => Ok(None),
        }
    }
}

/// Reads until the end, or until nobody listens any more.
async fn read(mut planned: Sift, mut source: SourceRows, told: mpsc::Sender<FailedPage>) -> Result<(), Error> {
    let mut rows_before = 0;
    while let Some(file) = planned.next().await? {
        let of_source = places(&file, &mut rows_before);
        if file.chosen.is_empty() {
            continue;
        }
        let source = source.rows(&of_source).await?;
        if told.send(FailedPage { lines: file.picked, source }).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// The positions of rows that failed.
fn failed(rows: &RecordBatch, reasons: &Reasons, loaded: &HashSet<i64>) -> Vec<usize> {
    let (numbers, whys) = columns::failure(rows);
    let is_loaded =
        |at: usize| !loaded.is_empty() && numbers.as_ref().is_some_and(|numbers| loaded.contains(&numbers.value(at)));
    let is_planned = |at: usize| {
        let why = whys.as_ref().filter(|whys| whys.is_valid(at)).map(|whys| whys.value(at));
        why.and_then(|why| reasons.get(why)).is_some_and(|reason| reason.code.is_some())
    };
    (0..rows.num_rows()).filter(|at| is_planned(*at) || is_loaded(*at)).collect()
}

/// Where the chosen rows of a file stand in the source, of which `rows_before` are those of the files before. Rows that are gone are not
/// in it.
fn places(file: &Sifted, rows_before: &mut usize) -> Vec<usize> {
    let gone = columns::gone(&file.rows);
    let mut chosen = file.chosen.iter().copied().peekable();
    let mut places = Vec::with_capacity(file.chosen.len());
    for at in 0..file.rows.num_rows() {
        let is_gone = gone(at);
        if chosen.next_if_eq(&at).is_some() && !is_gone {
            places.push(*rows_before);
        }
        *rows_before += usize::from(!is_gone);
    }
    places
}

/// Rows of the source by their place in it.
struct SourceRows {
    files: Sift,
    file: Option<Arc<Sifted>>,
    /// Rows of the files before the present one.
    before: usize,
}

impl SourceRows {
    async fn of(folder: &RunFolder) -> Result<Self, Error> {
        let mut files = folder.sift(dataset::SOURCE, Vec::new()).await?;
        let file = files.next().await?.map(Arc::new);
        Ok(Self { files, file, before: 0 })
    }

    /// The rows of these places, which rise from call to call.
    async fn rows(&mut self, places: &[usize]) -> Result<RecordBatch, Error> {
        let picks = futures::stream::iter(self.picks(places).await?);
        let picks = picks.map(|(file, here)| async move { file.pick(&here, None).await });
        let found: Vec<Vec<RecordBatch>> = picks.buffered(FILES_AT_ONCE).try_collect().await?;
        let found: Vec<RecordBatch> = found.into_iter().flatten().collect();
        let schema = found.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        concat_batches(&schema, &found).map_err(|e| Error::Books(e.to_string()))
    }

    /// The files in which they are, with their positions there.
    async fn picks(&mut self, mut places: &[usize]) -> Result<Vec<(Arc<Sifted>, Vec<usize>)>, Error> {
        let mut picks = Vec::new();
        while let Some(first) = places.first() {
            let Some(file) = &self.file else {
                return Err(Error::Books("the plan has more rows than the source".to_owned()));
            };
            let end = self.before + file.rows.num_rows();
            if *first >= end {
                (self.before, self.file) = (end, self.files.next().await?.map(Arc::new));
                continue;
            }
            let (here, later) = places.split_at(places.partition_point(|place| *place < end));
            picks.push((Arc::clone(file), here.iter().map(|place| place - self.before).collect()));
            places = later;
        }
        Ok(picks)
    }
}
