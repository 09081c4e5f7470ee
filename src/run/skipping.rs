//! A job that its chain does not come to, because one before it failed.
//!
//! It gets a run that begins and ends at once, so that the activity shows it. In: the job, and what stopped its chain. Out: a report.

use chrono::SecondsFormat;

use super::chain::With;
use super::error::Error;
use super::report::Report;
use super::undertaking::{How, begin_skipped};
use crate::model::job::Job;
use crate::model::outcome::Status;
use crate::store::ledger::End;

/// Skips a job. A run of it that was interrupted is left as it is, to be gone on with.
///
/// # Errors
/// If that cannot be kept.
pub(super) fn skip(job: &Job, how: &How, why: &Error, with: &With<'_>) -> Result<Report, Error> {
    let of = with.services.tenancy(job);
    if let Some(left) = with.ledger.unfinished(&of, &job.name)? {
        let message = format!("{why}; run {} of it stays as it is, and is gone on with", left.run.id);
        return Ok(skipped(left.run.id, job, message));
    }
    let run = begin_skipped(job, how, with.services, with.ledger)?;
    let report = skipped(run, job, why.to_string());
    let json = serde_json::to_string(&report).map_err(|e| Error::Books(e.to_string()))?;
    let ended = with.services.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let end = End::of_nothing(&report.run, &of, &job.name, &ended, report.status.word());
    with.ledger.end(&End { report: &json, message: report.message.as_deref(), ..end })?;
    Ok(report)
}

fn skipped(run: String, job: &Job, message: String) -> Report {
    Report::of_nothing(run, job.name.clone(), Status::Skipped, message)
}
