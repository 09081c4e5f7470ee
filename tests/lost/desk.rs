//! A desk for these tests: a small world, jobs with the clauses, and what is held by Gainsight and the state.

use std::collections::BTreeMap;

use ferry::app::error::Error;
use ferry::app::runs;
use ferry::model::outcome::Counts;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::run::undertaking::How;
use serde_json::{Map, Value, json};

use crate::stage::Stage;

pub const JOB: &str = "J";

/// An account's id.
pub fn id(number: usize) -> String {
    format!("00000000-0000-0000-0000-{number:012}")
}

pub fn account(number: usize) -> Map<String, Value> {
    object(
        json!({ "accountid": id(number), "name": format!("A{number}"), "statecode": 0, "modifiedon": "2024-01-01T00:00:00Z" }),
    )
}

pub fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

/// Companies from accounts that are active, with these clauses.
pub fn companies(clauses: &str) -> String {
    format!(
        "CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") SELECT a.accountid AS \
         \"Dynamics Account ID\", a.name AS \"Name\" FROM dynamics.account AS a WHERE a.statecode = 'Active' {clauses};"
    )
}

/// A world of that many accounts, and nothing else.
pub async fn accounts(most: usize) -> Stage {
    let lines = (1..=most).map(|number| format!("{}\n", Value::Object(account(number))));
    Stage::world("", &lines.collect::<String>(), "").await
}

/// Runs the job of this text.
pub async fn try_run(stage: &Stage, job: &str) -> (Report, Option<Error>) {
    let (mut reports, result) = stage.try_run_with(JOB, &[("j.ferry", job)]).await;
    (reports.pop().expect("a report"), result.err())
}

/// Runs the job of this text, which must not fail.
pub async fn run(stage: &Stage, job: &str) -> Report {
    let (report, failed) = try_run(stage, job).await;
    assert!(failed.is_none(), "{failed:?} {report:?}");
    assert!(report.counts.balance(), "{report:?}");
    report
}

/// The same as whoever asks for it.
pub async fn run_so(stage: &Stage, job: &str, how: &How) -> Report {
    let workspace = stage.workspace(&[("j.ferry", job)]).await.or_mistakes().expect("the project is right");
    let mut reports = Vec::new();
    let result = runs::run_so(&workspace, &stage.setting, JOB, how, &silent(), |r| reports.push(r.clone())).await;
    result.expect("the run ends");
    reports.pop().expect("a report")
}

/// What is not zero of a report's counts, in a fixed order.
pub fn counted(counts: &Counts) -> String {
    let all = [
        ("read", counts.read),
        ("filtered", counts.filtered),
        ("rejected", counts.rejected),
        ("error", counts.error),
        ("inserted", counts.inserted),
        ("updated", counts.updated),
        ("unchanged", counts.unchanged),
        ("deleted", counts.deleted),
        ("superseded", counts.superseded),
    ];
    let some = all.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}"));
    some.collect::<Vec<_>>().join(", ")
}

/// One field of all records of an object, by another.
pub fn held(stage: &Stage, object: &str, by: &str, field: &str) -> BTreeMap<String, Value> {
    let records = stage.sandbox.records(object);
    let pairs = records.iter().filter_map(|r| {
        let key = r.get(by)?.as_str()?.to_owned();
        Some((key, r.get(field).cloned().unwrap_or(Value::Null)))
    });
    pairs.collect()
}

/// The names of all companies.
pub fn names(stage: &Stage) -> Vec<String> {
    held(stage, "company", "Name", "Name").into_keys().collect()
}

/// The GSID of the company of a name.
pub fn gsid(stage: &Stage, name: &str) -> String {
    let of = held(stage, "company", "Name", "Gsid");
    of[name].as_str().expect("a GSID").to_owned()
}

/// Changes a row.
pub fn change(stage: &Stage, table: &str, key: &str, row: &str, fields: Value) {
    let found = stage.sandbox.table(table).into_iter().find(|r| r[key] == row);
    let mut changed = found.expect("the row is there");
    changed.extend(object(fields));
    assert!(stage.sandbox.put_row(table, changed));
}

/// Write calls so far, as method and path.
pub fn writes(stage: &Stage) -> Vec<String> {
    let calls = stage.sandbox.calls();
    let writes = calls.iter().filter(|call| call.write);
    writes.map(|call| format!("{} {}", call.method, call.path)).collect()
}
