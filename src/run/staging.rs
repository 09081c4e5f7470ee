//! Pages into datasets: each page is a file, and then a checkpoint in the ledger, while `ahead` reads the next ones.
//!
//! It reads what it is told to, or what is left of it, and decides nothing. A table whose link has expired, or whose pages are
//! damaged, is read again from its beginning. In: queries. Out: datasets of the run folder.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use tokio::sync::mpsc::Receiver;

use super::ahead::{self, Page};
use tokio::sync::watch;

use super::error::Error;
use super::merging::changes_schema;
use super::progress::Voice;
use crate::dynamics::client::Dynamics;
use crate::dynamics::error::Error as ReadError;
use crate::dynamics::odata::{Query, Reach};
use crate::dynamics::pages::{Whole, schema_of};
use crate::gainsight::client::Gainsight;
use crate::gainsight::read::Records;
use crate::model::dataset;
use crate::model::field::Field;
use crate::model::sabotage::{self, Bug};
use crate::store::dataset::{RunFolder, Writer};
use crate::store::ledger::{Ledger, Reading};

/// How often a table is read anew because the links to its pages expired.
const READ_ANEW_AT_MOST: u32 = 3;

/// Where pages are kept: the folder of a run, and its ledger.
pub(super) struct Staging<'a> {
    pub(super) folder: &'a RunFolder,
    pub(super) ledger: &'a dyn Ledger,
    pub(super) run: &'a str,
    pub(super) progress: &'a Voice<'a>,
    /// Rows of the source so far; none, once it is read.
    pub(super) source_rows: watch::Sender<Option<u64>>,
}

