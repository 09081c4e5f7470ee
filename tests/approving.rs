//! Runs that nobody looks on: what they wait for, who lets them go on, and that they are gone on with where they stopped.

use std::sync::Arc;

use ferry::app::approving::{Paused, approve, is_paused, lift, pause};
use ferry::app::audit::audit;
use ferry::app::resuming::resume;
use ferry::app::stopping::{cancel, paused};
use ferry::model::outcome::Status;
use ferry::run::progress::{Event, Progress, silent};
use ferry::run::report::Report;
use ferry::store::home::state_path;
use ferry::store::state::State;
use serde_json::json;

use crate::stage::{COMPANIES, Stage};

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// A stage that nobody looks on, with this many companies in both systems.
async fn unattended(companies: usize) -> Stage {
    let rows: Vec<String> =
        (0..companies).map(|n| json!({"accountid": id(n), "name": format!("Company {n}")}).to_string()).collect();
    let mut stage = Stage::world("", &rows.join("\n"), "").await;
    stage.run(COMPANIES).await;
    stage.setting.is_attended = false;
    stage
}

fn rename(stage: &Stage, companies: usize, name: &str) {
    for number in 0..companies {
        let row = json!({"accountid": id(number), "name": format!("{name} {number}")});
        assert!(stage.sandbox.put_row("account", row.as_object().expect("an object").clone()));
    }
}

async fn resumed(stage: &Stage, run: &str) -> (Vec<Report>, Result<(), String>) {
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    let mut reports = Vec::new();
    let ended = resume(&workspace, &stage.setting, Some(run), &silent(), |r| reports.push(r.clone())).await;
    (reports, ended.map_err(|error| error.to_string()))
}

