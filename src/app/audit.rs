//! `report`: a run as somebody wants it who has to vouch for it: every row by outcome, why rows were left, and digests of what was sent.
//!
//! It is made of what the run has kept: the state, the plan's rows, the error file. What is not kept any more is said to be gone, never made
//! up. In: the number of a run. Out: the report, and as a file of their own the rows that were written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::Int64Type;
use ring::digest::{Context, SHA256};
use serde::Serialize;

use super::activity::{Shown, show};
use super::error::Error;
use super::workspace::Setting;
use crate::model::dataset::{self, ROW, changes};
use crate::model::outcome::{Calls, Counts, Outcome, Records};
use crate::run::report::Report;
use crate::store::error_file::safe;
use crate::store::error_rows;
use crate::store::state::{State, Tenancy};
use crate::store::written::NewFile;

/// What the rows that were written stand under.
const HEADER: &str = "row,source_key,outcome,values\n";

/// The report of one run.
#[derive(Debug, Serialize)]
pub struct Audit {
    /// The run's number.
    pub run: String,
    /// The job.
    pub job: String,
    /// The chain that it was part of.
    pub chain: Option<String>,
    /// How it ended: `success`, `partial`, …
    pub status: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub ended: Option<String>,
    /// Who or what started it.
    pub started_by: Option<String>,
    /// Who allowed it to change as much as it did.
    pub approved: Option<Approval>,
    /// How many processes worked on it.
    pub attempts: i64,
    /// The organisation or the place of the files, and the tenant.
    pub source: String,
    /// See `source`.
    pub target: String,
    /// A digest of the job with everything that it relied on.
    pub job_digest: Option<String>,
    /// Rows by outcome.
    pub counts: Counts,
    /// Whether rows that were read are just those with an outcome.
    pub balances: bool,
    /// Records of each object.
    pub records: BTreeMap<String, Records>,
    /// Calls that were spent.
    pub calls: Calls,
    /// Why rows were not written; none where the error file that says so is gone, or cannot be read.
    pub left: Option<Vec<Left>>,
    /// What was sent; none where the plan's rows are gone.
    pub sent: Option<Sent>,
    /// The error file with its SHA-256; none where there is none.
    pub error_file: Option<Sum>,
}

/// Who allowed a run to change as much as it planned.
#[derive(Debug, Serialize)]
pub struct Approval {
    /// A person, or what stands for one.
    pub by: String,
    /// RFC 3339, UTC.
    pub at: String,
}

/// Rows that were left for one reason.
#[derive(Debug, Serialize)]
pub struct Left {
    /// `rejected` or `error`.
    pub outcome: String,
    /// The code in the error file.
    pub code: String,
    /// The clause that decided.
    pub script: String,
    /// How many.
    pub rows: u64,
    /// What happened.
    pub message: String,
    /// One of them.
    pub example: String,
}

/// The rows that were written.
#[derive(Debug, Serialize)]
pub struct Sent {
    /// How many.
    pub rows: u64,
    /// The SHA-256 of the file that lists them, which `--rows` writes: each row with the digest of its values.
    pub sha256: String,
}

/// A file with its digest.
#[derive(Debug, Serialize)]
pub struct Sum {
    /// Where it lies.
    pub path: String,
    /// SHA-256.
    pub sha256: String,
}

