//! Times of schedules in the daemon.

use std::time::Duration;

use chrono::TimeDelta;
use ferry::daemon::options::Options;
use ferry::daemon::told::Told;
use ferry::model::outcome::Status;
use ferry::model::schedule::Verdict;
use ferry::sandbox::{Options as World, start};

use super::watched::{Daemon, Desk};
use crate::stage::{COMPANIES, PEOPLE, SCALE, Stage, USERS, faults_file};

const DAILY: &str = r#"CREATE CHAIN "Daily" SCHEDULE EVERY DAY AT '02:00' AS RUN "Company Sync_Dynamics Connection";"#;

async fn daily() -> Desk {
    Desk::new(Stage::seeded(20).await, DAILY)
}

/// Moves the clock to just before a time, lets the daemon look, and moves it to the time.
async fn comes(desk: &Desk, daemon: &mut Daemon, name: &str) {
    let at = desk.next_of(name).await;
    desk.set_clock(at - TimeDelta::seconds(2));
    daemon.turns().await;
    desk.set_clock(at + TimeDelta::seconds(1));
}

fn verdicts(desk: &Desk, name: &str) -> Vec<Verdict> {
    desk.slots(name).iter().map(|kept| kept.slot.verdict).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_runs_once_and_says_who_began_it_and_why() {
    let desk = daily().await;
    desk.with(Desk::options(), async |daemon| {
        let at = desk.next_of("Daily").await;
        comes(&desk, daemon, "Daily").await;
        let report = daemon.ended().await;
        assert_eq!(report.job, COMPANIES);
        daemon.turns().await;
        let runs = desk.runs();
        assert_eq!(runs.len(), 1, "once");
        assert_eq!((runs[0].by.as_deref(), runs[0].chain.as_deref()), (Some("schedule"), Some("Daily")));
        assert_eq!(runs[0].slot_ms, Some(at.timestamp_millis()));
        assert_eq!(verdicts(&desk, "Daily"), [Verdict::Begun]);
        comes(&desk, daemon, "Daily").await;
        daemon.ended().await;
        assert_eq!(desk.runs().len(), 2, "and again the day after");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_without_a_daemon_are_made_up_for_once() {
    let desk = daily().await;
    desk.with(Desk::options(), async |daemon| daemon.turns().await).await;
    desk.set_clock(desk.now() + TimeDelta::days(4));
    desk.with(Desk::options(), async |daemon| {
        daemon.ended().await;
        daemon.turns().await;
        let verdicts = verdicts(&desk, "Daily");
        assert_eq!(verdicts.iter().filter(|one| one.is_run()).count(), 1, "{verdicts:?}");
        assert_eq!(verdicts.last(), Some(&Verdict::MadeUp), "the newest is the one that is made up for: {verdicts:?}");
        assert_eq!(verdicts.iter().filter(|one| **one == Verdict::Missed).count(), 3, "the others show: {verdicts:?}");
    })
    .await;
    assert_eq!(desk.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_overlap_with_itself() {
    let slow = r#"{"service": "gainsight", "path": "/v1/data/objects/company", "nth": [1], "latency_ms": 2000}"#;
    let file = faults_file(slow);
    let world = World { rows: 20, limits_scale: SCALE, faults: Some(file.path().to_owned()), ..World::default() };
    let stage = Stage::on(start(world).await.expect("it starts"));
    let desk = Desk::new(stage, &DAILY.replace("EVERY DAY AT '02:00'", "EVERY 1m"));
    desk.with(Desk::options(), async |daemon| {
        comes(&desk, daemon, "Daily").await;
        daemon.hears(|told| matches!(told, Told::Heard { .. }).then_some(())).await;
        // Early in the next minute, so that the one after it does not come by itself meanwhile.
        desk.set_clock(desk.next_of("Daily").await + TimeDelta::milliseconds(10));
        let why = daemon.hears(|told| if let Told::Passed { why, .. } = told { Some(*why) } else { None }).await;
        assert_eq!(why, "overlapped");
        assert_eq!(daemon.ended().await.status, Status::Partial);
    })
    .await;
    assert_eq!(desk.runs().len(), 1);
    assert_eq!(verdicts(&desk, "Daily"), [Verdict::Begun, Verdict::Overlapped]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_in_a_scheduled_chain_does_not_follow_its_own_schedule() {
    let stage = Stage::seeded(20).await;
    let desk = Desk::new(stage, DAILY);
    let job = std::fs::read_to_string(desk.stage.setting.project.join("company_sync.ferry")).expect("it is there");
    let head = format!("CREATE JOB \"{COMPANIES}\"");
    assert!(job.contains(&head));
    desk.write("company_sync.ferry", &job.replace(&head, &format!("{head}\n  SCHEDULE EVERY DAY AT '01:59'")));
    desk.with(Desk::options(), async |daemon| {
        comes(&desk, daemon, "Daily").await;
        daemon.ended().await;
        daemon.turns().await;
        assert_eq!(desk.runs().len(), 1, "its chain ran it, and nothing else");
        assert_eq!(desk.slots(COMPANIES), []);
        desk.write("schedules.ferry", "");
        daemon.hears(|told| matches!(told, Told::Reloaded(_)).then_some(())).await;
        daemon.turns().await;
        comes(&desk, daemon, COMPANIES).await;
        daemon.ended().await;
        assert_eq!(verdicts(&desk, COMPANIES), [Verdict::Begun], "without the chain it follows its own again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_has_one_daemon() {
    let desk = daily().await;
    desk.with(Desk::options(), async |_| {
        let (_keep, stop) = tokio::sync::watch::channel(ferry::daemon::serve::Stop::No);
        let silent = std::sync::Arc::new(|_: &Told| {});
        let other = ferry::daemon::serve::serve(desk.stage.setting.clone(), Desk::options(), silent, stop).await;
        let said = other.expect_err("it would take the first one's schedules for gone");
        assert!(said.to_string().contains("another `ferry serve` follows the schedules"), "{said}");
        assert_eq!(said.exit_code(), 5);
    })
    .await;
    desk.with(Desk::options(), async |daemon| daemon.turns().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_took_an_interrupted_run_up_is_not_run_again() {
    let text = r#"{"service": "gainsight", "path": "/v1/data/objects/query/company", "nth": [1], "in_a_row": 3, "status": 200, "text": "<html>"}"#;
    let file = faults_file(text);
    let world = World { rows: 20, limits_scale: SCALE, faults: Some(file.path().to_owned()), ..World::default() };
    let desk = Desk::new(
        Stage::on(start(world).await.expect("it starts")),
        &DAILY.replace("EVERY DAY AT '02:00'", "EVERY 1h"),
    );
    // So late that the next time comes before.
    let options = Options { retry_after: vec![Duration::from_secs(7_200)], ..Desk::options() };
    desk.with(options, async |daemon| {
        comes(&desk, daemon, "Daily").await;
        assert_eq!(daemon.ended().await.status, Status::WaitingRetry);
        comes(&desk, daemon, "Daily").await;
        assert_eq!(daemon.ended().await.resumed, 1, "the next time goes on with it");
    })
    .await;
    assert!(desk.slots("Daily").iter().all(|kept| kept.has_run), "both have a run");
    desk.with(Desk::options(), async |daemon| {
        daemon.turns().await;
        daemon.turns().await;
    })
    .await;
    assert_eq!(desk.runs().len(), 1, "a daemon that begins does not run it again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_schedule_begins_nothing_and_makes_up_for_nothing() {
    let desk = daily().await;
    desk.with(Desk::options(), async |daemon| {
        ferry::app::approving::pause(&desk.stage.setting, "Daily").expect("it pauses");
        daemon.turns().await;
        comes(&desk, daemon, "Daily").await;
        daemon.turns().await;
        assert!(ferry::app::approving::lift(&desk.stage.setting, "Daily").expect("it is lifted"));
        daemon.turns().await;
        assert_eq!(desk.runs(), [], "what passed meanwhile is not made up for");
        comes(&desk, daemon, "Daily").await;
        daemon.ended().await;
        assert_eq!(desk.runs().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_in_each_others_way_run_one_after_the_other_and_others_side_by_side() {
    let each =
        |name: &str, job: &str| format!("CREATE CHAIN \"{name}\" SCHEDULE EVERY DAY AT '02:00' AS RUN \"{job}\";\n");
    let text = each("C", COMPANIES) + &each("P", PEOPLE) + &each("U", USERS);
    let desk = Desk::new(Stage::seeded(20).await, &text);
    desk.with(Desk::options(), async |daemon| {
        comes(&desk, daemon, "C").await;
        for _ in 0..3 {
            daemon.ended().await;
        }
        let order: Vec<(bool, String)> = daemon.heard.iter().filter_map(order_of).collect();
        let at = |is_end: bool, name: &str| {
            order.iter().position(|one| *one == (is_end, name.to_owned())).expect("it is there")
        };
        // People look companies up; users are nobody's concern but their own.
        assert!(at(true, "C") < at(false, "P"), "{order:?}");
        assert!(at(false, "U") < at(true, "C"), "{order:?}");
    })
    .await;
}

fn order_of(told: &Told) -> Option<(bool, String)> {
    match told {
        Told::Heard { name, event: ferry::run::progress::Event::Began { .. } } => Some((false, name.clone())),
        Told::Ended { name, .. } => Some((true, name.clone())),
        _ => None,
    }
}
