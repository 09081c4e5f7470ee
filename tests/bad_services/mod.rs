//! Services that behave badly, as the user of a run meets it: what it says, what it counts, and that the next run has everything there.
//!
//! The table of all faults with their tests is `tests/README.md`. Here stand those of `reliability.md` §2.4 that take a whole run. Each
//! ends as `whole` says: nothing lost, nothing twice, and nothing left to do.

mod data;
mod dynamics;
mod entra;
mod gainsight;

use std::sync::{Arc, Mutex};

use ferry::app::error::Error;
use ferry::app::workspace::Workspace;
use ferry::app::{resuming, runs};
use ferry::run::progress::{Event, Progress};
use ferry::run::report::Report;
use serde_json::{Map, Value};

use crate::stage::{COMPANIES, Stage};

/// The accounts of `plain_stage` come in three pages.
const PAGE_SIZE: u32 = 20;
const ACCOUNTS: u64 = 60;

/// What came of one `ferry run`.
struct Attempt {
    reports: Vec<Report>,
    ended: Result<(), Error>,
    notices: Vec<String>,
}

impl Attempt {
    /// The report of a run that ended well.
    fn done(mut self) -> Report {
        self.ended.expect("the run ends");
        self.reports.pop().expect("a report")
    }

    /// The report of a run that a service stopped, which said all of these words.
    fn stopped(self, words: &[&str]) -> Report {
        self.stopped_as("failed", words)
    }

    fn stopped_as(mut self, status: &str, words: &[&str]) -> Report {
        let error = self.ended.expect_err("the run is stopped");
        let text = error.to_string();
        assert_eq!(error.exit_code(), 3, "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{words:?}: {text}");
        let report = self.reports.pop().expect("a report of it too");
        assert_eq!((report.status.word(), report.message.as_deref()), (status, Some(text.as_str())));
        report
    }
}

/// Runs a job with pages of 20 rows, one after the other.
async fn attempt(stage: &Stage, job: &str) -> Attempt {
    attempt_hearing(stage, job, |_| ()).await
}

/// The same, and something hears what happens meanwhile.
async fn attempt_hearing(stage: &Stage, job: &str, hear: impl Fn(&Event) + Send + Sync + 'static) -> Attempt {
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    attempt_in(stage, workspace, job, hear).await
}

async fn attempt_in(
    stage: &Stage,
    mut workspace: Workspace,
    job: &str,
    hear: impl Fn(&Event) + Send + Sync + 'static,
) -> Attempt {
    for dynamics in workspace.services.dynamics.values_mut() {
        (dynamics.page_size, dynamics.most_at_once) = (PAGE_SIZE, 1);
    }
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let into = Arc::clone(&heard);
    let progress: Progress = Arc::new(move |event| {
        hear(&event);
        if let Event::Notice(text) = event {
            into.lock().expect("nobody panicked").push(text);
        }
    });
    let mut reports = Vec::new();
    let ended = runs::run(&workspace, &stage.setting, job, &progress, |report| reports.push(report.clone())).await;
    let notices = heard.lock().expect("nobody panicked").clone();
    Attempt { reports, ended, notices }
}

/// Each account is one company with the account's values, there is no other, and a further run has nothing to do.
async fn whole(stage: &Stage) {
    assert_eq!(held(stage), wanted(stage));
    let idle = attempt(stage, COMPANIES).await.done();
    let counts = idle.counts;
    assert_eq!((idle.calls.gainsight_writes, counts.unchanged + counts.superseded), (0, counts.read));
}

fn wanted(stage: &Stage) -> Vec<(String, String, Option<i64>)> {
    of(stage.sandbox.table("account"), "accountid", "name", "numberofemployees")
}

fn held(stage: &Stage) -> Vec<(String, String, Option<i64>)> {
    of(stage.sandbox.records("company"), "External_Account_ID_gainsight123__gc", "Name", "Employees")
}

#[allow(clippy::cast_possible_truncation)] // Whole numbers of people.
fn of(rows: Vec<Map<String, Value>>, key: &str, name: &str, number: &str) -> Vec<(String, String, Option<i64>)> {
    let text = |row: &Map<String, Value>, column: &str| row[column].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> = rows
        .iter()
        .map(|row| (text(row, key), text(row, name), row[number].as_f64().map(|number| number as i64)))
        .collect();
    all.sort();
    all
}

/// The codes of the rows that are still to succeed.
fn due(stage: &Stage, job: &str) -> Vec<String> {
    let due = resuming::due(&stage.setting, Some(job)).expect("the state can be read");
    due.into_iter().map(|one| one.code).collect()
}

fn account_id(number: usize) -> String {
    format!("00000000-0000-0000-0000-{number:012}")
}

/// Changes columns of a row of the source.
fn change(stage: &Stage, table: &str, row: Value) {
    let Value::Object(row) = row else { panic!("a row is an object") };
    assert!(stage.sandbox.put_row(table, row));
}

/// Requests so far below a path.
fn asked(stage: &Stage, method: &str, path: &str) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.method == method && call.path.starts_with(path)).count()
}
