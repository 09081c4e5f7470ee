//! What is known of the target, held against the target itself.
//!
//! Of a large object a run reads only what changed since it was last read. What that does not show, as a record that was loaded past the
//! times of change, would be inserted once more; so before anything is inserted, its keys are looked for in the object itself. `ferry
//! plan --verify` holds everything that is known against it. In: a run folder whose objects were put together. Out: the same folder
//! with objects read whole, where what was known was wrong, and what was.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use serde::Serialize;
use serde_json::{Value, json};

use super::changes::Changes;
use super::columns;
use super::error::Error;
use super::refreshing::Refreshing;
use super::ways::pages;
use crate::gainsight::assumptions::LISTED_AT_MOST;
use crate::gainsight::client::Gainsight;
use crate::gainsight::write::{Record, value};
use crate::model::dataset;
use crate::model::field::Field;
use crate::model::job::{Fold, Job, Key, Route};
use crate::model::outcome::Outcome;
use crate::model::sabotage::{self, Bug};
use crate::store::dataset::RunFolder;

/// Records that are named of those that are not as they were known.
const NAMED_AT_MOST: usize = 5;

/// In what an object is not as it was known to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drifted {
    /// The object's label, or its API name where the job only looks it up.
    pub object: String,
    /// Records that it has.
    pub records: u64,
    /// Records that were not known.
    pub unknown: u64,
    /// Records that were known and are not there.
    pub missing: u64,
    /// Records that are otherwise than they were known.
    pub different: u64,
    /// GSIDs of the first of them.
    pub first: Vec<String>,
}

impl Drifted {
    /// Whether everything was as it was known.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.unknown + self.missing + self.different == 0
    }
}

/// Holds everything that was put together of the target against the target, which is read whole; the folder has the truth then.
pub(super) async fn verify(
    job: &Job,
    gainsight: &Gainsight,
    folder: &RunFolder,
    refreshing: &Refreshing<'_>,
) -> Result<Vec<Drifted>, Error> {
    let mut all = Vec::new();
    for (object, fields) in dataset::objects(job) {
        let name = dataset::target(&object);
        if !refreshing.is_put_together(&name) {
            continue;
        }
        let mut known = digests(folder, &name).await?;
        let records = refreshing.read_whole(gainsight, &object, &fields).await?;
        let label = job.targets.iter().find(|target| target.object.name == object);
        let label = label.map_or_else(|| object.clone(), |target| target.object.label.clone());
        let (mut drifted, mut first) =
            (Drifted { object: label, records, unknown: 0, missing: 0, different: 0, first: Vec::new() }, Vec::new());
        for (gsid, digest) in digests(folder, &name).await? {
            match known.remove(&gsid) {
                Some(before) if before == digest => continue,
                Some(_) => drifted.different += 1,
                None => drifted.unknown += 1,
            }
            first.push(gsid);
        }
        drifted.missing = known.len() as u64;
        first.extend(known.into_keys());
        first.sort();
        first.truncate(NAMED_AT_MOST);
        drifted.first = first;
        all.push(drifted);
    }
    Ok(all)
}

/// Whether one of the records that are to be inserted is there, although it is not known. The main object is read whole then, and
/// the plan has to be made again. So it is where that takes fewer calls: of the two numbers one is of records that are to be inserted, the
/// other of those that there are.
pub(super) async fn are_known(
    job: &Job,
    gainsight: &Gainsight,
    folder: &RunFolder,
    refreshing: &Refreshing<'_>,
    (to_insert, there_are): (u64, u64),
) -> Result<bool, Error> {
    let main = job.main_target();
    let name = dataset::target(&main.object.name);
    // A person's call is an upsert by the key.
    let is_guarded = matches!(main.route, Route::Object | Route::User) && !sabotage::has(Bug::KnownIsTrue);
    if !is_guarded || !refreshing.is_put_together(&name) {
        return Ok(true);
    }
    // Without a list each query would give the whole object.
    if !job.key.iter().any(|key| job.mappings[key.mapping].field.kind.can_be_listed()) {
        let words = "cannot be looked for by their keys before they are inserted, as no query takes a list of those";
        read_main(job, gainsight, refreshing, &format!("records of {} {words}", main.object.label)).await?;
        return Ok(false);
    }
    let spellings = if job.key.iter().any(|key| key.fold == Fold::Guid) { 2 } else { 1 };
    if to_insert.saturating_mul(spellings as u64).div_ceil(LISTED_AT_MOST as u64) > pages(there_are) {
        let label = &main.object.label;
        let words =
            format!("to look for the keys of {to_insert} new records of {label} takes more calls than to read it");
        read_main(job, gainsight, refreshing, &words).await?;
        return Ok(false);
    }
    let mut files = folder.sift(dataset::CHANGES, columns::outcomes(job)).await?;
    let mut inserts: Vec<Record> = Vec::new();
    let mut found = 0;
    while let Some(file) = files.next().await? {
        let rows = Changes::new(job, file.rows.clone());
        let is_new = |at: &usize| rows.action(0, *at) == Some("insert") && rows.outcome(*at) == Some(Outcome::Inserted);
        let wanted = (0..rows.len()).filter(is_new);
        for batch in file.pick(&wanted.collect::<Vec<_>>(), None).await? {
            let rows = Changes::new(job, batch);
            for at in 0..rows.len() {
                inserts.push(rows.record(0, at));
                if inserts.len() == LISTED_AT_MOST / spellings {
                    found += there(job, gainsight, &std::mem::take(&mut inserts)).await?;
                }
            }
        }
    }
    found += there(job, gainsight, &inserts).await?;
    if found == 0 {
        return Ok(true);
    }
    let label = &main.object.label;
    read_main(job, gainsight, refreshing, &format!("{found} records of {label} are there that no change has told of"))
        .await?;
    Ok(false)
}

