//! `ferry doctor`: each thing that can be wrong with a deployment is seen, with what to do.

use chrono::{TimeDelta, Utc};
use ferry::store::state::State;
use rusqlite::Connection;
use serde_json::Value;

use crate::ownership::begun;
use crate::stage::{COMPANIES, Stage, USERS};
use crate::terminal::Desk;

use super::json_lines;

/// The findings, and the exit code.
fn examined(desk: &Desk, more: &[&str]) -> (i32, Vec<Value>) {
    let (code, out, err) = desk.ferry(&[&["doctor", "--json"], more].concat());
    assert!(err.is_empty(), "{err}");
    (code, json_lines(&out))
}

fn on<'a>(findings: &'a [Value], what: &str) -> Vec<&'a Value> {
    findings.iter().filter(|finding| finding["what"] == what).collect()
}

fn verdict(findings: &[Value], what: &str) -> String {
    let found = on(findings, what);
    assert!(!found.is_empty(), "nothing is said of {what}: {findings:?}");
    found[0]["verdict"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_deployment_has_nothing_that_fails_and_changes_nothing() {
    let desk = Desk::on(Stage::seeded(40).await);
    let (code, found) = examined(&desk, &[]);
    assert_eq!((code, verdict(&found, "home"), verdict(&found, "state")), (0, "warn".to_owned(), "warn".to_owned()));
    assert!(!desk.home().exists(), "looking makes nothing");
    desk.ferry(&["run", USERS]);
    let writes = desk.stage.sandbox.calls().iter().filter(|call| call.write).count();
    let (code, found) = examined(&desk, &[]);
    assert_eq!(code, 0, "{found:?}");
    for what in [
        "ferry",
        "home",
        "state",
        "changes",
        "at work",
        "waiting runs",
        "last runs",
        "notices",
        "definitions",
        "schedules",
        "connection dynamics",
        "connection gainsight",
        "calls of gainsight",
        "check",
    ] {
        assert_eq!(verdict(&found, what), "ok", "{what}: {found:?}");
    }
    let calls = on(&found, "calls of gainsight")[0]["found"].as_str().unwrap();
    assert!(calls.contains("of 45000 calls") && !calls.starts_with("45000"), "{calls}");
    assert_eq!(desk.stage.sandbox.calls().iter().filter(|call| call.write).count(), writes);
    let (code, out, err) = desk.ferry(&["doctor"]);
    assert!(
        code == 0 && err.contains("things looked at") && out.lines().all(|line| line.chars().count() <= 80),
        "{out}{err}"
    );
    assert!(out.lines().count() <= 24, "one screen: {out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_in_part_without_services_and_secrets() {
    let mut desk = Desk::new().await;
    desk.ferry(&["run", USERS]);
    desk.forget_secrets();
    let calls = desk.stage.sandbox.calls().len();
    let (code, found) = examined(&desk, &["--offline"]);
    assert_eq!((code, verdict(&found, "services"), desk.stage.sandbox.calls().len()), (0, "ok".to_owned(), calls));
    assert_eq!((verdict(&found, "state"), on(&found, "connection dynamics").len()), ("ok".to_owned(), 0));
    let (code, found) = examined(&desk, &[]);
    assert_eq!(
        (code, verdict(&found, "connection dynamics"), verdict(&found, "state")),
        (1, "fail".to_owned(), "ok".to_owned())
    );
    let said = on(&found, "connection gainsight")[0]["found"].as_str().unwrap();
    assert!(said.contains("set FERRY_SECRET_GAINSIGHT_ACCESS_KEY"), "{said}");
    assert!(on(&found, "check").is_empty(), "it would say the same once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_too_many_and_connections_that_are_revoked_show() {
    let desk = Desk::new().await;
    desk.ferry(&["run", USERS]);
    desk.stage.sandbox.grant("account", "Write", Some("Basic"));
    let (code, found) = examined(&desk, &[]);
    assert_eq!(
        (code, verdict(&found, "connection dynamics")),
        (0, "warn".to_owned()),
        "S-17: it works, and should be otherwise"
    );
    assert!(on(&found, "connection dynamics")[0]["found"].as_str().unwrap().contains("it may also Write"), "{found:?}");
    desk.ferry(&["connection", "revoke", "gainsight"]);
    let (code, found) = examined(&desk, &[]);
    assert_eq!((code, verdict(&found, "connection gainsight")), (1, "fail".to_owned()));
    let (_, out, _) = desk.ferry(&["doctor"]);
    assert!(out.contains("FAIL  connection gainsight: right to use it: revoked") && out.contains("→ "), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_with_mistakes_fails() {
    let desk = Desk::new().await;
    desk.write("wrong.ferry", "CREATE JOB \"Broken\" AS UPSERT INTO;");
    let (code, found) = examined(&desk, &["--offline"]);
    assert_eq!((code, verdict(&found, "definitions")), (1, "fail".to_owned()));
    desk.write("wrong.ferry", "CREATE JOB \"W\" AS UPSERT INTO gainsight.Company KEY (\"Nmae\") SELECT a.name AS \"Nmae\" FROM dynamics.account AS a;");
    let (code, found) = examined(&desk, &[]);
    assert_eq!(
        (code, verdict(&found, "definitions"), verdict(&found, "check")),
        (1, "ok".to_owned(), "fail".to_owned())
    );
    let (code, out, _) = desk.ferry_in("nowhere".as_ref(), &["doctor", "--json", "--offline"]);
    assert!(code == 1 && out.contains("there is no folder nowhere"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_was_altered_or_damaged_fails() {
    let desk = Desk::new().await;
    desk.ferry(&["run", USERS]);
    let path = desk.home().join("state.db");
    let number: i64 = Connection::open(&path)
        .unwrap()
        .query_row("UPDATE change SET by = 'nobody' WHERE id = 3 RETURNING id", [], |row| row.get(0))
        .unwrap();
    let (code, found) = examined(&desk, &["--offline"]);
    assert_eq!((code, verdict(&found, "changes")), (1, "fail".to_owned()));
    assert!(on(&found, "changes")[0]["found"].as_str().unwrap().contains(&format!("update activity {number} is not")));
    std::fs::write(&path, "this is no database at all, though it is long enough to be taken for one by somebody")
        .unwrap();
    for name in ["state.db-wal", "state.db-shm"] {
        let _gone = std::fs::remove_file(desk.home().join(name));
    }
    let (code, found) = examined(&desk, &["--offline"]);
    assert_eq!((code, verdict(&found, "state")), (1, "fail".to_owned()));
    assert!(on(&found, "state")[0]["advice"].as_str().unwrap().contains("ferry state restore"), "{found:?}");
    assert_eq!(verdict(&found, "definitions"), "ok", "one thing that is wrong hides no other");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_others_may_look_into_shows() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new().await;
    desk.ferry(&["run", USERS]);
    let open = |name: &str, mode: u32| {
        std::fs::set_permissions(desk.home().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
        let (code, found) = examined(&desk, &["--offline"]);
        let advice = on(&found, "home")[0]["advice"].as_str().map(str::to_owned);
        (code, verdict(&found, "home"), advice.unwrap_or_default())
    };
    let (code, verdict, advice) = open("", 0o755);
    assert!(code == 0 && verdict == "warn" && advice.starts_with("chmod 700 "), "{advice}");
    assert_eq!(open("", 0o700).1, "ok");
    let (_, verdict, advice) = open("state.db", 0o640);
    assert!(verdict == "warn" && advice.starts_with("chmod 600 ") && advice.ends_with("state.db"), "{advice}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_wait_or_failed_show_with_what_to_do() {
    let desk = Desk::new().await;
    let (mut child, said) = begun(&desk, &["run", COMPANIES], &[("FERRY_STOP_AT", "extracted.after")], "stopped at");
    let (code, found) = examined(&desk, &["--offline"]);
    assert_eq!((code, verdict(&found, "waiting runs")), (0, "ok".to_owned()), "it is under way");
    let at_work = on(&found, "at work")[0]["found"].as_str().unwrap();
    assert!(at_work.starts_with(&format!("process {} since ", child.id())), "{at_work}");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(said);
    let (code, found) = examined(&desk, &["--offline"]);
    let waiting = on(&found, "waiting runs")[0];
    assert_eq!(
        (code, verdict(&found, "waiting runs"), verdict(&found, "at work")),
        (0, "warn".to_owned(), "ok".to_owned())
    );
    assert!(waiting["found"].as_str().unwrap().contains("interrupted since"), "{waiting}");
    assert!(waiting["advice"].as_str().unwrap().contains("`ferry resume` goes on"), "{waiting}");
    desk.stage.sandbox.revoke_access_key();
    assert_eq!(desk.ferry(&["run", USERS]).0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_that_nobody_follows_show() {
    let desk = Desk::new().await;
    let job = "AS UPSERT INTO gainsight.Company KEY (\"Name\") SELECT a.name AS \"Name\" FROM dynamics.account AS a;";
    desk.write(
        "own.ferry",
        &format!("CREATE JOB \"Own\" SCHEDULE EVERY 1h {job}\nCREATE JOB \"Paused\" SCHEDULE EVERY 1h {job}"),
    );
    let (_, found) = examined(&desk, &["--offline"]);
    assert_eq!((verdict(&found, "schedules"), verdict(&found, "daemon")), ("ok".to_owned(), "warn".to_owned()));
    desk.ferry(&["run", USERS]);
    assert_eq!(desk.ferry(&["pause", "Paused"]).0, 0);
    let state = State::join(&desk.home().join("state.db")).unwrap();
    state.follow("Own", "EVERY 1h", Utc::now()).unwrap();
    let (code, found) = examined(&desk, &["--offline"]);
    assert_eq!((code, verdict(&found, "daemon"), verdict(&found, "paused")), (0, "ok".to_owned(), "warn".to_owned()));
    let said = on(&found, "schedules")[0]["found"].as_str().unwrap();
    assert!(said.starts_with("2 followed, 0 silenced by chains; next \"Own\" at "), "{said}");
    state.follow("Own", "EVERY 1h", Utc::now() - TimeDelta::hours(3)).unwrap();
    let (code, found) = examined(&desk, &["--offline"]);
    assert_eq!((code, verdict(&found, "daemon"), verdict(&found, "missed")), (1, "fail".to_owned(), "ok".to_owned()));
    assert!(on(&found, "daemon")[0]["advice"].as_str().unwrap().contains("start `ferry serve`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_that_were_given_up_and_calls_that_run_out_show() {
    let desk = Desk::new().await;
    desk.ferry(&["run", USERS]);
    let database = Connection::open(desk.home().join("state.db")).unwrap();
    let notice = "INSERT INTO notice (run, address, event, content, state, tries, next_ms, at, message)
        VALUES ('r', 'a@b.c', 'failure', '', 'given_up', 5, 0, '2026-01-01T00:00:00Z', 'mailbox' || char(27) || ' full')";
    database.execute(notice, []).unwrap();
    database.execute("UPDATE spent SET calls = 44900 WHERE api = 'object' AND length_ms = 86400000", []).unwrap();
    let (code, out, _) = desk.ferry(&["doctor"]);
    assert!(
        code == 0 && out.contains("warn  notices: 0 delivered, 0 due, 1 given up") && !out.contains('\u{1b}'),
        "{out:?}"
    );
    assert!(out.contains("warn  calls of gainsight: "), "{out}");
}
