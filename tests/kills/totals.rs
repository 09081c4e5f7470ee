//! What the runs of a home came to, in a form that can be held against another home's.

use std::collections::BTreeMap;
use std::path::Path;

use ferry::model::outcome::{Counts, Records, Status};
use ferry::run::report::Report;
use ferry::store::state::State;

use crate::stage::{Line, lines};

/// What one run that came to its end says.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    pub status: Status,
    pub counts: Counts,
    pub records: BTreeMap<String, Records>,
    /// Its error file, without the run's number.
    pub errors: Vec<Line>,
}

/// The ended runs of each job, the oldest first. A run that was given up has not ended.
pub fn ended(home: &Path) -> BTreeMap<String, Vec<Totals>> {
    let mut jobs: BTreeMap<String, Vec<Totals>> = BTreeMap::new();
    let Some(state) = State::look(&home.join("state.db")).unwrap() else { return jobs };
    for run in state.runs(u32::MAX).unwrap().into_iter().rev() {
        if !matches!(run.status.as_str(), "success" | "partial") {
            continue;
        }
        let report: Report = serde_json::from_str(run.report.as_deref().unwrap()).unwrap();
        jobs.entry(run.job).or_default().push(of(&report));
    }
    jobs
}

fn of(report: &Report) -> Totals {
    assert!(report.counts.balance(), "{report:?}");
    let mut errors = report.error_file.as_deref().map(lines).unwrap_or_default();
    errors.iter_mut().for_each(|line| drop(line.remove("run")));
    Totals { status: report.status, counts: report.counts, records: report.records.clone(), errors }
}
