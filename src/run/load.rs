//! Loading: the changes of a plan, one outcome for each row.
//!
//! It walks the plan in its order and gathers batches; `sending` makes the calls, `settling` finds out about those that were not
//! answered, `second_phase` fills what points at new records, `people` are sent by a way of their own. What an earlier process did
//! for this run is read from the ledger row by row and counted again, so that totals are those of a run that was never disturbed.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::record_batch::RecordBatch;

use super::books::Draft;
use super::changes::Changes;
use super::columns;
use super::deleting::DELETED_TOGETHER;
use super::error::Error;
use super::item::{Item, Later};
use super::people;
use super::progress::Voice;
use super::recorder::Recorder;
use crate::gainsight::client::Gainsight;
use crate::gainsight::encode::Keys;
use crate::gainsight::error::Refusal;
use crate::model::clock::Clock;
use crate::model::dataset;
use crate::model::job::{Job, Route};
use crate::model::outcome::{Counts, Outcome, Records};
use crate::model::policy::OnError;
use crate::model::reject::RejectCode;
use crate::store::dataset::RunFolder;
use crate::store::ledger::{Lost, Recorded, Settled};
use crate::store::refusals::Refused;
use crate::store::sift::Sifted;

/// Rows without a call whose outcomes are written down together.
const QUIET_ROWS: usize = 1_000;

/// Where a load stands: everything that was acknowledged or refused so far.
pub(super) struct Load<'a> {
    pub(super) job: &'a Job,
    pub(super) gainsight: &'a Gainsight,
    pub(super) progress: &'a Voice<'a>,
    pub(super) clock: Clock,
    /// The keys of all mapped fields.
    pub(super) keys: Keys,
    /// Where calls and outcomes are written down.
    pub(super) recorder: Recorder<'a>,
    /// Rows by outcome.
    pub(super) counts: Counts,
    /// Rows by planned outcome.
    planned: Counts,
    /// Records by the label of their object.
    pub(super) records: BTreeMap<String, Records>,
    /// Rows that failed while loading, by number.
    pub(super) failures: BTreeMap<i64, Failure>,
    /// The error file as it is if none fails, being written.
    pub(super) draft: Option<Draft>,
    /// GSIDs of inserted rows, where something may point at them.
    pub(super) inserted: HashMap<i64, String>,
    pub(super) later: Vec<Later>,
    /// Rows that an earlier process handed over as a file, and whose end this one saw.
    pub(super) taken_up: HashSet<i64>,
    /// Outcomes of rows that needed no call, not written down yet.
    quiet: Vec<Settled>,
    total: u64,
    done: u64,
}

/// Why a row failed while loading.
pub(super) struct Failure {
    pub(super) code: RejectCode,
    pub(super) message: String,
    pub(super) field: String,
    pub(super) value: String,
}

/// Rows that are gathered for calls.
#[derive(Default)]
struct Gathered {
    inserts: Vec<Item>,
    updates: Vec<Item>,
    /// New records whose calls were not answered, by an earlier process.
    open: Vec<Item>,
    /// Lost rows whose records are deleted.
    deletes: Vec<Item>,
}

impl<'a> Load<'a> {
    pub(super) fn new(
        job: &'a Job,
        gainsight: &'a Gainsight,
        clock: Clock,
        recorder: Recorder<'a>,
        progress: &'a Voice<'a>,
        planned: &Counts,
    ) -> Self {
        let labels = job.targets.iter().map(|t| (t.object.label.clone(), Records::default()));
        Self {
            job,
            gainsight,
            progress,
            clock,
            keys: Keys::of(job.mappings.iter().map(|mapping| mapping.field.name.as_str())),
            recorder,
            counts: Counts { read: planned.read, ..Counts::default() },
            planned: *planned,
            records: labels.collect(),
            failures: BTreeMap::new(),
            draft: None,
            inserted: HashMap::new(),
            later: Vec::new(),
            taken_up: HashSet::new(),
            quiet: Vec::new(),
            total: planned.sent(),
            done: 0,
        }
    }

