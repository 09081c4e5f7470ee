//! Connections as an operator meets them: established once, with one organisation; revoked, authorized again, deleted.

use ferry::store::connections::Established;
use ferry::store::state::State;
use serde_json::{Value, json};

use crate::stage::{COMPANIES, USERS};
use crate::terminal::Desk;

fn state(desk: &Desk) -> State {
    State::open(&desk.home().join("state.db")).unwrap()
}

fn established(identity: &str, url: &str) -> Established {
    Established {
        name: "dynamics".to_owned(),
        url: url.to_owned(),
        identity: identity.to_owned(),
        since: "2026-01-01T00:00:00Z".to_owned(),
        revoked: None,
    }
}

fn status(desk: &Desk, name: &str) -> Value {
    let (code, out, err) = desk.ferry(&["connection", "show", name, "--json"]);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

fn writes(desk: &Desk) -> usize {
    desk.stage.sandbox.calls().iter().filter(|c| c.write).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_establishes_a_connection() {
    let desk = Desk::new().await;
    assert_eq!(status(&desk, "dynamics")["status"], "declared");
    desk.ferry(&["run", USERS]);
    let known = status(&desk, "Dynamics");
    assert_eq!(known["status"], "established");
    assert!(known["identity"].as_str().is_some_and(|id| id.len() == 36), "{known}");
    assert_eq!(known["jobs"].as_array().map(Vec::len), Some(4), "three jobs and their chain: {known}");
    let (_, out, _) = desk.ferry(&["connection", "list"]);
    assert_eq!(out.matches("established").count(), 2, "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_connection_runs_nothing_until_it_is_authorized() {
    let desk = Desk::new().await;
    let (code, _, err) = desk.ferry(&["connection", "revoke", "dynamics"]);
    assert_eq!(code, 2);
    assert!(err.contains("was never established"), "{err}");
    assert_eq!(desk.ferry(&["connection", "authorize", "dynamics"]).0, 0);
    let (code, _, err) = desk.ferry(&["connection", "revoke", "dynamics"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("client secret"), "how to take the consent back: {err}");
    for verb in [["run", USERS], ["plan", USERS], ["preview", USERS]] {
        let (code, _, err) = desk.ferry(&verb);
        assert_eq!(code, 3, "{err}");
        assert!(err.contains("was revoked at") && err.contains("connection authorize dynamics"), "{err}");
    }
    assert_eq!(writes(&desk), 0);
    assert_eq!(desk.ferry(&["check"]).0, 0, "definitions stay");
    assert_eq!(desk.ferry(&["connection", "authorize", "dynamics"]).0, 0);
    assert_eq!(status(&desk, "dynamics")["status"], "established");
    assert_eq!(desk.ferry(&["run", USERS]).0, 1, "it runs again");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organisation_is_refused() {
    let desk = Desk::new().await;
    assert_eq!(desk.ferry(&["connection", "authorize", "dynamics"]).0, 0);
    state(&desk).establish(&established("someone-elses", desk.stage.sandbox.dynamics_url())).unwrap();
    for verb in [&["run", USERS][..], &["connection", "reauthorize", "dynamics"][..]] {
        let (code, _, err) = desk.ferry(verb);
        assert_eq!(code, 3, "{err}");
        assert!(err.contains("was established with someone-elses"), "{err}");
    }
    assert_eq!(writes(&desk), 0);
    let (code, out, _) = desk.ferry(&["connection", "test", "dynamics"]);
    assert!(code == 3 && out.contains("FAILED  organisation"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_url_of_an_established_connection_cannot_change() {
    let desk = Desk::new().await;
    assert_eq!(desk.ferry(&["refresh"]).0, 0);
    assert_eq!(desk.ferry(&["connection", "authorize", "dynamics"]).0, 0);
    assert_eq!(desk.ferry(&["check", "--offline"]).0, 0);
    state(&desk).establish(&established("an-organisation", "https://acme.crm.dynamics.com")).unwrap();
    let (code, out, _) = desk.ferry(&["check", "--offline"]);
    assert_eq!(code, 2);
    assert!(out.contains("error[F110]: the URL of `dynamics` cannot change"), "{out}");
    assert!(out.contains("connections.ferry:5:"), "at its place: {out}");
    assert_eq!(desk.ferry(&["run", USERS]).0, 2);
    assert_eq!(writes(&desk), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_in_use_is_not_deleted() {
    let desk = Desk::new().await;
    assert_eq!(desk.ferry(&["connection", "authorize", "dynamics"]).0, 0);
    let (code, _, err) = desk.ferry(&["connection", "delete", "dynamics"]);
    assert_eq!(code, 2);
    assert!(err.contains(USERS) && err.contains("Dynamics_Company Person Sync"), "with their names: {err}");
    let other = Established { name: "other".to_owned(), ..established("other-organisation", "https://other.example") };
    state(&desk).establish(&other).unwrap();
    assert_eq!(desk.ferry(&["connection", "delete", "other"]).0, 0);
    assert!(state(&desk).connection("other").unwrap().is_none());
    let (code, _, err) = desk.ferry(&["connection", "delete", "other"]);
    assert!(code == 2 && err.contains("no connection is named `other`"), "{err}");
    assert_eq!(status(&desk, "dynamics")["status"], "established", "the others stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_says_what_is_missing_line_by_line() {
    let mut desk = Desk::new().await;
    let (code, out, _) = desk.ferry(&["connection", "test", "dynamics"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("ok      reading contact"), "{out}");
    let (code, out, _) = desk.ferry(&["connection", "test", "gainsight", "--json"]);
    assert!(code == 0 && out.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()), "{out}");
    desk.set("FERRY_SECRET_DYNAMICS_CLIENT_SECRET", "wrong");
    let (code, out, _) = desk.ferry(&["connection", "test", "dynamics"]);
    assert!(code == 3 && out.contains("FAILED  signing in") && out.contains("the client secret is wrong"), "{out}");
    assert!(desk.ferry(&["connection", "authorize", "dynamics"]).0 == 3);
    assert_eq!(status(&desk, "dynamics")["status"], "declared");
    desk.forget_secrets();
    let (code, out, _) = desk.ferry(&["connection", "test", "gainsight"]);
    assert!(code == 3 && out.contains("set FERRY_SECRET_GAINSIGHT_ACCESS_KEY"), "{out}");
    let (code, _, err) = desk.ferry(&["connection", "test", "nobody"]);
    assert!(code == 2 && err.contains("there are dynamics, gainsight"), "{err}");
}

#[test]
fn a_state_of_the_first_version_is_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(FIRST_VERSION).unwrap();
    drop(database);
    let old = State::look(&path).unwrap().unwrap();
    assert!(old.connections().unwrap().is_empty(), "it can be looked at as it is");
    drop(old);
    let state = State::open(&path).unwrap();
    assert!(state.connections().unwrap().is_empty());
    let (run, _) = state.run("20260101-0001").unwrap().expect("its run is there");
    assert_eq!((run.job.as_str(), run.status.as_str()), ("J", "success"));
    assert!(state.unfinished_runs().unwrap().is_empty(), "no run of an earlier version is gone on with");
    assert_eq!(state.all_due(None, None).unwrap(), []);
}

/// A state as the first version made it, with one run.
pub const FIRST_VERSION: &str = "
CREATE TABLE run (
    id TEXT PRIMARY KEY, job TEXT NOT NULL, chain TEXT, started TEXT NOT NULL, ended TEXT, status TEXT NOT NULL,
    report TEXT, message TEXT
) STRICT;
CREATE TABLE stage (
    run TEXT NOT NULL REFERENCES run (id), name TEXT NOT NULL, started TEXT NOT NULL, seconds REAL NOT NULL,
    rows INTEGER NOT NULL
) STRICT;
CREATE TABLE identity (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, source_id TEXT NOT NULL, active INTEGER, user_gsid TEXT,
    PRIMARY KEY (organization, tenant, source_id)
) STRICT;
CREATE TABLE refusal (
    organization TEXT NOT NULL, tenant TEXT NOT NULL, job TEXT NOT NULL, source_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL, message TEXT NOT NULL, field TEXT, value TEXT, run TEXT NOT NULL,
    PRIMARY KEY (organization, tenant, job, source_id)
) STRICT;
INSERT INTO run (id, job, started, ended, status) VALUES ('20260101-0001', 'J', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z', 'success');
PRAGMA user_version = 1;
";

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_found_by_its_account() {
    let desk = Desk::new().await;
    assert!(desk.ferry(&["run", COMPANIES]).0 <= 1);
    let records = desk.stage.sandbox.records("company");
    let is_linked =
        |r: &&serde_json::Map<String, Value>| r["Dynamics_Account_ID__gc"].as_str().is_some_and(|id| id.len() == 36);
    let one = records.iter().filter(is_linked).find(|r| r["Employees"].is_number()).expect("companies were loaded");
    let id = one["Dynamics_Account_ID__gc"].as_str().unwrap();
    for form in [id.to_owned(), format!("{{{}}}", id.to_uppercase())] {
        let (code, out, err) = desk.ferry(&["company", &form]);
        assert_eq!(code, 0, "{err}");
        assert!(out.starts_with(one["Name"].as_str().unwrap()) && out.contains(one["Gsid"].as_str().unwrap()), "{out}");
        assert!(out.contains(&format!("Employees                        {}", one["Employees"])), "{out}");
    }
    let (code, out, err) = desk.ferry(&["company", "00000000-0000-0000-0000-00000000dead"]);
    assert!(code == 1 && out.is_empty() && err.contains("is not linked"), "{out}{err}");
    let (code, out, err) = desk.ferry(&["company", "{}"]);
    assert!(
        code == 2 && out.is_empty() && err.contains("by its id"),
        "companies without an account are none: {out}{err}"
    );
    let (code, out, _) = desk.ferry(&["company", id, "--json"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["gsid"]), (0, &one["Gsid"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_two_companies_is_refused_with_both() {
    let desk = Desk::new().await;
    let put = |id: &str, name: &str| {
        let record = json!({ "Dynamics_Account_ID__gc": id, "Name": name });
        desk.stage.sandbox.put_record("company", record.as_object().unwrap().clone())
    };
    let (twice, again) = (put("a-1", "One"), put("A-1", "Two"));
    let (code, _, err) = desk.ferry(&["company", "a-1"]);
    assert!(code == 1 && err.contains(&twice) && err.contains(&again), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_shown_where_it_is_told_to_lead() {
    let desk = Desk::new().await;
    let (code, out, err) = desk.ferry(&["connection", "list", "--connection", "dynamics=http://127.0.0.1:9"]);
    assert!(code == 0 && out.contains("http://127.0.0.1:9 "), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_role_is_what_the_jobs_read() {
    let desk = Desk::new().await;
    desk.write(
        "more.ferry",
        "CREATE JOB \"Groups\" AS UPDATE gainsight.Company KEY (\"Name\") SELECT \
         a.transactioncurrencyid.currencyname AS \"Name\" FROM dynamics.account AS a;",
    );
    let (code, out, err) = desk.ferry(&["connection", "role", "dynamics", "--json"]);
    if code != 0 {
        let (_, checked, _) = desk.ferry(&["check"]);
        panic!("{err}{checked}");
    }
    let privileges: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tables: Vec<&str> = privileges.iter().filter_map(|p| p["table"].as_str()).collect();
    assert_eq!(tables, ["account", "contact", "systemuser", "transactioncurrency"]);
    assert!(privileges.iter().all(|p| p["privilege"] == "Read" && p["level"] == "Organization"), "{out}");
    assert_eq!(privileges[3]["jobs"], json!(["Groups"]));
    let asked = desk.stage.sandbox.calls();
    assert!(asked.iter().all(|call| !call.write), "{asked:?}");
    let (code, out, err) = desk.ferry(&["connection", "role", "dynamics"]);
    assert!(code == 0 && out.contains("User") && err.contains("security role"), "{out}{err}");
    let (code, _, err) = desk.ferry(&["connection", "role", "gainsight"]);
    assert!(code == 2 && err.contains("knows no roles"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_too_many_or_too_few_are_told() {
    let desk = Desk::new().await;
    let checks = |desk: &Desk| -> (i32, Vec<Value>) {
        let (code, out, _) = desk.ferry(&["connection", "test", "dynamics", "--json"]);
        (code, out.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    };
    let on = |checks: &[Value], what: &str| checks.iter().find(|c| c["what"] == what).cloned().unwrap();
    let (code, all) = checks(&desk);
    assert_eq!(code, 0, "{all:?}");
    assert_eq!(on(&all, "rights on account")["warning"], json!(false));
    desk.stage.sandbox.grant("account", "Write", Some("Basic"));
    desk.stage.sandbox.grant("account", "AppendTo", Some("Global"));
    let (code, all) = checks(&desk);
    let found = on(&all, "rights on account");
    assert_eq!((code, &found["passed"], &found["warning"]), (0, &json!(true), &json!(true)), "it works all the same");
    assert!(found["found"].as_str().unwrap().starts_with("it may also Write: Ferry only reads"), "{found}");
    let (_, out, _) = desk.ferry(&["connection", "test", "dynamics"]);
    assert!(out.contains("WARNING rights on account"), "{out}");
    for (depth, says) in [(Some("Local"), "a part of the rows only"), (None, "no role lets it read")] {
        desk.stage.sandbox.grant("contact", "Read", depth);
        let (code, all) = checks(&desk);
        let found = on(&all, "rights on contact");
        assert_eq!((code, &found["passed"]), (3, &json!(false)));
        assert!(found["found"].as_str().unwrap().contains(says), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_key_that_grew_old_is_told() {
    let desk = Desk::new().await;
    let age = |desk: &Desk| -> Value {
        let (code, out, err) = desk.ferry(&["connection", "test", "gainsight", "--json"]);
        assert_eq!(code, 0, "{err}");
        let mut checks = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        checks.rfind(|check| check["what"] == "age of the access key").unwrap_or_default()
    };
    assert_eq!(age(&desk), Value::Null, "nothing is known of it yet");
    assert_eq!(desk.ferry(&["connection", "authorize", "gainsight"]).0, 0);
    assert_eq!((&age(&desk)["warning"], &age(&desk)["found"]), (&json!(false), &json!("in use for 0 days")));
    let known = status(&desk, "gainsight");
    let old = Established {
        name: "gainsight".to_owned(),
        since: "2020-01-01T00:00:00Z".to_owned(),
        ..established(known["identity"].as_str().unwrap(), desk.stage.sandbox.gainsight_url())
    };
    state(&desk).establish(&old).unwrap();
    let found = age(&desk);
    assert_eq!(found["warning"], json!(true));
    assert!(found["found"].as_str().unwrap().contains("of 180 at the most; make a new one"), "{found}");
    assert_eq!(desk.ferry(&["connection", "reauthorize", "gainsight"]).0, 0);
    assert_eq!(age(&desk)["warning"], json!(false), "a new key begins anew");
}
