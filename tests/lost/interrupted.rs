//! Deletions whose answers are lost, and records that somebody else deletes or changes between the plan and the call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ferry::app::runs;
use ferry::run::progress::{Event, Progress};
use ferry::run::report::Report;
use serde_json::json;

use super::desk::{JOB, accounts, companies, counted, gsid, id, names, object, run, try_run, writes};
use crate::stage::{Stage, errors};

const DELETE: &str = "ON SOURCE DELETE DELETE";

/// Runs the job, and lets somebody do something when the plan is made.
async fn meanwhile(stage: &Arc<Stage>, job: &str, what: impl Fn(&Stage) + Send + Sync + 'static) -> Report {
    let workspace = stage.workspace(&[("j.ferry", job)]).await.or_mistakes().expect("the project is right");
    let (there, is_done) = (Arc::clone(stage), AtomicBool::new(false));
    let progress: Progress = Arc::new(move |event| {
        let is_planned = matches!(event, Event::Advanced { stage: "plan", rows, of, .. } if of == Some(rows));
        if is_planned && !is_done.swap(true, Ordering::SeqCst) {
            what(&there);
        }
    });
    let mut reports = Vec::new();
    let ended = runs::run(&workspace, &stage.setting, JOB, &progress, |r| reports.push(r.clone())).await;
    ended.expect("the run ends");
    reports.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_a_deletion_is_asked_for_again() {
    for close in ["after", "before"] {
        let stage = accounts(4).await;
        let job = companies(DELETE);
        run(&stage, &job).await;
        stage.sandbox.delete_row("account", &id(1));
        stage.sandbox.delete_row("account", &id(2));
        let rule = json!({ "service": "gainsight", "method": "DELETE", "path": "/v1/data/objects/company", "nth": [1], "close": close });
        stage.sandbox.strike_by(&rule.to_string()).unwrap();
        let report = run(&stage, &job).await;
        assert_eq!(counted(&report.counts), "4 read, 2 unchanged, 2 deleted", "{close}");
        assert_eq!((report.records["Company"].deleted, names(&stage).len()), (2, 2), "{close}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_without_any_answer_is_gone_on_with() {
    for close in ["after", "before"] {
        let stage = accounts(6).await;
        let job = companies(DELETE);
        run(&stage, &job).await;
        (1..=4).for_each(|number| assert!(stage.sandbox.delete_row("account", &id(number))));
        let rule = json!({ "service": "gainsight", "method": "DELETE", "path": "/v1/data/objects/company", "nth": [2],
            "in_a_row": 40, "close": close });
        stage.sandbox.strike_by(&rule.to_string()).unwrap();
        let (_, failed) = try_run(&stage, &job).await;
        assert_eq!(failed.expect("nobody answers").exit_code(), 3, "{close}");
        stage.sandbox.strike_by("").unwrap();
        let report = run(&stage, &job).await;
        assert_eq!(
            (report.resumed, counted(&report.counts).as_str()),
            (1, "6 read, 2 unchanged, 4 deleted"),
            "{close}"
        );
        assert_eq!(names(&stage), ["A5", "A6"], "{close}");
        assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 2 unchanged", "{close}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_deleted_meanwhile_is_settled() {
    let stage = Arc::new(accounts(3).await);
    let job = companies(DELETE);
    run(&stage, &job).await;
    stage.sandbox.delete_row("account", &id(1));
    let lost = gsid(&stage, "A1");
    let before = writes(&stage).len();
    let report = meanwhile(&stage, &job, move |s| assert!(s.sandbox.delete_record("company", &lost))).await;
    assert_eq!(counted(&report.counts), "3 read, 2 unchanged, 1 deleted");
    assert_eq!(writes(&stage).len(), before, "nothing was left to delete");
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 2 unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_becomes_something_else_meanwhile_is_left_alone() {
    let stage = Arc::new(accounts(3).await);
    let job = companies(DELETE);
    run(&stage, &job).await;
    stage.sandbox.delete_row("account", &id(1));
    stage.sandbox.delete_row("account", &id(2));
    let lost = gsid(&stage, "A1");
    let before = writes(&stage).len();
    let other = json!({ "Dynamics_Account_ID__gc": "of something else" });
    let report = meanwhile(&stage, &job, move |s| {
        assert!(s.sandbox.edit_record("company", &lost, object(other.clone())));
    })
    .await;
    assert_eq!(counted(&report.counts), "3 read, 1 error, 1 unchanged, 1 deleted");
    assert_eq!((errors(&report)[0]["code"].as_str(), names(&stage)), ("KEY_CHANGED", vec!["A1".into(), "A3".into()]));
    assert_eq!(writes(&stage).len(), before + 1);
    assert_eq!(errors(&run(&stage, &job).await)[0]["code"], "KEY_CHANGED", "its link is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_on_a_record_that_is_deleted_meanwhile_is_settled() {
    let stage = Arc::new(accounts(3).await);
    let job = companies("ON SOURCE DELETE SET \"Employees\" = 0");
    run(&stage, &job).await;
    stage.sandbox.delete_row("account", &id(1));
    stage.sandbox.delete_row("account", &id(2));
    let lost = gsid(&stage, "A1");
    let report = meanwhile(&stage, &job, move |s| assert!(s.sandbox.delete_record("company", &lost))).await;
    assert_eq!(counted(&report.counts), "3 read, 1 unchanged, 2 deleted");
    assert_eq!(counted(&run(&stage, &job).await.counts), "1 read, 1 unchanged");
}
