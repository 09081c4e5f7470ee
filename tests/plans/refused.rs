//! When a plan is not applied: nothing is written, and why is said.

use std::sync::atomic::{AtomicI64, Ordering};

use ferry::model::clock::Clock;
use serde_json::json;

use super::{accounts, apply, apply_with, put_accounts, row, writes};
use crate::stage::{COMPANIES, SCALE, Stage, USERS};

/// A sandbox of which 120 companies are loaded, and the plan of a day on which ten accounts change.
async fn planned() -> (Stage, String) {
    let stage = accounts(120).await;
    stage.run(COMPANIES).await;
    put_accounts(&stage, 0..10, "Changed", 20);
    let (report, plan) = stage.plan(COMPANIES, 0).await;
    assert_eq!(plan.counts.updated, 10);
    (stage, report.run)
}

/// What applying says when it does nothing.
async fn said(stage: &Stage, run: &str) -> String {
    said_with(stage, run, &[]).await
}

async fn said_with(stage: &Stage, run: &str, replaced: &[(&str, &str)]) -> String {
    let before = writes(stage);
    let error = apply_with(stage, run, replaced).await.expect_err("it is refused");
    assert_eq!(error.exit_code(), 3, "{error}");
    assert_eq!(writes(stage), before, "nothing is written");
    error.to_string()
}

