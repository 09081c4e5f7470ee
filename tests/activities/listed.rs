//! The list of activities: which runs, of what time, and which of them are under way.

use chrono::{TimeDelta, Utc};
use ferry::app::activity::{Filter, find, list};
use ferry::app::held::Held;
use ferry::model::outcome::Status;
use ferry::store::ledger::Ledger;
use ferry::store::state::{State, Tenancy};
use serde_json::Value;

use crate::ownership::begun;
use crate::stage::{CHAIN, COMPANIES, PEOPLE, Stage, USERS, beginning};
use crate::terminal::Desk;

use super::json_lines;

fn of() -> Tenancy {
    Tenancy { organization: "o".to_owned(), tenant: "t".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_found_by_job_chain_status_and_time() {
    let mut desk = Desk::new().await;
    desk.set("USER", "anna");
    desk.ferry(&["run", CHAIN]);
    desk.ferry(&["plan", COMPANIES]);
    desk.ferry(&["run", USERS]);
    let of = |arguments: &[&str]| {
        let (code, out, err) = desk.ferry(&[&["activity", "--json"], arguments].concat());
        assert_eq!(code, 0, "{arguments:?}: {err}");
        let number = |line: &Value| line["run"].as_str().unwrap().rsplit_once('-').unwrap().1.parse().unwrap();
        json_lines(&out).iter().map(number).collect::<Vec<u32>>()
    };
    assert_eq!(of(&[]), [5, 4, 3, 2, 1], "newest first");
    assert_eq!(of(&["--job", COMPANIES]), [4, 2], "a whole name is no part of another");
    assert_eq!(of(&["--job", "company"]), [4, 3, 2], "a part of a name will do");
    assert_eq!(of(&["--chain", "dynamics_company"]), [3, 2, 1]);
    assert_eq!(of(&["--status", "planned"]), [4]);
    assert_eq!(of(&["--status", "success,partial", "--job", USERS]), [5, 1]);
    assert_eq!(of(&["--status", "waiting"]), [0; 0]);
    assert_eq!(of(&["--limit", "2"]), [5, 4]);
    assert_eq!(of(&["--since", "1h"]), [5, 4, 3, 2, 1]);
    assert_eq!(of(&["--until", "1h"]), [0; 0], "what began an hour ago or earlier");
    let today = Utc::now().format("%Y-%m-%d").to_string();
    assert_eq!(of(&["--until", &today]).len(), 5, "a day counts whole");
    assert_eq!(of(&["--since", "2020-01-01 06:30", "--until", "2020-01-02T00:00:00Z"]), [0; 0]);
    let (_, _, err) = desk.ferry(&["activity", "--limit", "2"]);
    assert!(err.contains("the newest 2 runs; --limit N shows more"), "{err}");
    let (_, out, err) = desk.ferry(&["activity", "--job", "nobody"]);
    assert!(out.is_empty() && err.contains("has no such runs"), "{err}");
    for wrong in ["yesterday", "2026-13-01", "7", ""] {
        let (code, _, err) = desk.ferry(&["activity", "--since", wrong]);
        assert!(code == 2 && err.contains("write an age such as 7d"), "{wrong}: {err}");
    }
    let (code, _, err) = desk.ferry(&["activity", "--status", "odd"]);
    assert!(code == 2 && err.contains("there is no such status"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_says_who_started_it_and_fits_a_terminal() {
    let mut desk = Desk::new().await;
    desk.set("USER", "anna");
    desk.ferry(&["run", CHAIN]);
    let (_, out, _) = desk.ferry(&["activity"]);
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let first = out.lines().next().unwrap();
    assert!(first.contains(PEOPLE) && first.ends_with("Partial Success"), "{first}");
    assert!(out.contains("by anna") && out.contains(&format!("in {CHAIN}")), "{out}");
    let (_, out, _) = desk.ferry(&["activity", "--csv"]);
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("run,job,chain,status,by,due_at,started,ended,seconds,read,filtered"), "{out}");
    assert!(lines.len() == 4 && lines[1].contains(&format!(",{PEOPLE},{CHAIN},partial,anna,,20")), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_under_way_as_long_as_its_process_is() {
    let desk = Desk::new().await;
    let (mut child, said) = begun(&desk, &["run", COMPANIES], &[("FERRY_STOP_AT", "extracted.after")], "stopped at");
    let (_, out, _) = desk.ferry(&["activity"]);
    assert!(out.lines().next().unwrap().ends_with("Running"), "{out}");
    let (_, out, _) = desk.ferry(&["jobs", "--status", "running", "--json"]);
    let run = json_lines(&out)[0]["last"]["run"].as_str().unwrap().to_owned();
    let (code, out, _) = desk.ferry(&["activity", &run]);
    assert!(code == 0 && out.contains("plan") && out.contains("goes on"), "{out}");
    assert!(out.contains("everything is read") && out.contains(&format!("ferry pause {run}")), "{out}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(said);
    let (_, out, _) = desk.ferry(&["activity", "--status", "interrupted", "--json"]);
    assert_eq!(json_lines(&out)[0]["run"], run.as_str());
    let (_, out, _) = desk.ferry(&["activity", &run]);
    assert!(out.contains("Interrupted") && out.contains(&format!("ferry resume {run}")), "{out}");
}

/// The home is taken by somebody who came after the process of a run had died.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_from_before_whoever_is_at_work_is_not_under_way() {
    let stage = Stage::seeded(20).await;
    let held = Held::at_once(&stage.setting).unwrap();
    let of = of();
    let later = (Utc::now() + TimeDelta::seconds(5)).to_rfc3339();
    held.state.begin(&beginning("old", &of)).unwrap();
    let resumed = held.state.begin(&beginning("resumed", &of)).unwrap();
    held.state.take_up(&resumed).unwrap();
    held.state.begin(&ferry::store::ledger::Begin { started: &later, ..beginning("new", &of) }).unwrap();
    let status = |job: &str| {
        let runs = list(&stage.setting).unwrap();
        runs.into_iter().find(|run| run.job == job).unwrap().status
    };
    assert_eq!(["old", "resumed", "new"].map(status), ["interrupted", "running", "running"]);
    let interrupted = Filter { statuses: vec![Status::Interrupted], ..Filter::default() };
    assert_eq!(find(&stage.setting, &interrupted).unwrap().all.len(), 1, "the filter sees the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_home_has_no_activity() {
    let desk = Desk::new().await;
    let (code, out, err) = desk.ferry(&["activity"]);
    assert!(code == 0 && out.is_empty() && err.contains("has no such runs"), "{out}{err}");
    let (code, out, _) = desk.ferry(&["activity", "--updates", "--json"]);
    assert!(code == 0 && out.is_empty());
    assert!(!desk.home().exists(), "looking makes nothing");
    // A process that ended while it made the state leaves a file without a table.
    std::fs::create_dir(desk.home()).unwrap();
    std::fs::write(desk.home().join("state.db"), "").unwrap();
    assert_eq!(desk.ferry(&["activity"]).0, 0);
    assert_eq!(desk.ferry(&["jobs"]).0, 0);
    drop(State::open(&desk.home().join("state.db")).unwrap());
    assert_eq!(desk.ferry(&["activity", "20260101-0001"]).0, 2);
}
