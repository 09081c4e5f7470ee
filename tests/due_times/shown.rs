//! `ferry schedule`, as its user meets it. It asks no service and needs no secret.

use ferry::store::slots::Kept;
use serde_json::Value;

use crate::terminal::Desk;

const CHAIN: &str = "CREATE CHAIN \"Night\" SCHEDULE EVERY DAY AT '02:00' IN 'America/New_York'
  AS RUN \"User Sync_Dynamics Connection\";
CREATE CHAIN \"Over\" SCHEDULE EVERY 4h UNTIL '2020-01-31' AS RUN \"Company Sync_Dynamics Connection\";";

async fn desk() -> Desk {
    let mut desk = Desk::new().await;
    desk.forget_secrets();
    desk.write("night.ferry", CHAIN);
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lists_what_is_due_and_what_is_not() {
    let desk = desk().await;
    let users = std::fs::read_to_string(desk.project().join("user_sync.ferry")).unwrap();
    let head = "CREATE JOB \"User Sync_Dynamics Connection\"";
    assert!(users.contains(head));
    desk.write("user_sync.ferry", &users.replace(head, &format!("{head} SCHEDULE EVERY 15m")));
    let (code, out, talk) = desk.ferry(&["schedule", "--json", "--next", "3"]);
    assert_eq!((code, talk.as_str()), (0, ""));
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let due: Vec<&Value> = lines.iter().filter(|line| line.get("due").is_some()).collect();
    assert_eq!(due.len(), 3, "{out}");
    assert!(due.iter().all(|one| one["name"] == "Night" && one["kind"] == "chain"), "{out}");
    assert!(due.iter().all(|one| one["in_zone"].as_str().unwrap().contains("T02:00:00-0")), "{out}");
    let of = |name: &str| lines.iter().find(|one| one["name"] == name && one.get("schedule").is_some()).unwrap();
    assert_eq!(of("User Sync_Dynamics Connection")["silenced_by"][0], "Night");
    assert_eq!(of("User Sync_Dynamics Connection")["next"], Value::Null);
    assert_eq!(of("Over")["has_ended"], true);
    let (_, people, _) = desk.ferry(&["schedule"]);
    assert!(people.contains("silenced by the chain \"Night\""), "{people}");
    assert!(people.contains("ended: it has no time to come"), "{people}");
    assert!(people.lines().all(|line| line.chars().count() <= 80), "{people}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_shows_and_silences() {
    let desk = desk().await;
    assert_eq!(desk.ferry(&["pause", "Night"]).0, 0);
    let (code, out, _) = desk.ferry(&["schedule", "night"]);
    assert_eq!(code, 0);
    assert!(out.contains("paused since"), "{out}");
    assert!(!out.contains("in its zone"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_and_unknown_names_are_said() {
    let desk = desk().await;
    let (code, _, talk) = desk.ferry(&["schedule", "Day"]);
    assert_eq!(code, 2);
    assert!(talk.contains("no job or chain named \"Day\" has a schedule; these have: \"Night\", \"Over\""), "{talk}");
    desk.write(
        "night.ferry",
        "CREATE CHAIN \"Night\" SCHEDULE CRON '0 0 30 2 *' AS RUN \"User Sync_Dynamics Connection\";",
    );
    let (code, out, talk) = desk.ferry(&["schedule"]);
    assert_eq!(code, 2);
    assert!(format!("{out}{talk}").contains("never comes"), "{out}{talk}");
    let (code, out, talk) = desk.ferry(&["schedule", "--missed"]);
    assert_eq!((code, out.as_str(), talk.trim()), (0, "", "nothing was missed"));
}

/// Times that were decided show with what became of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_shows() {
    use ferry::model::schedule::{Slot, Verdict};
    use ferry::store::state::State;
    let desk = desk().await;
    assert_eq!(desk.ferry(&["pause", "Night"]).0, 0);
    let state = State::join(&ferry::store::home::state_path(&desk.home())).unwrap();
    let at = super::utc("2026-01-01 07:00");
    let slots = [
        Slot { at, verdict: Verdict::Missed, more: 1_200 },
        Slot { at: at + chrono::TimeDelta::days(1), verdict: Verdict::MadeUp, more: 0 },
        Slot { at: at + chrono::TimeDelta::days(2), verdict: Verdict::Overlapped, more: 0 },
    ];
    state.decide("Night", &slots, slots[2].at, slots[2].at).unwrap();
    let kept: Vec<Kept> = state.slots(None, true, 10).unwrap();
    assert_eq!(kept.len(), 3);
    let (_, out, _) = desk.ferry(&["schedule", "--missed"]);
    let lines: Vec<&str> = out.lines().skip(1).map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "2026-01-03T07:00:00Z  skipped: still running    Night",
            "2026-01-02T07:00:00Z  has no run yet            Night",
            "2026-01-01T07:00:00Z  missed, and 1,200 before  Night",
        ]
    );
}
