//! Loading by files in a bucket, which a connector of Gainsight's own takes in: the way for people and users in great numbers.
//!
//! A file's name and its content follow from the plan alone, so whoever goes on after a crash hands nothing over twice. Nothing answers: the
//! run waits until a later read proves its rows (`proving`). In: the changes of a plan. Out: files, and rows without an outcome yet.

use std::collections::{BTreeMap, BTreeSet};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::changes::Changes;
use super::columns;
use super::error::Error;
use super::import_file::{cell, line};
use super::item::Item;
use super::job::Working;
use super::load::{Load, to_send};
use super::progress::Voice;
use crate::gainsight::assumptions::{IMPORT_BYTES_AT_MOST, IMPORT_ROWS_AT_MOST};
use crate::model::dataset;
use crate::model::job::{Job, Mapping, Route};
use crate::model::outcome::{Counts, Outcome};
use crate::model::sabotage;
use crate::store::bucket::Bucket;
use crate::store::dataset::RunFolder;
use crate::store::ledger::{Answer, Ledger};

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
    /// Whether no row is waited for any more.
    #[serde(default)]
    pub(super) is_settled: bool,
    /// The objects that they are about, by API name.
    #[serde(default)]
    pub(super) objects: Vec<String>,
}

impl Handed {
    /// What a run has handed over, as the ledger has it.
    pub(super) fn of(ledger: &dyn Ledger, run: &str) -> Result<Self, Error> {
        let noted = ledger.reading(run, HANDED)?;
        Ok(noted.and_then(|noted| serde_json::from_str(&noted.checkpoint).ok()).unwrap_or_default())
    }

    fn keep(&self, ledger: &dyn Ledger, run: &str) -> Result<(), Error> {
        let text = serde_json::to_string(self).map_err(|e| Error::Books(e.to_string()))?;
        Ok(ledger.note(run, HANDED, &text)?)
    }
}

/// Rows that are gathered for a file.
#[derive(Default)]
struct Gathered {
    text: String,
    items: Vec<Item>,
}

/// What the newest of several rows says of their one person, by the person's key: his other rows repeat it, as each line is a whole record.
#[derive(Default)]
struct Newest(BTreeMap<String, (String, Vec<String>)>);

/// Says so if another run has handed over files about objects that a job is about to look at: what is in them may not be there yet.
pub(super) fn tell_of_files(
    run: &str,
    job: &Job,
    tenant: &str,
    ledger: &dyn Ledger,
    progress: &Voice<'_>,
) -> Result<(), Error> {
    let looked_at: BTreeSet<String> = dataset::objects(job).into_keys().collect();
    for (other, note) in ledger.noted_by_others(tenant, run, HANDED)? {
        let handed: Handed = serde_json::from_str(&note).unwrap_or_default();
        if !handed.is_settled && handed.objects.iter().any(|object| looked_at.contains(object)) {
            progress.notice(format!(
                "run {other} has handed rows over as files that may not be taken in yet; what is in them is missing from what is read now"
            ));
        }
    }
    Ok(())
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
        let before = Handed::of(self.ledger, &self.one.run)?;
        if !before.is_all {
            let place = self.services.place(url)?.below(&self.job.main_target().object.name);
            let handed = load.hand_files_over(folder, &place, before).await?;
            return if handed.rows == 0 { Ok(()) } else { Err(waits(&handed, handed.rows, url)) };
        }
        match self.prove(load, folder, planned, &before, url).await? {
            0 => Handed { is_settled: true, ..before }.keep(self.ledger, &self.one.run),
            left => Err(waits(&before, left, url)),
        }
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
        let newest = Newest::of(self.job, folder).await?;
        let objects = self.job.targets.iter().filter(|target| target.route != Route::Avatar);
        let objects = objects.map(|target| target.object.name.clone()).collect();
        let mut handed = Handed { objects, ..Handed::default() };
        let (mut gathered, mut quiet) = (Gathered::default(), Vec::new());
        let mut files = folder.sift(dataset::loaded(self.job), columns::outcomes(self.job)).await?.picking(to_send);
        while let Some(file) = files.next().await? {
            self.count_unsent(&file);
            for batch in file.picked {
                let changes = Changes::new(self.job, batch);
                for at in 0..changes.len() {
                    let item = self.item(&changes, at);
                    if stays(self.job, &changes, at) {
                        // Only the identity map changes, which is ours.
                        quiet.push((item, actions(self.job, &changes, at)));
                        continue;
                    }
                    gathered.text.push_str(&newest.row(self.job, &changes, at));
                    gathered.items.push(item);
                    if gathered.items.len() == IMPORT_ROWS_AT_MOST || gathered.text.len() >= IMPORT_BYTES_AT_MOST {
                        self.hand_file_over(std::mem::take(&mut gathered), place, &before, &mut handed).await?;
                    }
                }
            }
            self.settle_arrived(std::mem::take(&mut quiet).into_iter().map(|(item, all)| (item, None, all)).collect())?;
        }
        self.hand_file_over(gathered, place, &before, &mut handed).await?;
        handed.is_all = true;
        handed.is_settled = handed.rows == 0;
        handed.keep(self.recorder.ledger, self.recorder.run)?;
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
        // As those who look for what others wrote call it.
        let main = &self.job.targets[0];
        let what =
            if main.route == Route::Person { "person".to_owned() } else { format!("insert {}", main.object.name) };
        let now = self.clock.now().timestamp_millis();
        let calls = self.recorder.intend(1, &what, now, std::iter::once(items.as_slice()))?;
        let content = format!("{}{text}", line(columns(self.job).into_iter()));
        // With a part of the content's digest, as other states have runs of the same number: one that is there is this very file, written by
        // a process that did not come to note it.
        let digest = digest(&SHA256, content.as_bytes());
        let digest: String = digest.as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        let name = format!("{}-{:06}-{digest}.csv", self.recorder.run, handed.files);
        place.put_new(&name, content.into()).await?;
        sabotage::place("file.handed");
        handed.at_ms = self.clock.now().timestamp_millis();
        let answers: Vec<(i64, Answer)> =
            calls.into_iter().map(|call| (call, Answer::Unknown { heard_at_ms: handed.at_ms })).collect();
        self.recorder.settle(&answers, &[])?;
        handed.keep(self.recorder.ledger, self.recorder.run)
    }
}

