//! Extraction: pages of both services become datasets of the run folder, and each page is a checkpoint in the ledger.
//!
//! The source, the tables that paths lead to, and the target's objects are read side by side, within what the connections
//! may have under way. A run that goes on reads on after the last page that is kept; a table whose link has expired, or whose pages
//! are damaged, is read again from its beginning.

use std::collections::BTreeMap;

use crate::dynamics::client::Dynamics;
use crate::dynamics::error::Error as ReadError;
use crate::dynamics::odata::{Query, queries};
use crate::dynamics::pages::{Whole, schema_of};
use crate::gainsight::client::Gainsight;
use crate::model::dataset;
use crate::model::field::Field;
use crate::model::job::{Job, Route};
use crate::model::sabotage::{self, Bug};
use crate::store::dataset::{RunFolder, Writer};
use crate::store::ledger::{Ledger, Reading};
use crate::store::state::Tenancy;

use super::error::Error;
use super::progress::{Event, Progress};
use super::services::Services;

/// How often a table is read anew because the links to its pages expired.
const READ_ANEW_AT_MOST: u32 = 3;

/// What was read.
pub(super) struct Extracted {
    /// Rows of the source.
    pub(super) rows: u64,
    /// Records of each Gainsight object, by API name.
    pub(super) records: BTreeMap<String, u64>,
}

/// Where pages are kept: the folder of a run, and its ledger.
pub(super) struct Staging<'a> {
    pub(super) folder: &'a RunFolder,
    pub(super) ledger: &'a dyn Ledger,
    pub(super) run: &'a str,
    pub(super) progress: &'a Progress,
}

/// Reads everything that the job needs, as far as it was not read before.
pub(super) async fn extract(job: &Job, services: &Services, staging: &Staging<'_>) -> Result<Extracted, Error> {
    let (dynamics, gainsight) = (services.source(job)?, services.target(job)?);
    let source = async {
        let tables = queries(job).into_iter().map(|query| staging.table(dynamics, query));
        // The source comes first among the queries, and so among the counts.
        let rows = futures::future::try_join_all(tables).await?;
        Ok::<u64, Error>(rows.first().copied().unwrap_or(0))
    };
    let target = async {
        let mut counts = BTreeMap::new();
        for (object, fields) in dataset::objects(job) {
            let count = staging.records(gainsight, &object, &fields).await?;
            counts.insert(object, count);
        }
        Ok::<_, Error>(counts)
    };
    let (rows, records) = futures::try_join!(source, target)?;
    Ok(Extracted { rows, records })
}

/// Copies what the plan needs of the state: it reads run folders only. What was refused of `chosen` rows is left out, as they are
/// to be tried again.
pub(super) async fn remember(
    job: &Job,
    of: &Tenancy,
    chosen: Option<&[String]>,
    staging: &Staging<'_>,
) -> Result<(), Error> {
    let refused = staging.ledger.refusals(of, &job.name)?;
    let refused = if chosen.is_some() { refused.slice(0, 0) } else { refused };
    keep(staging.folder, dataset::REFUSED, refused).await?;
    if job.target_by_route(Route::Avatar).is_some() {
        keep(staging.folder, dataset::AVATARS, staging.ledger.identities(of)?).await?;
    }
    Ok(())
}

async fn keep(folder: &RunFolder, name: &str, batch: arrow::record_batch::RecordBatch) -> Result<(), Error> {
    folder.clear(name).await?;
    let mut writer = folder.write(name, batch.schema());
    writer.add(batch).await?;
    writer.finish().await?;
    Ok(())
}

impl Staging<'_> {
    async fn table(&self, dynamics: &Dynamics, query: Query) -> Result<u64, Error> {
        let mut anew = 0;
        loop {
            match self.table_once(dynamics, query.clone()).await {
                Err(Error::Dynamics(ReadError::LinkExpired { .. })) if sabotage::has(Bug::ExpiredIsEnd) => {
                    return Ok(self.ledger.reading(self.run, &query.dataset)?.map_or(0, |reading| reading.rows));
                }
                Err(Error::Dynamics(expired)) if expired.is_to_begin_again() && anew < READ_ANEW_AT_MOST => {
                    anew += 1;
                    let words = format!("{expired}; it is read again from its beginning");
                    (self.progress)(Event::Notice(words));
                    self.ledger.read_again(self.run, &query.dataset)?;
                }
                other => return other,
            }
        }
    }

    async fn table_once(&self, dynamics: &Dynamics, query: Query) -> Result<u64, Error> {
        let (name, is_source) = (query.dataset.clone(), query.is_numbered());
        let begun = self.begun(&name, schema_of(&query)).await?;
        let (mut writer, mut rows, from) = match begun {
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
        while let Some(page) = pages.next().await? {
            rows += page.rows.num_rows() as u64;
            let checkpoint = pages.checkpoint();
            let checkpoint = serde_json::to_string(&checkpoint).map_err(|e| Error::Books(e.to_string()))?;
            self.keep_page(&mut writer, &name, page.rows, &checkpoint).await?;
            if is_source {
                (self.progress)(Event::Advanced { stage: "extract", rows, of: None });
            }
        }
        writer.finish().await?;
        self.ledger.read_whole(self.run, &name)?;
        Ok(rows)
    }

    async fn records(&self, gainsight: &Gainsight, object: &str, fields: &[Field]) -> Result<u64, Error> {
        let name = dataset::target(object);
        let (mut writer, mut rows, after) = match self.begun(&name, dataset::object_schema(fields)).await? {
            Begun::Done(rows) => return Ok(rows),
            Begun::Partly(writer, reading) => {
                (writer, reading.rows, Some(reading.checkpoint).filter(|after| !after.is_empty()))
            }
            Begun::New(writer) => (writer, 0, None),
        };
        let mut records = gainsight.read_from(object, fields, after);
        while let Some(batch) = records.next().await? {
            rows += batch.num_rows() as u64;
            let checkpoint = records.after().unwrap_or_default().to_owned();
            self.keep_page(&mut writer, &name, batch, &checkpoint).await?;
        }
        writer.finish().await?;
        self.ledger.read_whole(self.run, &name)?;
        Ok(rows)
    }

    /// How far a dataset was read before. What cannot be relied upon is cleared away.
    async fn begun(&self, name: &str, schema: arrow::datatypes::SchemaRef) -> Result<Begun, Error> {
        let Some(reading) = self.ledger.reading(self.run, name)? else {
            self.folder.clear(name).await?;
            return Ok(Begun::New(self.folder.write(name, schema)));
        };
        if let Some(writer) = self.folder.take_up(name, schema.clone(), &reading.parts).await? {
            return Ok(if reading.is_done { Begun::Done(reading.rows) } else { Begun::Partly(writer, reading) });
        }
        let words = format!("pages of {name} are missing or damaged on disk; it is read again from its beginning");
        (self.progress)(Event::Notice(words));
        self.ledger.read_again(self.run, name)?;
        self.folder.clear(name).await?;
        Ok(Begun::New(self.folder.write(name, schema)))
    }

    /// Keeps a page: first its file, then the ledger's word that it is there.
    async fn keep_page(
        &self,
        writer: &mut Writer,
        name: &str,
        rows: arrow::record_batch::RecordBatch,
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

/// A dataset as an earlier process left it.
enum Begun {
    New(Writer),
    Partly(Writer, Reading),
    Done(u64),
}