/// Makes the report of a run; with `rows` also the list of the rows that were written, into a file that is not there yet.
///
/// # Errors
/// If there is no such run, it is not at its end, or something cannot be read or written.
pub async fn audit(setting: &Setting, run: &str, rows: Option<&Path>) -> Result<Audit, Error> {
    let shown = show(setting, run).await?;
    let report = shown.run.report.as_deref().and_then(|report| serde_json::from_str::<Report>(report).ok());
    let Some(report) = report else {
        let message =
            format!("run {run} is not at its end ({}); `ferry activity {run}` shows how far it is", shown.run.status);
        return Err(Error::Usage(message));
    };
    let is_planned = shown.run.status == "planned";
    let mut list = rows.map(NewFile::begin).transpose()?;
    let sent = if is_planned { None } else { sent(setting, &shown, &report, &mut list).await? };
    if let (Some(list), true) = (list, sent.is_some()) {
        list.finish()?;
    } else if rows.is_some() {
        return Err(Error::Usage(format!("the rows of run {run} are not kept any more, or it wrote none")));
    }
    let left = shown.reasons.iter().map(|one| Left {
        outcome: one.outcome.clone(),
        code: one.code.clone(),
        script: one.script.clone(),
        rows: one.rows,
        message: one.message.clone(),
        example: one.source_key.clone(),
    });
    let is_told = !shown.reasons.is_empty() || report.counts.failed() == 0;
    let left = is_told.then(|| left.collect());
    let error_file = match &shown.kept.error_file {
        Some(path) => Some(Sum { path: path.display().to_string(), sha256: error_rows::digest(path)? }),
        None => None,
    };
    let state = State::look(setting.place())?;
    let belongs = state.map(|state| state.belongs_to(run)).transpose()?.unwrap_or_default();
    let (Tenancy { organization, tenant }, job_digest) = belongs;
    let Shown { run: kept, approved, .. } = shown;
    Ok(Audit {
        run: kept.id,
        job: kept.job,
        chain: kept.chain,
        status: kept.status,
        started: kept.started,
        ended: kept.ended,
        started_by: kept.by,
        approved: approved.map(|(by, at)| Approval { by, at }),
        attempts: kept.attempts,
        source: organization,
        target: tenant,
        job_digest,
        balances: report.counts.balance(),
        counts: report.counts,
        records: report.records,
        calls: report.calls,
        left,
        sent,
        error_file,
    })
}

/// The rows of the plan that were written: those that it was to write, without those in the error file.
async fn sent(
    setting: &Setting,
    shown: &Shown,
    report: &Report,
    list: &mut Option<NewFile>,
) -> Result<Option<Sent>, Error> {
    if !shown.kept.has_rows {
        return Ok(None);
    }
    let Some(folder) = setting.run_folders().find(&report.run).await? else { return Ok(None) };
    let failed = match &shown.kept.error_file {
        Some(path) => error_rows::numbers(path)?,
        None if report.counts.failed() > 0 => return Ok(None),
        None => Default::default(),
    };
    let columns = [ROW, changes::ID, changes::OUTCOME, changes::FINGERPRINT].map(str::to_owned).to_vec();
    let mut files = folder.sift(dataset::CHANGES, columns).await?;
    let (mut digest, mut count, mut is_there) = (Context::new(&SHA256), 0, false);
    let mut put = |text: &str, list: &mut Option<NewFile>| -> Result<(), Error> {
        digest.update(text.as_bytes());
        Ok(list.as_mut().map_or(Ok(()), |list| list.put(text.as_bytes()))?)
    };
    put(HEADER, list)?;
    while let Some(file) = files.next().await? {
        is_there = true;
        let column = |name: &str| file.rows.column_by_name(name);
        let text = |name: &str| column(name).and_then(|column| column.as_string_opt::<i32>());
        let (Some(numbers), Some(outcomes)) =
            (column(ROW).and_then(|c| c.as_primitive_opt::<Int64Type>()), text(changes::OUTCOME))
        else {
            return Ok(None);
        };
        let (ids, values) = (text(changes::ID), text(changes::FINGERPRINT));
        let mut lines = String::new();
        for at in 0..file.rows.num_rows() {
            let outcome = Outcome::parse(outcomes.value(at));
            let is_written = matches!(outcome, Some(Outcome::Inserted | Outcome::Updated | Outcome::Deleted));
            if !is_written || failed.contains(&numbers.value(at)) {
                continue;
            }
            count += 1;
            let of = |column: Option<&StringArray>| {
                column.filter(|column| column.is_valid(at)).map_or(String::new(), |column| cell(column.value(at)))
            };
            // To a text nothing can fail to be written.
            let _ = writeln!(lines, "{},{},{},{}", numbers.value(at), of(ids), outcomes.value(at), of(values));
        }
        put(&lines, list)?;
    }
    let sha256 = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(is_there.then_some(Sent { rows: count, sha256 }))
}

/// A text as a cell that no spreadsheet runs.
fn cell(text: &str) -> String {
    let text = safe(text);
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into_owned() }
}
