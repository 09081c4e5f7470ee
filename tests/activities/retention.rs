//! How long what is kept: rows, error files and activities go when the settings say, and never what is needed.

use std::sync::atomic::{AtomicI64, Ordering};

use ferry::app::activity::{list, show};
use ferry::app::held::Held;
use ferry::app::resuming;
use ferry::app::retention::{Retained, retain};
use ferry::app::updates::note_definitions;
use ferry::diagnostic::source::Sources;
use ferry::model::settings::Settings;
use ferry::run::progress::silent;
use ferry::run::undertaking::How;
use ferry::store::ledger::{Begin, Ledger};
use ferry::store::state::{State, Tenancy};

use crate::faults::plain_stage;
use crate::stage::{COMPANIES, Stage, USERS, beginning};

use super::change_words;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const FORBIDDEN: &str =
    r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [2], "status": 403}"#;

/// A stage whose clock the test sets.
fn timed(mut stage: Stage) -> (Stage, &'static AtomicI64) {
    let ahead: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
    stage.setting.clock = stage.setting.clock.set_by(ahead);
    (stage, ahead)
}

async fn retained(stage: &Stage, settings: &Settings) -> Option<Retained> {
    retain(&stage.setting, settings, &Held::at_once(&stage.setting).unwrap()).await.unwrap()
}

async fn kept(stage: &Stage, run: &str) -> (bool, bool) {
    let kept = show(&stage.setting, run).await.unwrap().kept;
    (kept.has_rows, kept.error_file.is_some())
}

