//! Objects of Gainsight: from what is known of them and what changed since, where that takes fewer calls.

use std::time::Duration;

use ferry::app::runs;
use ferry::run::progress::silent;
use ferry::run::undertaking::How;
use ferry::sandbox::Service;
use serde_json::{Map, Value, json};

use super::{employees, held, id, job, ran_plainly, stage};
use crate::stage::Stage;

const TRACKED: &str = "CHANGES OF dynamics.account AS a";
/// More than two reads of 5,000.
const COMPANIES: usize = 10_100;

fn fields(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { panic!("an object") };
    fields
}

pub(super) async fn large(accounts: usize) -> Stage {
    let stage = stage(accounts).await;
    for n in 0..COMPANIES {
        stage.sandbox.put_record("company", fields(json!({ "Name": format!("Other {n}") })));
    }
    stage
}

/// Something happens as if it were long ago: no time of change tells of it.
fn hidden_from_changes(stage: &Stage, happens: impl FnOnce()) {
    stage.sandbox.advance_clock(-30 * 86_400_000);
    happens();
    stage.sandbox.advance_clock(30 * 86_400_000);
}

fn gsid(stage: &Stage, number: usize) -> String {
    let records = stage.sandbox.records("company");
    let found = records.iter().find(|r| r.get("External_Account_ID_gainsight123__gc") == Some(&json!(id(number))));
    found.and_then(|record| record["Gsid"].as_str()).expect("the record is there").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_large_object_only_changes_are_read_and_those_of_others_are_seen() {
    let (stage, script) = (large(1_000).await, job(TRACKED, ""));
    let first = ran_plainly(&stage, &script).await;
    assert_eq!(first.read("company"), 3);
    // Time passes, so that not everything looks new.
    stage.sandbox.advance_clock(3_600_000);
    ran_plainly(&stage, &script).await;
    stage.sandbox.advance_clock(3_600_000);
    let quiet = ran_plainly(&stage, &script).await;
    assert_eq!((quiet.read("company"), quiet.read("record_delete_log"), quiet.report.calls.gainsight), (1, 1, 2));
    assert!(stage.sandbox.edit_record("company", &gsid(&stage, 3), fields(json!({ "Employees": 999 }))));
    assert!(stage.sandbox.delete_record("company", &gsid(&stage, 4)));
    let double = fields(json!({ "Name": "Made by hand", "External_Account_ID_gainsight123__gc": id(1_001) }));
    stage.sandbox.put_record("company", double);
    employees(&stage, 1_001, 31);
    let mended = ran_plainly(&stage, &script).await;
    let counts = mended.report.counts;
    // A second query looks for the key of the one that is to be inserted.
    assert_eq!((counts.updated, counts.inserted, mended.read("company")), (2, 1, 2), "{:?}", mended.report);
    assert_eq!(held(&stage).len(), 1_001);
    stage.sandbox.advance_clock(3_600_000);
    assert_eq!(ran_plainly(&stage, &script).await.report.calls.gainsight_writes, 0);
}

/// An object that has no moment of change under its usual name, or a tenant that does not let it be asked for.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_changes_are_not_told_is_read_whole() {
    let (stage, script) = (large(1_000).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    let path = "/v1/data/objects/query/company";
    let rule = json!({ "service": "gainsight", "path": path, "nth": [1], "status": 400, "code": "GSOBJ_1005" });
    stage.sandbox.strike_by(&rule.to_string()).expect("a rule");
    employees(&stage, 7, 4711);
    let second = ran_plainly(&stage, &script).await;
    assert_eq!((second.report.counts.updated, second.read("company")), (1, 4), "{:?}", second.report);
    assert!(second.notices.iter().any(|said| said.contains("so it is read whole")), "{:?}", second.notices);
}

/// What a job says that reads everything of its source.
const PLAIN: &str = "dynamics.account AS a";

#[tokio::test(flavor = "multi_thread")]
async fn of_a_large_object_only_the_records_are_read_that_few_rows_look_for() {
    let (stage, script) = (large(30).await, job(PLAIN, ""));
    // One in braces and capitals, as others may have written it, and one twice.
    let key = "External_Account_ID_gainsight123__gc";
    let braced = format!("{{{}}}", id(3)).to_uppercase();
    stage.sandbox.put_record("company", fields(json!({ "Name": "In braces", key: braced })));
    stage.sandbox.put_record("company", fields(json!({ "Name": "Double", key: id(4) })));
    stage.sandbox.put_record("company", fields(json!({ "Name": "Double", key: id(4) })));
    let first = ran_plainly(&stage, &script).await;
    let counts = first.report.counts;
    assert_eq!((counts.inserted, counts.updated, counts.error), (28, 1, 1), "{:?}", first.report);
    assert_eq!(first.read("company"), 2, "a page to see that it is large, and one for the keys");
    let second = ran_plainly(&stage, &script).await;
    assert_eq!((second.report.counts.unchanged, second.report.calls.gainsight_writes), (29, 0));
    assert_eq!(second.report.calls.gainsight, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_finds_what_it_looks_for_in_a_large_object_too() {
    let stage = large(30).await;
    let parent = "LOOKUP gainsight.Company AS p ON p.\"Name\" = a.name AFTER LOAD WHEN MULTIPLE MATCHED THEN ERROR \
                  WHEN NOT MATCHED THEN REJECT";
    let script = job(PLAIN, parent).replace(" FROM ", ", p.\"GSID\" AS \"Parent Company\" FROM ");
    let first = ran_plainly(&stage, &script).await;
    assert_eq!((first.report.counts.inserted, first.read("company") > 1), (30, true), "{:?}", first.report);
    assert_eq!(ran_plainly(&stage, &script).await.report.counts.unchanged, 30);
}

/// Half of what was read is less than a third of what is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_of_what_is_there_and_not_of_what_was_read() {
    let (stage, script) = (large(30).await, job(PLAIN, ""));
    (31..=200).for_each(|n| employees(&stage, n, n));
    ran_plainly(&stage, &script).await;
    (1..=200).for_each(|n| employees(&stage, n, 1_000 + n));
    let mut workspace = stage.workspace(&[("accounts.ferry", &script)]).await;
    workspace.services.consented = false;
    let mut reports = Vec::new();
    let silent = ferry::run::progress::silent();
    let ended = ferry::app::runs::run(&workspace, &stage.setting, "Accounts", &silent, |r| reports.push(r.clone()));
    ended.await.expect("200 of 10,300 records are no large part");
    assert_eq!(reports[0].counts.updated, 200);
}

/// The rows that look for a record are many, and few of what is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_of_everything_that_was_seen_where_many_records_are_looked_for() {
    let stage = large(1_700).await;
    for n in COMPANIES..21_000 {
        stage.sandbox.put_record("company", fields(json!({ "Name": format!("Other {n}") })));
    }
    for n in 1..=1_700 {
        stage.sandbox.put_record("company", fields(json!({ "Name": format!("Account {n:03}"), "Employees": 0 })));
    }
    let script = job(PLAIN, "").replace("KEY (\"External Account ID_gainsight123\")", "KEY (\"Name\")");
    let mut workspace = stage.workspace(&[("accounts.ferry", &script)]).await;
    workspace.services.consented = false;
    let mut reports = Vec::new();
    let quiet = silent();
    let ended = runs::run(&workspace, &stage.setting, "Accounts", &quiet, |r| reports.push(r.clone()));
    ended.await.expect("1,700 of 22,700 records are no large part");
    assert_eq!(reports[0].counts.updated, 1_700);
    let asked = stage.sandbox.calls().iter().filter(|c| c.path == "/v1/data/objects/query/company").count();
    assert_eq!(asked, 8, "four pages and four lists of keys in place of five pages");
}

/// What is read of a large object while the source is read is not read on top of what is read behind it.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_object_is_read_beside_a_large_source_for_no_more_calls() {
    let stage = large(90_000).await;
    let script = job(TRACKED, "WHERE a.numberofemployees <= 600");
    let script = script.replace("KEY (\"External Account ID_gainsight123\")", "KEY (\"Name\")");
    let workspace = stage.workspace(&[("accounts.ferry", &script)]).await;
    let asked = |path: &str| stage.sandbox.calls().iter().filter(|call| call.path.starts_with(path)).count();
    let (accounts, companies) = ("/api/data/v9.2/accounts", "/v1/data/objects/query/company");
    // The source is held up with 62,500 rows read and some to come: whatever is read then is read beside it.
    let beside = async {
        while asked(accounts) < 14 {
            tokio::task::yield_now().await;
        }
        stage.sandbox.hold(Service::Dynamics, "GET", accounts);
        while asked(companies) < 2 {
            tokio::task::yield_now().await;
        }
        stage.sandbox.let_go();
    };
    let (how, quiet) = (How::default(), silent());
    let plan = runs::plan(&workspace, &stage.setting, "Accounts", &how, 0, &quiet);
    let both = async { tokio::join!(plan, beside).0 };
    let planned = tokio::time::timeout(Duration::from_secs(120), both).await.expect("a second page is asked for");
    assert_eq!(planned.expect("it plans").1.counts.inserted, 600);
    assert_eq!(asked(companies), 4, "two pages, and two lists of keys");
}

