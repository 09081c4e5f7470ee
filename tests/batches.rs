//! Batches that follow each other: the next one is sent when it is written down what came of the one before, or not at all.

use ferry::app::error::Error;
use ferry::run::report::Report;
use rusqlite::Connection;

use crate::lost::desk::{try_run, writes};
use crate::plans::{account, id};
use crate::stage::{Stage, errors};

const INSERTS: &str = "POST /v1/data/objects/company";

/// A sandbox with 120 accounts, which are three calls; the one of this number has fewer employees than the tenant takes.
async fn desk(refused: Option<usize>) -> Stage {
    let employees = |number| if Some(number) == refused { -1 } else { 10 };
    let rows = (1..=120).map(|n| account(n, &format!("A{n}"), employees(n)).to_string());
    Stage::world("", &rows.collect::<Vec<_>>().join("\n"), "").await
}

fn job(clause: &str) -> String {
    format!(
        "CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") SELECT a.accountid AS \"Dynamics Account ID\", \
         a.name AS \"Name\", a.numberofemployees AS \"Employees\" FROM dynamics.account AS a {clause};"
    )
}

async fn run(stage: &Stage, clause: &str) -> (Report, Option<Error>) {
    try_run(stage, &job(clause)).await
}

/// Strikes one call with new companies, by its number.
fn strike(stage: &Stage, nth: usize, effect: &str) {
    let rule = format!(
        r#"{{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [{nth}], {effect}}}"#
    );
    stage.sandbox.strike_by(&rule).expect("a rule");
}

/// What the ledger says of each call, in the order in which they were made.
fn calls(stage: &Stage) -> Vec<String> {
    let state = Connection::open(stage.setting.home.join("state.db")).expect("a state");
    let mut query = state.prepare("SELECT state || ' ' || rows FROM batch ORDER BY id").expect("a query");
    let found = query.query_map([], |row| row.get::<_, String>(0)).expect("calls");
    found.map(|one| one.expect("a call")).collect()
}

fn inserts(stage: &Stage) -> usize {
    writes(stage).iter().filter(|call| *call == INSERTS).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_is_sent_once() {
    let stage = desk(None).await;
    let (report, failed) = run(&stage, "").await;
    assert!(failed.is_none() && report.counts.balance(), "{report:?}");
    assert_eq!((report.counts.inserted, report.calls.gainsight_writes), (120, 3));
    assert_eq!(calls(&stage), ["acknowledged 50", "acknowledged 50", "acknowledged 20"]);
    assert_eq!(stage.sandbox.records("company").len(), 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_call_that_failed_is_sent_by_the_next_run() {
    let stage = desk(None).await;
    strike(&stage, 2, r#""status": 403"#);
    let (report, failed) = run(&stage, "").await;
    assert!(failed.is_some() && report.counts.inserted == 50, "{report:?}");
    assert_eq!(calls(&stage), ["acknowledged 50", "withdrawn 50"]);
    assert_eq!((inserts(&stage), stage.sandbox.records("company").len()), (2, 50));
    stage.sandbox.strike_by("").expect("no rule");
    let (report, failed) = run(&stage, "").await;
    assert!(failed.is_none() && report.counts.balance(), "{report:?}");
    assert_eq!((report.counts.inserted, report.resumed, inserts(&stage)), (120, 1, 4));
    assert_eq!(stage.sandbox.records("company").len(), 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_lost_answer_waits_until_that_is_settled() {
    let stage = desk(None).await;
    // It is carried out, and nobody hears of it.
    strike(&stage, 2, r#""close": "after""#);
    let (report, failed) = run(&stage, "").await;
    assert!(failed.is_none() && report.counts.balance(), "{failed:?} {report:?}");
    assert_eq!((report.counts.inserted, inserts(&stage)), (120, 3));
    assert_eq!(stage.sandbox.records("company").len(), 120, "none twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_stops_the_run_stops_what_follows() {
    let stage = desk(Some(60)).await;
    let (report, failed) = run(&stage, "ON ERROR STOP").await;
    assert!(failed.expect("it stops").to_string().contains("ON ERROR STOP"));
    assert_eq!(errors(&report).iter().map(|line| line["source_key"].clone()).collect::<Vec<_>>(), [id(60)]);
    // What is left of the refused batch goes first, and then nothing does.
    assert_eq!(calls(&stage), ["acknowledged 50", "refused 50", "acknowledged 49"]);
    assert_eq!((report.counts.inserted, stage.sandbox.records("company").len()), (99, 99));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_is_borne_holds_nothing_up() {
    let stage = desk(Some(60)).await;
    let (report, failed) = run(&stage, "").await;
    assert!(failed.is_none() && report.counts.balance(), "{report:?}");
    assert_eq!(calls(&stage), ["acknowledged 50", "refused 50", "acknowledged 49", "acknowledged 20"]);
    assert_eq!((report.counts.inserted, report.counts.error, stage.sandbox.records("company").len()), (119, 1, 119));
}
