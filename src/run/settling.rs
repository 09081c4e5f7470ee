//! Finding out about writes without an answer: wait until they can have no more effect, then ask what is there.
//!
//! A call takes effect before its time-out and the time to settle are over, or never; nothing of it is touched before that. Then
//! its keys are read back: what is there as it was sent was written, what is there in another form is changed, what is missing is
//! sent again. The design is `reliability.md` §5.5. In: rows of new records. Out: those that are still to be dealt with.

use std::time::Duration;

use serde_json::Value;

use super::error::Error;
use super::item::Item;
use super::load::Load;
use crate::gainsight::write::Record;
use crate::model::clock::Clock;
use crate::model::connection::Limits;
use crate::model::dataset::gsid;
use crate::model::field::Field;
use crate::model::job::Fold;
use crate::model::reject::RejectCode;
use crate::model::sabotage::{self, Bug};
use crate::store::ledger::{Lost, Settled};

/// How long the target has between two reads that must agree that a record is missing, in milliseconds of its own clock.
pub(super) const READ_AGAIN_MS: i64 = 5_000;

/// What was found out about rows.
pub(super) struct Found {
    /// Nothing is there: to be inserted.
    pub(super) missing: Vec<Item>,
    /// A record is there with other values: to be changed, by its GSID.
    pub(super) differing: Vec<Item>,
}

/// How long to wait from now on until a call of that moment can have no more effect. A clock that was set back in between makes
/// the wait no longer than it can be.
pub(super) fn quiet_after(sent_at_ms: i64, limits: &Limits, clock: Clock) -> Duration {
    if sabotage::has(Bug::NoSettling) {
        return Duration::ZERO;
    }
    let whole = clock.real(i64::from(limits.call_timeout_seconds + limits.settle_seconds) * 1_000);
    let passed = u64::try_from(clock.now().timestamp_millis() - sent_at_ms).unwrap_or(0);
    whole.saturating_sub(Duration::from_millis(passed))
}

impl Load<'_> {
    /// Finds out about new records that an earlier process sent, and sends what is missing.
    pub(super) async fn ask(&mut self, items: Vec<Item>) -> Result<(), Error> {
        if items.is_empty() {
            return Ok(());
        }
        let sent_at = self.recorder.last_open()?.unwrap_or_default();
        let found = self.find_out(items, sent_at, "the run was interrupted").await?;
        self.send(found.missing, true).await?;
        self.send(found.differing, false).await
    }

    /// Waits, reads back, and writes down what was written.
    pub(super) async fn find_out(&mut self, items: Vec<Item>, sent_at_ms: i64, why: &str) -> Result<Found, Error> {
        self.wait_until_quiet(sent_at_ms, why).await;
        let mut records = self.read_back(&items).await?;
        let sent: Vec<Record> = items.iter().map(|item| item.fields.record()).collect();
        let is_missing = |sent: &Record| !records.iter().any(|record| self.is_of(record, sent));
        if sent.iter().any(is_missing) {
            // A read may lag behind a write: what is missing must be missing twice.
            self.gainsight.wait(self.clock.real(READ_AGAIN_MS)).await;
            // What was seen once is there, whichever of two reads lags.
            let again = self.read_back(&items).await?;
            let is_new = |record: &Record| !records.iter().any(|seen| seen.get("Gsid") == record.get("Gsid"));
            let new: Vec<Record> = again.into_iter().filter(is_new).collect();
            records.extend(new);
        }
        let mut found = Found { missing: Vec::new(), differing: Vec::new() };
        let (mut rows, mut written, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for (mut item, sent) in items.into_iter().zip(sent) {
            let there: Vec<&Record> = records.iter().filter(|record| self.is_of(record, &sent)).collect();
            let gsid = there.first().and_then(|r| r.get("Gsid")).and_then(Value::as_str).map(str::to_owned);
            match there[..] {
                [] => found.missing.push(item),
                [one] if sent.iter().all(|(name, value)| one.get(name) == Some(value)) => {
                    rows.push(self.settled(&item, gsid.as_ref()));
                    written.push((item, gsid));
                }
                [_] => {
                    item.gsid = gsid;
                    found.differing.push(item);
                }
                _ => {
                    let message = "an answer was lost, and several records have this key now; merge them in Gainsight";
                    let why = Lost { code: RejectCode::AmbiguousTarget, message: message.to_owned() };
                    let (row, source_id, of_row) = (item.row, item.id.clone(), Some(why.clone()));
                    rows.push(Settled { row, step: 1, source_id, lost: of_row, ..Settled::default() });
                    lost.push((item, why));
                }
            }
        }
        sabotage::place("read_back");
        self.recorder.settle(&[], &rows)?;
        written.into_iter().for_each(|(item, gsid)| self.acknowledge(item, gsid));
        lost.into_iter().for_each(|(item, why)| self.lose(&item, why));
        Ok(found)
    }

    /// Waits until a call of that moment can have no more effect.
    pub(super) async fn wait_until_quiet(&self, sent_at_ms: i64, why: &str) {
        let wait = quiet_after(sent_at_ms, &self.gainsight.limits, self.clock);
        if !wait.is_zero() {
            let seconds = wait.as_secs_f64();
            self.progress.notice(format!(
                "the answer to a call with new records is missing ({why}); waiting {seconds:.1} s, then Gainsight is asked what it holds"
            ));
            self.gainsight.wait(wait).await;
        }
    }

    pub(super) async fn read_back(&self, items: &[Item]) -> Result<Vec<Record>, Error> {
        let fields: Vec<Field> =
            std::iter::once(gsid()).chain(self.job.mappings_of(0).map(|(_, m)| m.field.clone())).collect();
        let records: Vec<Record> = items.iter().map(|item| item.fields.record()).collect();
        let keys = self.job.key.iter().map(|key| {
            let field = &self.job.mappings[key.mapping].field;
            let sent = records.iter().filter_map(|record| record.get(&field.name));
            let mut values: Vec<Value> = sent.clone().cloned().collect();
            if key.fold != Fold::Exact {
                // Some services keep what has no case in small letters.
                values.extend(sent.filter_map(Value::as_str).map(|text| Value::from(text.to_lowercase())));
            }
            values.sort_by_key(Value::to_string);
            values.dedup();
            (field, values)
        });
        let keys: Vec<(&Field, Vec<Value>)> = keys.collect();
        Ok(self.gainsight.read_back(&self.job.targets[0].object.name, &fields, &keys).await?)
    }

    /// Whether a record has the key of one that was sent, in the way in which the job compares keys.
    pub(super) fn is_of(&self, record: &Record, sent: &Record) -> bool {
        self.job.key.iter().all(|key| {
            let name = &self.job.mappings[key.mapping].field.name;
            match (record.get(name), sent.get(name)) {
                (Some(Value::String(one)), Some(Value::String(other))) => {
                    folded(one, key.fold) == folded(other, key.fold)
                }
                (Some(one), Some(other)) => one == other,
                _ => false,
            }
        })
    }
}

/// A text as a key of this fold compares it.
pub(super) fn folded(text: &str, fold: Fold) -> String {
    match fold {
        Fold::Exact => text.to_owned(),
        Fold::Case => text.to_lowercase(),
        Fold::Guid => text.to_lowercase().trim_matches(['{', '}']).to_owned(),
    }
}
