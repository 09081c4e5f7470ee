//! Runs that read only what changed: what they ask for, that they end as a run that reads everything would, and when one does.
//!
//! Sixty days of random change stand in `tests/days`; here each way of reading and each reason to read everything has a case.

mod explained;
mod full;
mod quiet;
mod tables;
mod target;

use std::sync::{Arc, Mutex};

use ferry::app::error::Error;
use ferry::app::runs;
use ferry::run::progress::{Event, Progress};
use ferry::run::report::Report;
use ferry::run::undertaking::How;
use ferry::sandbox::Call;
use serde_json::{Map, Value, json};

use crate::stage::Stage;

/// Rows of a page, so that a table of some sixty rows has several.
const PAGE_SIZE: u32 = 20;

/// A job of accounts with what a test puts behind its table, before `;`.
fn job(from: &str, tail: &str) -> String {
    format!(
        "CREATE JOB \"Accounts\" AS UPSERT INTO gainsight.Company KEY (\"External Account ID_gainsight123\") \
         SELECT a.accountid AS \"External Account ID_gainsight123\", a.name AS \"Name\", \
         a.numberofemployees AS \"Employees\" FROM {from} {tail};"
    )
}

/// What came of a run: its report, what it said, what it asked for.
struct Ran {
    report: Report,
    notices: Vec<String>,
    calls: Vec<Call>,
}

impl Ran {
    /// Requests for rows of a table, by what follows its name.
    fn asked(&self, set: &str) -> Vec<String> {
        let begin = format!("/api/data/v9.2/{set}?");
        let rows = self.calls.iter().filter(|call| call.method == "GET" && call.path.starts_with(&begin));
        rows.map(|call| call.path[begin.len()..].to_owned()).collect()
    }

    /// Reads of a Gainsight object.
    fn read(&self, object: &str) -> usize {
        self.calls.iter().filter(|call| call.path == format!("/v1/data/objects/query/{object}")).count()
    }

    /// Whether everything was read, and why.
    fn full(&self) -> Option<&str> {
        self.report.read.as_ref().and_then(|read| read.full.as_deref())
    }

    fn changed_and_gone(&self) -> (u64, u64) {
        self.report.read.as_ref().map_or((0, 0), |read| (read.changed, read.gone))
    }
}

async fn ran(stage: &Stage, script: &str, how: &How) -> Ran {
    let (ran, ended) = try_run(stage, script, how).await;
    ended.expect("the run ends");
    ran.expect("there is a report")
}

async fn try_run(stage: &Stage, script: &str, how: &How) -> (Option<Ran>, Result<(), Error>) {
    let mut workspace = stage.workspace(&[("accounts.ferry", script)]).await;
    for dynamics in workspace.services.dynamics.values_mut() {
        (dynamics.page_size, dynamics.most_at_once) = (PAGE_SIZE, 1);
    }
    workspace.services.consented = true;
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let into = Arc::clone(&heard);
    let progress: Progress = Arc::new(move |event| {
        if let Event::Notice(text) = event {
            into.lock().expect("nobody panicked").push(text);
        }
    });
    let before = stage.sandbox.calls().len();
    let mut reports = Vec::new();
    let listen = |report: &Report| reports.push(report.clone());
    let ended = runs::run_so(&workspace, &stage.setting, "Accounts", how, &progress, listen).await;
    let calls = stage.sandbox.calls().split_off(before);
    let notices = heard.lock().expect("nobody panicked").clone();
    (reports.pop().map(|report| Ran { report, notices, calls }), ended)
}

async fn ran_plainly(stage: &Stage, script: &str) -> Ran {
    ran(stage, script, &How::default()).await
}

fn id(number: usize) -> String {
    format!("10000000-0000-0000-0000-{number:012}")
}

/// A world of this many accounts and nothing else.
async fn stage(accounts: usize) -> Stage {
    let line = |n| json!({ "accountid": id(n), "name": format!("Account {n:03}"), "numberofemployees": n });
    let accounts: Vec<String> = (1..=accounts).map(|n| line(n).to_string()).collect();
    Stage::world("", &accounts.join("\n"), "").await
}

fn employees(stage: &Stage, number: usize, employees: usize) {
    let mut row: Map<String, Value> = Map::new();
    row.insert("accountid".to_owned(), json!(id(number)));
    row.insert("name".to_owned(), json!(format!("Account {number:03}")));
    row.insert("numberofemployees".to_owned(), json!(employees));
    assert!(stage.sandbox.put_row("account", row));
}

/// What Gainsight holds of accounts: name and employees, by key.
fn held(stage: &Stage) -> Vec<(String, Value, Value)> {
    of(stage.sandbox.records("company"), "External_Account_ID_gainsight123__gc", "Name", "Employees")
}

/// What Dynamics holds.
fn wanted(stage: &Stage) -> Vec<(String, Value, Value)> {
    of(stage.sandbox.table("account"), "accountid", "name", "numberofemployees")
}

fn of(rows: Vec<Map<String, Value>>, key: &str, name: &str, employees: &str) -> Vec<(String, Value, Value)> {
    let line = |row: Map<String, Value>| {
        Some((
            row.get(key)?.as_str()?.to_owned(),
            row.get(name)?.clone(),
            row.get(employees).cloned().unwrap_or_default(),
        ))
    };
    let mut lines: Vec<_> = rows.into_iter().filter_map(line).collect();
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines
}
