//! Planning: the engine's two stages over the run folder, and what the changes amount to.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::changes::Changes;
use super::chosen::only;
use super::error::Error;
use super::progress::{Event, Progress};
use crate::engine::compare::{compare, queue};
use crate::engine::map::map;
use crate::engine::reason::Reasons;
use crate::engine::session::{Engine, Rows};
use crate::model::connection::Limits;
use crate::model::dataset;
use crate::model::job::{Job, Route};
use crate::model::outcome::{Counts, Outcome, Records};
use crate::store::dataset::RunFolder;

/// What a run would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// Rows by planned outcome.
    pub counts: Counts,
    /// Records by the label of their object.
    pub records: BTreeMap<String, Records>,
    /// Rows that would be in the error file, by code.
    pub reasons: BTreeMap<String, u64>,
    /// Write calls that it takes.
    pub calls: u64,
    /// The time that the calls take within the connection's limits and its reserve, in minutes.
    pub minutes: u64,
    /// The first rows that change or fail, if a sample was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<SampleRow>,
}

/// One row of a sample.
#[derive(Debug, Clone, Serialize)]
pub struct SampleRow {
    /// Its number in the run.
    pub row: i64,
    /// The source row's primary key.
    pub source_key: String,
    /// The planned outcome.
    pub outcome: &'static str,
    /// Why it is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Fields that change: object and field, old value, new value.
    pub fields: Vec<(String, serde_json::Value, serde_json::Value)>,
}

/// Plans a job over an extracted run folder.
pub(super) async fn plan(
    job: &Job,
    folder: &RunFolder,
    read: u64,
    chosen: Option<&[String]>,
    limits: &Limits,
    sample: usize,
    progress: &Progress,
) -> Result<Plan, Error> {
    // What an earlier process left half done is no part of this plan.
    for name in [dataset::MAPPED, dataset::CHANGES, dataset::QUEUE] {
        folder.clear(name).await?;
    }
    let engine = Engine::new(folder.root())?;
    write(folder, dataset::MAPPED, map(&engine, job).await?, None, None).await?;
    progress(Event::Advanced { stage: "plan", rows: read / 2, of: Some(read) });
    let mut tally = Tally::new(job, read, sample);
    let chosen: Option<HashSet<&str>> = chosen.map(|ids| ids.iter().map(String::as_str).collect());
    write(folder, dataset::CHANGES, compare(&engine, job).await?, Some(&mut tally), chosen.as_ref()).await?;
    if let Some((_, descending)) = &job.load_first {
        write(folder, dataset::QUEUE, queue(&engine, *descending).await?, None, None).await?;
    }
    progress(Event::Advanced { stage: "plan", rows: read, of: Some(read) });
    Ok(tally.plan(limits))
}

async fn write(
    folder: &RunFolder,
    name: &str,
    rows: Rows,
    mut tally: Option<&mut Tally<'_>>,
    chosen: Option<&HashSet<&str>>,
) -> Result<(), Error> {
    use futures::StreamExt;
    let Rows { schema, mut batches } = rows;
    let mut writer = folder.write(name, schema);
    while let Some(batch) = batches.next().await {
        let batch = match chosen {
            Some(ids) => only(&batch?, ids)?,
            None => batch?,
        };
        if let Some(tally) = tally.as_deref_mut() {
            tally.add(Changes::new(tally.job, batch.clone()));
        }
        writer.add(batch).await?;
    }
    writer.finish().await?;
    Ok(())
}

struct Tally<'a> {
    job: &'a Job,
    reasons: Reasons,
    made: Plan,
    wanted: usize,
    batched: BTreeMap<(usize, &'static str), u64>,
    people: u64,
    second_phase: u64,
}

impl<'a> Tally<'a> {
    fn new(job: &'a Job, read: u64, wanted: usize) -> Self {
        let mut made = Plan { counts: Counts { read, ..Counts::default() }, ..Plan::default() };
        made.records = job.targets.iter().map(|t| (t.object.label.clone(), Records::default())).collect();
        let reasons = Reasons::of(job);
        Self { job, reasons, made, wanted, batched: BTreeMap::new(), people: 0, second_phase: 0 }
    }

    fn add(&mut self, rows: Changes<'a>) {
        for at in 0..rows.len() {
            let outcome = rows.outcome(at).unwrap_or(Outcome::Error);
            self.made.counts.add(outcome);
            let code = rows.why(at).and_then(|w| self.reasons.get(w)).and_then(|r| r.code);
            if let Some(code) = code {
                *self.made.reasons.entry(code.text().to_owned()).or_default() += 1;
            }
            let is_written = matches!(outcome, Outcome::Inserted | Outcome::Updated);
            if is_written || outcome == Outcome::Unchanged {
                self.count_records(&rows, at, is_written);
            }
            if self.made.sample.len() < self.wanted && (is_written || code.is_some()) {
                self.made.sample.push(self.sampled(&rows, at, outcome));
            }
        }
    }

    fn count_records(&mut self, rows: &Changes<'_>, at: usize, is_written: bool) {
        for target in 0..self.job.targets.len() {
            let Some(action) = rows.action(target, at) else { continue };
            let label = self.job.targets[target].object.label.clone();
            let records = self.made.records.entry(label).or_default();
            match action {
                "insert" => records.inserted += 1,
                "update" => records.updated += 1,
                _ => records.unchanged += 1,
            }
        }
        if !is_written {
            return;
        }
        let waits = (0..self.job.mappings.len()).any(|m| rows.is_changed(m, at) && rows.pending(m, at).is_some());
        self.second_phase += u64::from(waits);
        if self.job.main_target().route == Route::Person {
            self.people += 1;
        } else if rows.action(0, at) == Some("insert") {
            *self.batched.entry((0, "insert")).or_default() += 1;
        } else if !rows.record(0, at).is_empty() {
            *self.batched.entry((0, "update")).or_default() += 1;
        }
    }

    fn sampled(&self, rows: &Changes<'_>, at: usize, outcome: Outcome) -> SampleRow {
        let fields = (0..self.job.mappings.len()).filter(|m| rows.is_changed(*m, at)).map(|m| {
            let mapping = &self.job.mappings[m];
            let name = format!("{}.\"{}\"", self.job.targets[mapping.target].object.label, mapping.field.label);
            (name, rows.old_value(m, at), rows.new_value(m, at))
        });
        let reason = rows.why(at).and_then(|w| self.reasons.get(w)).filter(|r| r.code.is_some());
        SampleRow {
            row: rows.row(at),
            source_key: rows.id(at),
            outcome: outcome.text(),
            reason: reason.map(|r| r.message.clone()),
            fields: if reason.is_some() { Vec::new() } else { fields.collect() },
        }
    }

    fn plan(mut self, limits: &Limits) -> Plan {
        let size = u64::from(limits.batch_size);
        let batches: u64 = self.batched.values().map(|rows| rows.div_ceil(size)).sum();
        self.made.calls = batches + self.people + self.second_phase.div_ceil(size);
        let calls = self.made.calls;
        self.made.minutes = match self.job.main_target().route {
            // The windows of user management are hours, so what does not fit into one waits for the next.
            Route::User => {
                calls.saturating_sub(1) / u64::from(limits.spendable(limits.users_per_hour)) * 60 + u64::from(calls > 0)
            }
            _ => calls.div_ceil(u64::from(limits.spendable(limits.calls_per_minute))),
        };
        self.made
    }
}
