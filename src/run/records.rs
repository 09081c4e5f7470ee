//! Objects of Gainsight as they are now, in the way that takes the fewest calls.
//!
//! Whole, 5,000 records a call; or what is known of them with what changed since, one call for each and one for the log of deletions;
//! or where a run looks for few, just the records with its keys, 500 a call. Which of the last two it can be is known before
//! anything is read, whether keys are cheaper only with the first page. In: queries. Out: datasets, and cursors in the ledger.

use std::collections::HashSet;

use arrow::array::{AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use tokio::task::JoinSet;

use super::error::Error;
use super::merging::{changes_schema, with_gone};
use super::refreshing::{Refreshing, delta};
use super::session::engine_over;
use super::staging::{Begun, Count};
use super::ways::{ObjectCursor, TableWay};
use crate::engine::wanted::{Wanted, can_be_wanted, wanted};
use crate::gainsight::assumptions::{CHANGED_OVERLAP_MS, LISTED_AT_MOST};
use crate::gainsight::client::Gainsight;
use crate::gainsight::error::Error as CallError;
use crate::model::dataset;
use crate::model::field::Field;
use crate::model::sabotage::{self, Bug};

/// Records that are gone from Gainsight.
const GONE: &str = "delta/gone";

/// Keys that are asked for in place of reading an object whole: those of a hundred queries.
const KEYS_AT_MOST: usize = LISTED_AT_MOST * 100;

/// Rows of the source that are read before anybody looks what they look for. Some take no part: of most jobs as many look for more keys than
/// are asked for one by one, which ends it with the first look.
const ROWS_AT_FIRST: u64 = KEYS_AT_MOST as u64 * 5 / 4;

impl Refreshing<'_> {
    /// Reads which records are gone, where objects are not read whole.
    pub(super) async fn deletions(&self, gainsight: &Gainsight) -> Result<(), Error> {
        let from = self.ways.borrow().objects.values().map(|cursor| cursor.from_ms).min();
        let Some(from_ms) = from else { return Ok(()) };
        let schema = dataset::object_schema(&[dataset::gsid()]);
        let Begun::New(mut writer) = self.staging.begun(GONE, changes_schema(&schema)).await? else {
            return Ok(());
        };
        match gainsight.deleted_since(from_ms).await {
            Ok(gone) => {
                let none = RecordBatch::new_empty(schema);
                self.staging.keep_page(&mut writer, GONE, with_gone(&none, gone, "Gsid")?, "").await?;
                writer.finish().await?;
                Ok(self.staging.ledger.read_whole(self.staging.run, GONE)?)
            }
            Err(refused) if is_about_the_query(&refused) => {
                let words =
                    format!("Gainsight's log of deletions cannot be read, so its objects are read whole: {refused}");
                self.staging.progress.notice(words);
                self.ways.borrow_mut().objects.clear();
                self.keep()
            }
            Err(other) => Err(other.into()),
        }
    }

    /// A Gainsight object as it is now; gives its number of records. None if it is large, and to look for the keys of the run alone may
    /// take fewer calls: that is known once the source was read.
    pub(super) async fn object(
        &self,
        gainsight: &Gainsight,
        object: &str,
        fields: &[Field],
    ) -> Result<Option<u64>, Error> {
        let name = dataset::target(object);
        let way = self.ways.borrow().objects.get(&name).cloned();
        let rows = match way {
            None if self.ways.borrow().keyed.contains_key(&name) => return Ok(None),
            None => {
                let pages = if can_be_wanted(self.job, object) { 1 } else { usize::MAX };
                let count = self.staging.some_records(gainsight, object, fields, pages).await?;
                if !count.is_whole {
                    return Ok(None);
                }
                count.rows
            }
            Some(ObjectCursor { from_ms, .. }) => {
                let read = |after| gainsight.changed_since(object, fields, from_ms, after);
                match self.staging.records_into(&delta(&name), fields, true, usize::MAX, read).await {
                    Err(Error::Gainsight(refused)) if is_about_the_query(&refused) => {
                        let words =
                            format!("it cannot be asked what changed in {object}, so it is read whole: {refused}");
                        self.staging.progress.notice(words);
                        return Ok(Some(self.read_whole(gainsight, object, fields).await?));
                    }
                    other => other?,
                };
                let staged = [delta(&name), GONE.to_owned()];
                let earlier = (self.earlier_rows()?, name.as_str());
                self.merged(&name, earlier, &staged, None, "Gsid", dataset::object_schema(fields)).await?.0
            }
        };
        self.note_object(gainsight, &name, rows)?;
        Ok(Some(rows))
    }

    /// Whether an object was put together from what was known and what changed.
    pub(super) fn is_put_together(&self, name: &str) -> bool {
        self.ways.borrow().objects.contains_key(name)
    }

    /// Reads an object whole after all.
    pub(super) async fn read_whole(&self, gainsight: &Gainsight, object: &str, fields: &[Field]) -> Result<u64, Error> {
        let name = dataset::target(object);
        self.ways.borrow_mut().objects.remove(&name);
        self.keep()?;
        self.staging.ledger.read_again(self.staging.run, &name)?;
        let rows = self.staging.records(gainsight, object, fields).await?;
        self.note_object(gainsight, &name, rows)?;
        Ok(rows)
    }

    /// Reads a large object beside the source, as far as that takes no more calls than the keys that are known to be looked for by then;
    /// gives its number of records, if these were all. What is looked for is found out each time when the source has twice as many rows.
    pub(super) async fn beside_source(
        &self,
        gainsight: &Gainsight,
        object: &str,
        fields: &[Field],
    ) -> Result<Option<u64>, Error> {
        let job = self.job;
        let way = self.ways.borrow().tables.get(dataset::SOURCE).cloned();
        let is_read_whole = matches!(way, None | Some(TableWay::Whole | TableWay::Tracked));
        // Whatever tables rows lead to may be read later than they are.
        let is_alone = is_read_whole && job.relations.is_empty();
        if !is_alone || self.ways.borrow().keyed.contains_key(&dataset::target(object)) {
            return Ok(None);
        }
        let mut rows = self.staging.source_rows.subscribe();
        let mut enough = ROWS_AT_FIRST;
        loop {
            let known = rows.wait_for(|rows| rows.is_none_or(|rows| rows > enough)).await;
            // Who tells it lives as long as this.
            let known = known.ok().and_then(|known| *known);
            let Some(known) = known else { return Ok(None) };
            // Pages may go while they are looked at, where a table is begun again: more is known later.
            if let Ok(wanted) = self.looked_for(object).await {
                let count = self.no_dearer_than(wanted.as_deref(), gainsight, object, fields).await?;
                if count.is_whole {
                    return Ok(Some(count.rows));
                }
            }
            enough = known * 2;
        }
    }

    /// The rest of a large object, or in its place the records that the run looks for. Gives how many records it has at least.
    pub(super) async fn rest(&self, gainsight: &Gainsight, object: &str, fields: &[Field]) -> Result<u64, Error> {
        let name = dataset::target(object);
        let known = self.ways.borrow().keyed.get(&name).copied();
        let there = match known {
            Some(there) => there,
            None => {
                let wanted = self.looked_for(object).await?;
                let count = self.no_dearer_than(wanted.as_deref(), gainsight, object, fields).await?;
                if count.is_whole {
                    return Ok(count.rows);
                }
                self.ways.borrow_mut().keyed.insert(name, count.rows);
                self.keep()?;
                count.rows
            }
        };
        self.keyed(gainsight, object, fields, there).await
    }

    /// What the run looks for in an object, by the pages of the source that are there; none if that is more than is asked for one by one.
    /// It is found out beside the thread that reads, which would have both services wait.
    async fn looked_for(&self, object: &str) -> Result<Option<Vec<Wanted>>, Error> {
        let (folder, job, object) = (self.staging.folder.clone(), self.job.clone(), object.to_owned());
        let mut looking = JoinSet::new();
        looking.spawn(async move {
            // An engine that has looked at the folder knows of no later page.
            let engine = engine_over(&folder)?;
            Ok::<_, Error>(wanted(&engine, &job, &object, KEYS_AT_MOST).await?)
        });
        let ended = looking.join_next().await.unwrap_or(Ok(Ok(None)));
        ended.map_err(|e| Error::Books(format!("what the run looks for was not found out: {e}")))?
    }

    /// Reads as many pages as it takes calls to read by what is looked for: whichever is cheaper, twice that is never spent.
    async fn no_dearer_than(
        &self,
        wanted: Option<&[Wanted]>,
        gainsight: &Gainsight,
        object: &str,
        fields: &[Field],
    ) -> Result<Count, Error> {
        let count = self.staging.some_records(gainsight, object, fields, calls_of(wanted)).await?;
        if count.is_whole {
            self.note_object(gainsight, &dataset::target(object), count.rows)?;
        }
        Ok(count)
    }

    /// The records that the run looks for, each once. `there` is how many the object has at least.
    async fn keyed(&self, gainsight: &Gainsight, object: &str, fields: &[Field], there: u64) -> Result<u64, Error> {
        let (name, staging) = (dataset::target(object), &self.staging);
        let schema = dataset::object_schema(fields);
        if let Begun::Done(rows) = staging.begun(&name, schema.clone()).await? {
            // The pages of before are forgotten when these are begun, so what is done is this.
            return Ok(rows.max(there));
        }
        staging.ledger.read_again(staging.run, &name)?;
        staging.folder.clear(&name).await?;
        let mut writer = staging.folder.write(&name, schema);
        let engine = engine_over(staging.folder)?;
        let all = wanted(&engine, self.job, object, usize::MAX).await?.unwrap_or_default();
        let (mut seen, mut rows) = (HashSet::new(), 0);
        for one in &all {
            for values in one.values.chunks(LISTED_AT_MOST) {
                let mut records = gainsight.having(object, fields, &one.field, values);
                while let Some(batch) = records.next().await? {
                    let fresh = unseen(&batch, &mut seen)?;
                    rows += fresh.num_rows() as u64;
                    staging.keep_page(&mut writer, &name, fresh, "").await?;
                }
            }
        }
        writer.finish().await?;
        staging.ledger.read_whole(staging.run, &name)?;
        Ok(rows.max(there))
    }

    fn note_object(&self, gainsight: &Gainsight, name: &str, rows: u64) -> Result<(), Error> {
        let theirs = self.began_ms(self.ways.borrow().ahead.gainsight, gainsight.seconds_ahead());
        let cursor = ObjectCursor { from_ms: theirs.saturating_sub(CHANGED_OVERLAP_MS), rows };
        self.note_as(name, &serde_json::json!(cursor))
    }
}

