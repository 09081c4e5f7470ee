//! Objects of Gainsight: from what is known of them and what changed since, where that takes fewer calls.

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

async fn large() -> Stage {
    let stage = stage(30).await;
    for n in 0..COMPANIES {
        stage.sandbox.put_record("company", fields(json!({ "Name": format!("Other {n}") })));
    }
    stage
}

fn gsid(stage: &Stage, number: usize) -> String {
    let records = stage.sandbox.records("company");
    let found = records.iter().find(|r| r.get("External_Account_ID_gainsight123__gc") == Some(&json!(id(number))));
    found.and_then(|record| record["Gsid"].as_str()).expect("the record is there").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_large_object_only_changes_are_read_and_those_of_others_are_seen() {
    let (stage, script) = (large().await, job(TRACKED, ""));
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
    let double = fields(json!({ "Name": "Made by hand", "External_Account_ID_gainsight123__gc": id(31) }));
    stage.sandbox.put_record("company", double);
    employees(&stage, 31, 31);
    let mended = ran_plainly(&stage, &script).await;
    let counts = mended.report.counts;
    assert_eq!((counts.updated, counts.inserted, mended.read("company")), (2, 1, 1), "{:?}", mended.report);
    assert_eq!(held(&stage).len(), 31);
    stage.sandbox.advance_clock(3_600_000);
    assert_eq!(ran_plainly(&stage, &script).await.report.calls.gainsight_writes, 0);
}
