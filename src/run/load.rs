//! Loading: the changes in batches, with one outcome for each row.
//!
//! Companies, custom objects and users go 50 a call; people are in `people`. What was acknowledged is remembered even if
//! a later call fails, so that the next run finds it.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::changes::Changes;
use super::error::Error;
use super::people;
use super::progress::{Event, Progress};
use crate::gainsight::client::Gainsight;
use crate::gainsight::error::Refusal;
use crate::gainsight::write::{Batch, Record, Written};
use crate::model::dataset::{self, changes};
use crate::model::job::{Job, Route};
use crate::model::outcome::{Counts, Outcome, Records};
use crate::model::policy::OnError;
use crate::model::reject::RejectCode;
use crate::store::dataset::RunFolder;
use crate::store::refusals::Refused;
use crate::store::users::Identity;

/// Where a load stands: everything that was acknowledged or refused so far.
pub(super) struct Load<'a> {
    pub(super) job: &'a Job,
    pub(super) gainsight: &'a Gainsight,
    pub(super) progress: &'a Progress,
    /// Rows by outcome.
    pub(super) counts: Counts,
    /// Rows by planned outcome.
    planned: Counts,
    /// Records by the label of their object.
    pub(super) records: BTreeMap<String, Records>,
    /// Rows that failed while loading, by number.
    pub(super) failures: BTreeMap<i64, Failure>,
    pub(super) identities: Vec<Identity>,
    pub(super) refused: Vec<Refused>,
    /// Source ids of rows that were written.
    pub(super) written: Vec<String>,
    /// GSIDs of inserted rows, where something may point at them.
    inserted: HashMap<i64, String>,
    later: Vec<Later>,
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

/// A row on its way.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) row: i64,
    pub(super) id: String,
    pub(super) fingerprint: String,
    pub(super) planned: Outcome,
    pub(super) record: Record,
    gsid: Option<String>,
    active: Option<bool>,
    /// What happens to the row's entry in the identity map.
    identity: Option<String>,
    waits: Vec<(usize, i64)>,
}

/// A row that waits for other rows' GSIDs.
struct Later {
    item: Item,
    gsid: String,
}

impl<'a> Load<'a> {
    pub(super) fn new(job: &'a Job, gainsight: &'a Gainsight, progress: &'a Progress, planned: &Counts) -> Self {
        let labels = job.targets.iter().map(|t| (t.object.label.clone(), Records::default()));
        Self {
            job,
            gainsight,
            progress,
            counts: Counts { read: planned.read, ..Counts::default() },
            planned: *planned,
            records: labels.collect(),
            failures: BTreeMap::new(),
            identities: Vec::new(),
            refused: Vec::new(),
            written: Vec::new(),
            inserted: HashMap::new(),
            later: Vec::new(),
            total: planned.inserted + planned.updated,
            done: 0,
        }
    }

    /// Sends all changes. What is settled when it fails stays in `self`.
    pub(super) async fn run(&mut self, folder: &RunFolder) -> Result<(), Error> {
        if self.job.main_target().route == Route::Person {
            return people::load(self, folder).await;
        }
        let size = self.gainsight.limits.batch_size as usize;
        let (mut inserts, mut updates): (Vec<Item>, Vec<Item>) = (Vec::new(), Vec::new());
        let mut reader = folder.read(dataset::loaded(self.job)).await?;
        while let Some(batch) = reader.next().await? {
            let changes = Changes::new(self.job, batch);
            for at in 0..changes.len() {
                if !self.settle(&changes, at) {
                    continue;
                }
                let item = self.item(&changes, at);
                match changes.action(0, at) {
                    Some("insert") => inserts.push(item),
                    Some("update") if !item.record.is_empty() => updates.push(item),
                    _ => self.acknowledge(item, None),
                }
                if inserts.len() == size {
                    self.send(std::mem::take(&mut inserts), true).await?;
                }
                if updates.len() == size {
                    self.send(std::mem::take(&mut updates), false).await?;
                }
            }
        }
        self.send(inserts, true).await?;
        self.send(updates, false).await?;
        self.send_later().await
    }

    /// Counts a row that needs nothing sent; true if it has to be sent.
    pub(super) fn settle(&mut self, changes: &Changes<'_>, at: usize) -> bool {
        let outcome = changes.outcome(at).unwrap_or(Outcome::Error);
        if matches!(outcome, Outcome::Inserted | Outcome::Updated) {
            return true;
        }
        self.counts.add(outcome);
        if outcome == Outcome::Unchanged {
            for target in 0..self.job.targets.len() {
                if changes.action(target, at).is_some() {
                    self.record_count(target).unchanged += 1;
                }
            }
        }
        false
    }

