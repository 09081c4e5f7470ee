//! `ferry plan` shows exactly what `ferry apply` then does, field by field.

use std::collections::{BTreeMap, BTreeSet};

use ferry::app::workspace::Workspace;
use ferry::app::{activity, runs};
use ferry::model::job::{Job, Route};
use ferry::run::plan::Plan;
use ferry::run::progress::silent;
use ferry::run::undertaking::How;
use serde_json::{Value, json};

use super::{Held, accounts, apply, held, id, put_accounts, row, writes};
use crate::stage::{CHAIN, COMPANIES, PEOPLE, Stage, USERS};

/// What Gainsight itself writes.
const SYSTEM: [&str; 4] = ["CreatedDate", "CreatedBy", "ModifiedDate", "ModifiedBy"];

/// Values as both sides say them alike: numbers by value, an empty field as null.
fn alike(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{:.6}", number.as_f64().expect("a number")),
        Value::String(text) if text.is_empty() => "null".to_owned(),
        other => other.to_string(),
    }
}

/// Changes on both sides, of every kind that the jobs of the chain react to.
pub fn change(stage: &Stage) {
    let sandbox = &stage.sandbox;
    for (n, mut account) in sandbox.table("account").into_iter().enumerate().take(20) {
        account.insert("name".to_owned(), json!(format!("Renamed {n}")));
        if n % 3 == 0 {
            account.insert("numberofemployees".to_owned(), json!(4_000 + n));
        }
        assert!(sandbox.put_row("account", account));
    }
    assert!(sandbox.put_row("account", row(&json!({ "accountid": id(1), "name": "New & Sons" }))));
    let fresh = json!({ "contactid": id(2), "firstname": "Nia", "lastname": "New", "emailaddress1": "nia@new.example",
        "_parentcustomerid_value": id(1), "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account" });
    assert!(sandbox.put_row("contact", row(&fresh)));
    for (n, mut contact) in sandbox.table("contact").into_iter().enumerate().take(40) {
        contact.insert("lastname".to_owned(), if n % 5 == 0 { Value::Null } else { json!(format!("Changed {n}")) });
        if n % 7 == 0 {
            contact.insert("emailaddress1".to_owned(), json!(format!("moved{n}@new.example")));
        }
        assert!(sandbox.put_row("contact", contact));
    }
    for (n, mut user) in sandbox.table("systemuser").into_iter().enumerate().take(6) {
        user.insert("firstname".to_owned(), json!(format!("Other {n}")));
        assert!(sandbox.put_row("systemuser", user));
    }
    for (object, field) in [("company", "Name"), ("person", "FirstName"), ("gsuser", "LastName")] {
        for mut record in sandbox.records(object).into_iter().rev().take(5) {
            record.insert(field.to_owned(), json!("edited by hand"));
            sandbox.put_record(object, record);
        }
    }
}

/// Fields with a value each: `object gsid field` → value, and of new records the sets of their fields.
#[derive(Debug, Default, PartialEq)]
struct Deeds {
    changed: BTreeMap<String, (String, String)>,
    created: Vec<BTreeSet<String>>,
}

/// What the plan's rows say.
fn planned(job: &Job, plan: &Plan) -> Deeds {
    let mut deeds = Deeds::default();
    let mut created: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in &plan.sample {
        for record in row.records.iter().filter(|record| record.object != "Avatar_Dynamics") {
            let target = job.targets.iter().position(|t| t.object.label == record.object).expect("a target");
            let object = &job.targets[target].object.name;
            for change in row.fields.iter().filter(|change| change.object == record.object) {
                let mapped = job.mappings_of(target).find(|(_, m)| m.field.label == change.field);
                let field = &mapped.expect("a mapping").1.field.name;
                match &record.gsid {
                    Some(gsid) => {
                        let both = (alike(&change.old), alike(&change.new));
                        deeds.changed.insert(format!("{object} {gsid} {field}"), both);
                    }
                    None if !change.new.is_null() => {
                        let key = (object.clone(), format!("{}", row.row));
                        created.entry(key).or_default().insert(format!("{field} {}", alike(&change.new)));
                    }
                    None => {}
                }
            }
        }
    }
    deeds.created = created.into_values().collect();
    deeds.created.sort();
    deeds
}

/// What differs between what was there and what is.
fn done(job: &Job, before: &Held, after: &Held) -> Deeds {
    let mapped: BTreeSet<(&str, &str)> =
        job.mappings.iter().map(|m| (job.targets[m.target].object.name.as_str(), m.field.name.as_str())).collect();
    let mut deeds = Deeds::default();
    for (key @ (object, gsid), record) in after {
        let fields = record.iter().filter(|(name, _)| !SYSTEM.contains(&name.as_str()) && *name != "Gsid");
        let Some(old) = before.get(key) else {
            let said = fields.filter(|(name, value)| mapped.contains(&(object, name)) && !value.is_null());
            deeds.created.push(said.map(|(name, value)| format!("{name} {}", alike(value))).collect());
            continue;
        };
        for (name, value) in fields {
            let was = alike(old.get(name).unwrap_or(&Value::Null));
            if was != alike(value) {
                deeds.changed.insert(format!("{object} {gsid} {name}"), (was, alike(value)));
            }
        }
    }
    assert!(before.keys().all(|key| after.contains_key(key)), "nothing goes");
    deeds.created.sort();
    deeds
}

