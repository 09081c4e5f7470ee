//! A run that would change a large part of the target asks first.

use std::collections::BTreeMap;

use ferry::app::projects::{OUT_OF_THE_BOX, Text};
use ferry::app::runs;
use ferry::app::workspace::Workspace;
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::model::connection::Limits;
use ferry::model::outcome::Records;
use ferry::run::guard;
use ferry::run::plan::Plan;
use ferry::run::progress::silent;
use serde_json::json;

use crate::stage::{COMPANIES, Stage};

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

async fn loaded(accounts: usize) -> Stage {
    let rows: Vec<String> =
        (0..accounts).map(|n| json!({"accountid": id(n), "name": format!("Account {n}")}).to_string()).collect();
    let stage = Stage::world("", &rows.join("\n"), "").await;
    let reports = stage.run(COMPANIES).await;
    assert_eq!(reports[0].counts.inserted, accounts as u64, "a first load is no change");
    stage
}

fn rename(stage: &Stage, accounts: usize) {
    for number in 0..accounts {
        let row = json!({"accountid": id(number), "name": format!("Another name {number}")});
        assert!(stage.sandbox.put_row("account", row.as_object().expect("an object").clone()));
    }
}

fn rename_back(stage: &Stage, accounts: usize) {
    for number in 0..accounts {
        let row = json!({"accountid": id(number), "name": format!("Account {number}")});
        assert!(stage.sandbox.put_row("account", row.as_object().expect("an object").clone()));
    }
}

fn writes(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.write).count()
}

/// Runs the companies with more limits in the script of the connection.
async fn run_within(stage: &Stage, limits: &str) -> Result<u64, String> {
    let mut sources = Sources::default();
    for (name, text) in OUT_OF_THE_BOX {
        let text = text
            .replace("https://gainsight123.crm.dynamics.com", stage.sandbox.dynamics_url())
            .replace("https://acme.gainsightcloud.com", stage.sandbox.gainsight_url())
            .replace("calls_per_day = 50000", &format!("calls_per_day = 50000, {limits}"));
        sources.add(name.to_owned(), text);
    }
    let text = Text { parsed: read(&sources), sources };
    let workspace = Workspace::of(text, &stage.setting).await.expect("it opens").or_mistakes().expect("it is right");
    let mut updated = 0;
    let ended = runs::run(&workspace, &stage.setting, COMPANIES, &silent(), |r| updated = r.counts.updated).await;
    ended.map(|()| updated).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_changes_sixty_per_cent_stops_before_the_first_call() {
    let mut stage = loaded(150).await;
    rename(&stage, 90);
    let before = writes(&stage);
    let (reports, result) = stage.try_run(COMPANIES).await;
    let error = result.expect_err("it asks");
    let said = error.to_string();
    assert_eq!(error.exit_code(), 3, "{said}");
    let share =
        "would change 90 of 150 records of Company (60 %), and more than 30 % has to be allowed; nothing was written";
    assert!(said.contains(share), "{said}");
    assert!(said.contains("`ferry run --yes`, or set `updates_percent` in the LIMITS"), "{said}");
    assert_eq!(writes(&stage), before, "nothing was written");
    assert_eq!(reports[0].status.word(), "failed");
    let (_, plan) = stage.plan(COMPANIES, 0).await;
    assert_eq!(plan.counts.updated, 90, "the plan shows it");
    stage.setting.consented = true;
    assert_eq!(stage.run(COMPANIES).await[0].counts.updated, 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_share_itself_passes_and_a_record_more_stops() {
    let stage = loaded(200).await;
    rename(&stage, 61);
    let error = stage.try_run(COMPANIES).await.1.expect_err("it asks").to_string();
    assert!(error.contains("61 of 200 records of Company (30.5 %)"), "{error}");
    rename_back(&stage, 1);
    assert_eq!(stage.run(COMPANIES).await[0].counts.updated, 60, "30 % is not more than 30 %");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_small_or_empty_asks_nothing() {
    let small = loaded(99).await;
    rename(&small, 99);
    assert_eq!(small.run(COMPANIES).await[0].counts.updated, 99);
    // Insertions are no change, however many they are: `loaded` begins with an empty object, and this one trebles it.
    let grows = loaded(100).await;
    for number in 100..300 {
        let row = json!({"accountid": id(number), "name": format!("Account {number}")});
        assert!(grows.sandbox.put_row("account", row.as_object().expect("an object").clone()));
    }
    rename(&grows, 30);
    let counts = grows.run(COMPANIES).await[0].counts;
    assert_eq!((counts.inserted, counts.updated), (200, 30), "the share is of what was there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_says_how_much_is_much() {
    let stage = loaded(100).await;
    rename(&stage, 11);
    let error = run_within(&stage, "updates_percent = 10").await.expect_err("it asks");
    assert!(error.contains("(11 %), and more than 10 % has to be allowed"), "{error}");
    assert_eq!(run_within(&stage, "updates_percent = 11").await, Ok(11));
    rename(&stage, 100);
    assert_eq!(run_within(&stage, "updates_percent = 100").await, Ok(89), "whatever it is, it is no more than all");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_are_judged_by_a_share_of_their_own() {
    let stage = loaded(1).await;
    let workspace = stage.workspace(&[]).await;
    let job = &workspace.project.jobs[COMPANIES];
    let object = job.main_target().object.name.clone();
    let judged = |deleted: u64, updated: u64, there: u64, limits: &Limits| {
        let records = Records { deleted, updated, ..Records::default() };
        let plan = Plan { records: BTreeMap::from([("Company".to_owned(), records)]), ..Plan::default() };
        let there = BTreeMap::from([(object.clone(), there)]);
        guard::admit(job, &plan, &there, limits).map_err(|error| error.to_string())
    };
    let limits = Limits::DEFAULT;
    assert_eq!(judged(50, 300, 1_000, &limits), Ok(()), "neither is above its share");
    assert_eq!(judged(99, 0, 99, &limits), Ok(()), "a small object");
    assert_eq!(judged(0, 0, 0, &limits), Ok(()));
    let error = judged(51, 300, 1_000, &limits).expect_err("it asks");
    assert!(error.contains("would delete 51 of 1000 records of Company (5.1 %), and more than 5 %"), "{error}");
    assert!(error.contains("set `deletes_percent`"), "{error}");
    let strict = Limits { deletes_percent: 1, ..limits };
    assert!(judged(11, 0, 1_000, &strict).is_err() && judged(10, 0, 1_000, &strict).is_ok());
    // Just above the share is never shown as the share itself.
    let error = judged(0, 3_001, 10_000, &limits).expect_err("it asks");
    assert!(error.contains("(30.1 %)"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_a_run_would_ask() {
    let stage = loaded(120).await;
    rename(&stage, 120);
    let (_, plan) = stage.plan(COMPANIES, 0).await;
    let asks = plan.asks.expect("it would ask");
    assert!(asks.contains("120 of 120 records of Company (100 %)"), "{asks}");
    rename_back(&stage, 120);
    assert_eq!(stage.plan(COMPANIES, 0).await.1.asks, None);
}
