//! What stops runs of the daemon, and what lets them go on.

use chrono::TimeDelta;
use ferry::app::approving::approve;
use ferry::daemon::told::Told;
use ferry::model::outcome::Status;
use ferry::sandbox::{Options as World, start};
use ferry::store::ledger::{Begin, End, Ledger};
use ferry::store::state::Tenancy;
use serde_json::{Value, json};

use super::watched::{Daemon, Desk};
use crate::stage::{COMPANIES, SCALE, Stage, beginning, faults_file};

const CHAIN: &str = r#"CREATE CHAIN "Daily" SCHEDULE EVERY DAY AT '02:00' AS RUN "Company Sync_Dynamics Connection";"#;
const READ: &str = "/v1/data/objects/query/company";

async fn rough(rules: &str) -> Desk {
    let file = faults_file(rules);
    let world = World { rows: 20, limits_scale: SCALE, faults: Some(file.path().to_owned()), ..World::default() };
    Desk::new(Stage::on(start(world).await.expect("it starts")), CHAIN)
}

async fn comes(desk: &Desk, daemon: &mut Daemon) {
    let at = desk.next_of("Daily").await;
    desk.set_clock(at - TimeDelta::seconds(2));
    daemon.turns().await;
    desk.set_clock(at);
}

fn account(number: usize, name: &str) -> Value {
    json!({"accountid": format!("00000000-0000-4000-8000-{number:012}"), "name": format!("{name} {number}")})
}

/// So many companies that changing most of them has to be allowed.
async fn many() -> Desk {
    let rows: Vec<String> = (0..150).map(|number| account(number, "A").to_string()).collect();
    Desk::new(Stage::world("", &rows.join("\n"), "").await, CHAIN)
}

fn rename_most(desk: &Desk) {
    for number in 0..100 {
        let row = account(number, "B").as_object().expect("an object").clone();
        assert!(desk.stage.sandbox.put_row("account", row));
    }
}