    pub(super) fn record_count(&mut self, target: usize) -> &mut Records {
        self.records.entry(self.job.targets[target].object.label.clone()).or_default()
    }

    /// What the row's record of the main target is, without what is still to come.
    pub(super) fn item(&self, changes: &Changes<'_>, at: usize) -> Item {
        let waits = (0..self.job.mappings.len())
            .filter(|m| changes.is_changed(*m, at))
            .filter_map(|m| changes.pending(m, at).map(|row| (m, row)));
        let avatar = self.job.target_by_route(Route::Avatar);
        Item {
            row: changes.row(at),
            id: changes.id(at),
            fingerprint: changes.text(changes::FINGERPRINT, at).unwrap_or_default().to_owned(),
            planned: changes.outcome(at).unwrap_or(Outcome::Error),
            record: changes.record(0, at),
            gsid: changes.gsid(0, at),
            active: changes.active(at),
            identity: avatar.and_then(|a| changes.action(a, at)).map(str::to_owned),
            waits: waits.collect(),
        }
    }

    async fn send(&mut self, items: Vec<Item>, is_insert: bool) -> Result<(), Error> {
        if items.is_empty() {
            return Ok(());
        }
        let mut records: Vec<Record> = items.iter().map(|i| i.record.clone()).collect();
        if !is_insert {
            for (record, item) in records.iter_mut().zip(&items) {
                record.insert("Gsid".to_owned(), item.gsid.clone().map_or(Value::Null, Value::String));
            }
        }
        let mut written = self.gainsight.write(&self.way(is_insert), &records).await?;
        if is_insert && self.needs_ids() {
            self.complete(&items, &mut written).await?;
        }
        for (item, outcome) in items.into_iter().zip(written) {
            match outcome {
                Ok(gsid) => self.acknowledge(item, gsid),
                Err(refusal) => {
                    self.counts.add(Outcome::Error);
                    self.record_count(0).error += 1;
                    self.refuse(&item, refusal);
                }
            }
        }
        self.still_bearable()
    }

    /// What a number of rows, or STOP, says of the rows in error so far. A share is judged before anything is written.
    pub(super) fn still_bearable(&self) -> Result<(), Error> {
        if matches!(self.job.on_error, OnError::UpToPercent(_)) { Ok(()) } else { self.too_many() }
    }

    /// What `ON ERROR` says of the rows in error so far, those that the plan found included.
    pub(super) fn too_many(&self) -> Result<(), Error> {
        let errors = self.planned.error + self.failures.len() as u64;
        let rows = self.planned.planned();
        if self.job.on_error.is_too_many(errors, rows) {
            return Err(Error::TooManyErrors { clause: self.job.on_error.shown(), errors, rows });
        }
        Ok(())
    }

    fn way(&self, is_insert: bool) -> Batch {
        let target = &self.job.targets[0];
        match (target.route, is_insert) {
            (Route::User, true) => Batch::InsertUsers,
            (Route::User, false) => Batch::UpdateUsers,
            (_, true) => Batch::InsertObject(target.object.name.clone()),
            (_, false) => Batch::UpdateObject(target.object.name.clone()),
        }
    }

    /// Whether something depends on the GSIDs of new records: the identity map, or rows that point at them.
    fn needs_ids(&self) -> bool {
        self.job.target_by_route(Route::Avatar).is_some() || (0..self.job.lookups.len()).any(|l| self.job.is_pending(l))
    }

    /// Reads the GSIDs that an answer did not give back, by the key.
    async fn complete(&self, items: &[Item], written: &mut [Written]) -> Result<(), Error> {
        let Some(key) = self.job.key.first() else { return Ok(()) };
        let field = &self.job.mappings[key.mapping].field.name;
        let missing: Vec<usize> = (0..items.len()).filter(|i| matches!(written[*i], Ok(None))).collect();
        let values: Vec<Value> = missing.iter().filter_map(|i| items[*i].record.get(field).cloned()).collect();
        if values.is_empty() {
            return Ok(());
        }
        let found = self.gainsight.find(&self.job.targets[0].object.name, field, &values).await?;
        let same = |a: Option<&Value>, b: Option<&Value>| match (a.and_then(Value::as_str), b.and_then(Value::as_str)) {
            (Some(a), Some(b)) => a.to_lowercase() == b.to_lowercase(),
            _ => false,
        };
        for index in missing {
            let record = found.iter().find(|r| same(r.get(field), items[index].record.get(field)));
            let gsid = record.and_then(|r| r.get("Gsid")).and_then(Value::as_str);
            written[index] = Ok(gsid.map(str::to_owned));
        }
        Ok(())
    }

