//! A desk for these tests: a small world of users, a job that loads them by one key or another, and what Gainsight holds then.

use ferry::app::associating::{Associate, Settled, associate, dissociate};
use ferry::app::error::Error;
use ferry::app::workspace::Setting;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::store::associations::{Ambiguous, Association};
use ferry::store::home::state_path;
use ferry::store::state::State;
use ferry::store::updates::Update;
use serde_json::{Value, json};

pub use crate::lost::desk::{change, counted, object, run, try_run, writes};
use crate::stage::Stage;

/// A Dynamics user's id.
pub fn id(number: usize) -> String {
    format!("20000000-0000-0000-0000-{number:012}")
}

/// A Dynamics user: `F L1`, `u1@example.com`, `m1@example.com`.
pub fn user(number: usize) -> Value {
    json!({ "systemuserid": id(number), "firstname": "F", "lastname": format!("L{number}"), "fullname": format!("F L{number}"),
        "domainname": format!("u{number}@example.com"), "personalemailaddress": format!("m{number}@example.com"),
        "isdisabled": false, "modifiedon": "2024-01-01T00:00:00Z" })
}

/// A world of these users, and nobody in Gainsight yet.
pub async fn world(users: &[Value]) -> Stage {
    let lines = users.iter().map(|user| format!("{user}\n"));
    Stage::world(&lines.collect::<String>(), "", "").await
}

/// What a job may recognise users by, as the article has it.
pub const KEYS: [&str; 3] = ["Username", "Email", "Name"];

/// The job that loads users by a key; `from` is how it reads them.
pub fn job_from(key: &str, from: &str) -> String {
    format!(
        "CREATE JOB \"J\" AS UPSERT INTO gainsight.User, gainsight.Avatar_Dynamics KEY (User.\"{key}\") SELECT u.fullname AS \
         User.\"Name\", u.firstname AS User.\"First Name\", u.lastname AS User.\"Last Name\", KEEP(u.personalemailaddress) AS \
         User.\"Email\", u.domainname AS User.\"Username\", u.systemuserid AS Avatar_Dynamics.\"Dynamics User Id\", NOT \
         u.isdisabled AS Avatar_Dynamics.\"Active\" FROM {from} AS u;"
    )
}

pub fn job(key: &str) -> String {
    job_from(key, "dynamics.systemuser")
}

/// Puts a user into Gainsight who has the key of a Dynamics user and nothing else of his; gives his GSID.
pub fn put(stage: &Stage, key: &str, number: usize, other: usize) -> String {
    let mut record = object(
        json!({ "Name": format!("Other {other}"), "FirstName": "Other", "LastName": other.to_string(),
        "Email": format!("other{other}@example.com"), "SFDCUserName": format!("other{other}@example.com"), "IsActiveUser": true }),
    );
    let (field, value) = match key {
        "Username" => ("SFDCUserName", format!("u{number}@example.com")),
        "Email" => ("Email", format!("m{number}@example.com")),
        _ => ("Name", format!("F L{number}")),
    };
    record.insert(field.to_owned(), json!(value));
    stage.sandbox.put_record("gsuser", record)
}

/// A field of all users that Gainsight has, as far as tests put or jobs loaded them: GSID and value, in order.
pub fn held(stage: &Stage, field: &str) -> Vec<(String, String)> {
    let records = stage.sandbox.records("gsuser");
    let ours = records.iter().filter(|r| r["SFDCUserName"].as_str().is_some_and(|name| name.ends_with("@example.com")));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all: Vec<(String, String)> = ours.map(|r| (text(&r["Gsid"]), text(&r[field]))).collect();
    all.sort();
    all
}

/// One field of one user.
pub fn of(stage: &Stage, gsid: &str, field: &str) -> String {
    held(stage, field).into_iter().find(|(one, _)| one == gsid).map(|(_, value)| value).unwrap_or_default()
}

pub fn state(stage: &Stage) -> State {
    State::look(&state_path(&stage.setting.home)).unwrap().expect("a state")
}

pub fn map(stage: &Stage) -> Vec<Association> {
    state(stage).associations().unwrap()
}

pub fn ambiguous(stage: &Stage) -> Vec<Ambiguous> {
    state(stage).ambiguous().unwrap()
}

/// The update activities about users, oldest first: action, before, after.
pub fn activities(stage: &Stage) -> Vec<(String, Option<String>, Option<String>)> {
    let all = state(stage).updates(100).unwrap();
    let ours = all.into_iter().filter(|one| one.kind == "avatar").rev();
    ours.map(|Update { action, before, after, .. }| (action, before, after)).collect()
}

/// The setting of a verb that reads a project from disk: the out-of-the-box one, on the stage.
pub fn setting(stage: &Stage) -> Setting {
    let project = stage.setting.home.with_file_name("project");
    std::fs::create_dir_all(&project).unwrap();
    let leads = |name: &str, url: &str| (name.to_owned(), url.to_owned());
    let redirects =
        vec![leads("dynamics", stage.sandbox.dynamics_url()), leads("gainsight", stage.sandbox.gainsight_url())];
    Setting { project, redirects, by: "anna".to_owned(), ..stage.setting.clone() }
}

/// Associates a Dynamics user by its number.
pub async fn associates(stage: &Stage, number: usize, user: &str, takes_over: bool) -> Result<Settled, Error> {
    let one = Associate { who: &id(number), user, of: None, takes_over };
    associate(&setting(stage), &one, &silent()).await
}

pub async fn dissociates(stage: &Stage, number: usize, rematch: bool) -> Result<Settled, Error> {
    dissociate(&setting(stage), &id(number), rematch, &silent()).await
}

/// The only line of a report's error file: code and message.
pub fn only_error(report: &Report) -> (String, String) {
    let lines = crate::stage::errors(report);
    assert_eq!(lines.len(), 1, "{lines:?}");
    (lines[0]["code"].clone(), lines[0]["message"].clone())
}
