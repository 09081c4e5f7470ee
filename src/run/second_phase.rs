//! The second phase of a load: fields that point at records which did not exist in the first.
//!
//! In: rows that were written and wait. Out: their fields filled, by GSID, or the row in error because nobody is there to point at.

use serde_json::Value;

use super::error::Error;
use super::item::{Item, Later};
use super::load::{Failure, Load};
use crate::gainsight::error::Refusal;
use crate::gainsight::sent::Fields;
use crate::gainsight::write::{Judged, Record};
use crate::model::outcome::Outcome;
use crate::model::reject::RejectCode;
use crate::model::sabotage::{self, Bug};
use crate::store::ledger::{Answer, Lost, Recorded, Settled};

/// A row with the fields that are to be filled.
type Ready = (Item, Fields);

impl Load<'_> {
    /// Sends what waited.
    pub(super) async fn send_later(&mut self) -> Result<(), Error> {
        if self.recorder.is_resumed && sabotage::has(Bug::NoSecondPhase) {
            return Ok(());
        }
        let mut ready: Vec<Ready> = Vec::new();
        let mut lost: Vec<Settled> = Vec::new();
        for later in std::mem::take(&mut self.later) {
            match self.recorder.before(later.item.row, 2)? {
                Some(Recorded::Written(_)) => self.count_late(&later.item, true),
                Some(Recorded::Refused(refused)) => {
                    self.fail_late(&later.item);
                    self.fail(&later.item, refused);
                }
                // What is lost is lost again, and an update may be sent again.
                Some(Recorded::Lost(_) | Recorded::Open) | None => match self.filled(&later) {
                    Ok(record) => ready.push((later.item, Fields::of(&record))),
                    Err((label, row)) => lost.push(self.without_reference(&later.item, label, row)),
                },
            }
        }
        if !lost.is_empty() {
            self.recorder.settle(&[], &lost)?;
        }
        self.still_bearable()?;
        let size = self.gainsight.limits.batch_size as usize;
        let mut open: Vec<Vec<Ready>> = ready.chunks(size).rev().map(<[Ready]>::to_vec).collect();
        while let Some(part) = open.pop() {
            open.extend(self.send_part(part).await?);
            self.still_bearable()?;
        }
        Ok(())
    }

    /// The fields of a row that waited; the one that nobody is there for, with the row that it points at.
    fn filled(&self, later: &Later) -> Result<Record, (String, i64)> {
        let mut record = Record::from_iter([("Gsid".to_owned(), Value::String(later.gsid.clone()))]);
        for (mapping, row) in &later.item.waits {
            let field = &self.job.mappings[*mapping].field;
            let Some(target) = self.inserted.get(row) else { return Err((field.label.clone(), *row)) };
            record.insert(field.name.clone(), Value::String(target.clone()));
        }
        Ok(record)
    }

    fn without_reference(&mut self, item: &Item, label: String, row: i64) -> Settled {
        self.fail_late(item);
        let message = format!(
            "\"{label}\" stays empty: the record that it points at (row {row} of this run) was not created; it is tried again by \
             the next run"
        );
        let code = RejectCode::ReferenceFailed;
        let lost = Some(Lost { code, message: message.clone() });
        self.failed(item.row, Failure { code, message, field: label, value: String::new() });
        Settled { row: item.row, step: 2, source_id: item.id.clone(), lost, ..Settled::default() }
    }

    /// One call; gives the parts that are to be sent again.
    async fn send_part(&mut self, part: Vec<Ready>) -> Result<Vec<Vec<Ready>>, Error> {
        if part.is_empty() {
            return Ok(Vec::new());
        }
        let items: Vec<Item> = part.iter().map(|(item, _)| item.clone()).collect();
        let what = format!("point {}", self.job.targets[0].object.name);
        let now = self.clock.now().timestamp_millis();
        let batch = self.recorder.intend(2, &what, now, std::iter::once(items.as_slice()))?;
        let batch = batch.first().copied().unwrap_or_default();
        let records: Vec<(&Fields, Option<&str>)> = part.iter().map(|(_, fields)| (fields, None)).collect();
        match self.gainsight.write(&self.way(false), &records).await {
            Ok(Judged::Written(_)) => {
                let rows: Vec<Settled> = items.iter().map(second).collect();
                self.recorder.settle(&[(batch, Answer::Acknowledged)], &rows)?;
                items.iter().for_each(|item| self.count_late(item, true));
                Ok(Vec::new())
            }
            Ok(Judged::Blamed(blamed)) => Ok(vec![self.blamed_late(batch, part, &blamed)?]),
            Ok(Judged::Halve) => {
                self.recorder.settle(&[(batch, Answer::Refused)], &[])?;
                let (left, right) = part.split_at(part.len() / 2);
                Ok(vec![right.to_vec(), left.to_vec()])
            }
            Err(error) => {
                self.recorder.settle(&[(batch, self.answer(&error))], &[])?;
                Err(error.into())
            }
        }
    }

    fn blamed_late(&mut self, batch: i64, part: Vec<Ready>, blamed: &[(usize, Refusal)]) -> Result<Vec<Ready>, Error> {
        let (mut rest, mut rows, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        for (index, ready) in part.into_iter().enumerate() {
            let Some((_, refusal)) = blamed.iter().find(|(b, _)| *b == index) else {
                rest.push(ready);
                continue;
            };
            let refused = self.refused(&ready.0, refusal.clone());
            rows.push(Settled { refused: Some(refused.clone()), ..second(&ready.0) });
            bad.push((ready.0, refused));
        }
        self.recorder.settle(&[(batch, Answer::Refused)], &rows)?;
        for (item, refused) in bad {
            self.fail_late(&item);
            self.fail(&item, refused);
        }
        Ok(rest)
    }

    fn fail_late(&mut self, item: &Item) {
        self.counts.move_one(item.planned, Outcome::Error);
        self.count_late(item, false);
    }

    /// Counts a record of which the second phase is all there was.
    fn count_late(&mut self, item: &Item, is_written: bool) {
        if item.fields.is_empty() {
            let count = self.record_count(0);
            if is_written { count.updated += 1 } else { count.error += 1 }
        }
    }
}

fn second(item: &Item) -> Settled {
    Settled { row: item.row, step: 2, source_id: item.id.clone(), ..Settled::default() }
}
