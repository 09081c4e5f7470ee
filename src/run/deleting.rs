//! Records of lost rows: held against what Gainsight says of them now, and deleted one by one.
//!
//! What is deleted is gone for good, so nothing is deleted by what a plan knew a while ago. Right before, records are read by their
//! GSIDs: one that is not there any more is dealt with, one whose key is another is left alone. In: rows that the source lost. Out:
//! their outcomes in the load and in the ledger.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use serde_json::Value;

use super::error::Error;
use super::item::Item;
use super::load::Load;
use super::settling::folded;
use crate::engine::reason::key_changed;
use crate::gainsight::assumptions::LISTED_AT_MOST;
use crate::gainsight::error::{Error as CallError, Refusal};
use crate::gainsight::write::Record;
use crate::model::dataset::gsid;
use crate::model::field::{Field, FieldKind};
use crate::model::outcome::Outcome;
use crate::model::reject::RejectCode;
use crate::model::sabotage::{self, Bug};
use crate::store::ledger::{Answer, Lost, Settled};

/// Deletions that are written down before the first of them is made.
pub(super) const DELETED_TOGETHER: usize = 100;
/// Answers that are written down together.
const ANSWERS_TOGETHER: usize = 20;

/// How the record of a lost row stands right before it is touched.
enum Standing {
    /// As the plan knew it.
    Known,
    /// It is not there any more, and there is nothing left to do.
    Gone,
    /// It may not be touched.
    Other(Lost),
}