    /// Sends all changes. What is settled when it fails stays in `self`.
    pub(super) async fn run(&mut self, folder: &RunFolder) -> Result<(), Error> {
        if self.job.main_target().route == Route::Person {
            return people::load(self, folder).await;
        }
        let size = self.gainsight.limits.batch_size as usize;
        let mut gathered = Gathered::default();
        let mut files = folder.sift(dataset::loaded(self.job), columns::outcomes(self.job)).await?.picking(to_send);
        while let Some(file) = files.next().await? {
            self.count_unsent(&file);
            for batch in file.picked {
                let changes = Changes::new(self.job, batch);
                for at in 0..changes.len() {
                    self.gather(&changes, at, &mut gathered)?;
                    if gathered.deletes.len() == DELETED_TOGETHER {
                        self.delete(std::mem::take(&mut gathered.deletes)).await?;
                    }
                    if gathered.open.len() == size {
                        self.ask(std::mem::take(&mut gathered.open)).await?;
                    }
                    let is_full = gathered.inserts.len() == size || gathered.updates.len() == size;
                    let is_last = is_full && self.is_day_ending().await;
                    if gathered.inserts.len() == size || is_last {
                        self.send(std::mem::take(&mut gathered.inserts), true).await?;
                    }
                    if gathered.updates.len() == size || is_last {
                        self.send(std::mem::take(&mut gathered.updates), false).await?;
                    }
                }
            }
        }
        self.ask(gathered.open).await?;
        self.send(gathered.inserts, true).await?;
        self.send(gathered.updates, false).await?;
        self.delete(gathered.deletes).await?;
        self.write_quiet_down()?;
        self.send_later().await
    }

    /// Puts a row where it has to go: with what is to be sent, or among those that are done.
    fn gather(&mut self, changes: &Changes<'_>, at: usize, gathered: &mut Gathered) -> Result<(), Error> {
        let item = self.item(changes, at);
        let is_insert = changes.action(0, at) == Some("insert");
        match self.recorder.before(item.row, 1)? {
            Some(Recorded::Open) if is_insert => gathered.open.push(item),
            Some(Recorded::Open) | None if item.parting.as_ref().is_some_and(|p| p.deletes) => {
                gathered.deletes.push(item)
            }
            // An update sets the same values again.
            Some(Recorded::Open) => gathered.updates.push(item),
            Some(recorded) => self.count_recorded(item, recorded),
            None if item.parting.is_some() && !item.fields.is_empty() => gathered.updates.push(item),
            None if is_insert => gathered.inserts.push(item),
            None if changes.action(0, at) == Some("update") && !item.fields.is_empty() => gathered.updates.push(item),
            None => {
                self.quiet.push(self.settled(&item, None));
                self.acknowledge(item, None);
            }
        }
        if self.quiet.len() >= QUIET_ROWS { self.write_quiet_down() } else { Ok(()) }
    }

    fn write_quiet_down(&mut self) -> Result<(), Error> {
        let quiet = std::mem::take(&mut self.quiet);
        if quiet.is_empty() { Ok(()) } else { self.recorder.settle(&[], &quiet) }
    }

    /// Counts what an earlier process did for a row.
    pub(super) fn count_recorded(&mut self, item: Item, recorded: Recorded) {
        match recorded {
            Recorded::Written(gsid) => self.acknowledge(item, gsid),
            Recorded::Refused(refused) => {
                self.counts.add(Outcome::Error);
                self.record_count(0).error += 1;
                self.fail(&item, refused);
            }
            Recorded::Lost(lost) => self.lose(&item, lost),
            Recorded::Open => {}
        }
    }

    /// Counts the rows of a file that need nothing sent.
    pub(super) fn count_unsent(&mut self, file: &Sifted) {
        let rows = Changes::new(self.job, file.rows.clone());
        let mut unchanged = vec![0; self.job.targets.len()];
        for at in 0..rows.len() {
            let outcome = rows.outcome(at).unwrap_or(Outcome::Error);
            if is_sent(outcome) {
                continue;
            }
            self.counts.add(outcome);
            if outcome == Outcome::Unchanged {
                for (target, count) in unchanged.iter_mut().enumerate() {
                    *count += u64::from(rows.action(target, at).is_some());
                }
            }
        }
        for (target, count) in unchanged.into_iter().enumerate() {
            self.record_count(target).unchanged += count;
        }
    }

    pub(super) fn record_count(&mut self, target: usize) -> &mut Records {
        self.records.entry(self.job.targets[target].object.label.clone()).or_default()
    }

    /// What a number of rows, or STOP, says of the rows in error so far. A share is judged before anything is written.
    pub(super) fn still_bearable(&self) -> Result<(), Error> {
        if matches!(self.job.on_error, OnError::UpToPercent(_)) { Ok(()) } else { self.too_many() }
    }

    /// The same with rows whose refusals are heard and not counted yet.
    pub(super) fn is_bearable_with(&self, more: usize) -> bool {
        matches!(self.job.on_error, OnError::UpToPercent(_)) || self.judged(more).is_ok()
    }

    /// What `ON ERROR` says of the rows in error so far, those that the plan found included.
    pub(super) fn too_many(&self) -> Result<(), Error> {
        self.judged(0)
    }

    fn judged(&self, more: usize) -> Result<(), Error> {
        let errors = self.planned.error + (self.failures.len() + more) as u64;
        let rows = self.planned.planned();
        if self.job.on_error.is_too_many(errors, rows) {
            return Err(Error::TooManyErrors { clause: self.job.on_error.shown(), errors, rows });
        }
        Ok(())
    }