    /// Counts a written row and keeps what follows from it.
    fn acknowledge(&mut self, item: Item, new_gsid: Option<String>) {
        self.counts.add(item.planned);
        match item.planned {
            Outcome::Inserted => self.record_count(0).inserted += 1,
            // Nothing was sent yet: what waits is counted when it is.
            _ if item.record.is_empty() && !item.waits.is_empty() => {}
            _ if item.record.is_empty() => self.record_count(0).unchanged += 1,
            _ => self.record_count(0).updated += 1,
        }
        self.written.push(item.id.clone());
        self.advance();
        let Some(gsid) = new_gsid.clone().or_else(|| item.gsid.clone()) else { return };
        if let Some(avatar) = self.job.target_by_route(Route::Avatar) {
            let count = self.record_count(avatar);
            match item.identity.as_deref() {
                Some("insert") => count.inserted += 1,
                Some("update") => count.updated += 1,
                _ => count.unchanged += 1,
            }
            let (source_id, active) = (item.id.clone(), item.active);
            self.identities.push(Identity { source_id, active, user_gsid: Some(gsid.clone()) });
        }
        if new_gsid.is_some() && self.needs_ids() {
            self.inserted.insert(item.row, gsid.clone());
        }
        if !item.waits.is_empty() {
            self.later.push(Later { item, gsid });
        }
    }

    pub(super) fn advance(&mut self) {
        self.done += 1;
        (self.progress)(Event::Advanced { stage: "load", rows: self.done, of: Some(self.total) });
    }

    /// Keeps a refusal: for the error file, and so that the same record is not sent again.
    pub(super) fn refuse(&mut self, item: &Item, refusal: Refusal) {
        let label = |name: &String| {
            let mapping = self.job.mappings.iter().find(|m| m.field.name == *name);
            mapping.map_or_else(|| name.clone(), |m| m.field.label.clone())
        };
        let message = format!("Gainsight refused the record: {} ({})", refusal.message, refusal.code);
        let field = refusal.field.as_ref().map(label);
        self.refused.push(Refused {
            source_id: item.id.clone(),
            fingerprint: item.fingerprint.clone(),
            message: message.clone(),
            field: field.clone(),
            value: refusal.value.clone(),
        });
        let (field, value) = (field.unwrap_or_default(), refusal.value.unwrap_or_default());
        self.failures.insert(item.row, Failure { code: RejectCode::Refused, message, field, value });
        self.advance();
    }

    /// The second phase: fields that point at records which did not exist in the first.
    async fn send_later(&mut self) -> Result<(), Error> {
        let mut ready: Vec<(Item, Record)> = Vec::new();
        for Later { item, gsid } in std::mem::take(&mut self.later) {
            let mut record = Record::from_iter([("Gsid".to_owned(), Value::String(gsid))]);
            let mut lost = None;
            for (mapping, row) in &item.waits {
                let field = &self.job.mappings[*mapping].field;
                match self.inserted.get(row) {
                    Some(target) => {
                        record.insert(field.name.clone(), Value::String(target.clone()));
                    }
                    None => lost = Some((field.label.clone(), *row)),
                }
            }
            match lost {
                None => ready.push((item, record)),
                Some((label, row)) => {
                    self.counts.move_one(item.planned, Outcome::Error);
                    self.count_late(&item, false);
                    let message = format!(
                        "\"{label}\" stays empty: the record that it points at (row {row} of this run) was not created; \
                         it is tried again by the next run"
                    );
                    let code = RejectCode::ReferenceFailed;
                    self.failures.insert(item.row, Failure { code, message, field: label, value: String::new() });
                }
            }
        }
        self.still_bearable()?;
        for part in ready.chunks(self.gainsight.limits.batch_size as usize) {
            let records: Vec<Record> = part.iter().map(|(_, r)| r.clone()).collect();
            let written = self.gainsight.write(&self.way(false), &records).await?;
            for ((item, _), outcome) in part.iter().zip(written) {
                self.count_late(item, outcome.is_ok());
                if let Err(refusal) = outcome {
                    self.counts.move_one(item.planned, Outcome::Error);
                    self.refuse(item, refusal);
                }
            }
            self.still_bearable()?;
        }
        Ok(())
    }

    /// Counts a record of which the second phase is all there was.
    fn count_late(&mut self, item: &Item, is_written: bool) {
        if item.record.is_empty() {
            let count = self.record_count(0);
            if is_written { count.updated += 1 } else { count.error += 1 }
        }
    }
}
