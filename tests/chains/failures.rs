//! A job that does not come to its end, at each place of a chain: what is skipped, what ends, and where the next run goes on.

use ferry::app::resuming::resume;
use ferry::model::outcome::Status;
use ferry::run::progress::silent;
use ferry::sandbox::Service::Gainsight;
use ferry::store::home::state_path;
use ferry::store::state::State;

use super::{COMPANY, CONTACTS, DEAL, Ran, USERS, asked, chain, contact, meanwhile, places, run, was_asked, world};
use crate::stage::Stage;

/// A write of Gainsight that is forbidden once.
fn forbidden(path: &str) -> String {
    format!(r#"{{"service": "gainsight", "method": "POST", "path": "{path}", "nth": [1], "status": 403}}"#)
}

const STEPS: &str = "THEN RUN \"Companies\" THEN RUN \"Deals\"";

fn stopping() -> String {
    chain(&format!("AS RUN \"{USERS}\" {STEPS}"))
}

fn going_on() -> String {
    chain(&format!("ON FAILURE CONTINUE AS RUN \"{USERS}\" {STEPS}"))
}

/// What the activity has, the oldest first.
fn activity(stage: &Stage) -> Vec<(String, String)> {
    let state = State::look(&state_path(&stage.setting.home)).unwrap().unwrap();
    state.runs(u32::MAX).unwrap().into_iter().rev().map(|run| (run.job, run.status)).collect()
}

fn words(ran: &Ran) -> Vec<&'static str> {
    ["User", "Companies", "Deals"]
        .map(|job| ran.reports.iter().find(|report| report.job.starts_with(job)).expect("it is told of").status.word())
        .to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_behind_a_failure_is_skipped() {
    for (path, wanted) in [
        ("/v1/users/services", ["failed", "skipped", "skipped"]),
        (COMPANY, ["success", "failed", "skipped"]),
        (DEAL, ["success", "success", "failed"]),
    ] {
        let stage = world().await;
        stage.sandbox.strike_by(&forbidden(path)).unwrap();
        let ran = run(&stage, "C", &stopping()).await;
        assert_eq!(words(&ran), wanted, "{path}");
        let error = ran.ended.as_ref().expect_err("it failed");
        assert_eq!(error.exit_code(), 3, "the failure is what is told: {error}");
        assert!(!error.to_string().contains("before it in the chain"), "{error}");
        let failed = ran.reports.iter().find(|report| report.status == Status::Failed).unwrap();
        for skipped in ran.reports.iter().filter(|report| report.status == Status::Skipped) {
            let message = skipped.message.as_deref().unwrap();
            assert!(
                message.contains(&format!("\"{}\" before it in the chain ended as Failed", failed.job)),
                "{message}"
            );
            assert_eq!(skipped.calls.gainsight, 0);
        }
        let kept: Vec<String> = activity(&stage).into_iter().map(|(_, status)| status).collect();
        assert_eq!(kept, wanted, "{path}: each has a run of its own");
        if path != DEAL {
            assert!(!was_asked(&stage.sandbox, &["query/Opportunity__gc"]), "{path}: nothing of it was looked at");
            assert!(stage.sandbox.records("Opportunity__gc").is_empty());
        }
        // The next run of the chain goes on with what failed and begins the rest anew.
        let again = run(&stage, "C", &stopping()).await.good();
        assert_eq!(words(&again), ["success"; 3], "{path}");
        assert_eq!(again.reports.iter().find(|r| r.job == failed.job).unwrap().run, failed.run, "{path}");
        assert_eq!(again.report("Deals").counts.planned(), 3, "{path}");
        assert_eq!(stage.sandbox.records("Opportunity__gc").len(), 3, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_continues_skips_nothing() {
    for (path, wanted) in [
        ("/v1/users/services", ["failed", "success", "success"]),
        (COMPANY, ["success", "failed", "partial"]),
        (DEAL, ["success", "success", "failed"]),
    ] {
        let stage = world().await;
        stage.sandbox.strike_by(&forbidden(path)).unwrap();
        let ran = run(&stage, "C", &going_on()).await;
        assert_eq!(words(&ran), wanted, "{path}");
        assert!(ran.ended.is_err(), "{path}");
        assert_eq!(words(&run(&stage, "C", &going_on()).await.good()), ["success"; 3], "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_in_an_error_file_stop_nothing() {
    let stage = world().await;
    let stray = contact(7, 700);
    assert!(stage.sandbox.put_row("contact", stray.as_object().unwrap().clone()));
    let text = chain(&format!("AS RUN \"Companies\" THEN RUN \"Deals\" THEN RUN \"{USERS}\""));
    let ran = run(&stage, "C", &text).await.good();
    assert_eq!(words(&ran), ["success", "success", "partial"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_calls_keeps_the_rest_waiting() {
    for (runs, wanted) in [
        ("AS RUN \"Companies\" THEN RUN \"Deals\"", ["waiting_quota", "skipped"]),
        ("ON FAILURE CONTINUE AS RUN \"Companies\" THEN RUN \"Deals\"", ["waiting_quota", "partial"]),
    ] {
        let stage = world().await;
        let used_up = format!(
            r#"{{"service": "gainsight", "method": "POST", "path": "{COMPANY}", "nth": [1], "status": 429, "retry_after": 86400}}"#
        );
        stage.sandbox.strike_by(&used_up).unwrap();
        let ran = run(&stage, "C", &chain(runs)).await;
        assert_eq!(ran.statuses(), [("Companies", wanted[0]), ("Deals", wanted[1])]);
        assert!(ran.ended.is_err());
        if wanted[1] == "skipped" {
            let message = ran.report("Deals").message.as_deref().unwrap();
            assert!(message.contains("\"Companies\" before it in the chain ended as Waiting for calls"), "{message}");
        }
        let again = run(&stage, "C", &chain(runs)).await.good();
        assert_eq!(again.statuses(), [("Companies", "success"), ("Deals", "success")]);
        assert_eq!(again.report("Companies").run, ran.report("Companies").run);
    }
}

/// The second step was read already when the first failed: its run ends, moves nothing, and the next one reads the same changes.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_ahead_is_not_lost_with_its_run() {
    let stage = world().await;
    let text = chain("AS RUN \"Companies\" THEN RUN \"Deals\"");
    run(&stage, "C", &text).await.good();
    for (table, row) in [("account", super::account(61)), ("contact", contact(4, 61))] {
        assert!(stage.sandbox.put_row(table, row.as_object().unwrap().clone()));
    }
    let before = asked(&stage.sandbox).len();
    stage.sandbox.hold(Gainsight, "POST", COMPANY);
    stage.sandbox.strike_by(&forbidden(COMPANY)).unwrap();
    let is_read = |sandbox: &_| asked(sandbox)[before..].iter().any(|one| one.contains(CONTACTS));
    let failed = meanwhile(
        run(&stage, "C", &text),
        &stage.sandbox,
        |sandbox| sandbox.held() == 1 && is_read(sandbox),
        |sandbox| sandbox.let_go(),
    );
    let failed = failed.await;
    assert_eq!(failed.statuses(), [("Companies", "failed"), ("Deals", "skipped")]);
    let skipped = failed.report("Deals");
    assert!(skipped.message.as_deref().unwrap().contains("ended as Failed"), "{skipped:?}");
    assert_eq!(activity(&stage).last().unwrap(), &("Deals".to_owned(), "skipped".to_owned()));
    let state = State::look(&state_path(&stage.setting.home)).unwrap().unwrap();
    let left: Vec<String> = state.unfinished_runs().unwrap().into_iter().map(|run| run.job).collect();
    assert_eq!(left, ["Companies"], "what was skipped is not gone on with");
    drop(state);
    let (_, written) = places(&asked(&stage.sandbox), &["POST", COMPANY]);
    assert!(!asked(&stage.sandbox)[written..].iter().any(|one| one.contains("query/")), "and its target was not read");
    // What is left of the chain goes on, and the rest of it begins anew.
    let workspace = stage.workspace(&[("c.ferry", &text)]).await.or_mistakes().expect("the project is right");
    let mut reports = Vec::new();
    let ended = resume(&workspace, &stage.setting, None, &silent(), |r| reports.push(r.clone())).await;
    ended.expect("it comes to its end");
    assert_eq!(reports[0].run, failed.report("Companies").run);
    assert!(reports[1].run != skipped.run && reports[1].status == Status::Success, "{reports:?}");
    let read = reports[1].read.as_ref().unwrap();
    assert_eq!(
        (reports[1].counts.inserted, read.changed, read.full.as_ref()),
        (1, 1, None),
        "the change is read again"
    );
}

/// A run that was interrupted on another day is not the chain's of today to end.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_before_stays_as_it_is() {
    let stage = world().await;
    let text = chain("AS RUN \"Companies\" THEN RUN \"Deals\"");
    stage.sandbox.strike_by(&forbidden(DEAL)).unwrap();
    let first = run(&stage, "C", &text).await;
    assert_eq!(first.statuses(), [("Companies", "success"), ("Deals", "failed")]);
    assert!(stage.sandbox.put_row("account", super::account(61).as_object().unwrap().clone()));
    stage.sandbox.strike_by(&forbidden(COMPANY)).unwrap();
    let second = run(&stage, "C", &text).await;
    assert_eq!(second.statuses(), [("Companies", "failed"), ("Deals", "skipped")]);
    let (left, skipped) = (&first.report("Deals").run, second.report("Deals"));
    assert_eq!(&skipped.run, left);
    assert!(skipped.message.as_deref().unwrap().contains("stays as it is, and is gone on with"), "{skipped:?}");
    assert_eq!(activity(&stage).len(), 3, "it gets no second run");
    let workspace = stage.workspace(&[("c.ferry", &text)]).await.or_mistakes().expect("the project is right");
    let mut reports = Vec::new();
    let ended = resume(&workspace, &stage.setting, Some(left), &silent(), |r| reports.push(r.clone())).await;
    ended.expect("its companies were loaded on its own day");
    assert_eq!((reports.len(), &reports[0].run, reports[0].counts.inserted), (1, left, 3));
}
