//! What keeps a mistake from emptying the target: the guard, reads that are not complete, and rows that are chosen.

use ferry::app::{resuming, runs};
use ferry::run::progress::silent;
use ferry::run::undertaking::How;
use serde_json::json;

use super::desk::{
    JOB, accounts, change, companies, counted, gsid, held, id, names, object, run, run_so, try_run, writes,
};
use crate::stage::{Stage, errors};

const DELETE: &str = "ON SOURCE DELETE DELETE";

fn delete(stage: &Stage, rows: std::ops::RangeInclusive<usize>) {
    rows.for_each(|number| assert!(stage.sandbox.delete_row("account", &id(number))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mass_deletion_asks_first() {
    let mut stage = accounts(120).await;
    let job = companies(DELETE);
    run(&stage, &job).await;
    delete(&stage, 1..=7);
    let before = writes(&stage).len();
    let (_, failed) = try_run(&stage, &job).await;
    let failed = failed.expect("it asks");
    assert_eq!((failed.exit_code(), writes(&stage).len()), (3, before));
    let said = failed.to_string();
    assert!(
        said.contains("would delete 7 of 120 records of Company (5.9 %), and more than 5 % has to be allowed"),
        "{said}"
    );
    assert!(
        said.contains("ferry plan") && said.contains("ferry run --yes") && said.contains("deletes_percent"),
        "{said}"
    );
    assert!(said.contains("the sign-in"), "{said}");
    stage.setting.consented = true;
    assert_eq!(counted(&run(&stage, &job).await.counts), "120 read, 113 unchanged, 7 deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_deletions_need_not_be_asked_for() {
    let stage = accounts(120).await;
    let job = companies(DELETE);
    run(&stage, &job).await;
    delete(&stage, 1..=6);
    assert_eq!(run(&stage, &job).await.counts.deleted, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_judged_as_changes() {
    let stage = accounts(100).await;
    let job = companies("ON SOURCE DELETE SET \"Employees\" = 0");
    run(&stage, &job).await;
    delete(&stage, 1..=30);
    assert_eq!(run(&stage, &job).await.counts.deleted, 30);
    delete(&stage, 31..=61);
    let (_, failed) = try_run(&stage, &job).await;
    let said = failed.expect("it asks").to_string();
    assert!(said.contains("would change 31 of 100 records of Company (31 %)"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_not_complete_deletes_nothing() {
    let stage = accounts(12).await;
    let job = companies(DELETE);
    run(&stage, &job).await;
    delete(&stage, 12..=12);
    let before = writes(&stage).len();
    let mut workspace = stage.workspace(&[("j.ferry", &job)]).await.or_mistakes().expect("the project is right");
    workspace.services.dynamics.values_mut().for_each(|dynamics| dynamics.page_size = 5);
    stage
        .sandbox
        .strike_by(r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [4], "status": 403}"#)
        .unwrap();
    let mut reports = Vec::new();
    let ended = runs::run(&workspace, &stage.setting, JOB, &silent(), |r| reports.push(r.clone())).await;
    assert_eq!(ended.expect_err("a page is missing").exit_code(), 3);
    assert_eq!((writes(&stage).len(), names(&stage).len()), (before, 12));
    stage.sandbox.strike_by("").unwrap();
    assert_eq!(counted(&run(&stage, &job).await.counts), "12 read, 11 unchanged, 1 deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_row_can_be_chosen_and_the_others_stay_lost() {
    let stage = accounts(4).await;
    let job = companies("ON SOURCE DELETE DELETE ON SOURCE LEAVE SET \"Employees\" = 0");
    run(&stage, &job).await;
    delete(&stage, 1..=2);
    change(&stage, "account", "accountid", &id(3), json!({ "statecode": 1 }));
    let how = How { chosen: Some(vec![id(2)]), ..How::default() };
    let report = run_so(&stage, &job, &how).await;
    assert_eq!(counted(&report.counts), "4 read, 3 filtered, 1 deleted");
    assert_eq!(names(&stage), ["A1", "A3", "A4"]);
    // What was not chosen is as lost as before.
    assert_eq!(counted(&run(&stage, &job).await.counts), "3 read, 1 unchanged, 2 deleted");
    assert_eq!(
        (names(&stage), held(&stage, "company", "Name", "Employees")["A3"].clone()),
        (vec!["A3".into(), "A4".into()], json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_mark_is_replayed_when_it_is_asked_for() {
    let stage = accounts(2).await;
    let job = companies("ON SOURCE DELETE SET \"Employees\" = -1");
    run(&stage, &job).await;
    delete(&stage, 1..=1);
    let report = run(&stage, &job).await;
    assert_eq!(errors(&report)[0]["code"], "REFUSED");
    let before = writes(&stage).len();
    let workspace = stage.workspace(&[("j.ferry", &job)]).await.or_mistakes().expect("the project is right");
    let mut reports = Vec::new();
    let ended =
        resuming::replay(&workspace, &stage.setting, &report.run, &[], &silent(), |r| reports.push(r.clone())).await;
    ended.expect("it ends");
    assert_eq!((errors(&reports[0])[0]["code"].as_str(), writes(&stage).len()), ("REFUSED", before + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_is_lost_and_what_becomes_of_it() {
    let stage = accounts(5).await;
    let job = companies("ON SOURCE DELETE DELETE ON SOURCE LEAVE SET \"Employees\" = 0");
    run(&stage, &job).await;
    let gone = gsid(&stage, "A1");
    delete(&stage, 1..=1);
    assert!(stage.sandbox.merge_rows("account", &id(2), &id(3)));
    change(&stage, "account", "accountid", &id(4), json!({ "statecode": 1 }));
    let before = writes(&stage).len();
    let workspace = stage.workspace(&[("j.ferry", &job)]).await.or_mistakes().expect("the project is right");
    let (_, plan) =
        runs::plan(&workspace, &stage.setting, JOB, &How::default(), 10, &silent()).await.expect("the plan ends");
    assert_eq!(counted(&plan.counts), "5 read, 2 unchanged, 3 deleted");
    assert_eq!((plan.records["Company"].deleted, plan.records["Company"].updated), (2, 1));
    assert_eq!(plan.fields["Company"].clone().into_iter().collect::<Vec<_>>(), [("Employees".to_owned(), 1)]);
    assert_eq!((plan.cost.calls, plan.cost.by_kind["deletes"], plan.cost.by_kind["updates"]), (3, 2, 1));
    let said: Vec<_> = plan.sample.iter().map(|row| row.reason.clone().unwrap_or_default()).collect();
    let merged = format!("the row was merged into {}", id(2));
    assert_eq!(said, [merged.as_str(), "the row no longer passes WHERE", "the row is gone"]);
    let last = &plan.sample[2];
    assert_eq!((last.row, last.source_key.as_str(), last.records[0].action.as_str()), (5, id(1).as_str(), "delete"));
    assert_eq!(last.records[0].gsid.as_deref(), Some(gone.as_str()));
    assert_eq!(plan.sample[1].fields[0].new, json!(0));
    assert_eq!(writes(&stage).len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_in_error_says_where_it_was_merged_into() {
    let stage = accounts(2).await;
    let job = companies(DELETE);
    run(&stage, &job).await;
    let other = object(json!({ "Dynamics_Account_ID__gc": "x" }));
    stage.sandbox.edit_record("company", &gsid(&stage, "A2"), other);
    assert!(stage.sandbox.merge_rows("account", &id(1), &id(2)));
    let report = run(&stage, &job).await;
    let line = errors(&report).remove(0);
    assert_eq!((line["code"].as_str(), line["value"].as_str()), ("KEY_CHANGED", ""));
    assert!(line["message"].starts_with(&format!("the row was merged into {}: ", id(1))), "{}", line["message"]);
    assert_eq!(line["name"], "A2", "a merged row is still in the table");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_is_refused_is_told_and_bears_no_more_than_the_job_says() {
    let stage = accounts(4).await;
    let job = companies("ON ERROR STOP ON SOURCE DELETE DELETE");
    run(&stage, &job).await;
    delete(&stage, 1..=2);
    stage
        .sandbox
        .strike_by(r#"{"service": "gainsight", "method": "DELETE", "path": "/v1/data/objects/company", "status": 400, "code": "GSOBJ_1008"}"#)
        .unwrap();
    let (report, failed) = try_run(&stage, &job).await;
    assert!(failed.expect("it stops").to_string().contains("ON ERROR STOP"));
    assert_eq!(errors(&report)[0]["code"], "REFUSED");
    assert_eq!(names(&stage).len(), 4);
    stage.sandbox.strike_by("").unwrap();
    let how = How { chosen: Some(vec![id(1), id(2)]), anew: true, ..How::default() };
    assert_eq!(run_so(&stage, &job, &how).await.counts.deleted, 2, "whoever asks for them tries again");
}