fn runs(stage: &Stage) -> Vec<String> {
    list(&stage.setting).unwrap().into_iter().map(|run| run.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_then_error_files_then_activities() {
    let (stage, ahead) = timed(Stage::seeded(100).await);
    let first = stage.run(COMPANIES).await.remove(0).run;
    let second = stage.run(COMPANIES).await.remove(0).run;
    let third = stage.run(COMPANIES).await.remove(0).run;
    let settings = Settings::default();
    let at = async |ms: i64| {
        ahead.store(ms, Ordering::SeqCst);
        retained(&stage, &settings).await.expect("an hour has passed")
    };
    assert_eq!((at(6 * DAY).await, kept(&stage, &first).await), (Retained::default(), (true, true)));
    let went = at(7 * DAY + HOUR).await;
    assert_eq!((went.rows, went.bytes > 0), (vec![first.clone(), second.clone()], true));
    assert_eq!(
        (kept(&stage, &first).await, kept(&stage, &third).await),
        ((false, true), (true, true)),
        "the next run begins with the last one"
    );
    assert!(
        show(&stage.setting, &first).await.unwrap().loaded.is_empty()
            && !show(&stage.setting, &first).await.unwrap().reasons.is_empty()
    );
    assert_eq!(at(29 * DAY).await, Retained::default());
    let went = at(30 * DAY + HOUR).await;
    assert_eq!((went.rows.len(), went.error_files), (0, vec![first.clone(), second.clone(), third.clone()]));
    assert_eq!((kept(&stage, &first).await, kept(&stage, &third).await), ((false, false), (true, false)));
    assert!(!stage.setting.home.join("runs").join(&first).exists(), "an empty folder goes");
    let before = change_words(&stage.setting).len();
    assert_eq!((at(89 * DAY).await, runs(&stage).len()), (Retained::default(), 3));
    let went = at(90 * DAY + HOUR).await;
    assert_eq!((went.runs, went.updates), (vec![first, second], before as u64 - 1));
    assert_eq!(
        runs(&stage),
        std::slice::from_ref(&third),
        "the newest run of a job stays, and so does the one that the next begins with"
    );
    let state = State::look(&stage.setting.home.join("state.db")).unwrap().unwrap();
    assert_eq!((state.altered_update().unwrap(), change_words(&stage.setting).len()), (None, 1));
    drop(state);
    let report = stage.run(COMPANIES).await.remove(0);
    assert_eq!((report.calls.gainsight_writes, report.counts.inserted), (0, 0), "what is remembered is remembered");
    let state = State::look(&stage.setting.home.join("state.db")).unwrap().unwrap();
    assert_eq!(state.altered_update().unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_done_once_an_hour_and_by_runs_themselves() {
    let (stage, ahead) = timed(plain_stage("").await);
    let settings = "CREATE SETTINGS (staging = 1h, error_files = 1h, activities = 100d);";
    let run = async || {
        let (reports, ended) = stage.try_run_with(USERS, &[("settings.ferry", settings)]).await;
        ended.unwrap();
        reports[0].run.clone()
    };
    let first = run().await;
    let second = run().await;
    assert_eq!(retained(&stage, &Settings::default()).await, None, "the first run has looked");
    ahead.store(2 * HOUR, Ordering::SeqCst);
    let third = run().await;
    for (run, is_kept) in [(&first, false), (&second, false), (&third, true)] {
        assert_eq!(kept(&stage, run).await.0, is_kept, "{run}");
    }
    assert_eq!(retained(&stage, &Settings::default()).await, None);
    // A clock that is set back does not put it off.
    ahead.store(-10 * DAY, Ordering::SeqCst);
    assert_eq!(retained(&stage, &Settings::default()).await, Some(Retained::default()));
    assert_eq!(retained(&stage, &Settings::default()).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_that_is_declared_no_more_would_begin_with_goes() {
    let (stage, ahead) = timed(plain_stage("").await);
    let run = stage.run(USERS).await.remove(0).run;
    let at = async |ms: i64| {
        ahead.store(ms, Ordering::SeqCst);
        retained(&stage, &Settings::default()).await.expect("an hour has passed")
    };
    assert_eq!((at(8 * DAY).await, kept(&stage, &run).await.0), (Retained::default(), true));
    note_definitions(&stage.setting, &Sources::default()).unwrap();
    let went = at(8 * DAY + 2 * HOUR).await;
    assert_eq!((went.rows, kept(&stage, &run).await.0), (vec![run], false));
    let state = State::look(&stage.setting.home.join("state.db")).unwrap().unwrap();
    assert_eq!(state.base_jobs().unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_can_be_gone_on_with_stays_for_a_day() {
    let (stage, ahead) = timed(plain_stage(FORBIDDEN).await);
    let failed = stage.try_run(COMPANIES).await.0.remove(0).run;
    let nothing = Settings { staging_seconds: 0, error_files_seconds: 0, ..Settings::default() };
    let at = async |ms: i64| {
        ahead.store(ms, Ordering::SeqCst);
        retained(&stage, &nothing).await.expect("an hour has passed")
    };
    assert_eq!((at(2 * HOUR).await, at(23 * HOUR).await), (Retained::default(), Retained::default()));
    assert!(show(&stage.setting, &failed).await.unwrap().standing.is_some());
    let went = at(25 * HOUR).await;
    assert_eq!((went.rows, went.runs.len(), kept(&stage, &failed).await), (vec![failed.clone()], 0, (false, false)));
    let shown = show(&stage.setting, &failed).await.unwrap();
    assert_eq!((shown.run.status.as_str(), shown.standing.is_none()), ("failed", true), "why it failed stays");
    assert!(shown.run.message.unwrap().contains("does not accept calls from this machine"));
    let workspace = stage.workspace(&[]).await;
    let resumed = resuming::resume(&workspace, &stage.setting, Some(&failed), &silent(), |_| {}).await;
    assert_eq!(resumed.unwrap_err().exit_code(), 2);
    ahead.store(0, Ordering::SeqCst);
    let report = stage.run(COMPANIES).await.remove(0);
    assert_eq!((report.counts.inserted, report.counts.unchanged), (10, 50), "the next run compares anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_says_it_is_under_way_is_given_up_when_nobody_works_on_it() {
    let (stage, ahead) = timed(plain_stage("").await);
    stage.run(USERS).await;
    let of = Tenancy { organization: "o".to_owned(), tenant: "t".to_owned() };
    let now = stage.setting.clock.now().to_rfc3339();
    let held = Held::at_once(&stage.setting).unwrap();
    let run = held.state.begin(&Begin { started: &now, ..beginning("Killed", &of) }).unwrap();
    held.state.note(&run, "full", "").unwrap();
    let nothing = Settings { staging_seconds: 0, ..Settings::default() };
    let status = async || show(&stage.setting, &run).await.unwrap().run.status;
    ahead.store(25 * HOUR, Ordering::SeqCst);
    let went = retain(&stage.setting, &nothing, &held).await.unwrap().unwrap();
    assert!(!went.rows.contains(&run), "this process works on it");
    drop(held);
    ahead.store(27 * HOUR, Ordering::SeqCst);
    assert_eq!(status().await, "interrupted");
    assert!(retained(&stage, &nothing).await.unwrap().rows.contains(&run));
    assert_eq!(status().await, "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_can_be_applied_for_a_day_whatever_the_settings_say() {
    let (stage, ahead) = timed(plain_stage("").await);
    let (plan, _) = stage.plan(USERS, 0).await;
    stage.plan(COMPANIES, 0).await;
    let nothing = Settings { staging_seconds: 0, error_files_seconds: 0, ..Settings::default() };
    ahead.store(23 * HOUR, Ordering::SeqCst);
    assert_eq!((retained(&stage, &nothing).await, kept(&stage, &plan.run).await.0), (Some(Retained::default()), true));
    ahead.store(25 * HOUR, Ordering::SeqCst);
    assert!(retained(&stage, &nothing).await.unwrap().rows.contains(&plan.run));
    assert!(!stage.setting.home.join("runs").join(&plan.run).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_of_a_row_that_is_due_stays_listed() {
    let (stage, ahead) = timed(Stage::seeded(100).await);
    stage.run(COMPANIES).await;
    let chosen = resuming::due(&stage.setting, None).unwrap()[0].source_id.clone();
    let run = stage.run(COMPANIES).await.remove(0).run;
    // A run that is about one row leaves the others due since the run before it.
    let workspace = stage.workspace(&[]).await;
    let how = How { chosen: Some(vec![chosen]), ..How::default() };
    let ended = ferry::app::runs::run_so(&workspace, &stage.setting, COMPANIES, &how, &silent(), |_| {}).await;
    ended.unwrap();
    ahead.store(91 * DAY, Ordering::SeqCst);
    let went = retained(&stage, &Settings::default()).await.unwrap();
    assert!(!went.runs.contains(&run) && went.runs.len() == 1, "{went:?}");
    assert!(resuming::due(&stage.setting, None).unwrap().iter().any(|due| due.run == run));
}