    /// Whether something depends on the GSIDs of new records: the identity map, or rows that point at them.
    pub(super) fn needs_ids(&self) -> bool {
        self.job.target_by_route(Route::Avatar).is_some() || (0..self.job.lookups.len()).any(|l| self.job.is_pending(l))
    }

    /// Counts a written row and keeps what follows from it.
    pub(super) fn acknowledge(&mut self, item: Item, new_gsid: Option<String>) {
        self.counts.add(item.planned);
        match item.planned {
            Outcome::Inserted => self.record_count(0).inserted += 1,
            Outcome::Deleted => return self.acknowledge_lost(&item),
            // Nothing was sent yet: what waits is counted when it is.
            _ if item.fields.is_empty() && !item.waits.is_empty() => {}
            _ if item.fields.is_empty() => self.record_count(0).unchanged += 1,
            _ => self.record_count(0).updated += 1,
        }
        self.advance();
        let Some(gsid) = new_gsid.clone().or_else(|| item.gsid.clone()) else { return };
        if let Some(avatar) = self.job.target_by_route(Route::Avatar) {
            let count = self.record_count(avatar);
            match item.identity.as_deref() {
                Some("insert") => count.inserted += 1,
                Some("update") => count.updated += 1,
                _ => count.unchanged += 1,
            }
        }
        if new_gsid.is_some() && self.needs_ids() {
            self.inserted.insert(item.row, gsid.clone());
        }
        if !item.waits.is_empty() {
            self.later.push(Later { item, gsid });
        }
    }

    /// Counts a lost row about which was done what its clause says.
    fn acknowledge_lost(&mut self, item: &Item) {
        if item.parting.as_ref().is_some_and(|parting| parting.deletes) {
            self.record_count(0).deleted += 1;
        } else if !item.fields.is_empty() {
            self.record_count(0).updated += 1;
        }
        if let Some(avatar) = self.job.target_by_route(Route::Avatar).filter(|_| item.identity.is_some()) {
            self.record_count(avatar).updated += 1;
        }
        self.advance();
    }

    pub(super) fn advance(&mut self) {
        self.done += 1;
        self.progress.advanced("load", self.done, Some(self.total));
    }

    /// What is remembered of a refusal, so that the same record is not sent again.
    pub(super) fn refused(&self, item: &Item, refusal: Refusal) -> Refused {
        let label = |name: &String| {
            let mapped = self.job.mappings.iter().map(|m| &m.field);
            let mut all = mapped.chain(self.job.assigned().into_iter().map(|(_, field)| field));
            all.find(|field| field.name == *name).map_or_else(|| name.clone(), |field| field.label.clone())
        };
        Refused {
            source_id: item.id.clone(),
            fingerprint: item.fingerprint.clone(),
            message: format!("Gainsight refused the record: {} ({})", refusal.message, refusal.code),
            field: refusal.field.as_ref().map(label),
            value: refusal.value,
        }
    }

    /// Keeps a refusal for the error file. Whoever calls counts the row.
    pub(super) fn fail(&mut self, item: &Item, refused: Refused) {
        let (field, value) = (refused.field.unwrap_or_default(), refused.value.unwrap_or_default());
        self.failed(item.row, Failure { code: RejectCode::Refused, message: refused.message, field, value });
        self.advance();
    }

    /// Counts a row that nobody refused and that could not be written all the same.
    pub(super) fn lose(&mut self, item: &Item, lost: Lost) {
        self.counts.add(Outcome::Error);
        self.record_count(0).error += 1;
        self.keep_lost(item, lost);
    }

    /// Keeps why a row could not be written, for the error file. Whoever calls counts the row.
    pub(super) fn keep_lost(&mut self, item: &Item, lost: Lost) {
        let Lost { code, message } = lost;
        self.failed(item.row, Failure { code, message, field: String::new(), value: String::new() });
        self.advance();
    }

    /// Notes a row that failed. The error file is not what the plan alone makes it any more.
    pub(super) fn failed(&mut self, row: i64, failure: Failure) {
        self.failures.insert(row, failure);
        self.draft = None;
    }
}

/// The rows of a file of changes that have something sent.
pub(super) fn to_send(rows: &RecordBatch) -> Vec<usize> {
    let outcomes = columns::outcome(rows);
    let sent = |text: Option<&str>| text.and_then(Outcome::parse).is_some_and(is_sent);
    outcomes.iter().flatten().enumerate().filter(|(_, outcome)| sent(*outcome)).map(|(at, _)| at).collect()
}

fn is_sent(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Inserted | Outcome::Updated | Outcome::Deleted)
}
