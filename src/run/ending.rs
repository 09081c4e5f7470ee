//! The end of a run in the ledger: its report, what the next run begins with, and who is told.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, Utc};

use super::error::Error;
use super::job::Working;
use super::report::{Report, Retried};
use super::telling::Telling;
use crate::model::sabotage::{self, Bug};
use crate::store::ledger::{End, Failed};
use crate::store::notices::ToTell;

impl Working<'_> {
    /// How many rows were due, and how many of them are not any more.
    pub(super) fn retried(&self, failed: &[Failed]) -> Result<Option<Retried>, Error> {
        let due = self.ledger.due(&self.services.tenancy(self.job), &self.job.name)?;
        let chosen: Option<HashSet<&String>> = self.one.chosen.as_ref().map(|ids| ids.iter().collect());
        let due = due.iter().filter(|one| chosen.as_ref().is_none_or(|ids| ids.contains(&one.source_id)));
        let still: HashSet<&str> = failed.iter().map(|one| one.source_id.as_str()).collect();
        let (mut rows, mut fixed) = (0, 0);
        for one in due {
            rows += 1;
            fixed += u64::from(!still.contains(one.source_id.as_str()));
        }
        Ok((rows > 0).then_some(Retried { rows, fixed }))
    }

    pub(super) async fn end(
        &self,
        report: &Report,
        can_resume: bool,
        failed: &[Failed],
        are_all: bool,
    ) -> Result<(), Error> {
        let json = serde_json::to_string(report).map_err(|e| Error::Books(e.to_string()))?;
        let base = if are_all { self.next_base(failed).await? } else { None };
        let ended = self.services.clock.now();
        let notices = self.notices(report, ended)?;
        Ok(self.ledger.end(&End {
            run: &report.run,
            of: &self.services.tenancy(self.job),
            job: &self.job.name,
            ended: &ended.to_rfc3339_opts(SecondsFormat::Millis, true),
            status: report.status.word(),
            report: &json,
            message: report.message.as_deref(),
            can_resume,
            failed: if sabotage::has(Bug::NothingDue) { &[] } else { failed },
            are_all,
            chosen: self.one.chosen.as_deref(),
            base: base.as_ref(),
            notices: &notices,
        })?)
    }

    /// Who is to be told of the job's run, by its own clauses.
    fn notices(&self, report: &Report, ended: DateTime<Utc>) -> Result<Vec<ToTell>, Error> {
        let started = DateTime::from_timestamp_millis(self.one.now_ms).unwrap_or(ended);
        let telling = Telling {
            notify: &self.job.notify,
            chain: None,
            by: &self.services.by,
            goes_on: !self.services.is_attended,
            started: &started.to_rfc3339_opts(SecondsFormat::Millis, true),
            ended,
        };
        telling.notices(std::slice::from_ref(report))
    }
}
