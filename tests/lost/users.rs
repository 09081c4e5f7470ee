//! Users: deactivated, never deleted; and Ferry's own map of who is who.

use serde_json::{Value, json};

use super::desk::{change, counted, held, run, writes};
use crate::stage::{Stage, errors};

fn user_id(number: usize) -> String {
    format!("20000000-0000-0000-0000-{number:012}")
}

async fn world() -> Stage {
    let user = |n: usize| {
        let name = format!("u{n}@example.com");
        let row = json!({ "systemuserid": user_id(n), "firstname": "F", "lastname": format!("L{n}"), "domainname": name,
            "personalemailaddress": name, "isdisabled": false });
        format!("{row}\n")
    };
    Stage::world(&(1..=3).map(user).collect::<String>(), "", "").await
}

fn users(clauses: &str) -> String {
    format!(
        "CREATE JOB \"J\" AS UPSERT INTO gainsight.User, gainsight.Avatar_Dynamics KEY (User.\"Username\") SELECT \
         u.lastname AS User.\"Last Name\", u.personalemailaddress AS User.\"Email\", u.domainname AS User.\"Username\", \
         u.systemuserid AS Avatar_Dynamics.\"Dynamics User Id\", NOT u.isdisabled AS Avatar_Dynamics.\"Active\" \
         FROM dynamics.systemuser AS u WHERE u.isdisabled = FALSE {clauses};"
    )
}

/// What the map says of each Dynamics user, in their order.
fn map(stage: &Stage) -> Vec<Option<bool>> {
    let database = rusqlite::Connection::open(stage.setting.home.join("state.db")).unwrap();
    let mut query = database.prepare("SELECT active FROM identity ORDER BY source_id").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn enabled(stage: &Stage) -> Vec<Value> {
    let all = held(stage, "gsuser", "SFDCUserName", "IsActiveUser");
    all.into_iter().filter(|(name, _)| name.starts_with('u')).map(|(_, active)| active).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_not_active_in_the_map_and_costs_no_call() {
    let stage = world().await;
    let job = users("ON SOURCE LEAVE SET Avatar_Dynamics.\"Active\" = FALSE");
    run(&stage, &job).await;
    change(&stage, "systemuser", "systemuserid", &user_id(2), json!({ "isdisabled": true }));
    let before = writes(&stage).len();
    let report = run(&stage, &job).await;
    assert_eq!(counted(&report.counts), "3 read, 2 unchanged, 1 deleted");
    assert_eq!((report.records["Avatar_Dynamics"].updated, report.records["User"].updated), (1, 0), "{report:?}");
    assert_eq!((map(&stage), writes(&stage).len()), (vec![Some(true), Some(false), Some(true)], before));
    assert_eq!(counted(&run(&stage, &job).await.counts), "3 read, 1 filtered, 2 unchanged");
    // Back again, the user is the same one, and active.
    change(&stage, "systemuser", "systemuserid", &user_id(2), json!({ "isdisabled": false }));
    assert_eq!(counted(&run(&stage, &job).await.counts), "3 read, 1 updated, 2 unchanged");
    assert_eq!((map(&stage), writes(&stage).len()), (vec![Some(true); 3], before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_deactivated_in_gainsight_too() {
    let stage = world().await;
    let both = "SET Avatar_Dynamics.\"Active\" = FALSE, User.\"Is Active User\" = FALSE";
    let job = users(&format!("ON SOURCE DELETE {both} ON SOURCE LEAVE {both}"));
    run(&stage, &job).await;
    change(&stage, "systemuser", "systemuserid", &user_id(2), json!({ "isdisabled": true }));
    stage.sandbox.delete_row("systemuser", &user_id(3));
    let before = writes(&stage).len();
    let report = run(&stage, &job).await;
    assert_eq!(counted(&report.counts), "3 read, 1 unchanged, 2 deleted");
    assert_eq!((report.records["Avatar_Dynamics"].updated, report.records["User"].updated), (2, 2));
    assert_eq!(writes(&stage)[before..], ["PUT /v1/users/services?key=Gsid"], "both in one call");
    assert_eq!(map(&stage), [Some(true), Some(false), Some(false)]);
    assert_eq!(enabled(&stage), [json!(true), json!(false), json!(false)]);
    assert_eq!(counted(&run(&stage, &job).await.counts), "2 read, 1 filtered, 1 unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whose_name_another_one_took_over_is_left_alone() {
    let stage = world().await;
    let set = "SET User.\"Is Active User\" = FALSE";
    let job = users(&format!("ON SOURCE DELETE {set}"));
    run(&stage, &job).await;
    // Somebody renamed the user in Gainsight and gave it another login: by the map it is still the Dynamics user's.
    let gsids = held(&stage, "gsuser", "SFDCUserName", "Gsid");
    let renamed = super::desk::object(json!({ "SFDCUserName": "elsewhere@example.com" }));
    stage.sandbox.edit_record("gsuser", gsids["u3@example.com"].as_str().unwrap(), renamed);
    stage.sandbox.delete_row("systemuser", &user_id(3));
    let before = writes(&stage).len();
    let report = run(&stage, &job).await;
    assert_eq!(counted(&report.counts), "3 read, 1 error, 2 unchanged");
    assert_eq!((errors(&report)[0]["code"].as_str(), writes(&stage).len()), ("KEY_CHANGED", before));
}