async fn plan_of(stage: &Stage, workspace: &Workspace, job: &str) -> (String, Plan) {
    let planned = runs::plan(workspace, &stage.setting, job, &How::default(), usize::MAX, &silent()).await;
    let (report, plan) = planned.expect("it plans");
    (report.run, plan)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_field_by_field_what_applying_it_does() {
    let stage = Stage::seeded(300).await;
    stage.run(CHAIN).await;
    change(&stage);
    let workspace = stage.workspace(&[]).await.or_mistakes().expect("the project is right");
    for job in [USERS, COMPANIES, PEOPLE] {
        let written_before = writes(&stage);
        let (run, plan) = plan_of(&stage, &workspace, job).await;
        assert_eq!(writes(&stage), written_before, "a plan writes nothing");
        let before = held(&stage);
        let report = apply(&stage, &run).await.expect("it is applied");
        let after = held(&stage);
        let (shown, made) =
            (planned(&workspace.project.jobs[job], &plan), done(&workspace.project.jobs[job], &before, &after));
        assert!(!shown.changed.is_empty(), "{job} has something to do");
        assert_eq!(shown.changed, made.changed, "{job}");
        assert_eq!(shown.created, made.created, "{job}");
        assert_eq!((report.counts, report.records), (plan.counts, plan.records.clone()), "{job}");
        let made_calls = (writes(&stage) - written_before) as u64;
        assert_eq!((report.calls.gainsight_writes, made_calls), (plan.cost.calls, plan.cost.calls), "{job}");
        let per_field: u64 =
            plan.fields.iter().filter(|(o, _)| *o != "Avatar_Dynamics").flat_map(|(_, f)| f.values()).sum();
        assert_eq!(per_field, made.changed.len() as u64, "{job}: fields are counted once a record");
        assert_eq!(report.run, run, "it is a run of the same number");
        let again =
            runs::plan(&workspace, &stage.setting, job, &How::default(), 0, &silent()).await.expect("it plans").1;
        assert_eq!(
            (again.counts.inserted, again.counts.updated, again.cost.calls),
            (0, 0, 0),
            "{job}: nothing is left"
        );
    }
    assert!(workspace.project.jobs[USERS].target_by_route(Route::Avatar).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applied_plan_is_a_run_like_any_other() {
    let stage = accounts(120).await;
    let (report, plan) = stage.plan(COMPANIES, 0).await;
    assert_eq!((plan.counts.inserted, plan.cost.calls), (120, 3));
    // What comes to Dynamics meanwhile is no part of the plan.
    put_accounts(&stage, [200], "Late", 1);
    put_accounts(&stage, [3], "Renamed meanwhile", 1);
    let applied = apply(&stage, &report.run).await.expect("it is applied");
    assert_eq!((applied.counts.inserted, applied.calls.gainsight_writes, applied.resumed), (120, 3, 0));
    assert_eq!(applied.status.word(), "success");
    let shown = activity::show(&stage.setting, &report.run).await.expect("it is listed");
    assert_eq!((shown.run.status.as_str(), shown.standing.is_none()), ("success", true));
    let next = stage.run(COMPANIES).await.remove(0);
    assert_eq!((next.counts.inserted, next.counts.updated, next.counts.unchanged), (1, 1, 119));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_was_interrupted_goes_on() {
    for by_name in [false, true] {
        let stage = accounts(120).await;
        let (report, _) = stage.plan(COMPANIES, 0).await;
        let rule = r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [2], "status": 403}"#;
        stage.sandbox.strike_by(rule).expect("a rule");
        let error = apply(&stage, &report.run).await.expect_err("the second batch fails");
        assert_eq!(error.exit_code(), 3);
        let standing = activity::show(&stage.setting, &report.run).await.expect("it is listed").standing;
        assert_eq!(standing.expect("it can be gone on with").tally.written, 50);
        let again = apply(&stage, &report.run).await.expect_err("it is no plan any more").to_string();
        assert!(again.contains(&format!("`ferry resume {}` goes on with it", report.run)), "{again}");
        let rest = if by_name {
            stage.run(COMPANIES).await.remove(0)
        } else {
            let workspace = stage.workspace(&[]).await;
            let mut reports = Vec::new();
            let wanted = Some(report.run.as_str());
            ferry::app::resuming::resume(&workspace, &stage.setting, wanted, &silent(), |r| reports.push(r.clone()))
                .await
                .expect("it goes on");
            reports.remove(0)
        };
        assert_eq!((rest.run, rest.counts.inserted, rest.calls.gainsight_writes), (report.run, 120, 2));
        assert_eq!(stage.sandbox.records("company").len(), 120);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_died_before_it_decided_begins_again() {
    let stage = accounts(60).await;
    stage.run(COMPANIES).await;
    put_accounts(&stage, 0..10, "Changed", 20);
    let (report, _) = stage.plan(COMPANIES, 0).await;
    let folder = stage.setting.home.join("runs").join(&report.run);
    // What was shown lies aside, in its place lies half of what was read again, and the rest is where it was.
    let aside = folder.join("aside");
    std::fs::create_dir(&aside).expect("a folder");
    for name in ["target", "changes"] {
        std::fs::rename(folder.join(name), aside.join(name)).expect("it is moved");
    }
    std::fs::create_dir_all(folder.join("target/company")).expect("a folder");
    std::fs::write(folder.join("target/company/part-000000.arrow"), "half").expect("a file");
    let applied = apply(&stage, &report.run).await.expect("it is applied");
    assert_eq!((applied.counts.updated, applied.calls.gainsight_writes), (10, 1));
    assert!(!aside.exists(), "nothing is left aside");
}
