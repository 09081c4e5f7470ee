//! How long the stages of a run take.
//!
//! In: when a stage began. Out: its line in the activity.

use std::time::{Duration, Instant};

use chrono::SecondsFormat;

use super::error::Error;
use super::extract::Extracted;
use super::job::Working;
use super::services::Services;
use crate::store::ledger::Ledger;
use crate::store::runs::Stage;

/// A stage that has begun.
#[derive(Debug, Clone)]
pub(super) struct Timed {
    started: String,
    since: Instant,
}

impl Timed {
    pub(super) fn begin(services: &Services) -> Self {
        let started = services.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        Self { started, since: Instant::now() }
    }

    pub(super) fn end(self, name: &str, rows: u64, run: &str, ledger: &dyn Ledger) -> Result<(), Error> {
        let took = self.since.elapsed();
        self.keep(name, took, rows, run, ledger)
    }

    fn keep(self, name: &str, took: Duration, rows: u64, run: &str, ledger: &dyn Ledger) -> Result<(), Error> {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let seconds = took.as_secs_f64();
        Ok(ledger.stage(run, &Stage { name: name.to_owned(), started: self.started, seconds, rows })?)
    }
}

impl Working<'_> {
    /// Keeps the stage of reading. If the run had to wait for its turn when everything else was read, that is told apart: `extract` is
    /// the source then, and behind `wait` comes `target`.
    pub(super) fn keep_extract(&self, began: Timed, read: &Extracted, is_early: bool) -> Result<(), Error> {
        let (run, ledger) = (self.one.run.as_str(), self.ledger);
        let (source_read, looked) = (read.source_read.clone(), read.looked.clone());
        if !is_early || looked.since <= source_read.since {
            return began.end("extract", read.rows, run, ledger);
        }
        let (reading, waiting) = (source_read.since - began.since, looked.since - source_read.since);
        began.keep("extract", reading, read.rows, run, ledger)?;
        source_read.keep("wait", waiting, 0, run, ledger)?;
        looked.end("target", read.records.values().sum(), run, ledger)
    }
}
