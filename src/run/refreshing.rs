//! Datasets as they are now, from an earlier run's rows and what changed since.
//!
//! For each table and object it does what `ways` decided, and notes where the next run has to begin. What changed is staged page
//! by page like everything that is read, then merged; a merge that is interrupted is done again from the same files. In: queries
//! and ways. Out: whole datasets, and cursors in the ledger.

use std::cell::RefCell;

use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};

use super::ahead;
use super::error::Error;
use super::merging::Merging;
use super::report::ReadHow;
use super::staging::{Begun, Staging};
use super::ways::{Cursors, TableCursor, TableWay, Ways, column};
use crate::dynamics::assumptions::LAG_SECONDS;
use crate::dynamics::checkpoint::Checkpoint;
use crate::dynamics::client::Dynamics;
use crate::dynamics::error::Error as ReadError;
use crate::dynamics::odata::{Query, Reach, queries};
use crate::dynamics::pages::schema_of;
use crate::files::client::Files;
use crate::model::dataset;
use crate::model::job::Job;
use crate::store::dataset::RunFolder;

/// Under this name the ledger keeps the ways of a run.
const WAYS: &str = "ways";
/// Under this name the ledger keeps what came of the source as changes.
const CAME: &str = "came";

/// Rows of the source that came as changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Came {
    pub(super) changed: u64,
    pub(super) gone: u64,
}

/// A run's reading, with the run that it begins with.
pub(super) struct Refreshing<'a> {
    pub(super) staging: Staging<'a>,
    pub(super) job: &'a Job,
    pub(super) base: Option<RunFolder>,
    /// The export that the job begins with.
    pub(super) export: Option<&'a Files>,
    pub(super) ways: RefCell<Ways>,
    /// When the run began, in milliseconds since 1970 by our clock.
    pub(super) now_ms: i64,
}

