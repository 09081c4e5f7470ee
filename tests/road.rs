//! The whole road: plan and run agree, a second run is idle, a failure loses nothing and doubles nothing.

use ferry::sandbox::Service;
use serde_json::{Value, json};

use crate::stage::{CHAIN, COMPANIES, PEOPLE, Stage, USERS, errors};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_the_run_then_does() {
    let stage = Stage::seeded(200).await;
    for job in [USERS, COMPANIES, PEOPLE] {
        let before = stage.sandbox.calls().iter().filter(|c| c.write).count();
        let (_, plan) = stage.plan(job, 3).await;
        assert_eq!(stage.sandbox.calls().iter().filter(|c| c.write).count(), before, "a plan writes nothing");
        assert_eq!(plan.sample.len(), 3);
        let report = stage.run(job).await.remove(0);
        let refused = errors(&report).iter().filter(|l| l["attempts"] != "0").count() as u64;
        assert_eq!(report.counts.rejected, plan.counts.rejected);
        assert_eq!(report.counts.error, plan.counts.error + refused);
        let (written, planned) = (report.counts, plan.counts);
        assert_eq!(written.inserted + written.updated + refused, planned.inserted + planned.updated);
        assert!(report.calls.gainsight_writes >= plan.cost.calls, "narrowing adds calls, it saves none");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_writes_nothing_and_lists_the_same_failures() {
    let stage = Stage::seeded(200).await;
    let first = stage.run(CHAIN).await;
    let second = stage.run(CHAIN).await;
    for (one, two) in first.iter().zip(&second) {
        assert_eq!(two.calls.gainsight_writes, 0, "{}", two.job);
        assert_eq!(two.counts.inserted + two.counts.updated, 0, "{}", two.job);
        assert!(two.counts.balance());
        let due = |lines: Vec<crate::stage::Line>| -> Vec<String> {
            let mut keys: Vec<_> = lines.into_iter().map(|l| l["source_key"].clone()).collect();
            keys.sort();
            keys
        };
        assert_eq!(due(errors(one)), due(errors(two)), "{}", one.job);
        let fields = |report| -> Vec<(String, String)> {
            let refused = errors(report).into_iter().filter(|l| l["code"].starts_with("REFUSED"));
            refused.map(|l| (l["target_field"].clone(), l["script"].clone())).collect()
        };
        assert_eq!(fields(one), fields(two), "a refusal keeps its field and its place");
        assert!(errors(two).iter().all(|l| l["code"] != "REFUSED"), "a refused record is not sent again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_row_is_tried_again_once_it_has_changed() {
    let stage = Stage::seeded(100).await;
    stage.run(COMPANIES).await;
    let id = ferry::sandbox::corners::corners(1).account_void_name;
    let row = json!({ "accountid": id, "name": "Full Holdings", "numberofemployees": 5 });
    assert!(stage.sandbox.put_row("account", row.as_object().cloned().unwrap()));
    let report = stage.run(COMPANIES).await.remove(0);
    assert_eq!((report.counts.inserted, report.counts.updated), (1, 0));
    assert!(errors(&report).iter().all(|l| l["source_key"] != id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_either_system_is_one_update() {
    let stage = Stage::seeded(100).await;
    stage.run(CHAIN).await;
    let company = stage.sandbox.records("company").into_iter().find(|c| !c["Industry"].is_null()).unwrap();
    let mut edited = company.clone();
    edited.insert("Name".to_owned(), Value::String("edited by hand".to_owned()));
    stage.sandbox.put_record("company", edited);
    let (_, plan) = stage.plan(COMPANIES, 5).await;
    let change = plan.sample.iter().find(|s| s.outcome == "updated").unwrap();
    assert_eq!(change.fields.len(), 1, "only the field that differs: {change:?}");
    assert_eq!(change.fields[0].old, Value::String("edited by hand".to_owned()));
    let report = stage.run(COMPANIES).await.remove(0);
    assert_eq!((report.counts.updated, report.calls.gainsight_writes), (1, 1));
    let after = stage.sandbox.records("company").into_iter().find(|c| c["Gsid"] == company["Gsid"]).unwrap();
    assert_eq!(after["Name"], company["Name"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_user_stays_the_same_user() {
    let stage = Stage::seeded(100).await;
    stage.run(USERS).await;
    let users = stage.sandbox.records("gsuser").len();
    let id = ferry::sandbox::corners::corners(1).user_late_manager;
    let mut row = stage.sandbox.table("systemuser").into_iter().find(|u| u["systemuserid"] == id.as_str()).unwrap();
    row.insert("domainname".to_owned(), json!("renamed@contoso.example"));
    assert!(stage.sandbox.put_row("systemuser", row));
    let report = stage.run(USERS).await.remove(0);
    assert_eq!((report.counts.inserted, report.counts.updated), (0, 1), "the identity map is asked before the key");
    assert_eq!(stage.sandbox.records("gsuser").len(), users);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_without_a_clear_answer_stops_the_run_and_is_settled_by_the_next() {
    let stage = Stage::seeded(400).await;
    stage.run(USERS).await;
    // Describe, list and two reads of the company object come first; then the inserts begin.
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    stage.sandbox.fail_next(Service::Gainsight, 500, 1, None);
    let mut reports = Vec::new();
    let silent = ferry::run::progress::silent();
    let failed =
        ferry::app::runs::run(&workspace, &stage.setting, COMPANIES, &silent, |r| reports.push(r.clone())).await;
    let error = failed.expect_err("a 500 stops the run");
    assert_eq!(error.exit_code(), 3);
    assert_eq!(reports[0].status.word(), "failed");
    let report = stage.run(COMPANIES).await.remove(0);
    assert!(report.counts.balance());
    let keys: Vec<Value> = stage
        .sandbox
        .records("company")
        .into_iter()
        .map(|c| c["External_Account_ID_gainsight123__gc"].clone())
        .collect();
    let distinct: std::collections::BTreeSet<String> = keys.iter().map(Value::to_string).collect();
    assert_eq!(keys.len(), distinct.len() + 1, "the seeded pair is the only one twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_read_waits_and_loses_nothing() {
    let stage = Stage::seeded(100).await;
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    stage.sandbox.fail_next(Service::Dynamics, 429, 2, Some(0));
    stage.sandbox.fail_next(Service::Gainsight, 429, 2, None);
    let silent = ferry::run::progress::silent();
    let mut reports = Vec::new();
    ferry::app::runs::run(&workspace, &stage.setting, COMPANIES, &silent, |r| reports.push(r.clone())).await.unwrap();
    assert_eq!(reports[0].counts.read, stage.sandbox.table("account").len() as u64);
}

/// Pages of 20 rows, and tokens that open three requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_in_the_middle_of_a_read_costs_no_row() {
    let stage = Stage::seeded(1_000).await;
    let mut workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    workspace.services.dynamics.values_mut().for_each(|d| d.page_size = 20);
    stage.sandbox.limit_token_uses(3);
    let silent = ferry::run::progress::silent();
    let mut reports = Vec::new();
    ferry::app::runs::run(&workspace, &stage.setting, COMPANIES, &silent, |r| reports.push(r.clone())).await.unwrap();
    assert_eq!(reports[0].counts.read, stage.sandbox.table("account").len() as u64);
    assert!(reports[0].counts.balance());
    let of = |service: Service, status: u16| {
        stage.sandbox.calls().iter().filter(|c| c.service == service && c.status == status).count()
    };
    assert!(of(Service::Dynamics, 401) >= 3, "tokens ended: {}", of(Service::Dynamics, 401));
    assert!(of(Service::Entra, 200) >= 4, "and were renewed");
    // A token that is refused at once, new as it is, is no reason to ask for ever.
    stage.sandbox.limit_token_uses(0);
    let refused = ferry::app::runs::run(&workspace, &stage.setting, COMPANIES, &silent, |_| {}).await;
    assert!(refused.is_err());
    assert!(of(Service::Entra, 200) < 20, "{}", of(Service::Entra, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_behind_the_service_passes() {
    let stage = Stage::seeded(100).await;
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    stage.sandbox.fail_next_with(Service::Dynamics, 500, 1, "0x80044150");
    let silent = ferry::run::progress::silent();
    let mut reports = Vec::new();
    ferry::app::runs::run(&workspace, &stage.setting, COMPANIES, &silent, |r| reports.push(r.clone())).await.unwrap();
    assert_eq!(reports[0].counts.read, stage.sandbox.table("account").len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_the_administrator_can_mend_says_what_to_ask_for() {
    let stage = Stage::seeded(40).await;
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    for (code, said) in [("0x80072560", "ask for an application user"), ("0x80040220", "ask for a security role")] {
        stage.sandbox.fail_next_with(Service::Dynamics, 403, 1, code);
        let silent = ferry::run::progress::silent();
        let refused = ferry::app::runs::run(&workspace, &stage.setting, COMPANIES, &silent, |_| {}).await;
        let told = refused.expect_err("it is refused").to_string();
        assert!(told.contains(code) && told.contains(said), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_world_makes_the_same_changes_byte_for_byte() {
    let stage = Stage::seeded(300).await;
    for job in [USERS, COMPANIES] {
        let (one, _) = stage.plan(job, 0).await;
        let (two, _) = stage.plan(job, 0).await;
        let file = |run: &str| stage.setting.home.join("runs").join(run).join("changes/part-000000.parquet");
        assert_eq!(std::fs::read(file(&one.run)).unwrap(), std::fs::read(file(&two.run)).unwrap(), "{job}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ferry_on_one_home_is_told_so() {
    let stage = Stage::seeded(100).await;
    let home = ferry::store::home::Home::open(&stage.setting.home).unwrap();
    let (_, result) = stage.try_run(COMPANIES).await;
    assert_eq!(result.expect_err("the home is taken").exit_code(), 5);
    drop(home);
    stage.run(COMPANIES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_without_rows_is_a_run_like_any_other() {
    let stage = Stage::world("", "", "").await;
    for report in stage.run(CHAIN).await {
        assert_eq!((report.status.word(), report.counts.read, report.calls.gainsight_writes), ("success", 0, 0));
    }
}

fn account(number: u8, employees: i64) -> String {
    let id = format!("00000000-0000-0000-0000-0000000000{number:02}");
    json!({ "accountid": id, "name": format!("A{number}"), "numberofemployees": employees }).to_string() + "\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_row_of_a_new_person_wins_with_its_nulls_too() {
    let contact = |number: u8, first: Option<&str>, day: u8| {
        let row = json!({
            "contactid": format!("10000000-0000-0000-0000-0000000000{number:02}"), "firstname": first, "lastname": "L",
            "emailaddress1": "one@example.com", "modifiedon": format!("2024-01-{day:02}T00:00:00Z"),
            "_parentcustomerid_value": format!("00000000-0000-0000-0000-0000000000{number:02}"),
            "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account",
        });
        row.to_string() + "\n"
    };
    let contacts = contact(1, Some("Old"), 1) + &contact(2, None, 2);
    let stage = Stage::world("", &(account(1, 1) + &account(2, 2)), &contacts).await;
    stage.run(CHAIN).await;
    let people = stage.sandbox.records("person");
    assert_eq!(people.len(), 1);
    assert!(people[0]["FirstName"].is_null(), "{people:?}");
    assert_eq!(stage.sandbox.records("company_person").len(), 2);
    assert_eq!(stage.run(PEOPLE).await[0].calls.gainsight_writes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_records_of_one_value_are_found_among_all_others() {
    let accounts: String = (1..=60).map(|n| account(n, if n % 20 == 0 { -5 } else { 5 })).collect();
    let stage = Stage::world("", &accounts, "").await;
    let report = stage.run(COMPANIES).await.remove(0);
    assert_eq!((report.counts.inserted, report.counts.error), (57, 3));
    assert!(report.calls.gainsight_writes <= 40, "{}", report.calls.gainsight_writes);
    assert_eq!(stage.sandbox.records("company").len(), 57);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_that_is_taken_over_does_not_hand_the_user_over() {
    let user = |number: u8, name: &str| {
        let id = format!("20000000-0000-0000-0000-0000000000{number:02}");
        json!({
            "systemuserid": id, "firstname": "F", "lastname": format!("L{number}"), "domainname": name,
            "personalemailaddress": format!("u{number}@example.com"), "isdisabled": false,
        })
    };
    let stage = Stage::world(&(user(1, "one@example.com").to_string() + "\n"), "", "").await;
    stage.run(USERS).await;
    assert!(stage.sandbox.put_row("systemuser", user(1, "renamed@example.com").as_object().cloned().unwrap()));
    assert!(stage.sandbox.put_row("systemuser", user(2, "one@example.com").as_object().cloned().unwrap()));
    let report = stage.run(USERS).await.remove(0);
    assert_eq!((report.counts.updated, report.counts.error), (1, 1));
    assert_eq!(errors(&report)[0]["code"], "AVATAR_CONFLICT");
    let report = stage.run(USERS).await.remove(0);
    assert_eq!((report.counts.inserted, report.counts.unchanged), (1, 1), "the name is free now");
    assert_eq!(stage.run(USERS).await[0].calls.gainsight_writes, 0);
}