/// Calls that it takes to read records by what is looked for; without end, if that is more than is asked for one by one.
fn calls_of(wanted: Option<&[Wanted]>) -> usize {
    let calls = |wanted: &[Wanted]| wanted.iter().map(|one| one.values.len().div_ceil(LISTED_AT_MOST)).sum::<usize>();
    wanted.map_or(usize::MAX, |wanted| calls(wanted).max(1))
}

/// Whether a query is refused for what it asks: another one may be answered.
fn is_about_the_query(error: &CallError) -> bool {
    matches!(error, CallError::Refused { status, .. } if !matches!(status, 401 | 429 | 500..))
}

/// The records that were not seen before.
fn unseen(batch: &RecordBatch, seen: &mut HashSet<String>) -> Result<RecordBatch, Error> {
    let ids = batch.column_by_name("Gsid").and_then(|ids| ids.as_string_opt::<i32>());
    let ids = ids.ok_or_else(|| Error::Books("records came without a GSID".to_owned()))?;
    let is_twice = sabotage::has(Bug::FoundTwice);
    let fresh: BooleanArray =
        ids.iter().map(|id| Some(id.is_none_or(|id| seen.insert(id.to_owned()) || is_twice))).collect();
    filter_record_batch(batch, &fresh).map_err(|e| Error::Books(e.to_string()))
}