impl Refreshing<'_> {
    /// The ways that the run began with, if it did.
    pub(super) fn kept(staging: &Staging<'_>) -> Result<Option<Ways>, Error> {
        let kept = staging.ledger.reading(staging.run, WAYS)?;
        Ok(kept.and_then(|kept| serde_json::from_str(&kept.checkpoint).ok()))
    }

    /// Keeps the ways, for whoever goes on with the run.
    pub(super) fn keep(&self) -> Result<(), Error> {
        let ways = serde_json::to_string(&*self.ways.borrow()).map_err(|e| Error::Books(e.to_string()))?;
        Ok(self.staging.ledger.note(self.staging.run, WAYS, &ways)?)
    }

    /// A Dynamics table as it is now: its rows, and which of them came as changes.
    pub(super) async fn table(&self, dynamics: &Dynamics, query: Query) -> Result<(u64, Option<Came>), Error> {
        let way = self.ways.borrow().tables.get(&query.dataset).cloned().unwrap_or(TableWay::Whole);
        match way {
            // Of files nobody asks Dynamics.
            TableWay::Whole | TableWay::Marked { .. } => {
                let rows = self.staging.table(dynamics, query.clone()).await?;
                self.note(dynamics, &query, None, rows)?;
                Ok((rows, None))
            }
            TableWay::BegunWith { column } => self.begun_with(dynamics, query, &column).await,
            TableWay::Tracked => self.tracked(dynamics, query).await,
            TableWay::Changed { .. } => match self.changed(dynamics, &query, &way).await {
                Err(Error::Dynamics(expired @ ReadError::HistoryExpired { .. })) => {
                    self.staging.progress.notice(format!("{expired}; it is read whole"));
                    self.change_way(&query.dataset, TableWay::Tracked)?;
                    self.tracked(dynamics, query).await
                }
                other => other,
            },
            TableWay::Since { .. } => self.changed(dynamics, &query, &way).await,
        }
    }

    /// Reads a table whole, in a chain that ends with a link to its changes.
    pub(super) async fn tracked(&self, dynamics: &Dynamics, query: Query) -> Result<(u64, Option<Came>), Error> {
        let tracked = Query { reach: Reach::Tracked, ..query.clone() };
        match self.staging.table(dynamics, tracked).await {
            Err(Error::Dynamics(not @ ReadError::NotTracked { .. })) => {
                self.staging.progress.notice(format!("{not}; it is read whole"));
                self.change_way(&query.dataset, TableWay::Whole)?;
                let rows = self.staging.table(dynamics, query.clone()).await?;
                self.note(dynamics, &query, None, rows)?;
                Ok((rows, None))
            }
            Err(other) => Err(other),
            Ok(rows) => {
                self.note(dynamics, &query, Some(&query.dataset), rows)?;
                Ok((rows, None))
            }
        }
    }

    pub(super) fn change_way(&self, dataset: &str, way: TableWay) -> Result<(), Error> {
        let (ledger, run) = (self.staging.ledger, self.staging.run);
        for staged in [dataset.to_owned(), delta(dataset), again(dataset), keys(dataset)] {
            ledger.read_again(run, &staged)?;
        }
        self.ways.borrow_mut().tables.insert(dataset.to_owned(), way);
        self.keep()
    }

    /// Reads what changed, and lays it over the earlier rows.
    async fn changed(&self, dynamics: &Dynamics, query: &Query, way: &TableWay) -> Result<(u64, Option<Came>), Error> {
        let name = &query.dataset;
        let ask = |reach: Reach, dataset: String| Query { reach, dataset, filter: None, ..query.clone() };
        let mut staged = Vec::new();
        let has_keys = match way {
            TableWay::Changed { link, again_from_ms, has_keys } => {
                // What is asked for by its column comes first, so that the link's word is the last one.
                if let (Some(from_ms), Some(column)) =
                    (again_from_ms, column(self.job, &query.table, query.is_numbered()))
                {
                    self.staging.table(dynamics, ask(Reach::Since(column.to_owned(), *from_ms), again(name))).await?;
                    staged.push(again(name));
                }
                self.staging.table(dynamics, ask(Reach::Changed(link.clone()), delta(name))).await?;
                *has_keys
            }
            TableWay::Since { column, from_ms } => {
                self.staging.table(dynamics, ask(Reach::Since(column.clone(), *from_ms), delta(name))).await?;
                true
            }
            TableWay::Whole | TableWay::Tracked | TableWay::BegunWith { .. } | TableWay::Marked { .. } => false,
        };
        staged.push(delta(name));
        if has_keys {
            let only_keys = Query { fields: Vec::new(), ..ask(Reach::Whole, keys(name)) };
            self.staging.table(dynamics, only_keys).await?;
        }
        let keys = has_keys.then(|| keys(name));
        let id = &query.table.primary_id;
        let earlier = (self.earlier_rows()?, name.as_str());
        let (rows, came) = self.merged(name, earlier, &staged, keys.as_deref(), id, schema_of(query)).await?;
        let link = matches!(way, TableWay::Changed { .. }).then(|| delta(name));
        self.note(dynamics, query, link.as_deref(), rows)?;
        Ok((rows, Some(came)))
    }

    /// Notes where the next run begins with a table. `linked` is the dataset whose reading ended with a link.
    pub(super) fn note(
        &self,
        dynamics: &Dynamics,
        query: &Query,
        linked: Option<&str>,
        rows: u64,
    ) -> Result<(), Error> {
        let (ledger, run) = (self.staging.ledger, self.staging.run);
        let (mut link, mut pages) = (None, 0);
        if let Some(reading) = linked.map(|name| ledger.reading(run, name)).transpose()?.flatten() {
            let checkpoint: Option<Checkpoint> = serde_json::from_str(&reading.checkpoint).ok();
            // Not the files: a page without rows has none.
            pages = checkpoint.as_ref().map_or(0, Checkpoint::pages);
            link = checkpoint.and_then(|checkpoint| checkpoint.changes().map(str::to_owned));
        }
        let lag_ms = i64::try_from(self.lag_seconds()).unwrap_or(i64::MAX).saturating_mul(1_000);
        let theirs = self.began_ms(self.ways.borrow().ahead.dynamics, dynamics.seconds_ahead()).saturating_sub(1_000);
        // A link may belong to the first page of its chain or to its last.
        let is_overlapping = link.is_some() && pages > 1;
        let cursor = TableCursor {
            link,
            from_ms: theirs.saturating_sub(lag_ms),
            is_overlapping,
            rows,
            ..TableCursor::default()
        };
        self.note_as(&query.dataset, &serde_json::json!(cursor))
    }

    /// How far back a column of moments is asked for what changed, in seconds.
    pub(super) fn lag_seconds(&self) -> u64 {
        self.job.source.lag_seconds.unwrap_or(LAG_SECONDS)
    }

    /// When the run began by a service's clock, of which is known how many seconds it was ahead of ours then and is now. Ours may have
    /// been set in between, and the moment is one of before. The earlier one asks for too much, and never for too little.
    pub(super) fn began_ms(&self, ahead_then: i64, ahead_now: i64) -> i64 {
        self.now_ms.saturating_add(ahead_then.min(ahead_now).saturating_mul(1_000))
    }

    pub(super) fn note_as(&self, dataset: &str, cursor: &serde_json::Value) -> Result<(), Error> {
        Ok(self.staging.ledger.note(self.staging.run, &noted(dataset), &cursor.to_string())?)
    }

    /// Notes what came of the source as changes.
    pub(super) fn note_came(&self, came: Option<Came>) -> Result<(), Error> {
        match came {
            Some(came) => self.note_as(CAME, &serde_json::json!(came)),
            None => Ok(()),
        }
    }

    /// The folder of the run that this one begins with.
    pub(super) fn earlier_rows(&self) -> Result<&RunFolder, Error> {
        self.base.as_ref().ok_or_else(|| Error::Books("there is no run to begin with".to_owned()))
    }

    /// Lays staged changes over rows of before: those of a dataset of this name in that folder.
    pub(super) async fn merged(
        &self,
        name: &str,
        (base, earlier): (&RunFolder, &str),
        staged: &[String],
        keys: Option<&str>,
        id: &str,
        schema: SchemaRef,
    ) -> Result<(u64, Came), Error> {
        let folder = self.staging.folder;
        let rows_before = base.read(earlier).await?;
        let merging = Merging::begin(rows_before, folder, staged, keys, id, schema.clone()).await?;
        let (changed, gone) = merging.changed_and_gone();
        let came = Came { changed, gone };
        if let Begun::Done(rows) = self.staging.begun(name, schema.clone()).await? {
            return Ok((rows, came));
        }
        // A merge that was interrupted begins again: it costs no request.
        self.staging.ledger.read_again(self.staging.run, name)?;
        folder.clear(name).await?;
        if earlier == name
            && merging.is_idle(base, name).await?
            && let Some(rows) = self.adopted(name, base).await?
        {
            return Ok((rows, came));
        }
        let mut writer = folder.write(name, schema.clone());
        let (to, from) = ahead::pages();
        let keeping = self.staging.keep_pages(&mut writer, name, 0, false, from);
        let ((), rows) = ahead::side_by_side(ahead::merged(merging, &schema, to), keeping).await?;
        writer.finish().await?;
        self.staging.ledger.read_whole(self.staging.run, name)?;
        Ok((rows, came))
    }
}

