//! What others are told of a run that has ended, or of the runs of a chain: who, and in which words.
//!
//! In: reports, and the `NOTIFY` clauses. Out: notices for the outbox. Reasons are read off the error file, which is written by then; the
//! value that a line shows is left out.

use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};

use super::error::Error;
use super::report::Report;
use crate::model::notice::{Content, Event, Part, Reason, VERSION};
use crate::model::outcome::{Counts, Status};
use crate::model::schedule::Notify;
use crate::store::error_rows;
use crate::store::notices::ToTell;

/// Who is told of what.
pub struct Telling<'a> {
    /// The clauses.
    pub notify: &'a [Notify],
    /// The chain, if it is told of as a whole.
    pub chain: Option<&'a str>,
    /// Who or what started it.
    pub by: &'a str,
    /// Whether somebody goes on by himself with what waits for calls or a service: the daemon.
    pub goes_on: bool,
    /// When it began: RFC 3339, UTC.
    pub started: &'a str,
    /// When it ended.
    pub ended: DateTime<Utc>,
}

impl Telling<'_> {
    /// The notices about these runs; none where nobody asks for them.
    ///
    /// # Errors
    /// If they cannot be written down.
    pub fn notices(&self, reports: &[Report]) -> Result<Vec<ToTell>, Error> {
        let status = reports.iter().map(|report| report.status).reduce(Status::worse);
        let Some((status, last)) = status.zip(reports.last()) else { return Ok(Vec::new()) };
        let Some(event) = Event::of(status, self.goes_on) else { return Ok(Vec::new()) };
        let asking = self.notify.iter().filter(|one| event.is_asked_for(one));
        let addresses: Vec<&str> = asking.flat_map(|one| &one.to).map(|to| to.text()).collect();
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let content = self.content(event, status, reports);
        let written = serde_json::to_string(&content).map_err(|error| Error::Books(error.to_string()))?;
        let kind = if self.chain.is_some() { "chain" } else { "job" };
        let one = |address: &str| ToTell {
            run: last.run.clone(),
            address: address.to_owned(),
            event: format!("{kind} \"{}\" {}", content.name(), status.word()),
            content: written.clone(),
            due_ms: self.ended.timestamp_millis(),
            at: content.ended.clone(),
        };
        Ok(addresses.into_iter().map(one).collect())
    }

    fn content(&self, event: Event, status: Status, reports: &[Report]) -> Content {
        let parts: Vec<Part> = reports.iter().map(part).collect();
        let worst = parts.iter().find(|part| part.status == status.word());
        Content {
            version: VERSION,
            event,
            status: status.word().to_owned(),
            job: parts.first().filter(|_| self.chain.is_none()).map(|part| part.job.clone()),
            chain: self.chain.map(str::to_owned),
            run: parts.last().map(|part| part.run.clone()).unwrap_or_default(),
            started_by: self.by.to_owned(),
            started: self.started.to_owned(),
            ended: self.ended.to_rfc3339_opts(SecondsFormat::Millis, true),
            counts: parts.iter().fold(Counts::default(), |all, part| sum(all, part.counts)),
            message: worst.and_then(|part| part.message.clone()),
            error_file: parts.iter().find_map(|part| part.error_file.clone()),
            next: parts.iter().flat_map(next).collect(),
            runs: parts,
        }
    }
}

fn sum(one: Counts, other: Counts) -> Counts {
    Counts {
        read: one.read + other.read,
        filtered: one.filtered + other.filtered,
        rejected: one.rejected + other.rejected,
        error: one.error + other.error,
        inserted: one.inserted + other.inserted,
        updated: one.updated + other.updated,
        unchanged: one.unchanged + other.unchanged,
        deleted: one.deleted + other.deleted,
        superseded: one.superseded + other.superseded,
    }
}

fn part(report: &Report) -> Part {
    Part {
        run: report.run.clone(),
        job: report.job.clone(),
        status: report.status.word().to_owned(),
        counts: report.counts,
        message: report.message.clone(),
        error_file: report.error_file.clone(),
        reasons: report.error_file.as_deref().map(reasons).unwrap_or_default(),
    }
}

/// What an error file amounts to. One that cannot be read is named all the same.
fn reasons(file: &Path) -> Vec<Reason> {
    let rows = error_rows::reasons(file).unwrap_or_default().into_iter();
    // Not the value: it is one of the row's.
    rows.map(|one| Reason { code: one.code, rows: one.rows, example: one.source_key, message: one.message }).collect()
}

/// What to do about a run.
fn next(part: &Part) -> Vec<String> {
    let run = &part.run;
    let one = match Status::parse(&part.status) {
        Some(Status::Partial) => format!(
            "look at the rows with `ferry errors {run}`, mend them, then `ferry replay {run}`; the next run tries them again anyway"
        ),
        Some(Status::WaitingApproval) => format!(
            "`ferry activity {run}` shows what it would change; `ferry approve {run}` allows it, and `ferry resume {run}` goes on where no \
             daemon does"
        ),
        Some(Status::WaitingAuth) => {
            format!("sign in as the message says; then `ferry resume {run}` goes on where no daemon does")
        }
        Some(Status::WaitingQuota | Status::WaitingRetry | Status::WaitingTarget) => {
            format!("`ferry resume {run}` goes on with it")
        }
        Some(Status::Failed) => {
            format!("`ferry activity {run}` shows how far it came; `ferry run \"{}\"` tries again", part.job)
        }
        _ => return Vec::new(),
    };
    let is_about_a_user =
        |reason: &Reason| reason.code == "AMBIGUOUS_TARGET" && reason.message.contains("ferry avatar");
    let is_about_users = part.reasons.iter().any(is_about_a_user);
    let users = "`ferry avatar list --ambiguous` shows users that could be one of several";
    std::iter::once(one).chain(is_about_users.then(|| users.to_owned())).collect()
}
