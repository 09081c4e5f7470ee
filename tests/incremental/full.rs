//! When everything is read, and that nothing of a change is lost then.

use ferry::app::applying;
use ferry::app::runs;
use ferry::run::progress::silent;
use ferry::run::undertaking::How;
use ferry::store::ledger::Ledger;
use ferry::store::state::State;
use serde_json::json;

use super::{employees, held, id, job, ran, ran_plainly, stage, try_run, wanted};

const TRACKED: &str = "CHANGES OF dynamics.account AS a";
const DAY_MS: i64 = 86_400_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_has_expired_makes_the_table_be_read_whole() {
    let (stage, script) = (stage(60).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    stage.sandbox.advance_clock(8 * DAY_MS);
    employees(&stage, 7, 4711);
    assert!(stage.sandbox.delete_row("account", &id(8)));
    let second = ran_plainly(&stage, &script).await;
    assert!(
        second.notices.iter().any(|said| said.contains("does not know any more what changed in accounts")),
        "{:?}",
        second.notices
    );
    assert_eq!((second.report.counts.read, second.report.counts.updated), (59, 1));
    let there = wanted(&stage);
    let held = held(&stage);
    assert!(there.iter().all(|row| held.contains(row)));
    ran_plainly(&stage, &script).await;
    let quiet = ran_plainly(&stage, &script).await;
    assert_eq!((quiet.asked("accounts").len(), quiet.report.calls.gainsight_writes), (1, 0), "it goes on from there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_mapping_reads_everything_and_a_moved_text_does_not() {
    let (stage, script) = (stage(30).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    let moved =
        script.replace("CREATE JOB \"Accounts\" AS", "\n\n-- a note\nCREATE JOB \"Accounts\" COMMENT 'all of them' AS");
    assert_eq!(ran_plainly(&stage, &moved).await.full(), None);
    let other = moved.replace("a.name AS", "UPPER(a.name) AS");
    let ran = ran_plainly(&stage, &other).await;
    assert!(ran.full().is_some_and(|why| why.contains("is not what it was")), "{:?}", ran.full());
    assert_eq!(ran.report.counts.updated, 30);
    assert_eq!(ran_plainly(&stage, &other).await.full(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_read_where_it_is_asked_for() {
    let (stage, script) = (stage(30).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    let how = How { full: true, ..How::default() };
    assert_eq!(ran(&stage, &script, &how).await.full(), Some("--full was asked for"));
    assert_eq!(ran_plainly(&stage, &script).await.full(), None);
    let plain = job("dynamics.account AS a", "");
    ran_plainly(&stage, &plain).await;
    let second = ran_plainly(&stage, &plain).await;
    assert_eq!(second.full(), Some("the job says FROM, not FROM CHANGES OF"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_missing_or_damaged_on_disk_are_read_again() {
    for is_removed in [true, false] {
        let (stage, script) = (stage(30).await, job(TRACKED, ""));
        let first = ran_plainly(&stage, &script).await;
        let part = stage.setting.home.join("runs").join(&first.report.run).join("source/part-000000.arrow");
        if is_removed {
            std::fs::remove_file(&part).expect("it is there");
        } else {
            std::fs::write(&part, b"nothing").expect("it can be written");
        }
        employees(&stage, 7, 4711);
        let second = ran_plainly(&stage, &script).await;
        assert!(second.full().is_some_and(|why| why.contains("missing or damaged")), "{:?}", second.full());
        assert_eq!(held(&stage), wanted(&stage));
        assert_eq!(ran_plainly(&stage, &script).await.full(), None);
    }
}

/// What is kept of a table goes with the last connection that leads to its organisation.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_forgotten_takes_what_was_read_with_it() {
    let (stage, script) = (stage(30).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    let state = State::open(&stage.setting.home.join("state.db")).expect("the state opens");
    assert_eq!(state.base_runs().expect("it is read").len(), 1);
    state.forget("dynamics").expect("it is forgotten");
    assert_eq!(state.base_runs().expect("it is read").len(), 0);
}

/// The link moves only once every row has an outcome: what a stopped or failed run has read comes again.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_moves_nothing() {
    let (stage, script) = (stage(30).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    ran_plainly(&stage, &script).await;
    employees(&stage, 7, 4711);
    let refused = json!({ "service": "gainsight", "method": "PUT", "path": "/v1/data/objects/company", "status": 403 });
    stage.sandbox.strike_by(&refused.to_string()).expect("a rule");
    let (_, ended) = try_run(&stage, &script, &How::default()).await;
    ended.expect_err("the call is refused");
    stage.sandbox.strike_by("").expect("no rule");
    // The run is given up, and what it had read with it.
    let anew = ran(&stage, &script, &How { anew: true, ..How::default() }).await;
    assert_eq!((anew.changed_and_gone(), anew.report.counts.updated), ((1, 0), 1));
    assert_eq!(held(&stage), wanted(&stage));
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_rows_move_nothing_either() {
    let (stage, script) = (stage(30).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    ran_plainly(&stage, &script).await;
    employees(&stage, 7, 4711);
    employees(&stage, 8, 4711);
    let chosen = ran(&stage, &script, &How { chosen: Some(vec![id(7)]), ..How::default() }).await;
    assert_eq!(chosen.report.counts.updated, 1);
    let rest = ran_plainly(&stage, &script).await;
    assert_eq!((rest.changed_and_gone(), rest.report.counts.updated), ((2, 0), 1));
    assert_eq!(held(&stage), wanted(&stage));
}

/// The moment at which a run began goes with what was known of the service's clock then.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_right_while_a_run_is_interrupted_loses_no_change() {
    let (stage, script) = (stage(60).await, job(TRACKED, ""));
    assert!(stage.sandbox.track("account", false));
    // Ours is an hour ahead.
    stage.sandbox.advance_clock(-3_600_000);
    let refused =
        json!({ "service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "status": 403 });
    stage.sandbox.strike_by(&refused.to_string()).expect("a rule");
    let (stopped, ended) = try_run(&stage, &script, &How::default()).await;
    ended.expect_err("the call is refused");
    stage.sandbox.strike_by("").expect("no rule");
    employees(&stage, 7, 4711);
    // It is set right. The run goes on, and has to look at what it had read once more.
    stage.sandbox.advance_clock(3_600_000);
    let run = stopped.expect("there is a report").report.run;
    std::fs::remove_dir_all(stage.setting.home.join("runs").join(&run).join("changes")).expect("there was a plan");
    let second = ran_plainly(&stage, &script).await;
    assert_eq!((&second.report.run, second.report.resumed, second.report.counts.inserted), (&run, 1, 60));
    let third = ran_plainly(&stage, &script).await;
    assert!(third.asked("accounts")[0].contains("modifiedon%20ge%20"), "{:?}", third.asked("accounts"));
    assert_eq!(held(&stage), wanted(&stage));
}

/// When everything was read last is told of the rows that the next run begins with, not of others.
#[tokio::test(flavor = "multi_thread")]
async fn an_applied_plan_is_as_old_as_the_rows_that_it_was_made_from() {
    let (stage, script) = (stage(30).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    let workspace = stage.workspace(&[("accounts.ferry", &script)]).await.or_mistakes().expect("the project is right");
    let of = workspace.services.tenancy(&workspace.project.jobs["Accounts"]);
    let base = || {
        let state = State::look(&stage.setting.home.join("state.db")).expect("it can be read").expect("it is there");
        state.base(&of, "Accounts").expect("it can be read").expect("there is one")
    };
    let first = base();
    let planned = runs::plan(&workspace, &stage.setting, "Accounts", &How::default(), 0, &silent()).await;
    let plan = planned.expect("it plans").0.run;
    ran(&stage, &script, &How { full: true, ..How::default() }).await;
    assert!(base().full_at_ms > first.full_at_ms);
    applying::apply(&workspace, &stage.setting, &plan, &silent(), |_| ()).await.expect("it is applied");
    assert_eq!((base().run, base().full_at_ms), (plan, first.full_at_ms));
}

/// To read a table and to track its changes are two rights.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_tracking_lacks_is_named() {
    let (stage, script) = (stage(3).await, job(TRACKED, ""));
    stage.sandbox.grant("account", "Read", Some("Local"));
    let (_, ended) = try_run(&stage, &script, &How::default()).await;
    let said = ended.expect_err("it is refused").to_string();
    let words = [
        "ask for a security role that may read this table",
        "Read at the level of the organization",
        "FROM in place of",
    ];
    assert!(words.iter().all(|words| said.contains(words)), "{said}");
}

/// What a run that was to read everything was told, a process that goes on with it knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_reads_everything_does_so_when_it_is_gone_on_with() {
    let (stage, script) = (stage(30).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    let refused = json!({ "service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [1], "status": 403 });
    stage.sandbox.strike_by(&refused.to_string()).expect("a rule");
    let (_, ended) = try_run(&stage, &script, &How { full: true, ..How::default() }).await;
    ended.expect_err("the first request is refused");
    stage.sandbox.strike_by("").expect("no rule");
    let ran = ran_plainly(&stage, &script).await;
    assert_eq!((ran.full(), ran.report.resumed), (Some("--full was asked for"), 1));
}
