//! What a plan counts: reasons with examples, calls by kind, what is left of today.

use serde_json::json;

use super::days::Days;
use super::{account, accounts, apply, id, plan_with, put_accounts, row};
use crate::stage::{CHAIN, COMPANIES, PEOPLE, Stage, USERS};

#[tokio::test(flavor = "multi_thread")]
async fn reasons_come_with_an_example_each() {
    let stage = Stage::seeded(200).await;
    stage.run(USERS).await;
    stage.run(COMPANIES).await;
    let (_, plan) = stage.plan(PEOPLE, usize::MAX).await;
    let by_reason: u64 = plan.unwritten.iter().map(|one| one.rows).sum();
    assert_eq!(by_reason, plan.counts.failed());
    assert_eq!(by_reason, plan.reasons.values().sum::<u64>());
    assert!(plan.unwritten.is_sorted_by(|a, b| a.rows >= b.rows), "what concerns most rows comes first");
    assert!(plan.unwritten.len() > 2, "{:?}", plan.unwritten);
    for one in &plan.unwritten {
        let of = plan.sample.iter().find(|row| row.row == one.example.row).expect("the sample is of all rows");
        assert_eq!((of.outcome, of.code), (one.outcome, Some(one.code)));
        assert_eq!((&of.source_key, of.reason.as_ref()), (&one.example.source_key, Some(&one.message)));
        assert!(one.script.starts_with("company_person_sync.ferry:"), "{}", one.script);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_kind() {
    let stage = accounts(120).await;
    let (report, plan) = stage.plan(COMPANIES, 0).await;
    assert_eq!(serde_json::json!(plan.cost.by_kind), json!({ "inserts": 3 }));
    assert_eq!((plan.cost.calls, plan.cost.minutes, plan.cost.days, plan.cost.api.as_str()), (3, 1, 1, "object"));
    assert!(plan.fields.is_empty(), "a new record changes nothing");
    apply(&stage, &report.run).await.expect("it is applied");
    put_accounts(&stage, 0..30, "Changed", 10);
    put_accounts(&stage, 110..130, "Account", 11);
    let (_, plan) = stage.plan(COMPANIES, 0).await;
    assert_eq!(json!(plan.cost.by_kind), json!({ "inserts": 1, "updates": 1 }));
    assert_eq!(json!(plan.fields), json!({ "Company": { "Employees": 10, "Name": 30 } }));
    let (_, users) = Stage::seeded(200).await.plan(USERS, 0).await;
    assert_eq!(users.cost.by_kind.keys().map(String::as_str).collect::<Vec<_>>(), ["users"]);
    assert_eq!((users.cost.api.as_str(), users.cost.per_day, users.cost.reserve), ("user management", 900, 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_whose_record_is_equal_cost_no_call() {
    let stage = Stage::seeded(100).await;
    stage.run(CHAIN).await;
    let mut contacts = stage.sandbox.table("contact");
    contacts.retain(|contact| !contact["emailaddress1"].is_null() && !contact["_parentcustomerid_value"].is_null());
    let mut changed = 0;
    for mut contact in contacts.into_iter().take(7) {
        contact.insert("jobtitle".to_owned(), json!("no mapping names it"));
        if changed < 3 {
            contact.insert("lastname".to_owned(), json!("Changed"));
            changed += 1;
        }
        assert!(stage.sandbox.put_row("contact", contact));
    }
    let (_, plan) = stage.plan(PEOPLE, 0).await;
    assert_eq!(plan.counts.updated, 3, "{:?}", plan.counts);
    assert_eq!(json!(plan.cost.by_kind), json!({ "people": 3 }));
    assert_eq!(stage.run(PEOPLE).await[0].calls.gainsight_writes, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_today_is_what_was_not_spent() {
    // Two plans of one day: days of a test are 86 seconds, and one that ended between them would give back what was spent.
    let Days { stage, .. } = Days::new(accounts(120).await);
    let tiny = [("calls_per_day = 50000", "calls_per_day = 100, calls_per_minute = 100000")];
    let (_, before) = plan_with(&stage, COMPANIES, 0, &tiny).await;
    assert_eq!((before.cost.per_day, before.cost.reserve), (90, 10));
    let (_, after) = plan_with(&stage, COMPANIES, 0, &tiny).await;
    let spent = before.cost.left_today - after.cost.left_today;
    // The describes and the reads of one plan; each process claims some calls beforehand.
    assert!((2..=6).contains(&spent), "{spent}");
    assert!(before.cost.fits_today());
    let few = [("calls_per_day = 50000", "calls_per_day = 4, reserve_percent = 0, batch_size = 10")];
    let few = [("batch_size = 50, ", ""), few[0]];
    let Days { stage, .. } = Days::new(accounts(120).await);
    let (_, plan) = plan_with(&stage, COMPANIES, 0, &few).await;
    let cost = plan.cost;
    assert_eq!((cost.calls, cost.per_day), (12, 4));
    let rest = (12 - cost.left_today).div_ceil(4);
    assert_eq!(cost.days, 1 + rest, "{cost:?}");
    assert!(!cost.fits_today());
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_different_fields_share_their_calls() {
    let stage = accounts(120).await;
    stage.run(COMPANIES).await;
    for number in 0..120 {
        let mut changed = account(number, &format!("Account {number}"), 10);
        match number % 3 {
            0 => changed["name"] = json!(format!("Other {number}")),
            1 => changed["numberofemployees"] = json!(1_000 + number),
            _ => changed["industrycode"] = json!(1),
        }
        assert!(stage.sandbox.put_row("account", row(&changed)));
    }
    let mut stage = stage;
    stage.setting.consented = true;
    let (_, plan) = stage.plan(COMPANIES, 0).await;
    assert_eq!(json!(plan.fields), json!({ "Company": { "Employees": 40, "Industry": 40, "Name": 40 } }));
    assert_eq!(json!(plan.cost.by_kind), json!({ "updates": 3 }));
    let report = stage.run(COMPANIES).await.remove(0);
    assert_eq!((report.counts.updated, report.calls.gainsight_writes), (120, 3));
    let record = stage.sandbox.records("company").into_iter();
    let record =
        record.clone().find(|c| c["External_Account_ID_gainsight123__gc"] == id(0).as_str()).expect("it is there");
    assert_eq!((&record["Name"], &record["Employees"]), (&json!("Other 0"), &json!(10)), "what was not sent stays");
}