impl Load<'_> {
    /// Deletes the records of these rows.
    pub(super) async fn delete(&mut self, items: Vec<Item>) -> Result<(), Error> {
        if items.is_empty() {
            return Ok(());
        }
        // What was counted of an earlier process may be too much already.
        self.still_bearable()?;
        let items = self.known(items).await?;
        if items.is_empty() {
            return self.still_bearable();
        }
        let what = format!("delete {}", self.job.targets[0].object.name);
        let now = self.clock.now().timestamp_millis();
        let numbers = self.recorder.intend(1, &what, now, items.chunks(1))?;
        let numbers = if numbers.is_empty() { vec![0; items.len()] } else { numbers };
        let mut unsent = numbers.clone();
        let failed = self.hear_deleted(items.into_iter().zip(numbers).collect(), &mut unsent).await?;
        // What never began, because a call before it failed, is open no longer.
        let withdrawn: Vec<(i64, Answer)> = unsent.into_iter().map(|number| (number, Answer::Withdrawn)).collect();
        if !withdrawn.is_empty() {
            self.recorder.settle(&withdrawn, &[])?;
        }
        failed.map_or_else(|| self.still_bearable(), |error| Err(error.into()))
    }

    /// Makes the calls and hears each that has begun to its end; gives the first failure. `unsent` keeps those that have not begun.
    async fn hear_deleted(
        &mut self,
        items: Vec<(Item, i64)>,
        unsent: &mut Vec<i64>,
    ) -> Result<Option<CallError>, Error> {
        let (gainsight, ledger) = (self.gainsight, self.recorder.ledger);
        let object = self.job.targets[0].object.name.as_str();
        let has_failed = AtomicBool::new(false);
        let items = items.into_iter().take_while(|_| !has_failed.load(Ordering::Relaxed));
        let calls = items.map(|(item, number)| async move {
            // They were written down together, and each may have waited for its turn.
            ledger.is_ours()?;
            let answer = gainsight.delete(object, item.gsid.as_deref().unwrap_or_default()).await;
            Ok::<_, Error>((item, number, answer))
        });
        let mut heard = futures::stream::iter(calls).buffer_unordered(gainsight.limits.max_in_flight as usize);
        let (mut failed, mut answers, mut counted) = (None, Vec::new(), Vec::new());
        while let Some(one) = heard.next().await {
            let (item, number, answer) = one?;
            unsent.retain(|other| *other != number);
            match answer {
                Ok(outcome) => {
                    let known = if outcome.is_ok() { Answer::Acknowledged } else { Answer::Refused };
                    answers.push((number, known));
                    counted.push((item, outcome));
                }
                Err(error) => {
                    answers.push((number, self.answer(&error)));
                    failed = failed.or(Some(error));
                }
            }
            let refused = counted.iter().filter(|(_, outcome)| outcome.is_err()).count();
            if failed.is_some() || !self.is_bearable_with(refused) {
                has_failed.store(true, Ordering::Relaxed);
            }
            if answers.len() >= ANSWERS_TOGETHER {
                self.count_deleted(&std::mem::take(&mut answers), std::mem::take(&mut counted))?;
            }
        }
        self.count_deleted(&answers, counted)?;
        Ok(failed)
    }

    fn count_deleted(
        &mut self,
        answers: &[(i64, Answer)],
        counted: Vec<(Item, Result<(), Refusal>)>,
    ) -> Result<(), Error> {
        let counted: Vec<_> = counted
            .into_iter()
            .map(|(item, outcome)| {
                let refused = outcome.err().map(|refusal| self.refused(&item, refusal));
                (item, refused)
            })
            .collect();
        let rows: Vec<Settled> = counted
            .iter()
            .map(|(item, refused)| match refused {
                None => self.settled(item, None),
                Some(_) => {
                    let (row, source_id, refused) = (item.row, item.id.clone(), refused.clone());
                    Settled { row, step: 1, source_id, refused, ..Settled::default() }
                }
            })
            .collect();
        if answers.is_empty() {
            return Ok(());
        }
        self.recorder.settle(answers, &rows)?;
        for (item, refused) in counted {
            let Some(refused) = refused else {
                self.acknowledge(item, None);
                continue;
            };
            self.counts.add(Outcome::Error);
            self.record_count(0).error += 1;
            self.fail(&item, refused);
        }
        Ok(())
    }

    /// Holds the records of lost rows against what Gainsight says of them now; gives those that may be touched. The others have
    /// their outcome then.
    pub(super) async fn known(&mut self, items: Vec<Item>) -> Result<Vec<Item>, Error> {
        if sabotage::has(Bug::DeletesUnseen) {
            return Ok(items);
        }
        let mut there: Vec<BTreeMap<String, Record>> = Vec::new();
        for target in 0..self.job.targets.len() {
            there.push(self.records_now(target, &items).await?);
        }
        let (mut sound, mut rows, mut gone, mut others) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for item in items {
            match self.standing(&item, &there) {
                Standing::Known => sound.push(item),
                Standing::Gone => {
                    rows.push(self.settled(&item, None));
                    gone.push(item);
                }
                Standing::Other(why) => {
                    let (row, source_id, lost) = (item.row, item.id.clone(), Some(why.clone()));
                    rows.push(Settled { row, step: 1, source_id, lost, ..Settled::default() });
                    others.push((item, why));
                }
            }
        }
        if !rows.is_empty() {
            self.recorder.settle(&[], &rows)?;
        }
        gone.into_iter().for_each(|item| self.acknowledge(item, None));
        others.into_iter().for_each(|(item, why)| self.lose(&item, why));
        Ok(sound)
    }

    /// The records of one target that rows are about, by GSID, with the fields by which they are recognised.
    async fn records_now(&self, target: usize, items: &[Item]) -> Result<BTreeMap<String, Record>, Error> {
        let known = || items.iter().filter_map(|item| item.parting.as_ref()).flat_map(|p| &p.known);
        let known: Vec<_> = known().filter(|known| known.target == target).collect();
        let Some(first) = known.first() else { return Ok(BTreeMap::new()) };
        let object = &self.job.targets[target].object;
        let asked = first.fields.keys().map(|name| {
            let mapped =
                self.job.mappings_of(target).find(|(_, m)| m.field.name == *name).map(|(_, m)| m.field.clone());
            mapped
                .or_else(|| object.by_name(name).cloned())
                .unwrap_or_else(|| Field::bare(name, name, FieldKind::Lookup))
        });
        let fields: Vec<Field> = std::iter::once(gsid()).chain(asked).collect();
        let mut there = BTreeMap::new();
        for part in known.chunks(LISTED_AT_MOST) {
            let gsids = part.iter().map(|known| Value::String(known.gsid.clone())).collect();
            let records = self.gainsight.read_back(&object.name, &fields, &[(&gsid(), gsids)]).await?;
            there.extend(records.into_iter().filter_map(|r| Some((r.get("Gsid")?.as_str()?.to_owned(), r))));
        }
        Ok(there)
    }

    fn standing(&self, item: &Item, there: &[BTreeMap<String, Record>]) -> Standing {
        for known in item.parting.iter().flat_map(|parting| &parting.known) {
            let label = &self.job.targets[known.target].object.label;
            let Some(record) = there[known.target].get(&known.gsid) else {
                if known.target == 0 {
                    return Standing::Gone;
                }
                let message = format!(
                    "the {label} record was deleted in Gainsight while the run was under way; the next run deals with what is left"
                );
                return Standing::Other(Lost { code: RejectCode::TargetGone, message });
            };
            let is_same = known.fields.iter().all(|(name, value)| self.is_same(name, value, record.get(name)));
            if !is_same {
                return Standing::Other(Lost { code: RejectCode::KeyChanged, message: key_changed(label) });
            }
        }
        Standing::Known
    }

    /// Whether a field that a record is recognised by is what the plan knew, in the way in which the job compares keys.
    fn is_same(&self, name: &str, known: &Value, now: Option<&Value>) -> bool {
        let key = self.job.key.iter().find(|key| self.job.mappings[key.mapping].field.name == name);
        match (key, known, now) {
            (Some(key), Value::String(one), Some(Value::String(other))) => {
                folded(one, key.fold) == folded(other, key.fold)
            }
            _ => now == Some(known),
        }
    }
}
