//! What the data means over time: rows that change, leave, come back, and point elsewhere.

use ferry::app::resuming;
use serde_json::{Value, json};

use super::{ACCOUNTS, account_id, attempt, attempt_in, change, held, whole};
use crate::faults::plain_stage;
use crate::stage::{CHAIN, COMPANIES, PEOPLE, Stage, USERS};

fn user_id(number: usize) -> String {
    format!("20000000-0000-0000-0000-{number:012}")
}

fn users(stage: &Stage) -> Vec<(Value, Value)> {
    let all = stage.sandbox.records("gsuser");
    all.into_iter()
        .filter(|user| user["SFDCUserName"].as_str().is_some_and(|name| name.ends_with("@example.com")))
        .map(|user| (user["SFDCUserName"].clone(), user["Manager"].clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_leaves_the_filter_keeps_its_record_and_comes_back_to_it() {
    let stage = plain_stage("").await;
    assert_eq!(attempt(&stage, USERS).await.done().counts.inserted, 3);
    let before = users(&stage);
    for (is_disabled, unchanged) in [(true, 2), (false, 3)] {
        change(&stage, "systemuser", json!({ "systemuserid": user_id(1), "isdisabled": is_disabled }));
        let report = attempt(&stage, USERS).await.done();
        let counts = report.counts;
        assert_eq!((counts.unchanged, counts.filtered), (unchanged, 3 - unchanged));
        assert_eq!(report.calls.gainsight_writes, 0);
        assert_eq!(users(&stage), before);
    }
}

/// The row itself does not change; what it points at does.
#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_that_finds_something_later_changes_a_row_that_did_not_change() {
    let stage = plain_stage("").await;
    change(&stage, "systemuser", json!({ "systemuserid": user_id(2), "isdisabled": true }));
    change(&stage, "systemuser", json!({ "systemuserid": user_id(1), "_parentsystemuserid_value": user_id(2) }));
    assert_eq!(attempt(&stage, USERS).await.done().counts.inserted, 2);
    change(&stage, "systemuser", json!({ "systemuserid": user_id(2), "isdisabled": false }));
    let counts = attempt(&stage, USERS).await.done().counts;
    assert_eq!((counts.inserted, counts.updated, counts.unchanged), (1, 1, 1));
    let manager = users(&stage).into_iter().find(|(name, _)| name == "u1@example.com").expect("he is there").1;
    let all = stage.sandbox.records("gsuser");
    let found = all.iter().find(|user| user["SFDCUserName"] == "u2@example.com").expect("the manager is there");
    assert_eq!(manager, found["Gsid"]);
    assert_eq!(attempt(&stage, USERS).await.done().calls.gainsight_writes, 0);
}

/// Sixty companies change there and back, and the run that was to bring the change is given up in its middle.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_goes_back_while_a_run_was_given_up_goes_back_in_gainsight_too() {
    let stage = plain_stage(
        r#"{"service": "gainsight", "method": "PUT", "path": "/v1/data/objects/company", "nth": [2], "status": 403}"#,
    )
    .await;
    attempt(&stage, COMPANIES).await.done();
    let before = held(&stage);
    rename(&stage, "Other");
    let first = consented(&stage).await.stopped(&["does not accept calls from this machine"]);
    assert_eq!(first.counts.updated, 50);
    resuming::cancel(&stage.setting, &first.run).expect("it is given up");
    rename(&stage, "A");
    let counts = consented(&stage).await.done().counts;
    assert_eq!((counts.updated, counts.unchanged), (50, 10));
    assert_eq!(held(&stage), before);
    whole(&stage).await;
}

fn rename(stage: &Stage, to: &str) {
    for number in 1..=ACCOUNTS as usize {
        change(stage, "account", json!({ "accountid": account_id(number), "name": format!("{to}{number}") }));
    }
}

async fn consented(stage: &Stage) -> super::Attempt {
    let mut workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    workspace.services.consented = true;
    attempt_in(stage, workspace, COMPANIES, |_| ()).await
}

/// A contact with another e-mail is another person to Gainsight.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_changes_makes_a_new_record_and_leaves_the_old_one() {
    let contact = json!({ "contactid": "30000000-0000-0000-0000-000000000001", "firstname": "F", "lastname": "L",
        "emailaddress1": "old@example.com", "_parentcustomerid_value": account_id(1),
        "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" });
    let account = json!({ "accountid": account_id(1), "name": "A" });
    let stage = Stage::world("", &format!("{account}\n"), &format!("{contact}\n")).await;
    stage.run(CHAIN).await;
    change(&stage, "contact", json!({ "contactid": contact["contactid"], "emailaddress1": "new@example.com" }));
    assert_eq!(attempt(&stage, PEOPLE).await.done().counts.inserted, 1);
    let mut emails: Vec<Value> = stage.sandbox.records("person").iter().map(|one| one["Email"].clone()).collect();
    emails.sort_by_key(Value::to_string);
    assert_eq!(emails, ["new@example.com", "old@example.com"]);
    assert_eq!(attempt(&stage, PEOPLE).await.done().calls.gainsight_writes, 0);
}
