//! Sending one batch until each of its rows has an outcome: written down, sent, answered, written down.
//!
//! A refused batch is narrowed down to the records that deserve it. After a lost answer nothing is sent again before `settling` has
//! found out. In: rows. Out: outcomes in the load and in the ledger; an error if a call fails as a whole.

use serde_json::Value;

use super::error::Error;
use super::item::Item;
use super::load::Load;
use super::settling::READ_AGAIN_MS;
use crate::gainsight::assumptions::NO_ROWS_CODES;
use crate::gainsight::error::{Error as CallError, Refusal};
use crate::gainsight::sent::Fields;
use crate::gainsight::write::{Batch, Judged};
use crate::model::job::Route;
use crate::model::outcome::Outcome;
use crate::model::reject::RejectCode;
use crate::model::sabotage::{self, Bug};
use crate::store::ledger::{Answer, Lost, Settled};

/// How often the answer to one batch may be lost before the run stops.
const LOST_AT_MOST: u32 = 3;

impl Load<'_> {
    /// Sends rows as new records, or as changes of those with their GSIDs.
    pub(super) async fn send(&mut self, items: Vec<Item>, is_insert: bool) -> Result<(), Error> {
        // What was counted of an earlier process may be too much already.
        if !items.is_empty() {
            self.still_bearable()?;
        }
        let mut open: Vec<(Vec<Item>, bool)> = vec![(items, is_insert)];
        let mut lost = 0;
        while let Some((part, is_insert)) = open.pop() {
            if part.is_empty() {
                continue;
            }
            let batch = self.intended(&part, is_insert)?;
            match self.call(&part, is_insert).await {
                Ok(Judged::Written(gsids)) => self.written(batch, part, gsids, is_insert).await?,
                Ok(Judged::Blamed(blamed)) if !is_insert && part.len() == 1 && is_gone(&blamed) => {
                    self.gone(batch, part)?
                }
                Ok(Judged::Blamed(blamed)) => {
                    let rest = self.blamed(batch, part, blamed)?;
                    open.push((rest, is_insert));
                }
                Ok(Judged::Halve) => {
                    self.recorder.settle(&[(batch, Answer::Refused)], &[])?;
                    let (left, right) = part.split_at(part.len() / 2);
                    open.push((right.to_vec(), is_insert));
                    open.push((left.to_vec(), is_insert));
                }
                Err(error) if error.is_unclear() && is_insert && lost < LOST_AT_MOST => {
                    lost += 1;
                    // It may have waited for its turn after it was written down, but it had been sent by now.
                    let heard_at_ms = self.clock.now().timestamp_millis();
                    self.recorder.settle(&[(batch, Answer::Unknown { heard_at_ms })], &[])?;
                    let found = self.find_out(part, heard_at_ms, &error.in_place_of_an_answer()).await?;
                    open.push((found.differing, false));
                    open.push((found.missing, true));
                }
                Err(error) => {
                    self.recorder.settle(&[(batch, self.answer(&error))], &[])?;
                    return Err(error.into());
                }
            }
        }
        self.still_bearable()
    }

    fn intended(&self, part: &[Item], is_insert: bool) -> Result<i64, Error> {
        let now = self.clock.now().timestamp_millis();
        let what = format!("{} {}", if is_insert { "insert" } else { "update" }, self.job.targets[0].object.name);
        let numbers = self.recorder.intend(1, &what, now, std::iter::once(part))?;
        Ok(numbers.first().copied().unwrap_or_default())
    }

    /// What a call that failed as a whole is in the ledger.
    pub(super) fn answer(&self, error: &CallError) -> Answer {
        if error.is_unclear() {
            return Answer::Unknown { heard_at_ms: self.clock.now().timestamp_millis() };
        }
        Answer::Withdrawn
    }

    async fn call(&self, part: &[Item], is_insert: bool) -> Result<Judged, CallError> {
        let gsids = part.iter().map(|item| item.gsid.as_deref().filter(|_| !is_insert));
        let sent: Vec<(&Fields, Option<&str>)> = part.iter().map(|item| &item.fields).zip(gsids).collect();
        let answer = self.gainsight.write(&self.way(is_insert), &sent).await;
        match answer {
            Err(error) if error.is_unclear() && sabotage::has(Bug::LostIsWritten) => {
                Ok(Judged::Written(vec![None; part.len()]))
            }
            Err(error) if error.is_unclear() && sabotage::has(Bug::LostIsRefused) => {
                let refusal = Refusal { code: String::new(), message: error.to_string(), field: None, value: None };
                Ok(Judged::Blamed((0..part.len()).map(|i| (i, refusal.clone())).collect()))
            }
            answer => answer,
        }
    }

    /// A batch that was carried out.
    async fn written(
        &mut self,
        batch: i64,
        part: Vec<Item>,
        mut gsids: Vec<Option<String>>,
        is_insert: bool,
    ) -> Result<(), Error> {
        if is_insert
            && self.needs_ids()
            && let Err(error) = self.complete(&part, &mut gsids).await
        {
            // It was carried out, and is asked about by whoever goes on.
            let heard_at_ms = self.clock.now().timestamp_millis();
            self.recorder.settle(&[(batch, Answer::Unknown { heard_at_ms })], &[])?;
            return Err(error);
        }
        // A record that was found on the way to being inserted is as new to those who point at it.
        for (gsid, item) in gsids.iter_mut().zip(&part) {
            if !is_insert {
                *gsid = item.gsid.clone().filter(|_| item.planned == Outcome::Inserted);
            }
        }
        let rows: Vec<Settled> =
            part.iter().zip(&gsids).map(|(item, gsid)| self.settled(item, gsid.as_ref())).collect();
        self.recorder.settle(&[(batch, Answer::Acknowledged)], &rows)?;
        part.into_iter().zip(gsids).for_each(|(item, gsid)| self.acknowledge(item, gsid));
        Ok(())
    }

    /// A record that was there when the target was read, and is not any more. What is known of it are its changes, and a new record
    /// needs more: the next run reads again and inserts it.
    fn gone(&mut self, batch: i64, part: Vec<Item>) -> Result<(), Error> {
        if part.iter().all(|item| item.parting.is_some()) {
            // Its row is lost too: nothing is left to be done.
            let rows: Vec<Settled> = part.iter().map(|item| self.settled(item, None)).collect();
            self.recorder.settle(&[(batch, Answer::Refused)], &rows)?;
            part.into_iter().for_each(|item| self.acknowledge(item, None));
            return Ok(());
        }
        let message =
            "the record was deleted in Gainsight while the run was under way; the next run inserts it".to_owned();
        let why = Lost { code: RejectCode::TargetGone, message };
        let lost = |item: &Item| {
            let (row, source_id, lost) = (item.row, item.id.clone(), Some(why.clone()));
            Settled { row, step: 1, source_id, lost, ..Settled::default() }
        };
        let rows: Vec<Settled> = part.iter().map(lost).collect();
        self.recorder.settle(&[(batch, Answer::Refused)], &rows)?;
        part.iter().for_each(|item| self.lose(item, why.clone()));
        Ok(())
    }

    /// A batch that was refused because of some of its records; gives the others.
    fn blamed(&mut self, batch: i64, part: Vec<Item>, blamed: Vec<(usize, Refusal)>) -> Result<Vec<Item>, Error> {
        let mut refusals: Vec<Option<Refusal>> = part.iter().map(|_| None).collect();
        for (index, refusal) in blamed {
            refusals[index] = Some(refusal);
        }
        let (mut rest, mut bad, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (item, refusal) in part.into_iter().zip(refusals) {
            let Some(refusal) = refusal else {
                rest.push(item);
                continue;
            };
            let refused = self.refused(&item, refusal);
            let (row, source_id) = (item.row, item.id.clone());
            let links = if sabotage::has(Bug::LinkCutTooEarly) { item.links.clone() } else { Vec::new() };
            rows.push(Settled { row, step: 1, source_id, refused: Some(refused.clone()), links, ..Settled::default() });
            bad.push((item, refused));
        }
        self.recorder.settle(&[(batch, Answer::Refused)], &rows)?;
        for (item, refused) in bad {
            if sabotage::has(Bug::RefusedIsWritten) {
                self.acknowledge(item, None);
                continue;
            }
            self.counts.add(Outcome::Error);
            self.record_count(0).error += 1;
            self.fail(&item, refused);
        }
        Ok(rest)
    }

    pub(super) fn way(&self, is_insert: bool) -> Batch {
        let target = &self.job.targets[0];
        match (target.route, is_insert) {
            (Route::User, true) => Batch::InsertUsers,
            (Route::User, false) => Batch::UpdateUsers,
            (_, true) => Batch::InsertObject(target.object.name.clone()),
            (_, false) => Batch::UpdateObject(target.object.name.clone()),
        }
    }

    /// Reads the GSIDs that an answer did not give back, by the key. A read may lag behind the write, so it is made twice.
    async fn complete(&self, part: &[Item], gsids: &mut [Option<String>]) -> Result<(), Error> {
        for _ in 0..2 {
            let missing: Vec<usize> = (0..part.len()).filter(|i| gsids[*i].is_none()).collect();
            if missing.is_empty() {
                return Ok(());
            }
            let items: Vec<Item> = missing.iter().map(|i| part[*i].clone()).collect();
            let found = self.read_back(&items).await?;
            for index in missing {
                let sent = part[index].fields.record();
                let record = found.iter().find(|record| self.is_of(record, &sent));
                gsids[index] = record.and_then(|r| r.get("Gsid")).and_then(Value::as_str).map(str::to_owned);
            }
            if gsids.iter().any(Option::is_none) {
                self.gainsight.wait(self.clock.real(READ_AGAIN_MS)).await;
            }
        }
        if gsids.iter().all(Option::is_some) {
            return Ok(());
        }
        let what = self.job.targets[0].object.name.clone();
        let detail = "the records were accepted, and cannot be found by their key".to_owned();
        Err(CallError::Unclear { what, detail }.into())
    }
}

/// Whether an update was refused because its record is not there.
fn is_gone(blamed: &[(usize, Refusal)]) -> bool {
    blamed.iter().all(|(_, refusal)| NO_ROWS_CODES.contains(&refusal.code.as_str()))
}