fn edit(stage: &Stage, name: &str, field: &str, value: serde_json::Value) {
    let mut record = stage.sandbox.records("company").into_iter().find(|c| c["Name"] == name).expect("a company");
    record.insert(field.to_owned(), value);
    stage.sandbox.put_record("company", record);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_moved_is_shown_and_left_alone() {
    let (stage, run) = planned().await;
    edit(&stage, "Account 3", "Employees", json!(77));
    // Of this one nothing was planned.
    edit(&stage, "Account 50", "Name", json!("Edited by hand"));
    let said = said(&stage, &run).await;
    assert!(said.contains("nothing was written; 2 rows are not as planned"), "{said}");
    assert!(said.contains("Company.\"Employees\": 10 when it was planned, 77 now"), "{said}");
    assert!(said.contains("Company.\"Name\": \"Account 50\" when it was planned, \"Edited by hand\" now"), "{said}");
    assert!(said.contains("the outcome: \"unchanged\" when it was planned, \"updated\" now"), "{said}");
    assert!(said.contains(&format!("look at it again with `ferry plan \"{COMPANIES}\"`, and apply that")), "{said}");
    // What was shown is kept, so when everything is as it was, it is applied.
    edit(&stage, "Account 3", "Employees", json!(10));
    edit(&stage, "Edited by hand", "Name", json!("Account 50"));
    assert_eq!(apply(&stage, &run).await.expect("it is as it was").counts.updated, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_differences_are_shown_and_all_are_counted() {
    let (stage, run) = planned().await;
    for number in 20..60 {
        edit(&stage, &format!("Account {number}"), "Employees", json!(1));
    }
    let said = said(&stage, &run).await;
    assert!(said.contains("40 rows are not as planned"), "{said}");
    assert_eq!(said.matches("when it was planned").count(), 10, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_came_is_not_inserted_again() {
    let stage = accounts(5).await;
    let (report, plan) = stage.plan(COMPANIES, 0).await;
    assert_eq!(plan.counts.inserted, 5);
    let there = json!({ "Name": "By hand", "External_Account_ID_gainsight123__gc": super::id(2) });
    stage.sandbox.put_record("company", row(&there));
    let said = said(&stage, &report.run).await;
    assert!(said.contains("1 row is not as planned"), "{said}");
    assert!(said.contains("the record of Company: nothing when it was planned"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_no_mapping_names_may_change() {
    let (stage, run) = planned().await;
    edit(&stage, "Account 3", "Summary", json!("nobody's business"));
    assert_eq!(apply(&stage, &run).await.expect("it holds").counts.updated, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_changed_is_planned_anew() {
    let (stage, run) = planned().await;
    let said = said_with(&stage, &run, &[("a.name  ", "UPPER(a.name)  ")]).await;
    assert!(said.contains("is not what it was when it was planned"), "{said}");
    assert!(said.contains(&format!("`ferry plan \"{COMPANIES}\"` makes a new one")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_changed_is_named() {
    let (stage, run) = planned().await;
    assert!(stage.sandbox.drift(ferry::sandbox::Service::Gainsight, "company.Name", ferry::sandbox::Drift::Length(60)));
    let said = said(&stage, &run).await;
    assert!(said.contains("what the job relies on has changed") && said.contains("its length went from"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_run_that_wrote_stands_in_its_way() {
    let (stage, run) = planned().await;
    put_accounts(&stage, [30], "Changed later", 1);
    let later = stage.run(COMPANIES).await.remove(0);
    let said = said(&stage, &run).await;
    assert!(said.contains(&format!("run {} of this job has written since", later.run)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_plan_is_applied_once() {
    let (stage, run) = planned().await;
    apply(&stage, &run).await.expect("it is applied");
    let said = said(&stage, &run).await;
    assert!(said.contains("it has run already"), "{said}");
    let users = stage.run(USERS).await.remove(0);
    let said = said_with(&stage, &users.run, &[]).await;
    assert!(said.contains("it is no plan that waits"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_plans_one_is_applied() {
    let (stage, run) = planned().await;
    let (second, _) = stage.plan(COMPANIES, 0).await;
    apply(&stage, &second.run).await.expect("the later one is applied");
    let said = said(&stage, &run).await;
    assert!(said.contains(&format!("run {} of this job has written since", second.run)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_comes_first() {
    let (stage, run) = planned().await;
    let rule =
        r#"{"service": "gainsight", "method": "PUT", "path": "/v1/data/objects/company", "nth": [1], "status": 403}"#;
    stage.sandbox.strike_by(rule).expect("a rule");
    let (reports, ended) = stage.try_run(COMPANIES).await;
    assert!(ended.is_err());
    let said = said(&stage, &run).await;
    assert!(said.contains(&format!("`ferry resume {}` first", reports[0].run)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_plan_is_made_anew() {
    let (mut stage, run) = planned().await;
    let by: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
    stage.setting.clock = Clock::system(SCALE).set_by(by);
    by.store(24 * 3_600_000 + 1_000, Ordering::SeqCst);
    let said = said(&stage, &run).await;
    assert!(said.contains("it was made 24 hours ago"), "{said}");
    by.store(23 * 3_600_000, Ordering::SeqCst);
    assert_eq!(apply(&stage, &run).await.expect("it is a day's plan").counts.updated, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cleaned_away_cannot_be_applied() {
    let (stage, run) = planned().await;
    std::fs::remove_dir_all(stage.setting.home.join("runs").join(&run)).expect("a folder");
    let told = said(&stage, &run).await;
    assert!(told.contains("are not kept any more"), "{told}");
    let (stage, run) = planned().await;
    let source = stage.setting.home.join("runs").join(&run).join("source/part-000000.arrow");
    std::fs::write(source, "torn").expect("a file");
    let told = said(&stage, &run).await;
    assert!(told.contains("missing or damaged on disk"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_changes_much_has_to_be_allowed() {
    let mut stage = accounts(150).await;
    stage.run(COMPANIES).await;
    put_accounts(&stage, 0..100, "Changed", 20);
    let (report, plan) = stage.plan(COMPANIES, 0).await;
    assert!(plan.asks.is_some());
    let said = said(&stage, &report.run).await;
    assert!(said.contains("100 of 150 records of Company"), "{said}");
    stage.setting.consented = true;
    assert_eq!(apply(&stage, &report.run).await.expect("it is allowed").counts.updated, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_nobody_knows_is_a_slip() {
    let stage = accounts(1).await;
    stage.run(COMPANIES).await;
    let error = apply(&stage, "20200101-0001").await.expect_err("it is not there");
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("there is no run"), "{error}");
}