/// Reads the main object whole after all.
async fn read_main(job: &Job, gainsight: &Gainsight, refreshing: &Refreshing<'_>, why: &str) -> Result<(), Error> {
    let words = format!("{why}; it is read whole, and the plan made again");
    refreshing.staging.progress.notice(words);
    let name = &job.main_target().object.name;
    let fields = dataset::objects(job).remove(name).unwrap_or_default();
    refreshing.read_whole(gainsight, name, &fields).await?;
    Ok(())
}

/// How many records with the keys of these are there.
async fn there(job: &Job, gainsight: &Gainsight, inserts: &[Record]) -> Result<u64, Error> {
    if inserts.is_empty() {
        return Ok(0);
    }
    let keys: Vec<(&Field, Vec<Value>)> = job
        .key
        .iter()
        .map(|key| {
            let field = &job.mappings[key.mapping].field;
            let values = inserts.iter().filter_map(|record| record.get(&field.name).cloned());
            (field, values.flat_map(|value| spelled(value, key.fold)).collect())
        })
        .collect();
    let fields: Vec<Field> = std::iter::once(dataset::gsid()).chain(keys.iter().map(|(f, _)| (*f).clone())).collect();
    let wanted: Vec<Vec<Value>> = inserts.iter().map(|record| folded(job, record)).collect();
    let records = gainsight.read_back(&job.main_target().object.name, &fields, &keys).await?;
    Ok(records.iter().filter(|record| wanted.contains(&folded(job, record))).count() as u64)
}

/// A value in the spellings that the plan takes for the same, as far as a query does not: GUIDs may be in braces.
fn spelled(value: Value, fold: Fold) -> Vec<Value> {
    match (&value, fold) {
        (Value::String(text), Fold::Guid) => {
            let bare = text.trim_matches(['{', '}']);
            vec![json!(bare), json!(format!("{{{bare}}}"))]
        }
        _ => vec![value],
    }
}

/// The key of a record, as the plan compares it.
fn folded(job: &Job, record: &Record) -> Vec<Value> {
    let one = |key: &Key| {
        let value = record.get(&job.mappings[key.mapping].field.name).cloned().unwrap_or_default();
        match (&value, key.fold) {
            (Value::String(text), Fold::Case) => Value::String(text.to_lowercase()),
            (Value::String(text), Fold::Guid) => Value::String(text.trim_matches(['{', '}']).to_lowercase()),
            _ => value,
        }
    };
    job.key.iter().map(one).collect()
}

/// A digest of each record by its GSID.
async fn digests(folder: &RunFolder, name: &str) -> Result<HashMap<String, u64>, Error> {
    let mut all = HashMap::new();
    let mut reader = folder.read(name).await?;
    while let Some(batch) = reader.next().await? {
        let ids = batch.column_by_name("Gsid").and_then(|ids| ids.as_string_opt::<i32>());
        let ids = ids.ok_or_else(|| Error::Books(format!("{name} has records without a GSID")))?;
        all.extend((0..batch.num_rows()).map(|at| (ids.value(at).to_owned(), digest(&batch, at))));
    }
    Ok(all)
}

fn digest(batch: &RecordBatch, at: usize) -> u64 {
    let mut digest = DefaultHasher::new();
    batch.columns().iter().for_each(|column| value(column, at).to_string().hash(&mut digest));
    digest.finish()
}
