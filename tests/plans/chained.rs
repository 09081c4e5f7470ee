//! The plan of a chain is what running it does: a later job sees what the earlier ones are going to write.

use ferry::app::runs;
use ferry::run::overlay::coming;
use ferry::run::plan::Plan;
use ferry::run::planning::Wanted;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::run::undertaking::How;
use serde_json::{Value, json};

use super::{apply, id, row, writes};
use crate::stage::{CHAIN, COMPANIES, PEOPLE, Stage, USERS};

/// The chain's plans, each with all of its rows.
async fn planned(stage: &Stage, name: &str, more: &[(&str, &str)]) -> Vec<(Report, Plan)> {
    let workspace = stage.workspace(more).await.or_mistakes().expect("the project is right");
    let wanted = Wanted { how: How::default(), sample: usize::MAX, export: None };
    let mut plans = Vec::new();
    let keep = |report: &Report, plan: &Plan| plans.push((report.clone(), plan.clone()));
    runs::plan_all(&workspace, &stage.setting, name, wanted, &silent(), keep).await.expect("it plans");
    plans
}

async fn agree(stage: &Stage, name: &str, more: &[(&str, &str)]) -> Vec<(Report, Plan)> {
    let before = writes(stage);
    let plans = planned(stage, name, more).await;
    assert_eq!(writes(stage), before, "a plan writes nothing");
    let (reports, ended) = stage.try_run_with(name, more).await;
    ended.expect("it runs");
    assert_eq!(plans.len(), reports.len());
    for ((planned, plan), report) in plans.iter().zip(&reports) {
        assert_eq!(planned.job, report.job);
        assert_eq!((plan.counts, &plan.records), (report.counts, &report.records), "{}", report.job);
        assert_eq!(plan.cost.calls, report.calls.gainsight_writes, "{}", report.job);
    }
    plans
}

fn user(number: usize, name: &str, manager: Option<usize>) -> Value {
    let login = format!("u{number}@example.com");
    json!({ "systemuserid": format!("20000000-0000-4000-8000-{number:012}"), "firstname": name, "lastname": "User",
        "domainname": login, "personalemailaddress": login, "isdisabled": number == 9,
        "_parentsystemuserid_value": manager.map(|m| format!("20000000-0000-4000-8000-{m:012}")) })
}

fn account(number: usize, name: Option<&str>) -> Value {
    json!({ "accountid": id(number), "name": name, "numberofemployees": number })
}

fn contact(number: usize, email: Option<String>, parent: Option<usize>, table: &str) -> Value {
    json!({ "contactid": format!("10000000-0000-4000-8000-{number:012}"), "firstname": format!("C{number}"),
        "lastname": "Contact", "emailaddress1": email,
        "_parentcustomerid_value": parent.map(id), "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": table })
}

