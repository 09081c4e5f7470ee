//! The log as JSON: a line for each thing that happened, and no value of a row in any.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use ferry::daemon::journal::line;
use ferry::daemon::told::{Defined, Told};
use ferry::run::progress::Event;
use serde_json::Value;
use tokio::task::LocalSet;

use super::watched::Desk;
use crate::stage::Stage;

/// What may stand in a line.
const FIELDS: [&str; 26] = [
    "time",
    "level",
    "event",
    "name",
    "job",
    "chain",
    "run",
    "status",
    "slot",
    "late_ms",
    "verdict",
    "rows_read",
    "rows_written",
    "rows_failed",
    "calls_dynamics",
    "calls_gainsight",
    "seconds",
    "tries",
    "at",
    "message",
    "jobs",
    "chains",
    "scheduled",
    "mistakes",
    "under_way",
    "left",
];

fn now() -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

#[test]
fn an_event_is_an_object_on_one_line() {
    let told = Told::Due { name: "A \"b\"\nc".to_owned(), slot: now(), late_ms: 12 };
    let line = line(&told, now()).unwrap();
    assert_eq!(
        line,
        r#"{"time":"2026-01-01T00:00:00.000Z","level":"info","event":"due","name":"A \"b\"\nc","slot":"2026-01-01T00:00:00Z","late_ms":12}"#
    );
}

#[test]
fn what_says_only_that_it_is_alive_is_no_line() {
    assert_eq!(line(&Told::Turned { has_home: true, under_way: 1, waiting: 0 }, now()), None);
    let event = Event::Advanced { run: "20261126-0001".to_owned(), stage: "load", rows: 1, of: None };
    assert_eq!(line(&Told::Heard { name: "A".to_owned(), event }, now()), None);
}

#[test]
fn a_message_is_cut_and_cannot_move_a_cursor() {
    let text = format!("\u{1b}[2J\r\n{}", "x".repeat(10_000));
    for told in [Told::Notice(text.clone()), Told::Failed { name: "A".to_owned(), why: text.clone() }] {
        let value: Value = serde_json::from_str(&line(&told, now()).unwrap()).unwrap();
        let message = value["message"].as_str().unwrap();
        assert_eq!(message.chars().count(), 500);
        assert!(!message.contains(char::is_control), "{message}");
    }
}

#[test]
fn what_is_bad_has_a_level_of_its_own() {
    let level = |told: &Told| serde_json::from_str::<Value>(&line(told, now()).unwrap()).unwrap()["level"].clone();
    assert_eq!(level(&Told::Started(Defined { jobs: 1, chains: 1, scheduled: 1, ..Defined::default() })), "info");
    assert_eq!(level(&Told::Broken { mistakes: 1, first: String::new() }), "error");
    assert_eq!(level(&Told::Passed { name: String::new(), slot: now(), why: "missed" }), "warn");
    assert_eq!(level(&Told::GivenUp { name: String::new(), tries: 2 }), "error");
}

/// Rows that are refused for each reason there is, a service that fails in between, and a broken edit.
#[tokio::test(flavor = "multi_thread")]
async fn no_value_of_a_row_is_in_the_log() {
    let accounts = r#"{"accountid":"11111111-0000-4000-8000-000000000001","name":"CanaryCompany GmbH","telephone1":"+49 30 555 0100","statecode":0}
{"accountid":"11111111-0000-4000-8000-000000000002","name":"CanaryTwin AG","statecode":0}"#;
    let contacts = r#"{"contactid":"22222222-0000-4000-8000-000000000001","firstname":"CanaryAda","lastname":"CanaryByron","emailaddress1":"canary.ada@example.com","_parentcustomerid_value":"11111111-0000-4000-8000-000000000001","_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname":"account","statecode":0}
{"contactid":"22222222-0000-4000-8000-000000000002","firstname":"CanaryEve","lastname":"CanaryMoss","emailaddress1":"no mail at all","statecode":0}"#;
    let stage = Stage::world("", accounts, contacts).await;
    let chain = r#"CREATE CHAIN "Daily" SCHEDULE EVERY DAY AT '02:00' AS RUN "Company Sync_Dynamics Connection" THEN RUN "Company Person Sync_Dynamics Connection";"#;
    let desk = Desk::new(stage, chain);
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let (kept, beside) = (Arc::clone(&lines), LocalSet::new());
    beside
        .run_until(async {
            let write = move |told: &Told| kept.lock().unwrap().extend(line(told, now()));
            let mut daemon = desk.begin_with(Desk::options(), write).await;
            let at = desk.next_of("Daily").await;
            desk.set_clock(at - TimeDelta::seconds(2));
            daemon.turns().await;
            desk.set_clock(at + TimeDelta::seconds(1));
            daemon.ended().await;
            daemon.ended().await;
            desk.write("schedules.ferry", "CREATE CHAIN");
            daemon.hears(|told| matches!(told, Told::Broken { .. }).then_some(())).await;
        })
        .await;
    let lines = lines.lock().unwrap();
    let events: BTreeSet<String> = lines
        .iter()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            let fields = value.as_object().unwrap();
            assert!(fields.keys().all(|field| FIELDS.contains(&field.as_str())), "{line}");
            value["event"].as_str().unwrap().to_owned()
        })
        .collect();
    for event in ["started", "due", "run_began", "run_ended", "reload_failed"] {
        assert!(events.contains(event), "{event}: {lines:#?}");
    }
    let all = lines.join("\n");
    for value in ["Canary", "canary.ada", "555 0100", "no mail at all", "22222222-0000"] {
        assert!(!all.contains(value), "{value}: {all}");
    }
    assert!(lines.iter().any(|line| line.contains(r#""rows_failed":1"#)), "a row was refused: {all}");
}
