//! How the next run of a job would read, in words: what is read whole, what by its changes, and why.
//!
//! In: a job and where its last run ended. Out: a line for each table and object. It asks no service.

use chrono::{DateTime, SecondsFormat, Utc};

use super::essence::digest_of;
use super::ways::{Cursors, Full, TableWay, Ways, column, is_logged, is_tracked, pages, why_full};
use crate::dynamics::odata::{Query, Reach, queries};
use crate::engine::wanted::can_be_wanted;
use crate::files::reading::Mark;
use crate::model::dataset;
use crate::model::job::{Job, TableRef};
use crate::store::ledger::Base;

/// How each table and object would be read: its name, and the way with its reason.
#[must_use]
pub fn reading(job: &Job, base: Option<&Base>, now_ms: i64, page_size: u32) -> Vec<(String, String)> {
    let why = why_full(job, base, &digest_of(job), false, now_ms);
    let mut ways = Ways::of(job, base, why, page_size);
    if !is_logged(&ways.objects, now_ms) {
        ways.objects.clear();
    }
    let cursors: Cursors = base.and_then(|base| serde_json::from_str(&base.cursors).ok()).unwrap_or_default();
    let mut lines = Vec::new();
    for query in queries(job) {
        let way = ways.tables.get(&query.dataset).unwrap_or(&TableWay::Whole);
        lines.push((query.table.set_name.clone(), table(job, &query.table, query.is_numbered(), way, ways.full)));
    }
    for object in dataset::objects(job).into_keys() {
        let known = cursors.objects.get(&dataset::target(&object)).map(|cursor| pages(cursor.rows));
        let words = match (ways.objects.get(&dataset::target(&object)), known) {
            (Some(cursor), Some(pages)) => format!(
                "what changed since {}: 1 call, and 1 for the log of deletions; whole it would take {pages}",
                moment(cursor.from_ms)
            ),
            (None, Some(1)) => "whole: 1 call".to_owned(),
            (None, _) if can_be_wanted(job, &object) => {
                "whole, or just the records with the keys of the run: whichever takes fewer calls is seen by the first page".to_owned()
            }
            (None, Some(pages)) => format!("whole: {pages} calls"),
            _ => "whole".to_owned(),
        };
        lines.push((object, words));
    }
    lines
}

/// What a job asks of Dynamics where it reads everything: a table that tracks changes is read so that its end has a link to them.
#[must_use]
pub fn asked_whole(job: &Job) -> Vec<Query> {
    let so = |query: Query| {
        let is_tracked = is_tracked(job, &query.table, query.is_numbered());
        Query { reach: if is_tracked { Reach::Tracked } else { Reach::Whole }, ..query }
    };
    queries(job).into_iter().map(so).collect()
}

fn table(job: &Job, table: &TableRef, is_source: bool, way: &TableWay, full: Option<Full>) -> String {
    if table.is_of_files {
        return match (way, full) {
            (TableWay::Marked { mark: Mark::Folder(folder) }, _) => {
                format!("the folders of the export behind {folder}")
            }
            (TableWay::Marked { .. }, _) => "whole, unless its files are what they were".to_owned(),
            (_, Some(why)) => format!("whole: {}", why.words()),
            (_, None) => "whole: nothing is known of what changes in it".to_owned(),
        };
    }
    let by = column(job, table, is_source);
    let later = if !job.source.changes {
        String::new()
    } else if is_tracked(job, table, is_source) {
        "; from the next run on what changes, by the service's own links (change tracking)".to_owned()
    } else {
        match by {
            Some(by) => format!("; from the next run on what changes, by {by}: {}", why_not_tracked(job, is_source)),
            None => "; it has no column of changes and does not track them, so always".to_owned(),
        }
    };
    match (way, full) {
        (TableWay::Whole | TableWay::Tracked, Some(why)) => format!("whole: {}{later}", why.words()),
        (TableWay::Whole, None) if by.is_some() => {
            format!("whole: it fits into a page, so it is one request either way ({})", why_not_tracked(job, is_source))
        }
        (TableWay::BegunWith { column }, _) => format!(
            "the rows of the export, then what changed since by {column}, and the keys of all rows, as only they tell which are gone"
        ),
        (TableWay::Whole | TableWay::Tracked | TableWay::Marked { .. }, _) => {
            "whole: nothing is known of what changes in it".to_owned()
        }
        (TableWay::Changed { again_from_ms, .. }, _) => {
            let again = again_from_ms.map_or(String::new(), |from| {
                format!(
                    ", and what changed by {} since {} while it was read whole",
                    by.unwrap_or_default(),
                    moment(from)
                )
            });
            format!("what changed since it was last read, by the service's own link (change tracking){again}")
        }
        (TableWay::Since { column, from_ms }, _) => format!(
            "what changed by {column} since {}, and the keys of all rows, as only they tell which are gone: {}",
            moment(*from_ms),
            why_not_tracked(job, is_source)
        ),
    }
}

fn why_not_tracked(job: &Job, is_source: bool) -> &'static str {
    if is_source && job.source.by.is_some() { "the job says BY" } else { "the table does not track changes" }
}

fn moment(at_ms: i64) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or(DateTime::<Utc>::MIN_UTC);
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
