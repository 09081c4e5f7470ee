//! In which way each table and object is read: whole, or from the rows of an earlier run and what changed since.
//!
//! It decides and reads nothing. What it decided is kept with the run, so that a process that goes on with it reads on in the same
//! way. In: a job, where its last run ended, the moment. Out: a way for each dataset, and why everything is read where it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::dynamics::odata::{Query, queries};
use crate::files::reading::Mark;
use crate::model::connection::Limits;
use crate::model::dataset;
use crate::model::job::{Job, TableRef};
use crate::model::sabotage::{self, Bug};
use crate::store::ledger::Base;

/// How often everything is read where a job does not say, in seconds: what no change tells of is found then.
const FULL_EVERY_SECONDS: u64 = 7 * 86_400;

/// The column of changes where a job names none.
const MODIFIED: &str = "modifiedon";

/// How old what is known of an object may be for its log of deletions to fill the gap, in milliseconds: Gainsight keeps it 15 days.
const LOG_KEPT_MS: i64 = 14 * 86_400_000;

/// Where the next run begins to read each dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursors {
    pub(super) tables: BTreeMap<String, TableCursor>,
    pub(super) objects: BTreeMap<String, ObjectCursor>,
}

/// Where the changes of a Dynamics table begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableCursor {
    /// The service's own link, where the table tracks changes.
    pub(super) link: Option<String>,
    /// The moment before which nothing has to be asked for by the column of changes.
    pub(super) from_ms: i64,
    /// Whether the link came at the end of several pages: what changed while they came may lie before it.
    pub(super) is_overlapping: bool,
    /// Rows that there were.
    pub(super) rows: u64,
    /// Where the reading of files ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<Mark>,
    /// The oldest folder of an export that the rows came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) oldest: Option<String>,
}

/// Where the changes of a Gainsight object begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ObjectCursor {
    pub(super) from_ms: i64,
    /// Records that there were.
    pub(super) rows: u64,
}

/// The ways of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ways {
    /// The run with whose rows it begins.
    pub(super) base: Option<String>,
    /// Why everything is read, if it is.
    pub(super) full: Option<Full>,
    /// When everything was last read of what it begins with, in milliseconds since 1970; none where all is read now.
    #[serde(default)]
    pub(super) full_at_ms: Option<i64>,
    /// How far the services' clocks were ahead of ours when the run began.
    #[serde(default)]
    pub(super) ahead: Ahead,
    /// By dataset.
    pub(super) tables: BTreeMap<String, TableWay>,
    /// By dataset, the oldest folder of an export that the job has read.
    #[serde(default)]
    pub(super) oldest: BTreeMap<String, String>,
    /// By dataset, objects of which only changes are read; one that is not here is read whole, or by keys.
    pub(super) objects: BTreeMap<String, ObjectCursor>,
    /// Datasets of objects of which only the records with the keys of the run are read, once that is decided, each with the number of
    /// records that were seen before: there are at least so many.
    #[serde(default)]
    pub(super) keyed: BTreeMap<String, u64>,
}

/// How many seconds the services' clocks are ahead of ours, as far as that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ahead {
    pub(super) dynamics: i64,
    pub(super) gainsight: i64,
}

/// Why everything is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Full {
    /// The job says `FROM`, not `FROM CHANGES OF`.
    NotAsked,
    First,
    Wanted,
    JobChanged,
    Due,
    BaseGone,
}

/// How a Dynamics table is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TableWay {
    /// Whole.
    Whole,
    /// Whole, in one chain that ends with a link to its changes.
    Tracked,
    /// What changed since a link.
    Changed {
        link: String,
        /// What is asked for by its column too, from this moment on: see [`TableCursor::is_overlapping`].
        again_from_ms: Option<i64>,
        has_keys: bool,
    },
    /// What changed by a column of moments, and the keys of all rows: nothing else tells which are gone, and a row that stayed would
    /// have its record, or hold its key against another one.
    Since { column: String, from_ms: i64 },
    /// The rows of an export, and then what changed since by a column of moments, as [`TableWay::Since`] says it of an earlier run.
    BegunWith { column: String },
    /// Files of which only those are read that have come since.
    Marked { mark: Mark },
}

impl Ways {
    /// Decides. `is_there` says whether the rows of the base are there as they were written.
    pub(super) fn of(job: &Job, base: Option<&Base>, why_full: Option<Full>, page_size: u32) -> Self {
        let cursors = base.and_then(|base| serde_json::from_str::<Cursors>(&base.cursors).ok());
        let full = why_full.or(if cursors.is_none() { Some(Full::First) } else { None });
        let known = cursors.iter().flat_map(|cursors| &cursors.tables);
        let oldest = known.filter_map(|(name, cursor)| Some((name.clone(), cursor.oldest.clone()?))).collect();
        let cursors = cursors.filter(|_| full.is_none()).unwrap_or_default();
        let tables = queries(job).into_iter().map(|query| {
            let cursor = cursors.tables.get(&query.dataset);
            let way = begun_with(job, &query, full)
                .unwrap_or_else(|| table(job, &query.table, query.is_numbered(), cursor, page_size));
            (query.dataset, way)
        });
        let base = base.filter(|_| full.is_none());
        let (tables, objects) = (tables.collect(), objects(job, &cursors));
        let (run, full_at_ms) = (base.map(|base| base.run.clone()), base.map(|base| base.full_at_ms));
        Self { base: run, full, full_at_ms, ahead: Ahead::default(), tables, oldest, objects, keyed: BTreeMap::new() }
    }
}