/// No list of numbers can be asked for, so the object is read instead, and once.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_cannot_be_looked_for_have_the_object_read_whole_once() {
    let stage = large(1_000).await;
    let script = job(TRACKED, "").replace("KEY (\"External Account ID_gainsight123\")", "KEY (\"Employees\")");
    ran_plainly(&stage, &script).await;
    stage.sandbox.advance_clock(3_600_000);
    ran_plainly(&stage, &script).await;
    stage.sandbox.advance_clock(3_600_000);
    hidden_from_changes(&stage, || {
        stage.sandbox.put_record("company", fields(json!({ "Name": "Hidden", "Employees": 1_001 })));
    });
    (1_001..=2_200).for_each(|n| employees(&stage, n, n));
    let ran = ran_plainly(&stage, &script).await;
    assert_eq!((ran.report.counts.inserted, ran.report.counts.updated), (1_199, 1), "{:?}", ran.report);
    assert_eq!(ran.read("company"), 4, "what changed, and three pages");
}

/// A record that was loaded past the times of change: nothing tells of it until its key is looked for.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_change_tells_of_is_found_before_it_would_be_inserted_again() {
    let (stage, script) = (large(1_000).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    // In braces, as others may have written it.
    let braced = format!("{{{}}}", id(1_001)).to_uppercase();
    let hidden = json!({ "Name": "Hidden", "External_Account_ID_gainsight123__gc": braced });
    hidden_from_changes(&stage, || _ = stage.sandbox.put_record("company", fields(hidden)));
    stage.sandbox.advance_clock(3_600_000);
    ran_plainly(&stage, &script).await;
    employees(&stage, 1_001, 31);
    let ran = ran_plainly(&stage, &script).await;
    assert!(ran.notices.iter().any(|said| said.contains("1 records of Company are there")), "{:?}", ran.notices);
    assert_eq!((ran.report.counts.inserted, ran.report.counts.updated), (0, 1));
    assert_eq!(held(&stage).len(), 1_001);
    employees(&stage, 1_002, 1);
    let next = ran_plainly(&stage, &script).await;
    assert_eq!(next.report.counts.inserted, 1);
    assert!(!next.notices.iter().any(|said| said.contains("records of Company")), "{:?}", next.notices);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_verifies_says_what_has_drifted_and_the_next_run_knows() {
    let (stage, script) = (large(1_000).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    ran_plainly(&stage, &script).await;
    stage.sandbox.advance_clock(3_600_000);
    let workspace = stage.workspace(&[("accounts.ferry", &script)]).await;
    let how = How { verify: true, ..How::default() };
    let plan = async || {
        let planned = runs::plan(&workspace, &stage.setting, "Accounts", &how, 0, &silent()).await;
        planned.expect("it plans").1.verified.expect("it verifies")
    };
    let one = plan().await.remove(0);
    assert!(one.is_none() && one.records == 11_100, "{one:?}");
    let changed = gsid(&stage, 3);
    hidden_from_changes(&stage, || {
        assert!(stage.sandbox.edit_record("company", &changed, fields(json!({ "Employees": 999 }))));
    });
    let mut first = vec![changed];
    hidden_from_changes(&stage, || first.push(stage.sandbox.put_record("company", fields(json!({ "Name": "New" })))));
    let one = plan().await.remove(0);
    assert_eq!((one.different, one.unknown, one.missing), (1, 1, 0), "{one:?}");
    first.sort();
    assert_eq!(one.first, first);
    // What has drifted is read whole by the next run, and is mended.
    let ran = ran_plainly(&stage, &script).await;
    assert_eq!((ran.report.counts.updated, ran.read("company")), (1, 3));
}

/// Keys of very many new records are not looked for, where the whole object takes fewer calls.
#[tokio::test(flavor = "multi_thread")]
async fn very_many_new_records_have_the_object_read_whole() {
    let (stage, script) = (large(1_000).await, job(TRACKED, ""));
    ran_plainly(&stage, &script).await;
    stage.sandbox.advance_clock(3_600_000);
    ran_plainly(&stage, &script).await;
    stage.sandbox.advance_clock(3_600_000);
    (1_001..=2_000).for_each(|n| employees(&stage, n, n));
    let ran = ran_plainly(&stage, &script).await;
    assert_eq!((ran.report.counts.inserted, ran.read("company")), (1_000, 4), "what changed, and three pages");
}
