//! Runs against a sandbox that fails: what arrives is what arrives without faults, or the run says that it is unclear.

mod reads;
mod writes;

use std::collections::{BTreeMap, HashMap};

use ferry::sandbox::{Options, start};
use serde_json::{Value, json};

use crate::stage::{SCALE, Stage, faults_file};

/// What a record is known by in both systems; the GSID depends on the order of writes.
pub const KEYS: [(&str, &str); 4] = [
    ("gsuser", "SFDCUserName"),
    ("company", "External_Account_ID_gainsight123__gc"),
    ("person", "Email"),
    ("company_person", "External_Contact_ID_gainsight123__gc"),
];

const SYSTEM: [&str; 5] = ["Gsid", "CreatedDate", "CreatedBy", "ModifiedDate", "ModifiedBy"];

pub async fn stage(rules: &str) -> Stage {
    let file = faults_file(rules);
    let faults = Some(file.path().to_owned());
    let options = Options { rows: 100, limits_scale: SCALE, faults, ..Options::default() };
    Stage::on(start(options).await.expect("the sandbox starts"))
}

/// A world of which Gainsight refuses nothing: three users, and accounts for two batches.
pub async fn plain_stage(rules: &str) -> Stage {
    let user = |number: usize| {
        let id = format!("20000000-0000-0000-0000-{number:012}");
        let name = format!("u{number}@example.com");
        json!({ "systemuserid": id, "firstname": "F", "lastname": name, "domainname": name, "internalemailaddress": name,
            "personalemailaddress": name, "isdisabled": false })
    };
    let account = |number: usize| {
        let id = format!("00000000-0000-0000-0000-{number:012}");
        json!({ "accountid": id, "name": format!("A{number}"), "numberofemployees": number })
    };
    let lines = |rows: Vec<Value>| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    let folder = tempfile::tempdir().expect("a folder");
    let tables = [
        ("systemusers", lines((1..=3).map(user).collect())),
        ("accounts", lines((1..=60).map(account).collect())),
        ("contacts", String::new()),
    ];
    for (name, rows) in tables {
        std::fs::write(folder.path().join(format!("{name}.jsonl")), rows).expect("a file");
    }
    let file = faults_file(rules);
    let (world, faults) = (Some(folder.path().to_owned()), Some(file.path().to_owned()));
    let options = Options { world, limits_scale: SCALE, faults, ..Options::default() };
    Stage::on(start(options).await.expect("the sandbox starts"))
}

/// Everything that Gainsight holds, without what differs from run to run.
pub fn holdings(stage: &Stage) -> BTreeMap<&'static str, Vec<String>> {
    let mut names: HashMap<String, String> = HashMap::new();
    for (object, key) in KEYS {
        for record in stage.sandbox.records(object) {
            let gsid = record["Gsid"].as_str().unwrap().to_owned();
            names.insert(gsid, format!("{object} {}", record[key]));
        }
    }
    let plain = |record: serde_json::Map<String, Value>| {
        let kept = record.into_iter().filter(|(name, _)| !SYSTEM.contains(&name.as_str()));
        let kept = kept.map(|(name, value)| {
            let named = value.as_str().and_then(|gsid| names.get(gsid)).cloned().map(Value::from);
            (name, named.unwrap_or(value))
        });
        Value::Object(kept.collect()).to_string()
    };
    let sorted = |object| {
        let mut all: Vec<String> = stage.sandbox.records(object).into_iter().map(plain).collect();
        all.sort();
        all
    };
    KEYS.into_iter().map(|(object, _)| (object, sorted(object))).collect()
}

fn written(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.write).map(|call| call.records).sum()
}

fn struck(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.status == 0 || call.status >= 429).count()
}
