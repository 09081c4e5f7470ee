//! A run that would change a large part of the target asks first.

use ferry::app::runs;
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

fn writes(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.write).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_changes_sixty_per_cent_stops_before_the_first_call() {
    let mut stage = loaded(150).await;
    rename(&stage, 90);
    let before = writes(&stage);
    let (reports, result) = stage.try_run(COMPANIES).await;
    let error = result.expect_err("it asks").to_string();
    assert!(error.contains("would change 90 of 150 records of Company (60 %)"), "{error}");
    assert!(error.contains("ferry run --yes"), "{error}");
    assert_eq!(writes(&stage), before, "nothing was written");
    assert_eq!(reports[0].status.word(), "failed");
    let (_, plan) = stage.plan(COMPANIES, 0).await;
    assert_eq!(plan.counts.updated, 90, "the plan shows it");
    stage.setting.consented = true;
    assert_eq!(stage.run(COMPANIES).await[0].counts.updated, 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_changes_less_or_a_small_target_asks_nothing() {
    let stage = loaded(150).await;
    rename(&stage, 75);
    assert_eq!(stage.run(COMPANIES).await[0].counts.updated, 75, "half is not more than half");
    let small = loaded(99).await;
    rename(&small, 99);
    assert_eq!(small.run(COMPANIES).await[0].counts.updated, 99);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_a_run_would_ask() {
    let stage = loaded(120).await;
    rename(&stage, 120);
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    let said: std::sync::Arc<std::sync::Mutex<Vec<String>>> = std::sync::Arc::default();
    let heard = std::sync::Arc::clone(&said);
    let listener: ferry::run::progress::Progress = std::sync::Arc::new(move |event| {
        if let ferry::run::progress::Event::Notice(text) = event {
            heard.lock().expect("nobody panicked").push(text);
        }
    });
    runs::plan(&workspace, &stage.setting, COMPANIES, 0, &listener).await.expect("it plans");
    let said = said.lock().expect("nobody panicked").join("\n");
    assert!(said.contains("120 of 120 records of Company (100 %)"), "{said}");
}
