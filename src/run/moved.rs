//! What of a plan does not hold any more: the rows that would be treated otherwise now, with what is there and what was expected.
//!
//! In: the changes as they were planned, and as they are planned again over the same source rows. Out: differences, row by row.

use std::fmt;

use serde_json::Value;

use super::changes::Changes;
use super::error::Error;
use crate::engine::reason::Reasons;
use crate::model::job::Job;
use crate::model::outcome::Outcome;
use crate::store::dataset::{Reader, RunFolder};

/// Differences that are shown.
const SHOWN_AT_MOST: usize = 10;

/// Rows that are planned otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moved {
    /// How many there are.
    pub rows: u64,
    /// Their first differences.
    pub first: Vec<Difference>,
}

/// One thing that is not as it was planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The row's number in the run.
    pub row: i64,
    /// The source row's primary key.
    pub source_key: String,
    /// What differs: `Company."Employees"`, `the record of Company`, `the outcome`.
    pub what: String,
    /// As it was planned.
    pub planned: Value,
    /// As it is now.
    pub now: Value,
}

impl Moved {
    /// What moved, in words.
    pub(super) fn told(&self) -> String {
        if self.rows == 0 {
            return "the plan cannot be made again as it was, so nothing was written: what it was made from is missing or damaged on disk"
                .to_owned();
        }
        let rows = if self.rows == 1 { "1 row is".to_owned() } else { format!("{} rows are", self.rows) };
        let first: String = self.first.iter().map(|one| format!("\n  {one}")).collect();
        format!("Gainsight has moved underneath the plan, so nothing was written; {rows} not as planned:{first}\n")
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| if value.is_null() { "nothing".to_owned() } else { value.to_string() };
        let (planned, now) = (shown(&self.planned), shown(&self.now));
        write!(f, "row {} ({}), {}: {planned} when it was planned, {now} now", self.row, self.source_key, self.what)
    }
}

/// Compares two datasets of changes of the same rows in the same order.
///
/// # Errors
/// If one cannot be read.
pub(super) async fn moved(job: &Job, folder: &RunFolder, before: &str, after: &str) -> Result<Moved, Error> {
    let reasons = Reasons::of(job);
    let (mut planned, mut now) = (Rows::of(folder.read(before).await?), Rows::of(folder.read(after).await?));
    let mut moved = Moved::default();
    loop {
        let (is_planned, is_now) = (planned.advance(job).await?, now.advance(job).await?);
        let mut found = match (planned.current().filter(|_| is_planned), now.current().filter(|_| is_now)) {
            (Some(before), Some(after)) => differences(job, &reasons, before, after),
            // Rows that the source lost stand behind all others, and may have come or gone by their links.
            (Some((rows, at)), None) => vec![alone(rows, at, (outcome(&reasons, rows, at), Value::Null))],
            (None, Some((rows, at))) => vec![alone(rows, at, (Value::Null, outcome(&reasons, rows, at)))],
            (None, None) => return Ok(moved),
        };
        moved.rows += u64::from(!found.is_empty());
        found.truncate(SHOWN_AT_MOST - moved.first.len());
        moved.first.append(&mut found);
    }
}

/// That a row is in one of the plans only.
fn alone(rows: &Changes<'_>, at: usize, (planned, now): (Value, Value)) -> Difference {
    Difference { row: rows.row(at), source_key: rows.id(at), what: "the outcome".to_owned(), planned, now }
}

type Row<'a, 'b> = (&'b Changes<'a>, usize);

fn differences(job: &Job, reasons: &Reasons, (planned, at): Row<'_, '_>, (now, also): Row<'_, '_>) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |what: String, before: Value, after: Value| {
        if before != after {
            let (row, source_key) = (planned.row(at), planned.id(at));
            found.push(Difference { row, source_key, what, planned: before, now: after });
        }
    };
    for (target, of) in job.targets.iter().enumerate() {
        let gsid = |of: Option<String>| of.map_or(Value::Null, Value::String);
        let what = format!("the record of {}", of.object.label);
        add(what, gsid(planned.gsid(target, at)), gsid(now.gsid(target, also)));
    }
    for (m, mapping) in job.mappings.iter().enumerate() {
        let name = format!("{}.\"{}\"", job.targets[mapping.target].object.label, mapping.field.label);
        let (old, new) = pair((planned, at), (now, also), m);
        let (old_now, new_now) = pair((now, also), (planned, at), m);
        add(name.clone(), old, old_now);
        add(format!("what {name} is to become"), new, new_now);
    }
    for (target, field) in job.assigned() {
        let name = format!("{}.\"{}\"", job.targets[target].object.label, field.label);
        let of = |rows: &Changes<'_>, at| rows.assigned_pair(target, field, at);
        let ((old, new), (old_now, new_now)) = (of(planned, at), of(now, also));
        add(name.clone(), old, old_now);
        add(format!("what {name} is to become"), new, new_now);
    }
    add("the outcome".to_owned(), outcome(reasons, planned, at), outcome(reasons, now, also));
    found
}

/// What a mapped field holds in one plan, and what it is to become. The changes do not say it of a row that is not written: what it says is
/// then what it says in the other plan, which is of the same row, and its record holds that, if it is unchanged.
fn pair((rows, at): Row<'_, '_>, (other, also): Row<'_, '_>, mapping: usize) -> (Value, Value) {
    let is_written = |rows: &Changes<'_>, at| matches!(rows.outcome(at), Some(Outcome::Inserted | Outcome::Updated));
    let said = |rows: &Changes<'_>, at| (rows.old_value(mapping, at), rows.new_value(mapping, at));
    let own = said(rows, at);
    match rows.outcome(at) {
        _ if is_written(rows, at) || !is_written(other, also) || own != (Value::Null, Value::Null) => own,
        Some(Outcome::Unchanged) if other.is_changed(mapping, also) => {
            let new = other.new_value(mapping, also);
            (new.clone(), new)
        }
        _ => said(other, also),
    }
}

fn outcome(reasons: &Reasons, rows: &Changes<'_>, at: usize) -> Value {
    let outcome = rows.outcome(at).map_or("", |outcome| outcome.text());
    match rows.why(at).and_then(|why| reasons.get(why)?.code) {
        Some(code) => Value::String(format!("{outcome} ({})", code.text())),
        None => Value::String(outcome.to_owned()),
    }
}

/// A dataset of changes, row by row.
struct Rows<'a> {
    reader: Reader,
    batch: Option<Changes<'a>>,
    at: usize,
}

impl<'a> Rows<'a> {
    fn of(reader: Reader) -> Self {
        Self { reader, batch: None, at: 0 }
    }

    /// Goes to the next row; whether there is one.
    async fn advance(&mut self, job: &'a Job) -> Result<bool, Error> {
        self.at += 1;
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.len()) {
            let Some(batch) = self.reader.next().await? else { return Ok(false) };
            (self.batch, self.at) = (Some(Changes::new(job, batch)), 0);
        }
        Ok(true)
    }

    fn current(&self) -> Option<(&Changes<'a>, usize)> {
        self.batch.as_ref().map(|batch| (batch, self.at))
    }
}
