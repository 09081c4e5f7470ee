//! Loading by files in a bucket, which a connector of Gainsight's own takes in: the way for people and users in great numbers.
//!
//! A file's name and its content follow from the plan alone, so whoever goes on after a crash hands nothing over twice. Nothing answers: the
//! run waits until a later read proves its rows (`proving`). In: the changes of a plan. Out: files, and rows without an outcome yet.

use serde::{Deserialize, Serialize};

use super::changes::Changes;
use super::columns;
use super::error::Error;
use super::import_file::{cell, line};
use super::item::Item;
use super::job::Working;
use super::load::Load;
use crate::gainsight::assumptions::{IMPORT_BYTES_AT_MOST, IMPORT_ROWS_AT_MOST};
use crate::model::dataset;
use crate::model::job::{Job, Mapping, Route};
use crate::model::outcome::Counts;
use crate::model::sabotage;
use crate::store::bucket::Bucket;
use crate::store::dataset::RunFolder;
use crate::store::ledger::Answer;

/// Under this name the ledger keeps what was handed over.
const HANDED: &str = "handed over";

/// What a run has handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Handed {
    /// Files.
    pub(super) files: u64,
    /// Rows in them.
    pub(super) rows: u64,
    /// When the last one was there, in milliseconds since 1970.
    pub(super) at_ms: i64,
    /// Whether these are all.
    pub(super) is_all: bool,
}

/// Rows that are gathered for a file.
#[derive(Default)]
struct Gathered {
    text: String,
    items: Vec<Item>,
}

impl Working<'_> {
    /// Hands all changes over, or asks what became of them if that was done before.
    ///
    /// # Errors
    /// [`Error::HandedOver`] as long as rows are not proven; or what stops it.
    pub(super) async fn through_files(
        &self,
        load: &mut Load<'_>,
        folder: &RunFolder,
        planned: &Counts,
        url: &str,
    ) -> Result<(), Error> {
        let noted = self.ledger.reading(&self.one.run, HANDED)?;
        let before: Handed = noted.and_then(|noted| serde_json::from_str(&noted.checkpoint).ok()).unwrap_or_default();
        let left = if before.is_all {
            self.prove(load, folder, planned, &before, url).await?
        } else {
            let place = self.services.place(url)?.below(&self.job.main_target().object.name);
            let handed = load.hand_files_over(folder, &place, before).await?;
            return match handed.rows {
                0 => Ok(()),
                rows => Err(waits(&handed, rows, url)),
            };
        };
        if left == 0 { Ok(()) } else { Err(waits(&before, left, url)) }
    }
}

/// That rows are not proven yet.
fn waits(handed: &Handed, rows: u64, url: &str) -> Error {
    let since = chrono::DateTime::from_timestamp_millis(handed.at_ms).unwrap_or_default();
    let since = since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Error::HandedOver { rows, files: handed.files, place: url.to_owned(), since }
}

impl Load<'_> {
    /// Writes the files that are not there yet; what was handed over in all.
    async fn hand_files_over(&mut self, folder: &RunFolder, place: &Bucket, before: Handed) -> Result<Handed, Error> {
        let mut handed = Handed::default();
        let mut gathered = Gathered::default();
        let mut files = folder.sift(dataset::loaded(self.job), columns::outcomes(self.job)).await?;
        while let Some(file) = files.next().await? {
            for batch in file.pick(&self.unsettled(&file), None).await? {
                let changes = Changes::new(self.job, batch);
                for at in 0..changes.len() {
                    gathered.text.push_str(&row(self.job, &changes, at));
                    gathered.items.push(self.item(&changes, at));
                    if gathered.items.len() == IMPORT_ROWS_AT_MOST || gathered.text.len() >= IMPORT_BYTES_AT_MOST {
                        self.hand_file_over(std::mem::take(&mut gathered), place, &before, &mut handed).await?;
                    }
                }
            }
        }
        self.hand_file_over(gathered, place, &before, &mut handed).await?;
        handed.is_all = true;
        self.note(&handed)?;
        Ok(handed)
    }

    /// Writes one file: its rows stand in the ledger first, and have no outcome until they are proven.
    async fn hand_file_over(
        &self,
        gathered: Gathered,
        place: &Bucket,
        before: &Handed,
        handed: &mut Handed,
    ) -> Result<(), Error> {
        let Gathered { text, items } = gathered;
        if items.is_empty() {
            return Ok(());
        }
        handed.files += 1;
        handed.rows += items.len() as u64;
        if handed.files <= before.files {
            handed.at_ms = before.at_ms;
            return Ok(());
        }
        let what = format!("insert {}", self.job.targets[0].object.name);
        let now = self.clock.now().timestamp_millis();
        let calls = self.recorder.intend(1, &what, now, std::iter::once(items.as_slice()))?;
        let name = format!("{}-{:06}.csv", self.recorder.run, handed.files);
        // One that is there was written by a process that did not come to note it, from the same plan.
        place.put_new(&name, format!("{}{text}", line(columns(self.job).into_iter())).into()).await?;
        sabotage::place("file.handed");
        handed.at_ms = self.clock.now().timestamp_millis();
        let answers: Vec<(i64, Answer)> =
            calls.into_iter().map(|call| (call, Answer::Unknown { heard_at_ms: handed.at_ms })).collect();
        self.recorder.settle(&answers, &[])?;
        self.note(handed)
    }

    fn note(&self, handed: &Handed) -> Result<(), Error> {
        let text = serde_json::to_string(handed).map_err(|e| Error::Books(e.to_string()))?;
        Ok(self.recorder.ledger.note(self.recorder.run, HANDED, &text)?)
    }
}

/// The mapped fields of the records that Gainsight has, of all objects: the identity map is ours.
fn fields(job: &Job) -> impl Iterator<Item = (usize, &Mapping)> {
    let is_theirs = |mapping: &Mapping| job.targets[mapping.target].route != Route::Avatar;
    job.mappings.iter().enumerate().filter(move |(_, mapping)| is_theirs(mapping))
}

/// The columns of a file: labels, with the object's where two objects have one alike.
#[must_use]
pub fn columns(job: &Job) -> Vec<String> {
    let named = fields(job).map(|(_, mapping)| {
        let label = &mapping.field.label;
        let is_shared = fields(job).filter(|(_, other)| other.field.label == *label).count() > 1;
        let object = &job.targets[mapping.target].object.label;
        if is_shared { format!("{object}.{label}") } else { label.clone() }
    });
    named.collect()
}

/// A row with every field of its records: what does not change has the value that it has, and so has the key.
fn row(job: &Job, changes: &Changes<'_>, at: usize) -> String {
    line(fields(job).map(|(m, mapping)| {
        let is_known = changes.gsid(mapping.target, at).is_some();
        let is_key = job.key.iter().any(|key| key.mapping == m);
        let is_new = !is_known || (changes.is_changed(m, at) && !is_key);
        let value = if is_new { changes.new_value(m, at) } else { changes.old_value(m, at) };
        cell(&mapping.field, &value)
    }))
}