impl Refreshing<'_> {
    /// What came of the source as changes, if that was noted.
    pub(super) fn came(&self) -> Result<Option<Came>, Error> {
        let kept = self.staging.ledger.reading(self.staging.run, &noted(CAME))?;
        Ok(kept.and_then(|kept| serde_json::from_str(&kept.checkpoint).ok()))
    }

    /// Takes the files of a dataset over that is what it was; gives its rows.
    pub(super) async fn adopted(&self, name: &str, base: &RunFolder) -> Result<Option<u64>, Error> {
        let (ledger, run) = (self.staging.ledger, self.staging.run);
        let earlier = self.ways.borrow().base.clone().map(|earlier| ledger.reading(&earlier, name)).transpose()?;
        let Some(earlier) = earlier.flatten() else { return Ok(None) };
        if !self.staging.folder.adopt(base, name, &earlier.parts).await? {
            return Ok(None);
        }
        for part in &earlier.parts {
            ledger.page(run, name, Some(part), "")?;
        }
        ledger.read_whole(run, name)?;
        Ok(Some(earlier.rows))
    }
}

/// How a run read its source.
pub(super) fn read_how(staging: &Staging<'_>) -> Result<Option<ReadHow>, Error> {
    let Some(ways) = Refreshing::kept(staging)? else { return Ok(None) };
    let kept = staging.ledger.reading(staging.run, &noted(CAME))?;
    let came: Option<Came> = kept.and_then(|kept| serde_json::from_str(&kept.checkpoint).ok());
    let Came { changed, gone } = came.unwrap_or_default();
    let full = ways.full.map(|full| full.words().to_owned());
    Ok(Some(ReadHow { full, changed, gone }))
}

/// Where the next run of a job begins, once a run has read everything.
pub(super) fn cursors(job: &Job, staging: &Staging<'_>) -> Result<Cursors, Error> {
    let mut cursors = Cursors::default();
    let noted = |dataset: &str| -> Result<Option<String>, Error> {
        Ok(staging.ledger.reading(staging.run, &noted(dataset))?.map(|kept| kept.checkpoint))
    };
    for query in queries(job) {
        if let Some(cursor) = noted(&query.dataset)?.and_then(|kept| serde_json::from_str(&kept).ok()) {
            cursors.tables.insert(query.dataset, cursor);
        }
    }
    for object in dataset::objects(job).into_keys() {
        let name = dataset::target(&object);
        if let Some(cursor) = noted(&name)?.and_then(|kept| serde_json::from_str(&kept).ok()) {
            cursors.objects.insert(name, cursor);
        }
    }
    Ok(cursors)
}

pub(super) fn delta(dataset: &str) -> String {
    format!("delta/{dataset}")
}

pub(super) fn again(dataset: &str) -> String {
    format!("again/{dataset}")
}

pub(super) fn keys(dataset: &str) -> String {
    format!("keys/{dataset}")
}

fn noted(dataset: &str) -> String {
    format!("cursor/{dataset}")
}