/// Three answers that cannot be read end a run; how many there are in a row.
fn unreadable(times: usize) -> String {
    let text = r#""status": 200, "text": "<html>Signed out</html>""#;
    format!(r#"{{"service": "gainsight", "path": "{READ}", "nth": [1], "in_a_row": {times}, {text}}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_stopped_is_tried_again_and_is_the_same_run() {
    let desk = rough(&unreadable(3)).await;
    desk.with(Desk::options(), async |daemon| {
        comes(&desk, daemon).await;
        let first = daemon.ended().await;
        assert_eq!(first.status, Status::WaitingRetry, "{:?}", first.message);
        let at = daemon.hears(|told| if let Told::Retried { at, .. } = told { Some(*at) } else { None }).await;
        daemon.turns().await;
        assert_eq!(desk.runs().len(), 1, "it is not tried before its time");
        desk.set_clock(at);
        let second = daemon.ended().await;
        assert_eq!((second.run, second.status, second.resumed), (first.run, Status::Partial, 1));
    })
    .await;
    assert_eq!(desk.runs().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stays_away_is_given_up_and_the_run_has_failed() {
    let desk = rough(&unreadable(9_999)).await;
    desk.with(Desk::options(), async |daemon| {
        comes(&desk, daemon).await;
        for _ in 0..2 {
            let at = daemon.hears(|told| if let Told::Retried { at, .. } = told { Some(*at) } else { None }).await;
            desk.set_clock(at);
        }
        let tries = daemon.hears(|told| if let Told::GivenUp { tries, .. } = told { Some(*tries) } else { None }).await;
        assert_eq!(tries, 3);
        daemon.turns().await;
        let runs = desk.runs();
        assert_eq!((runs.len(), runs[0].status.as_str()), (1, "failed"));
        assert!(runs[0].report.as_ref().is_some_and(|report| report.contains("\"status\":\"failed\"")));
        // The next time has passed by then, and is made up for.
        desk.set_clock(desk.now() + TimeDelta::hours(25));
        daemon.ended().await;
        assert_eq!(desk.runs().len(), 2, "it was too long ago to be gone on with: the next day has a run of its own");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_for_approval_goes_on_when_it_is_given() {
    let desk = many().await;
    desk.with(Desk::options(), async |daemon| {
        comes(&desk, daemon).await;
        assert_eq!(daemon.ended().await.counts.inserted, 150);
        rename_most(&desk);
        comes(&desk, daemon).await;
        let waits = daemon.ended().await;
        assert_eq!(waits.status, Status::WaitingApproval);
        assert!(waits.message.is_some_and(|said| said.contains(&format!("ferry approve {}", waits.run))));
        daemon.turns().await;
        assert_eq!(desk.runs()[1].status, "waiting_approval", "it waits as long as it takes");
        approve(&desk.stage.setting, &waits.run).expect("it waits for that");
        let done = daemon.ended().await;
        assert_eq!((done.run, done.counts.updated), (waits.run, 100));
    })
    .await;
    assert_eq!(desk.runs().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_run_that_cannot_go_on_has_failed_and_is_let_alone() {
    let desk = many().await;
    desk.with(Desk::options(), async |daemon| {
        comes(&desk, daemon).await;
        daemon.ended().await;
        rename_most(&desk);
        comes(&desk, daemon).await;
        let waits = daemon.ended().await;
        assert_eq!(waits.status, Status::WaitingApproval);
        let path = desk.stage.setting.project.join("company_sync.ferry");
        let job = std::fs::read_to_string(path).expect("it is there");
        desk.write("company_sync.ferry", &job.replace("a.name", "UPPER(a.name)"));
        daemon.hears(|told| matches!(told, Told::Reloaded(_)).then_some(())).await;
        approve(&desk.stage.setting, &waits.run).expect("it waits for that");
        let why = daemon.hears(|told| if let Told::Failed { why, .. } = told { Some(why.clone()) } else { None }).await;
        assert!(why.contains("the job"), "{why}");
        daemon.turns().await;
        daemon.turns().await;
        let failed =
            daemon.heard.iter().filter(|told| matches!(told, Told::Failed { why, .. } if why.contains("the job")));
        assert_eq!(failed.count(), 1, "it is not tried again and again");
        let run = &desk.runs()[1];
        assert_eq!(run.status, "failed");
        assert!(run.message.as_ref().is_some_and(|said| said.contains("cannot be gone on with")), "{run:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_even_be_begun_has_a_line_in_the_activity() {
    let desk = rough("").await;
    desk.with(Desk::options(), async |daemon| {
        ferry::app::connections::authorize(&desk.stage.setting, "gainsight", &|_: &_| {}).await.expect("it works");
        ferry::app::connections::revoke(&desk.stage.setting, "gainsight").expect("it is revoked");
        comes(&desk, daemon).await;
        let why = daemon.hears(|told| if let Told::Failed { why, .. } = told { Some(why.clone()) } else { None }).await;
        assert!(why.contains("was revoked"), "{why}");
        daemon.turns().await;
        let runs = desk.runs();
        assert_eq!((runs.len(), runs[0].job.as_str(), runs[0].status.as_str()), (1, COMPANIES, "failed"));
        assert!(runs[0].message.as_ref().is_some_and(|said| said.contains("ferry connection authorize")));
        ferry::app::connections::authorize(&desk.stage.setting, "gainsight", &|_: &_| {}).await.expect("it works");
        comes(&desk, daemon).await;
        assert_eq!(daemon.ended().await.status, Status::Partial);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_while_somebody_else_has_the_home() {
    let desk = rough("").await;
    desk.with(Desk::options(), async |daemon| {
        let held = ferry::app::held::Held::at_once(&desk.stage.setting).expect("nobody is at work");
        comes(&desk, daemon).await;
        let why = daemon.hears(|told| if let Told::Waits { why, .. } = told { Some(why.clone()) } else { None }).await;
        assert!(why.contains("somebody else is at work"), "{why}");
        daemon.turns().await;
        assert_eq!(daemon.heard.iter().filter(|told| matches!(told, Told::Waits { .. })).count(), 1, "said once");
        drop(held);
        daemon.ended().await;
        daemon.turns().await;
        ferry::app::held::Held::at_once(&desk.stage.setting).expect("it leaves the home when nothing is under way");
    })
    .await;
    assert_eq!(desk.runs().len(), 1);
}

/// Another that follows the same schedules may have had the home first.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_has_begun_while_it_waited_is_not_begun_again() {
    let desk = rough("").await;
    desk.with(Desk::options(), async |daemon| {
        let held = ferry::app::held::Held::at_once(&desk.stage.setting).expect("nobody is at work");
        comes(&desk, daemon).await;
        daemon.hears(|told| matches!(told, Told::Waits { .. }).then_some(())).await;
        let slot_ms = desk.slots("Daily")[0].slot.at.timestamp_millis();
        let of = Tenancy { organization: "o".to_owned(), tenant: "t".to_owned() };
        let theirs = Begin { chain: Some("Daily"), slot_ms: Some(slot_ms), ..beginning(COMPANIES, &of) };
        let run = held.state.begin(&theirs).expect("it begins");
        held.state.end(&End::of_nothing(&run, &of, COMPANIES, "2026-01-01T00:00:01Z", "success")).expect("it ends");
        drop(held);
        let told = |told: &Told| matches!(told, Told::Notice(words) if words.contains("\"Daily\" was begun meanwhile"));
        daemon.hears(|one| told(one).then_some(())).await;
        daemon.turns().await;
        ferry::app::held::Held::at_once(&desk.stage.setting).expect("it leaves the home when nothing is under way");
        assert_eq!(desk.runs().into_iter().map(|run| run.id).collect::<Vec<_>>(), [run]);
        // The next time is begun as ever.
        comes(&desk, daemon).await;
        daemon.ended().await;
    })
    .await;
    assert_eq!(desk.runs().into_iter().filter(|run| run.by.as_deref() == Some("schedule")).count(), 1);
}