/// Users with managers, accounts of which some have no name, and contacts of every fate that a plan knows.
async fn world() -> Stage {
    let users: Vec<Value> = (0..12).map(|n| user(n, "Una", (n > 3).then(|| n - 3))).collect();
    let accounts: Vec<Value> = (0..60).map(|n| account(n, (n % 11 != 5).then_some("Account"))).collect();
    let contacts: Vec<Value> = (0..90)
        .map(|n| match n % 15 {
            // Without an address, of an unknown account, of a contact, of no account, twice at one company.
            1 => contact(n, None, Some(n % 60), "account"),
            2 => contact(n, Some(format!("c{n}@example.com")), Some(500 + n), "account"),
            3 => contact(n, Some(format!("c{n}@example.com")), Some(n), "contact"),
            4 => contact(n, Some(format!("c{n}@example.com")), None, "account"),
            5 => contact(n, Some(format!("twice{}@example.com", n / 30)), Some(7), "account"),
            // One person at two companies.
            6 | 7 => contact(n, Some(format!("both{}@example.com", n / 15)), Some(n % 60), "account"),
            _ => contact(n, Some(format!("c{n}@example.com")), Some(n % 60), "account"),
        })
        .collect();
    let lines = |rows: Vec<Value>| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    Stage::world(&lines(users), &lines(accounts), &lines(contacts)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_load_is_planned_as_it_runs() {
    let stage = world().await;
    let plans = agree(&stage, CHAIN, &[]).await;
    let (companies, people) = (&plans[1], &plans[2]);
    assert!(people.1.counts.inserted > 50 && people.1.counts.rejected > 10, "{:?}", people.1.counts);
    assert!(people.1.counts.error > 2, "the repeated keys: {:?}", people.1.counts);
    assert_eq!(people.1.waits, people.1.counts.inserted, "every company is new");
    assert_eq!((companies.1.waits, plans[0].1.waits), (0, 0));
    assert_eq!(people.1.after.iter().map(|one| one.job.as_str()).collect::<Vec<_>>(), [USERS, COMPANIES]);
    // Each reference leads to the row of the plan that inserts its company.
    for row in people.1.sample.iter().filter(|row| row.code.is_none()) {
        let value = |field: &str| row.fields.iter().find(|change| change.field == field).expect("a field").new.clone();
        let company = value("Company ID");
        let (run, number) = coming(company.as_str().expect("a text")).expect("a record to come");
        assert_eq!(run, companies.0.run);
        let of = companies.1.sample.iter().find(|row| row.row == number).expect("its row");
        assert_eq!(Value::String(of.source_key.clone()), value("External Account ID_gainsight123"));
        assert!(of.records[0].gsid.is_none() && of.outcome == "inserted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_day_is_planned_as_it_runs() {
    let stage = world().await;
    stage.run(CHAIN).await;
    let put = |table: &str, value: &Value| assert!(stage.sandbox.put_row(table, row(value)));
    // New companies, one of which a contact waited for; new users; people who change, move, come.
    for number in [502, 517, 70, 71] {
        put("account", &account(number, Some("New")));
    }
    put("account", &account(5, Some("It has a name now")));
    for number in 20..24 {
        put("contact", &contact(number, Some(format!("c{number}@example.com")), Some(70), "account"));
    }
    put("contact", &contact(200, Some("new@example.com".to_owned()), Some(71), "account"));
    put("contact", &contact(8, Some("c8@example.com".to_owned()), Some(5), "account"));
    put("systemuser", &user(30, "New", Some(31)));
    put("systemuser", &user(31, "Newer", Some(2)));
    put("systemuser", &user(4, "Other", Some(30)));
    let plans = agree(&stage, CHAIN, &[]).await;
    assert_eq!((plans[0].1.counts.inserted, plans[0].1.counts.updated), (2, 1));
    assert_eq!((plans[1].1.counts.inserted, plans[1].1.counts.updated), (5, 0));
    assert!(plans[2].1.counts.inserted >= 3 && plans[2].1.waits >= 6, "{:?}", plans[2].1.counts);
    let again = agree(&stage, CHAIN, &[]).await;
    assert!(again.iter().all(|(_, plan)| plan.cost.calls == 0 && plan.waits == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeded_world_is_planned_as_it_runs_once_refusals_are_known() {
    let stage = Stage::seeded(300).await;
    stage.run(CHAIN).await;
    super::applied::change(&stage);
    agree(&stage, CHAIN, &[]).await;
}

/// A second job that writes companies, by their name, and one that looks for what it wrote.
const MORE: &str = r#"
CREATE JOB "Staff" AS
UPDATE gainsight.Company
  KEY ("Dynamics Account ID")
SELECT a.accountid AS "Dynamics Account ID", a.numberofemployees + 1000 AS "Employees"
FROM dynamics.account AS a
WHERE a.name IS NOT NULL;

CREATE JOB "Parents" AS
UPDATE gainsight.Company
  KEY ("Dynamics Account ID")
SELECT a.accountid AS "Dynamics Account ID", co."Name" AS "Industry"
FROM dynamics.account AS a
LOOKUP gainsight.Company AS co ON co."Employees" = a.numberofemployees + 1000
    WHEN MULTIPLE MATCHED THEN ERROR
    WHEN NOT MATCHED      THEN REJECT
WHERE a.name IS NOT NULL;

CREATE CHAIN "Three" AS RUN "Company Sync_Dynamics Connection" THEN RUN "Staff" THEN RUN "Parents";
"#;

#[tokio::test(flavor = "multi_thread")]
async fn plans_over_plans_see_the_newest_value() {
    let stage = world().await;
    let more = [("more.ferry", MORE)];
    let plans = planned(&stage, "Three", &more).await;
    let (staff, parents) = (&plans[1].1, &plans[2].1);
    assert_eq!(staff.counts.updated, plans[1].1.counts.read - staff.counts.filtered - staff.counts.unchanged);
    assert!(staff.counts.updated > 50 && staff.counts.rejected + staff.counts.error == 0, "{:?}", staff.counts);
    // Each finds itself by what the second is going to write, and none by what the first inserts.
    assert_eq!(parents.counts.rejected, 0, "{:?} {:?}", parents.counts, parents.unwritten);
    assert_eq!(parents.counts.planned(), staff.counts.updated);
}

/// A job after the out-of-the-box ones that points at the users, and looks at the people, that they write.
const LAST: &str = r#"
CREATE JOB "Last" AS
UPDATE gainsight.Company
  KEY ("Dynamics Account ID")
SELECT a.accountid AS "Dynamics Account ID", us."GSID" AS "CSM", p."Last Name" AS "Ticker Symbol", cp."External Contact ID_gainsight123" AS "Industry"
FROM dynamics.account AS a
LOOKUP gainsight.User AS us ON us."Username" = a.emailaddress1
    WHEN MULTIPLE MATCHED THEN ERROR
    WHEN NOT MATCHED      THEN USE NULL
LOOKUP gainsight.Person AS p ON p."Email" = a.emailaddress2
    WHEN MULTIPLE MATCHED THEN ERROR
    WHEN NOT MATCHED      THEN USE NULL
LOOKUP gainsight."Company Person" AS cp ON cp."External Account ID_gainsight123" = a.accountid
    WHEN MULTIPLE MATCHED THEN USE ANY
    WHEN NOT MATCHED      THEN USE NULL
WHERE a.emailaddress1 IS NOT NULL;

CREATE CHAIN "Four" AS RUN "User Sync_Dynamics Connection" THEN RUN "Company Sync_Dynamics Connection"
  THEN RUN "Company Person Sync_Dynamics Connection" THEN RUN "Last";
"#;

#[tokio::test(flavor = "multi_thread")]
async fn users_and_people_to_come_are_found() {
    let stage = world().await;
    for number in 8..12 {
        let mut account = account(number, Some("Known to users"));
        account["emailaddress1"] = json!(format!("u{}@example.com", number - 8));
        account["emailaddress2"] = json!(format!("c{number}@example.com"));
        assert!(stage.sandbox.put_row("account", row(&account)));
    }
    let more = [("last.ferry", LAST)];
    let plans = agree(&stage, "Four", &more).await;
    let last = &plans[3].1;
    assert_eq!((last.counts.updated, last.waits), (4, 4), "{:?}", last.unwritten);
    assert_eq!(json!(last.fields), json!({ "Company": { "CSM": 4, "Ticker Symbol": 4, "Industry": 4 } }));
    for row in &last.sample {
        let value = |field: &str| row.fields.iter().find(|change| change.field == field).expect("a field").new.clone();
        assert_eq!(coming(value("CSM").as_str().expect("a text")).expect("a user to come").0, plans[0].0.run);
        assert!(value("Industry").as_str().is_some_and(|id| id.starts_with("10000000-")), "{row:?}");
        let (run, _) = coming(row.records[0].gsid.as_deref().expect("it is to be updated")).expect("a company to come");
        assert_eq!(run, plans[1].0.run);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_waits_for_another_is_not_applied_by_itself() {
    let stage = world().await;
    let plans = planned(&stage, CHAIN, &[]).await;
    let before = writes(&stage);
    let error = apply(&stage, &plans[2].0.run).await.expect_err("its companies are not there");
    assert_eq!(error.exit_code(), 3);
    assert!(
        error.to_string().contains("rows wait for records that an earlier job of the chain was to insert"),
        "{error}"
    );
    assert_eq!(writes(&stage), before);
    // The first of the chain stands for itself; then the next one is planned anew.
    apply(&stage, &plans[1].0.run).await.expect("companies wait for nobody");
    let (report, plan) = stage.plan(PEOPLE, 0).await;
    assert_eq!((plan.waits, plan.counts), (0, plans[2].1.counts));
    apply(&stage, &report.run).await.expect("its companies are there");
}
