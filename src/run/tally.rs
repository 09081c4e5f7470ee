//! Counting a plan: rows and records by what becomes of them, fields that change, reasons with an example each.
//!
//! In: the changes as they are made, batch by batch. Out: what they amount to. Nothing is decided here.

use std::collections::BTreeMap;

use super::changes::Changes;
use super::cost::{Freight, Kind, Today};
use super::plan::{Example, FieldChange, Plan, SampleRecord, SampleRow, Unwritten};
use super::who::advice;
use crate::engine::reason::{Reason, Reasons};
use crate::model::connection::Limits;
use crate::model::dataset::changes;
use crate::model::job::{Job, Route};
use crate::model::outcome::{Counts, Outcome, Records};
use crate::model::reject::RejectCode;

/// What was counted so far.
pub(super) struct Tally<'a> {
    pub(super) job: &'a Job,
    reasons: Reasons,
    made: Plan,
    wanted: usize,
    freight: Freight,
    /// By target.
    records: Vec<Records>,
    /// How often a mapped field changes, by mapping.
    changed: Vec<u64>,
    /// By the number of the reason.
    unwritten: BTreeMap<i32, Unwritten>,
}

impl<'a> Tally<'a> {
    /// Nothing yet, of a source with that many rows; so many rows are wanted as a sample.
    pub(super) fn new(job: &'a Job, read: u64, wanted: usize) -> Self {
        let made = Plan { counts: Counts { read, ..Counts::default() }, ..Plan::default() };
        let (reasons, freight, unwritten) = (Reasons::of(job), Freight::default(), BTreeMap::new());
        let (records, changed) = (vec![Records::default(); job.targets.len()], vec![0; job.mappings.len()]);
        Self { job, reasons, made, wanted, freight, records, changed, unwritten }
    }

    /// Counts a batch.
    pub(super) fn add(&mut self, rows: &Changes<'a>) {
        for at in 0..rows.len() {
            let outcome = rows.outcome(at).unwrap_or(Outcome::Error);
            self.made.counts.add(outcome);
            let is_failed = self.count_reason(rows, at);
            // A row that is gone was not among those that were read.
            self.made.counts.read += u64::from(rows.lost(at) == Some(changes::DELETE));
            let is_written = matches!(outcome, Outcome::Inserted | Outcome::Updated | Outcome::Deleted);
            if is_written || outcome == Outcome::Unchanged {
                self.count_records(rows, at);
            }
            if is_written {
                self.count_freight(rows, at);
            }
            if self.made.sample.len() < self.wanted && (is_written || is_failed) {
                self.made.sample.push(self.sampled(rows, at, outcome));
            }
        }
    }

    /// What all of it amounts to.
    pub(super) fn plan(mut self, limits: &Limits, today: Today) -> Plan {
        self.made.cost = self.freight.cost(self.job, limits, today);
        for (target, records) in self.job.targets.iter().zip(self.records) {
            self.made.records.insert(target.object.label.clone(), records);
        }
        for (mapping, times) in self.job.mappings.iter().zip(self.changed).filter(|(_, times)| *times > 0) {
            let object = &self.job.targets[mapping.target].object.label;
            let fields = self.made.fields.entry(object.clone()).or_default();
            *fields.entry(mapping.field.label.clone()).or_default() += times;
        }
        self.made.unwritten = self.unwritten.into_values().collect();
        self.made.unwritten.sort_by_key(|one| std::cmp::Reverse(one.rows));
        self.made
    }

    /// Counts the reason of a row that would be in the error file; whether it is one.
    fn count_reason(&mut self, rows: &Changes<'_>, at: usize) -> bool {
        let Some((number, reason, code)) = rows.why(at).and_then(|why| failed(&self.reasons, why)) else {
            return false;
        };
        *self.made.reasons.entry(code.text().to_owned()).or_default() += 1;
        let one = self.unwritten.entry(number).or_insert_with(|| Unwritten {
            outcome: reason.outcome.text(),
            code: code.text(),
            message: said(reason, rows, at),
            script: reason.place.to_string(),
            rows: 0,
            example: Example {
                row: rows.row(at),
                source_key: rows.id(at),
                value: rows.text(changes::VALUE, at).map(str::to_owned),
            },
        });
        one.rows += 1;
        true
    }