impl Staging<'_> {
    /// Reads a table to its end; gives its rows.
    pub(super) async fn table(&self, dynamics: &Dynamics, query: Query) -> Result<u64, Error> {
        let mut anew = 0;
        loop {
            match self.table_once(dynamics, query.clone()).await {
                Err(Error::Dynamics(ReadError::LinkExpired { .. })) if sabotage::has(Bug::ExpiredIsEnd) => {
                    return Ok(self.ledger.reading(self.run, &query.dataset)?.map_or(0, |reading| reading.rows));
                }
                Err(Error::Dynamics(expired)) if expired.is_to_begin_again() && anew < READ_ANEW_AT_MOST => {
                    anew += 1;
                    let words = format!("{expired}; it is read again from its beginning");
                    self.progress.notice(words);
                    self.ledger.read_again(self.run, &query.dataset)?;
                }
                other => return other,
            }
        }
    }

    async fn table_once(&self, dynamics: &Dynamics, query: Query) -> Result<u64, Error> {
        let (name, is_source) = (query.dataset.clone(), query.is_numbered());
        let is_change = matches!(query.reach, Reach::Changed(_) | Reach::Since(..));
        let id = query.table.primary_id.clone();
        let schema = if is_change { changes_schema(&schema_of(&query)) } else { schema_of(&query) };
        let begun = self.begun(&name, schema).await?;
        let (mut writer, rows, from) = match begun {
            Begun::Done(rows) => return Ok(rows),
            Begun::Partly(writer, reading) => {
                // Pages of which nobody knows where they go on are of no use.
                let Ok(checkpoint) = serde_json::from_str(&reading.checkpoint) else {
                    self.ledger.read_again(self.run, &name)?;
                    return Box::pin(self.table_once(dynamics, query)).await;
                };
                (writer, reading.rows, Some(checkpoint).filter(|_| !sabotage::has(Bug::PagesTwice)))
            }
            Begun::New(writer) => (writer, 0, None),
        };
        let is_too_far = from.is_some() && sabotage::has(Bug::PageSkipped);
        let mut pages: Whole<'_> = dynamics.read_whole(query, from).await?;
        if is_too_far {
            pages.next().await?;
        }
        let (to, from) = ahead::pages();
        let reading = ahead::table(pages, is_change.then_some(&id), to);
        let keeping = self.keep_pages(&mut writer, &name, rows, is_source, from);
        let ((), rows) = ahead::side_by_side(reading, keeping).await?;
        writer.finish().await?;
        self.ledger.read_whole(self.run, &name)?;
        Ok(rows)
    }

    /// Reads all records of an object to their end; gives their number.
    pub(super) async fn records(&self, gainsight: &Gainsight, object: &str, fields: &[Field]) -> Result<u64, Error> {
        Ok(self.some_records(gainsight, object, fields, usize::MAX).await?.rows)
    }

    /// Reads records of an object until so many pages are there, those of an earlier process included.
    pub(super) async fn some_records(
        &self,
        gainsight: &Gainsight,
        object: &str,
        fields: &[Field],
        pages_at_most: usize,
    ) -> Result<Count, Error> {
        let read = |after| gainsight.read_from(object, fields, after);
        self.records_into(&dataset::target(object), fields, false, pages_at_most, read).await
    }

    /// Reads records into a dataset, of changes or of what there is.
    pub(super) async fn records_into<'g>(
        &self,
        name: &str,
        fields: &[Field],
        is_change: bool,
        pages_at_most: usize,
        read: impl FnOnce(Option<String>) -> Records<'g>,
    ) -> Result<Count, Error> {
        let schema = dataset::object_schema(fields);
        let schema = if is_change { changes_schema(&schema) } else { schema };
        let (mut writer, rows, pages, after) = match self.begun(name, schema).await? {
            Begun::Done(rows) => return Ok(Count { rows, is_whole: true }),
            Begun::Partly(writer, reading) => {
                let after = Some(reading.checkpoint).filter(|after| !after.is_empty());
                (writer, reading.rows, reading.parts.len(), after)
            }
            Begun::New(writer) => (writer, 0, 0, None),
        };
        let (to, from) = ahead::pages();
        let source_rows = self.source_rows.subscribe();
        let is_source_read = move || source_rows.borrow().is_none();
        let records = read(after).ahead(pages_at_most.saturating_sub(pages), is_source_read);
        let reading = ahead::records(records, is_change, pages, pages_at_most, to);
        let keeping = self.keep_pages(&mut writer, name, rows, false, from);
        let (is_whole, rows) = ahead::side_by_side(reading, keeping).await?;
        if is_whole {
            writer.finish().await?;
            self.ledger.read_whole(self.run, name)?;
        }
        Ok(Count { rows, is_whole })
    }

    /// Keeps pages as they come, behind so many rows; gives all rows.
    pub(super) async fn keep_pages(
        &self,
        writer: &mut Writer,
        name: &str,
        mut rows: u64,
        is_source: bool,
        mut from: Receiver<Page>,
    ) -> Result<u64, Error> {
        while let Some(page) = from.recv().await {
            rows += page.rows.num_rows() as u64;
            self.keep_page(writer, name, page.rows, &page.checkpoint).await?;
            if is_source {
                self.source_rows.send_replace(Some(rows));
                self.progress.advanced("extract", rows, None);
            }
        }
        Ok(rows)
    }

    /// How far a dataset was read before. What cannot be relied upon is cleared away.
    pub(super) async fn begun(&self, name: &str, schema: SchemaRef) -> Result<Begun, Error> {
        let Some(reading) = self.ledger.reading(self.run, name)? else {
            self.folder.clear(name).await?;
            return Ok(Begun::New(self.folder.write(name, schema)));
        };
        if let Some(writer) = self.folder.take_up(name, schema.clone(), &reading.parts).await? {
            return Ok(if reading.is_done { Begun::Done(reading.rows) } else { Begun::Partly(writer, reading) });
        }
        let words = format!("pages of {name} are missing or damaged on disk; it is read again from its beginning");
        self.progress.notice(words);
        self.ledger.read_again(self.run, name)?;
        self.folder.clear(name).await?;
        Ok(Begun::New(self.folder.write(name, schema)))
    }

    /// Keeps a page: first its file, then the ledger's word that it is there.
    pub(super) async fn keep_page(
        &self,
        writer: &mut Writer,
        name: &str,
        rows: RecordBatch,
        checkpoint: &str,
    ) -> Result<(), Error> {
        let part = writer.page(rows).await?;
        #[cfg(feature = "sabotage")]
        if let (Some(part), true) = (&part, sabotage::has(Bug::PageBeforeFile)) {
            self.folder.hide(name, &part.file, true)?;
            self.ledger.page(self.run, name, Some(part), checkpoint)?;
            sabotage::place(&format!("page.file {name}"));
            return Ok(self.folder.hide(name, &part.file, false)?);
        }
        sabotage::place("page.file");
        sabotage::place(&format!("page.file {name}"));
        Ok(self.ledger.page(self.run, name, part.as_ref(), checkpoint)?)
    }
}

/// Records that were read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub(super) rows: u64,
    /// Whether these are all.
    pub(super) is_whole: bool,
}

/// A dataset as an earlier process left it.
pub(super) enum Begun {
    New(Writer),
    Partly(Writer, Reading),
    Done(u64),
}
