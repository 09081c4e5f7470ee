//! Update activities: what was changed in definitions, connections and runs, by whom, from what to what.

use ferry::app::activity::{Filter, updates};
use ferry::app::cleaning::clean;
use ferry::app::updates::note_definitions;
use ferry::app::{connections, resuming};
use ferry::run::progress::silent;
use ferry::store::state::State;
use ferry::store::updates::Update;
use serde_json::json;

use crate::faults::plain_stage;
use crate::stage::{CHAIN, COMPANIES, PEOPLE, Stage, USERS};
use crate::terminal::Desk;

use super::{change_words, json_lines};

/// The first batch of companies is forbidden once.
const FORBIDDEN: &str =
    r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [1], "status": 403}"#;

fn job(name: &str, mapping: &str) -> String {
    format!(
        "CREATE JOB \"{name}\" AS UPSERT INTO gainsight.Company KEY (\"Name\") SELECT a.name AS \"Name\"{mapping} FROM dynamics.account AS a;"
    )
}

fn last(stage: &Stage) -> Update {
    updates(&stage.setting, &Filter::default()).unwrap().all.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_takes_in_every_statement_once_and_tests_never() {
    let mut stage = plain_stage("").await;
    stage.setting.by = "anna".to_owned();
    stage.run(USERS).await;
    let words = change_words(&stage.setting);
    let expected = [
        format!("chain {CHAIN} created"),
        "connection dynamics created".to_owned(),
        "connection gainsight created".to_owned(),
        format!("job {PEOPLE} created"),
        format!("job {COMPANIES} created"),
        format!("job {USERS} created"),
        "connection dynamics established".to_owned(),
        "connection gainsight established".to_owned(),
    ];
    assert_eq!(words, expected);
    assert!(updates(&stage.setting, &Filter::default()).unwrap().all.iter().all(|one| one.by == "anna"));
    stage.run(CHAIN).await;
    stage.plan(USERS, 0).await;
    assert_eq!(change_words(&stage.setting).len(), expected.len(), "nothing has changed");
    let state = State::look(&stage.setting.home.join("state.db")).unwrap().unwrap();
    assert_eq!(state.altered_update().unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_shows_the_lines_that_differ_and_layout_is_no_change() {
    let stage = plain_stage("").await;
    stage.run(USERS).await;
    let before = change_words(&stage.setting).len();
    let noted = |text: &str| {
        let text = stage.text(&[("own.ferry", text)]);
        assert!(!text.parsed.diagnostics.has_errors());
        note_definitions(&stage.setting, &text.sources).unwrap()
    };
    let made = noted(&job("Own", ""));
    assert_eq!((made.len(), made[0].action.as_str(), made[0].before.as_deref()), (1, "created", None));
    assert!(made[0].after.as_deref().unwrap().starts_with("CREATE JOB \"Own\""));
    let shouted = format!(
        "-- A comment.\n\n{} -- Another.",
        job("Own", "").replace("CREATE JOB", "create\n  job").replace(" FROM", "\nfrom")
    );
    assert_eq!(noted(&shouted), [], "layout, case of keywords and comments around it: {shouted}");
    let made = noted(&job("Own", ", a.numberofemployees AS \"Employees\""));
    assert_eq!((made.len(), made[0].action.as_str()), (1, "changed"));
    let [old, new] = [&made[0].before, &made[0].after].map(|side| side.clone().unwrap());
    assert!(!old.contains("CREATE JOB") && old.contains("a.name"), "{old}");
    assert!(new.contains("a.numberofemployees") && new.contains("\"Employees\"") && !new.contains("FROM"), "{new}");
    let made = noted(&job("Other", ", a.numberofemployees AS \"Employees\""));
    let actions: Vec<(&str, &str)> = made.iter().map(|one| (one.name.as_str(), one.action.as_str())).collect();
    assert_eq!(actions, [("Other", "created"), ("Own", "deleted")], "a rename is both");
    let test = "CREATE TEST \"t\" FOR \"Other\" AS GIVEN dynamics.account (name) VALUES ('a') EXPECT gainsight.Company (\"Name\") VALUES ('a');";
    let with_test = format!("{}\n{test}", job("Other", ", a.numberofemployees AS \"Employees\""));
    assert_eq!(noted(&with_test), [], "a test runs nothing");
    let made = noted(&format!("{with_test}\nCREATE SETTINGS (staging = 1d);"));
    assert_eq!((made[0].kind.as_str(), made[0].name.as_str()), ("settings", "settings"));
    let made = noted(&format!("{with_test}\nCREATE SETTINGS (staging = 2d);"));
    assert_eq!((made[0].kind.as_str(), made[0].action.as_str()), ("settings", "changed"));
    assert_eq!(change_words(&stage.setting).len(), before + 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_statement_is_kept_up_to_a_bound() {
    let stage = plain_stage("").await;
    stage.run(USERS).await;
    let long = format!(", '{}' AS \"Industry\"", "ä".repeat(6_000));
    let text = stage.text(&[("own.ferry", &job("Own", &long))]);
    let made = note_definitions(&stage.setting, &text.sources).unwrap();
    let after = made[0].after.as_deref().unwrap();
    assert!(after.len() <= 4 << 10 && after.ends_with('…'), "{}", after.len());
    let text = stage.text(&[("own.ferry", &job("Own", &long.replace("ää'", "ö'")))]);
    assert_eq!(
        note_definitions(&stage.setting, &text.sources).unwrap().len(),
        1,
        "what is beyond the bound is compared too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_projects_and_two_environments_of_one_home_do_not_take_turns() {
    let mut stage = plain_stage("").await;
    stage.run(USERS).await;
    let noted = |stage: &Stage, more: &str| {
        let text = stage.text(&[("own.ferry", more)]);
        note_definitions(&stage.setting, &text.sources).unwrap().len()
    };
    let (one, other) = (job("One", ""), job("Other", ""));
    assert_eq!(noted(&stage, &one), 1);
    stage.setting.environment = Some("prod".to_owned());
    assert_eq!(noted(&stage, &other), 7, "an environment is seen for the first time");
    stage.setting.environment = None;
    assert_eq!(noted(&stage, &one), 0);
    stage.setting.environment = Some("prod".to_owned());
    assert_eq!(noted(&stage, &other), 0);
    stage.setting.project = "elsewhere".into();
    assert_eq!(noted(&stage, &one), 7);
    stage.setting.home = stage.setting.home.join("nowhere");
    assert_eq!(noted(&stage, &one), 0, "a home that is not there is not made");
    assert!(!stage.setting.home.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_with_mistakes_deletes_nothing() {
    let desk = Desk::new().await;
    desk.ferry(&["run", USERS]);
    let count = || desk.ferry(&["activity", "--updates", "--json"]).1.lines().count();
    let before = count();
    desk.write("user_sync.ferry", "CREATE JOB \"User Sync\" AS UPSERT INTO;");
    assert_eq!(desk.ferry(&["run", COMPANIES]).0, 2);
    assert_eq!(count(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_connection_is_kept() {
    let desk = Desk::new().await;
    let actions = || {
        let (_, out, _) = desk.ferry(&["activity", "--updates", "--json"]);
        let lines = json_lines(&out);
        let of = lines.iter().filter(|one| one["kind"] == "connection" && one["action"] != "created").rev();
        of.map(|one| format!("{} {}", one["name"].as_str().unwrap(), one["action"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    desk.ferry(&["connection", "authorize", "dynamics"]);
    assert_eq!(actions(), ["dynamics authorized"]);
    desk.ferry(&["connection", "revoke", "dynamics"]);
    desk.ferry(&["connection", "reauthorize", "dynamics"]);
    assert_eq!(actions(), ["dynamics authorized", "dynamics revoked", "dynamics reauthorized"]);
    let (_, out, _) = desk.ferry(&["activity", "--updates", "--json"]);
    let last = &json_lines(&out)[0];
    assert!(
        last["from"].as_str().unwrap().contains("revoked at")
            && last["to"].as_str().unwrap().contains("http://127.0.0.1")
    );
    desk.write("connections.ferry", "");
    for file in ["user_sync.ferry", "company_sync.ferry", "company_person_sync.ferry", "chain.ferry", "tests.ferry"] {
        desk.write(file, "");
    }
    let (code, _, err) = desk.ferry(&["connection", "delete", "dynamics"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(actions().last().unwrap(), "dynamics deleted");
    assert_eq!(desk.ferry(&["connection", "revoke", "nobody"]).0, 2);
    assert_eq!(actions().len(), 4, "what did not happen is not kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_runs_is_kept() {
    let stage = plain_stage(FORBIDDEN).await;
    let failed = stage.try_run(COMPANIES).await.0.remove(0);
    resuming::cancel(&stage.setting, &failed.run).unwrap();
    let one = last(&stage);
    assert_eq!((one.kind.as_str(), one.name.as_str(), one.action.as_str()), ("run", failed.run.as_str(), "cancelled"));
    assert_eq!((one.before.as_deref(), one.after.as_deref()), (Some("failed"), Some("cancelled")));
    clean(&stage.setting, 0).await.unwrap();
    assert_eq!((last(&stage).kind.as_str(), last(&stage).action.as_str()), ("state", "cleaned"));
    let count = change_words(&stage.setting).len();
    clean(&stage.setting, 0).await.unwrap();
    assert!(resuming::cancel(&stage.setting, &failed.run).is_err());
    assert_eq!(change_words(&stage.setting).len(), count, "nothing was done");
    let account = json!({ "accountid": "00000000-0000-0000-0000-000000000061" });
    assert!(stage.sandbox.put_row("account", account.as_object().unwrap().clone()));
    let partial = stage.run(COMPANIES).await.remove(0);
    let workspace = stage.workspace(&[]).await;
    resuming::replay(&workspace, &stage.setting, &partial.run, &[], &silent(), |_| {}).await.unwrap();
    let one = last(&stage);
    assert_eq!((one.action.as_str(), one.after.as_deref()), ("replayed", Some("1 rows")));
    let known = connections::revoke(&stage.setting, "nobody");
    assert!(known.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_are_read_by_people_and_found_by_time() {
    let mut desk = Desk::new().await;
    desk.set("USER", "an\u{1b}na");
    desk.ferry(&["run", USERS]);
    desk.write("own.ferry", &job("Own", ""));
    desk.ferry(&["run", USERS]);
    desk.write("own.ferry", &job("Own", ", a.numberofemployees AS \"Employees\""));
    desk.ferry(&["run", USERS]);
    let (code, out, _) = desk.ferry(&["activity", "--updates", "--job", "own"]);
    assert!(code == 0 && out.contains("job \"Own\" changed") && out.contains("job \"Own\" created"), "{out}");
    assert!(out.contains("+ ") && out.contains("a.numberofemployees") && !out.contains('\u{1b}'), "{out:?}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let (_, out, _) = desk.ferry(&["activity", "--updates", "--until", "1h"]);
    assert_eq!(out, "");
    let (code, _, err) = desk.ferry(&["activity", "--updates", "--status", "failed"]);
    assert!(code == 2 && err.contains("cannot be used with"), "{err}");
    let (_, out, err) = desk.ferry(&["activity", "--updates", "--limit", "1"]);
    assert!(out.lines().next().unwrap().contains("Own") && err.contains("the newest 1 changes"), "{out}{err}");
}

/// What is in the environment is in no record, whatever is changed.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_what_was_changed() {
    let desk = Desk::new().await;
    desk.ferry(&["run", USERS]);
    let text = std::fs::read_to_string(desk.project().join("connections.ferry")).unwrap();
    desk.write("connections.ferry", &text.replace("SECRET 'gainsight/access_key'", "SECRET 'gainsight/other_key'"));
    let key = desk.stage.sandbox.credentials().access_key.clone();
    let mut desk = desk;
    desk.set("FERRY_SECRET_GAINSIGHT_OTHER_KEY", &key);
    let (code, _, err) = desk.ferry(&["run", USERS]);
    assert!(code <= 1, "{err}");
    let (_, out, _) = desk.ferry(&["activity", "--updates", "--json"]);
    assert!(out.contains("gainsight/other_key") && !out.contains(&key), "{out}");
}
