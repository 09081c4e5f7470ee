//! A daemon that is stopped, and the next one.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use ferry::app::approving::{Paused, pause};
use ferry::daemon::serve::Stop;
use ferry::daemon::told::Told;
use ferry::model::outcome::Status;
use ferry::run::progress::Event;
use ferry::sandbox::{Options as World, start};
use tokio::task::LocalSet;

use super::watched::{Daemon, Desk};
use crate::stage::{COMPANIES, SCALE, Stage, faults_file};

const CHAIN: &str = r#"CREATE CHAIN "Daily" SCHEDULE EVERY DAY AT '02:00' AS RUN "Company Sync_Dynamics Connection";"#;

/// A world in which the first insert has its answer after this time.
async fn slow(latency_ms: u64) -> Desk {
    let rule = format!(
        r#"{{"service": "gainsight", "path": "/v1/data/objects/company", "method": "POST", "nth": [1], "latency_ms": {latency_ms}}}"#
    );
    let file = faults_file(&rule);
    let world = World { rows: 20, limits_scale: SCALE, faults: Some(file.path().to_owned()), ..World::default() };
    Desk::new(Stage::on(start(world).await.expect("it starts")), CHAIN)
}

/// Waits until the run of the next time is loading, and gives its number.
async fn loads(desk: &Desk, daemon: &mut Daemon) -> String {
    let at = desk.next_of("Daily").await;
    desk.set_clock(at - TimeDelta::seconds(2));
    daemon.turns().await;
    desk.set_clock(at);
    let run = daemon
        .hears(|told| match told {
            Told::Heard { event: Event::Began { run, .. }, .. } => Some(run.clone()),
            _ => None,
        })
        .await;
    let is_sent = || desk.state().standing(&run).expect("it is read").is_some_and(|one| one.calls.1 > 0);
    daemon.turns_until(is_sent).await;
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_asked_to_stop_lets_runs_end() {
    let desk = slow(1_000).await;
    LocalSet::new()
        .run_until(async {
            let mut daemon = desk.begin(Desk::options()).await;
            let run = loads(&desk, &mut daemon).await;
            assert_eq!(daemon.stop(Stop::Soon).await, 0, "nothing is left");
            let ended = daemon
                .heard
                .iter()
                .find_map(|told| if let Told::Ended { report, .. } = told { Some(report) } else { None });
            assert_eq!(ended.map(|report| (report.run.clone(), report.status)), Some((run, Status::Partial)));
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_gone_on_with_by_the_next_and_nothing_is_lost() {
    let desk = slow(30_000).await;
    let calm = Stage::seeded(20).await;
    let expected = calm.run(COMPANIES).await;
    LocalSet::new()
        .run_until(async {
            let mut daemon = desk.begin(Desk::options()).await;
            let run = loads(&desk, &mut daemon).await;
            assert_eq!(daemon.stop(Stop::Now).await, 1, "it is left");
            assert_eq!(desk.runs()[0].status, "interrupted");
            let mut next = desk.begin(Desk::options()).await;
            let report = next.ended().await;
            assert_eq!((report.run, report.resumed), (run, 1));
            assert_eq!(report.counts, expected[0].counts);
            next.stop(Stop::Soon).await;
        })
        .await;
    assert_eq!(crate::faults::holdings(&desk.stage), crate::faults::holdings(&calm));
    assert_eq!(desk.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_paused_stops_where_it_is_until_somebody_goes_on_with_it() {
    let desk = slow(30_000).await;
    let run = desk
        .with(Desk::options(), async |daemon| {
            let run = loads(&desk, daemon).await;
            assert!(matches!(pause(&desk.stage.setting, &run), Ok(Paused::Run(_))));
            daemon.turns_until(|| desk.runs()[0].status == "interrupted").await;
            run
        })
        .await;
    desk.with(Desk::options(), async |daemon| {
        daemon.turns().await;
        daemon.turns().await;
        assert_eq!(desk.runs()[0].status, "interrupted", "the next daemon leaves it alone");
    })
    .await;
    let workspace = ferry::app::workspace::Workspace::ready(&desk.stage.setting).await.expect("it is right");
    let silent = ferry::run::progress::silent();
    let mut reports = Vec::new();
    let setting = &desk.stage.setting;
    let ended = ferry::app::resuming::resume(&workspace, setting, Some(&run), &silent, |r| reports.push(r.clone()));
    ended.await.expect("it ends");
    assert_eq!((reports[0].run.clone(), reports[0].status), (run, Status::Partial));
    assert_eq!(desk.state().pauses().expect("they are read"), [], "whoever goes on with it ends its pause");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_given_up_while_the_daemon_has_it() {
    let desk = slow(30_000).await;
    desk.with(Desk::options(), async |daemon| {
        let run = loads(&desk, daemon).await;
        let cancelled = {
            let cancelled = ferry::app::stopping::cancel(&desk.stage.setting, &run);
            tokio::pin!(cancelled);
            loop {
                tokio::select! {
                    cancelled = &mut cancelled => break cancelled.expect("it is given up"),
                    () = daemon.turns() => {}
                }
            }
        };
        assert_eq!((cancelled.id, cancelled.status), (run, "cancelled".to_owned()));
        assert_eq!(desk.state().pauses().expect("they are read"), []);
    })
    .await;
    desk.with(Desk::options(), async |daemon| daemon.turns().await).await;
    assert_eq!(desk.runs()[0].status, "cancelled", "and stays so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_was_decided_and_never_begun_is_begun_by_the_next() {
    let desk = slow(0).await;
    LocalSet::new()
        .run_until(async {
            let held = ferry::app::held::Held::at_once(&desk.stage.setting).expect("nobody is at work");
            let mut daemon = desk.begin(Desk::options()).await;
            let at = desk.next_of("Daily").await;
            desk.set_clock(at - TimeDelta::seconds(2));
            daemon.turns().await;
            desk.set_clock(at);
            daemon.hears(|told| matches!(told, Told::Waits { .. }).then_some(())).await;
            daemon.stop(Stop::Soon).await;
            assert_eq!(desk.runs(), [], "it could not begin");
            drop(held);
            let mut next = desk.begin(Desk::options()).await;
            next.ended().await;
            next.stop(Stop::Soon).await;
            assert_eq!(desk.runs()[0].slot_ms, Some(at.timestamp_millis()));
        })
        .await;
    assert_eq!(desk.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_breaks_off_takes_nothing_else_with_it() {
    let desk = slow(0).await;
    LocalSet::new()
        .run_until(async {
            let breaks = AtomicBool::new(true);
            let mistake = move |told: &Told| {
                let is_loading = matches!(told, Told::Heard { event: Event::Advanced { stage: "load", .. }, .. });
                assert!(!is_loading || !breaks.swap(false, Ordering::SeqCst), "a mistake");
            };
            let mut daemon = desk.begin_with(Desk::options(), mistake).await;
            let at = desk.next_of("Daily").await;
            desk.set_clock(at - TimeDelta::seconds(2));
            daemon.turns().await;
            desk.set_clock(at);
            let why =
                daemon.hears(|told| if let Told::Failed { why, .. } = told { Some(why.clone()) } else { None }).await;
            assert!(why.contains("a mistake") && why.contains("bug of Ferry"), "{why}");
            assert_eq!(desk.runs()[0].status, "interrupted");
            let at = desk.next_of("Daily").await;
            desk.set_clock(at - TimeDelta::hours(12));
            daemon.turns().await;
            desk.set_clock(at);
            daemon.ended().await;
            daemon.stop(Stop::Soon).await;
        })
        .await;
    assert_eq!(desk.runs().iter().filter(|run| run.status == "partial").count(), 1, "it serves on");
}