fn writes(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.write).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_would_change_much_waits_for_approval_and_then_does_just_that() {
    let stage = unattended(150).await;
    rename(&stage, 90, "Renamed");
    let before = writes(&stage);
    let (reports, ended) = stage.try_run(COMPANIES).await;
    let said = ended.expect_err("it waits").to_string();
    let run = reports[0].run.clone();
    assert_eq!(reports[0].status, Status::WaitingApproval, "{said}");
    assert!(said.contains(&format!("ferry approve {run}")), "{said}");

    let (again, ended) = resumed(&stage, &run).await;
    assert!(ended.is_err(), "nobody has allowed it");
    assert_eq!(again[0].status, Status::WaitingApproval);
    assert_eq!(writes(&stage), before, "nothing was written");

    assert_eq!(approve(&stage.setting, &run).expect("it waits for that").job, COMPANIES);
    // What changes after the plan was made is not part of what was allowed.
    rename(&stage, 150, "Later");
    let (reports, ended) = resumed(&stage, &run).await;
    ended.expect("it may");
    assert_eq!((reports[0].run.as_str(), reports[0].counts.updated), (run.as_str(), 90));

    let state = State::look(&state_path(&stage.setting.home)).expect("it opens").expect("it is there");
    let update = state.updates(1).expect("they are read").remove(0);
    let made = audit(&stage.setting, &run, None).await.expect("it is at its end");
    let approval = made.approved.expect("it was allowed");
    assert_eq!(approval.by, update.by, "who, and not when");
    assert!(chrono::DateTime::parse_from_rfc3339(&approval.at).is_ok(), "{}", approval.at);
    assert_eq!((update.kind.as_str(), update.action.as_str(), update.name), ("run", "approved", run));
    assert!(update.before.is_some_and(|said| said.contains("90 of 150")), "it says what was allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_of_one_run_and_not_of_the_next() {
    let stage = unattended(150).await;
    rename(&stage, 90, "Renamed");
    let run = stage.try_run(COMPANIES).await.0[0].run.clone();
    approve(&stage.setting, &run).expect("it waits for that");
    resumed(&stage, &run).await.1.expect("it may");
    rename(&stage, 90, "Again");
    let (reports, ended) = stage.try_run(COMPANIES).await;
    assert!(ended.is_err() && reports[0].run != run, "another run asks again");
    let late = approve(&stage.setting, &run).expect_err("it has ended").to_string();
    assert!(late.contains("does not wait for approval: it is Success"), "{late}");
    let none = approve(&stage.setting, "20260101-0001").expect_err("there is none").to_string();
    assert!(none.contains("there is no run \"20260101-0001\""), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_waits_for_is_its_status() {
    let calls = "/v1/data/objects/query/company";
    for (fault, expected, attended) in [
        (r#""status": 200, "text": "<html>Signed out</html>""#, Status::WaitingRetry, Status::Failed),
        (r#""status": 401"#, Status::WaitingAuth, Status::Failed),
    ] {
        for (is_attended, expected) in [(false, expected), (true, attended)] {
            let mut stage = crate::faults::stage(&format!(
                r#"{{"service": "gainsight", "path": "{calls}", "nth": [1], "in_a_row": 9999, {fault}}}"#
            ))
            .await;
            stage.setting.is_attended = is_attended;
            let (reports, ended) = stage.try_run(COMPANIES).await;
            let said = ended.expect_err("it stops").to_string();
            assert_eq!(reports[0].status, expected, "{fault}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_pauses_until_it_is_resumed() {
    let mut stage = unattended(1).await;
    // A folder without files stands for the out-of-the-box jobs.
    let project = tempfile::tempdir().expect("a folder");
    stage.setting.project = project.path().to_owned();
    let unknown = pause(&stage.setting, "Compani").expect_err("there is none").to_string();
    assert!(unknown.contains("no job, chain or run is named \"Compani\""), "{unknown}");
    let done = stage.run(COMPANIES).await[0].run.clone();
    let ended = pause(&stage.setting, &done).expect_err("it has ended").to_string();
    assert!(ended.contains("is not under way"), "{ended}");
    assert!(!is_paused(&stage.setting, COMPANIES).expect("it is read"));
    assert!(!lift(&stage.setting, COMPANIES).expect("nothing is lifted"));
    let paused = pause(&stage.setting, &COMPANIES.to_lowercase()).expect("it is there");
    assert_eq!(paused, Paused::Schedule(COMPANIES.to_owned()));
    assert!(is_paused(&stage.setting, COMPANIES).expect("it is read"));
    stage.run(COMPANIES).await;
    assert!(lift(&stage.setting, COMPANIES).expect("it is lifted"));
    assert!(!is_paused(&stage.setting, COMPANIES).expect("it is read"));
    let state = State::look(&state_path(&stage.setting.home)).expect("it opens").expect("it is there");
    let said: Vec<_> = state.updates(2).expect("they are read").into_iter().map(|one| (one.kind, one.action)).collect();
    let word = |text: &str| text.to_owned();
    assert_eq!(said, [(word("schedule"), word("resumed")), (word("schedule"), word("paused"))]);
}

/// A run of the test's own process, which stands for any that has the home: it stops where it is, and is given up or gone on with.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_under_way_is_stopped_and_given_up_from_beside() {
    let slow = r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [1], "latency_ms": 30000}"#;
    let stage = crate::faults::stage(slow).await;
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    let (begun, mut began) = tokio::sync::mpsc::unbounded_channel();
    let progress: Progress = Arc::new(move |event| {
        if let Event::Began { .. } = event {
            begun.send(()).expect("somebody waits for it");
        }
    });
    let beside = async {
        began.recv().await.expect("it begins");
        let state = State::look(&state_path(&stage.setting.home)).expect("it opens").expect("it is there");
        let run = state.runs(1).expect("they are read").remove(0).id;
        cancel(&stage.setting, &run).await.expect("it stops and is given up")
    };
    let under_way = async {
        let run = ferry::app::runs::run(&workspace, &stage.setting, COMPANIES, &progress, |_| {});
        tokio::select! {
            ended = run => panic!("it ended: {ended:?}"),
            () = paused(&stage.setting) => {}
        }
    };
    let ((), cancelled) = tokio::join!(under_way, beside);
    assert_eq!(cancelled.job, COMPANIES);
    let state = State::look(&state_path(&stage.setting.home)).expect("it opens").expect("it is there");
    assert_eq!(state.runs(9).expect("they are read").remove(0).status, "cancelled");
    assert_eq!(state.pauses().expect("they are read"), [], "the pause has done what it was for");
    let none = cancel(&stage.setting, &cancelled.id).await.expect_err("it has ended").to_string();
    assert!(none.contains("there is nothing to go on with"), "{none}");
}