/// Whether nothing changes of a row's records, apart from the identity map.
pub(super) fn stays(job: &Job, changes: &Changes<'_>, at: usize) -> bool {
    let records = || (0..job.targets.len()).filter(|target| job.targets[*target].route != Route::Avatar);
    let stays = |target: usize| changes.action(target, at).is_none_or(|action| action == "unchanged");
    changes.action(0, at).is_some() && records().all(stays)
}

/// What becomes of each record of a row.
pub(super) fn actions(job: &Job, changes: &Changes<'_>, at: usize) -> Vec<(usize, String)> {
    let of = |target: usize| changes.action(target, at).map(|action| (target, action.to_owned()));
    (0..job.targets.len()).filter_map(of).collect()
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

impl Newest {
    async fn of(job: &Job, folder: &RunFolder) -> Result<Self, Error> {
        let mut newest = Self::default();
        if job.main_target().route != Route::Person {
            return Ok(newest);
        }
        let mut files = folder.sift(dataset::loaded(job), columns::outcomes(job)).await?;
        while let Some(file) = files.next().await? {
            let rows = Changes::new(job, file.rows.clone());
            let is_sent = |at: &usize| matches!(rows.outcome(*at), Some(Outcome::Inserted | Outcome::Updated));
            let wanted: Vec<usize> = (0..rows.len()).filter(|at| rows.siblings(*at) > 1).filter(is_sent).collect();
            for batch in file.pick(&wanted, None).await? {
                let rows = Changes::new(job, batch);
                for at in 0..rows.len() {
                    let (key, rank) = (rows.key(at).unwrap_or_default().to_owned(), rows.rank(at));
                    if newest.0.get(&key).is_none_or(|(known, _)| *known < rank) {
                        let own = fields(job).filter(|(_, mapping)| mapping.target == 0);
                        newest
                            .0
                            .insert(key, (rank, own.map(|(m, mapping)| value(job, m, mapping, &rows, at)).collect()));
                    }
                }
            }
        }
        Ok(newest)
    }

    /// A row with every field of its records.
    fn row(&self, job: &Job, changes: &Changes<'_>, at: usize) -> String {
        let of_person = changes.key(at).filter(|_| changes.siblings(at) > 1).and_then(|key| self.0.get(key));
        let mut of_person = of_person.map(|(_, cells)| cells.iter());
        line(fields(job).map(|(m, mapping)| match of_person.as_mut().filter(|_| mapping.target == 0) {
            Some(cells) => cells.next().cloned().unwrap_or_default(),
            None => value(job, m, mapping, changes, at),
        }))
    }
}

/// A field as a file has it: what does not change has the value that it has, and so has the key.
fn value(job: &Job, m: usize, mapping: &Mapping, changes: &Changes<'_>, at: usize) -> String {
    let is_known = changes.gsid(mapping.target, at).is_some();
    let is_key = job.key.iter().any(|key| key.mapping == m);
    let is_new = !is_known || (changes.is_changed(m, at) && !is_key);
    cell(&mapping.field, &if is_new { changes.new_value(m, at) } else { changes.old_value(m, at) })
}
