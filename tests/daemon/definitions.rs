//! Files that change while the daemon serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ferry::daemon::serve::Stop;
use ferry::daemon::told::Told;
use ferry::daemon::watching::Watching;
use tokio::task::LocalSet;

use super::watched::Desk;
use crate::stage::Stage;

const CHAIN: &str = r#"CREATE CHAIN "One" SCHEDULE EVERY DAY AT '02:00' AS RUN "Company Sync_Dynamics Connection";"#;
const TWO: &str = r#"CREATE CHAIN "Two" SCHEDULE EVERY DAY AT '03:00' AS RUN "Company Sync_Dynamics Connection";"#;

#[tokio::test(flavor = "multi_thread")]
async fn files_that_change_are_what_it_works_by() {
    let desk = Desk::new(Stage::seeded(10).await, CHAIN);
    desk.with(Desk::options(), async |daemon| {
        desk.write("schedules.ferry", &format!("{CHAIN}\n{TWO}"));
        let of = daemon.hears(|told| if let Told::Reloaded(of) = told { Some(of.clone()) } else { None }).await;
        assert_eq!((of.jobs, of.chains, of.scheduled), (3, 2, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_edit_keeps_what_was_right_and_is_said_once() {
    let desk = Desk::new(Stage::seeded(10).await, CHAIN);
    desk.with(Desk::options(), async |daemon| {
        desk.write("schedules.ferry", &CHAIN.replace("Company Sync", "Companies"));
        let (mistakes, first) = daemon
            .hears(|told| match told {
                Told::Broken { mistakes, first } => Some((*mistakes, first.clone())),
                _ => None,
            })
            .await;
        assert_eq!(mistakes, 1);
        assert!(first.starts_with("schedules.ferry:1:") && first.contains("no job is named"), "{first}");
        daemon.turns().await;
        daemon.turns().await;
        assert_eq!(daemon.heard.iter().filter(|told| matches!(told, Told::Broken { .. })).count(), 1, "said once");
        // The chain is what it was, and runs.
        let last_right = CHAIN.replace("'02:00'", "'02:00' ");
        let at = {
            desk.write("schedules.ferry", &last_right);
            daemon.hears(|told| matches!(told, Told::Reloaded(_)).then_some(())).await;
            desk.next_of("One").await
        };
        desk.write("schedules.ferry", "CREATE CHAIN");
        daemon.hears(|told| matches!(told, Told::Broken { .. }).then_some(())).await;
        desk.set_clock(at - chrono::TimeDelta::seconds(2));
        daemon.turns().await;
        desk.set_clock(at);
        assert_eq!(daemon.ended().await.job, crate::stage::COMPANIES);
        desk.write("schedules.ferry", &last_right);
        let of = daemon.hears(|told| if let Told::Reloaded(of) = told { Some(of.clone()) } else { None }).await;
        assert_eq!(of.chains, 1, "it says that they are right again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_checked_wait_and_are_looked_at_again() {
    let mut desk = Desk::new(Stage::seeded(10).await, CHAIN);
    let is_away = Arc::new(AtomicBool::new(false));
    let (secrets, away) = (Arc::clone(&desk.stage.setting.secrets), Arc::clone(&is_away));
    desk.stage.setting.secrets = Arc::new(move |name| if away.load(Ordering::SeqCst) { None } else { secrets(name) });
    desk.with(Desk::options(), async |daemon| {
        is_away.store(true, Ordering::SeqCst);
        desk.write("schedules.ferry", &format!("{CHAIN}\n{TWO}"));
        let why = daemon.hears(|told| if let Told::Unchecked { why } = told { Some(why.clone()) } else { None }).await;
        assert!(why.contains("the secret"), "{why}");
        is_away.store(false, Ordering::SeqCst);
        daemon.turns().await;
        assert!(!daemon.heard.iter().any(|told| matches!(told, Told::Reloaded(_))), "not before a minute has passed");
        desk.set_clock(desk.now() + chrono::TimeDelta::seconds(60));
        let of = daemon.hears(|told| if let Told::Reloaded(of) = told { Some(of.clone()) } else { None }).await;
        assert_eq!(of.chains, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_with_mistakes_is_not_served() {
    let desk = Desk::new(Stage::seeded(10).await, "CREATE CHAIN");
    let (_keep, stop) = tokio::sync::watch::channel(ferry::daemon::serve::Stop::No);
    let silent = std::sync::Arc::new(|_: &Told| {});
    let served = ferry::daemon::serve::serve(desk.stage.setting.clone(), Desk::options(), silent, stop).await;
    assert_eq!(served.expect_err("there is nothing to serve").exit_code(), 2);
}

/// An address of this machine where nobody listens.
const NOBODY: &str = "http://127.0.0.1:1";

/// Has the project's connections lead from one address to another.
fn redirect(desk: &Desk, from: &str, to: &str) {
    for entry in std::fs::read_dir(&desk.stage.setting.project).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        if text.contains(from) {
            desk.write(entry.file_name().to_str().unwrap(), &text.replace(from, to));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_service_is_away_at_the_start_it_is_asked_again() {
    let desk = Desk::new(Stage::seeded(10).await, CHAIN);
    let dynamics = desk.stage.sandbox.dynamics_url().to_owned();
    redirect(&desk, &dynamics, NOBODY);
    LocalSet::new()
        .run_until(async {
            let watching = Arc::new(Watching::new(&desk.stage.setting, None));
            let ear = Arc::clone(&watching);
            let mut daemon = desk.begin_to_check(Desk::options(), move |told| ear.hear(told));
            daemon.hears(|told| matches!(told, Told::Unchecked { .. }).then_some(())).await;
            desk.set_clock(desk.now() + chrono::TimeDelta::seconds(30));
            daemon.turns().await;
            assert_eq!(watching.health.is_not_ready(), Some("it has no definitions yet"));
            assert_eq!(watching.health.hangs(), None, "it is alive");
            redirect(&desk, NOBODY, &dynamics);
            desk.set_clock(desk.now() + chrono::TimeDelta::seconds(31));
            daemon.hears(|told| matches!(told, Told::Started(_)).then_some(())).await;
            daemon.turns().await;
            assert_eq!(watching.health.is_not_ready(), None);
            daemon.stop(Stop::Soon).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_at_once_while_it_waits_for_a_service() {
    let desk = Desk::new(Stage::seeded(10).await, CHAIN);
    redirect(&desk, desk.stage.sandbox.dynamics_url(), NOBODY);
    LocalSet::new()
        .run_until(async {
            let mut daemon = desk.begin_to_check(Desk::options(), |_| {});
            daemon.hears(|told| matches!(told, Told::Unchecked { .. }).then_some(())).await;
            assert_eq!(daemon.stop(Stop::Soon).await, 0);
            // While the first check is under way too.
            let mut daemon = desk.begin_to_check(Desk::options(), |_| {});
            assert_eq!(daemon.stop(Stop::Soon).await, 0);
            assert!(!daemon.heard.iter().any(|told| matches!(told, Told::Started(_))));
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_secret_is_missing_at_the_start_it_does_not_wait() {
    let mut desk = Desk::new(Stage::seeded(10).await, CHAIN);
    desk.stage.setting.secrets = Arc::new(|_| None);
    let (_keep, stop) = tokio::sync::watch::channel(Stop::No);
    let silent = Arc::new(|_: &Told| {});
    let served = ferry::daemon::serve::serve(desk.stage.setting.clone(), Desk::options(), silent, stop).await;
    assert_eq!(served.expect_err("it does not pass by itself").exit_code(), 3);
}