    fn count_records(&mut self, rows: &Changes<'_>, at: usize) {
        for target in 0..self.job.targets.len() {
            let Some(action) = rows.action(target, at) else { continue };
            let records = &mut self.records[target];
            match action {
                "insert" => records.inserted += 1,
                "update" | changes::SET => records.updated += 1,
                changes::DELETE => records.deleted += 1,
                _ => records.unchanged += 1,
            }
            if action == "update" {
                for (mapping, _) in self.job.mappings_of(target) {
                    self.changed[mapping] += u64::from(rows.is_changed(mapping, at));
                }
            }
        }
        for (target, field, ..) in rows.assignments(at) {
            if rows.action(target, at).is_none() {
                continue;
            }
            let fields = self.made.fields.entry(self.job.targets[target].object.label.clone()).or_default();
            *fields.entry(field.label.clone()).or_default() += 1;
        }
    }

    /// Counts what has to be called for.
    fn count_freight(&mut self, rows: &Changes<'_>, at: usize) {
        let waits = (0..self.job.mappings.len()).any(|m| rows.is_changed(m, at) && rows.pending(m, at).is_some());
        self.freight.add(Kind::SecondPhase, u64::from(waits));
        if self.job.main_target().route == Route::Person {
            self.freight.add(Kind::People, 1);
        } else if rows.action(0, at) == Some("insert") {
            self.freight.add(Kind::Inserts, 1);
        } else if rows.action(0, at) == Some(changes::DELETE) {
            self.freight.add(Kind::Deletes, 1);
        } else if rows.has_record(0, at) || rows.action(0, at) == Some(changes::SET) {
            self.freight.add(Kind::Updates, 1);
        }
    }

    fn sampled(&self, rows: &Changes<'_>, at: usize, outcome: Outcome) -> SampleRow {
        let reason = rows.why(at).and_then(|why| failed(&self.reasons, why));
        let mut row = SampleRow {
            row: rows.row(at),
            source_key: rows.id(at),
            outcome: outcome.text(),
            code: reason.as_ref().map(|(_, _, code)| code.text()),
            reason: reason.as_ref().map(|(_, reason, _)| said(reason, rows, at)).or(rows.loss(at)),
            records: Vec::new(),
            fields: Vec::new(),
        };
        if reason.is_none() {
            (row.records, row.fields) = (records(rows, at), fields(rows, at));
        }
        row
    }
}

/// The reason of a number, if its rows are in the error file.
pub(super) fn failed(reasons: &Reasons, why: i32) -> Option<(i32, &Reason, RejectCode)> {
    let reason = reasons.get(why)?;
    Some((why, reason, reason.code?))
}

/// What a reason says of a row; of a refusal also what Gainsight said then, of a user what to type.
pub(super) fn said(reason: &Reason, rows: &Changes<'_>, at: usize) -> String {
    let loss = rows.loss(at).map_or_else(String::new, |loss| format!("{loss}: "));
    let advice = advice(reason, rows, at).unwrap_or_default();
    match rows.text(changes::MESSAGE, at) {
        Some(words) => format!("{loss}{}. {words}", reason.message),
        None => format!("{loss}{}{advice}", reason.message),
    }
}

/// The records of a row with what is done with each.
pub(super) fn records(rows: &Changes<'_>, at: usize) -> Vec<SampleRecord> {
    let targets = rows.job().targets.iter().enumerate();
    let records = targets.filter_map(|(target, of)| {
        let action = rows.action(target, at)?.to_owned();
        Some(SampleRecord { object: of.object.label.clone(), action, gsid: rows.gsid(target, at) })
    });
    records.collect()
}

/// The fields of a row that change.
pub(super) fn fields(rows: &Changes<'_>, at: usize) -> Vec<FieldChange> {
    let job = rows.job();
    let changed = job.mappings.iter().enumerate().filter(|(m, _)| rows.is_changed(*m, at));
    let fields = changed.map(|(m, mapping)| FieldChange {
        object: job.targets[mapping.target].object.label.clone(),
        field: mapping.field.label.clone(),
        old: rows.old_value(m, at),
        new: rows.new_value(m, at),
    });
    let assigned = rows.assignments(at).into_iter().map(|(target, field, old, new)| FieldChange {
        object: job.targets[target].object.label.clone(),
        field: field.label.clone(),
        old,
        new,
    });
    fields.chain(assigned).collect()
}