/// Why everything has to be read, as far as the state tells.
pub(super) fn why_full(job: &Job, base: Option<&Base>, digest: &str, is_wanted: bool, now_ms: i64) -> Option<Full> {
    if !job.source.changes {
        return Some(Full::NotAsked);
    }
    // What was asked for comes before what is so anyway: an export is not begun with then.
    if is_wanted {
        return Some(Full::Wanted);
    }
    let Some(base) = base else { return Some(Full::First) };
    let every = job.source.full_every_seconds.unwrap_or(FULL_EVERY_SECONDS);
    let every_ms = i64::try_from(every).unwrap_or(i64::MAX).saturating_mul(1_000);
    if base.digest != digest {
        Some(Full::JobChanged)
    } else if now_ms.saturating_sub(base.full_at_ms) >= every_ms || now_ms < base.full_at_ms {
        Some(Full::Due)
    } else {
        None
    }
}

/// The column by which a table's changes are asked for: of the source the one that the job names.
pub(super) fn column<'a>(job: &'a Job, table: &TableRef, is_source: bool) -> Option<&'a str> {
    match &job.source.by {
        Some(by) if is_source => Some(by),
        _ => table.has_modified.then_some(MODIFIED),
    }
}

/// Whether a table is asked for its changes by the service's links. `BY` turns that off.
pub(super) fn is_tracked(job: &Job, table: &TableRef, is_source: bool) -> bool {
    job.source.changes && table.tracks && !(is_source && job.source.by.is_some())
}

/// The way of a source that begins with an export: where nothing is known yet that a run could begin with. What is to be compared
/// completely comes from Dynamics itself.
fn begun_with(job: &Job, query: &Query, full: Option<Full>) -> Option<TableWay> {
    let is_new = matches!(full, Some(Full::First | Full::JobChanged | Full::BaseGone));
    let begins = query.is_numbered() && is_new && job.source.begins_with.is_some();
    let column = column(job, &query.table, true).filter(|_| begins)?;
    Some(TableWay::BegunWith { column: column.to_owned() })
}

fn table(job: &Job, table: &TableRef, is_source: bool, cursor: Option<&TableCursor>, page_size: u32) -> TableWay {
    let whole = if is_tracked(job, table, is_source) { TableWay::Tracked } else { TableWay::Whole };
    let Some(cursor) = cursor else { return whole };
    if table.is_of_files {
        return cursor.mark.clone().map_or(TableWay::Whole, |mark| TableWay::Marked { mark });
    }
    let is_one_page = cursor.rows < u64::from(page_size);
    let is_overlapping = cursor.is_overlapping && !sabotage::has(Bug::NoOverlap);
    match (&cursor.link, column(job, table, is_source)) {
        // What changed while its pages came can be asked for in no other way.
        (Some(_), None) if is_overlapping => whole,
        (Some(link), column) if whole == TableWay::Tracked => TableWay::Changed {
            link: link.clone(),
            again_from_ms: column.filter(|_| is_overlapping).map(|_| cursor.from_ms),
            // A row that was deleted between its page and the last one may have been deleted before the link.
            has_keys: is_overlapping,
        },
        // One request either way, and the whole table tells of rows that are gone as well.
        (None, Some(_)) if is_one_page => whole,
        // Also where the metadata say that the table tracks changes, and it gave no link all the same.
        (None, Some(column)) => TableWay::Since { column: column.to_owned(), from_ms: cursor.from_ms },
        _ => whole,
    }
}

/// The objects of which only changes are read, as that takes fewer calls: one for each, and one for the log of deletions.
fn objects(job: &Job, cursors: &Cursors) -> BTreeMap<String, ObjectCursor> {
    let known = dataset::objects(job).into_keys().map(|object| dataset::target(&object));
    let known = known.filter_map(|name| Some((name.clone(), cursors.objects.get(&name)?.clone())));
    let large: BTreeMap<_, _> = known.filter(|(_, cursor)| pages(cursor.rows) > 1).collect();
    let saved: u64 = large.values().map(|cursor| pages(cursor.rows) - 1).sum();
    if saved > 1 { large } else { BTreeMap::new() }
}

/// Calls that it takes to read so many records: the last page is known by being short.
pub(super) fn pages(rows: u64) -> u64 {
    rows / Limits::READ_ROWS as u64 + 1
}

/// Whether the log of deletions still reaches back to what is known of all these objects.
pub(super) fn is_logged(objects: &BTreeMap<String, ObjectCursor>, now_ms: i64) -> bool {
    objects.values().all(|cursor| now_ms.saturating_sub(cursor.from_ms) < LOG_KEPT_MS)
}

impl Full {
    /// The reason, to follow on "everything is read:".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NotAsked => "the job says FROM, not FROM CHANGES OF",
            Self::First => "it is the first run of the job",
            Self::Wanted => "--full was asked for",
            Self::JobChanged => "the job, a field that it uses, or Ferry's version is not what it was",
            Self::Due => "it is time for a complete comparison (FULL EVERY)",
            Self::BaseGone => "the rows of the last run are missing or damaged on disk",
        }
    }
}
