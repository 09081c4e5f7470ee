//! What Gainsight holds, as far as two ways to the same end must agree on it.

use std::collections::{BTreeMap, HashMap};

use ferry::sandbox::Sandbox;
use serde_json::{Map, Value};

/// What a record is known by in both systems: a GSID depends on the order of writes.
const NAMES: [(&str, &[&str]); 5] = [
    ("gsuser", &["SFDCUserName"]),
    ("company", &["External_Account_ID_gainsight123__gc", "Dynamics_Account_ID__gc", "Name"]),
    ("person", &["Email"]),
    ("company_person", &["External_Contact_ID_gainsight123__gc"]),
    ("Opportunity__gc", &["Opportunity_External_Id__gc"]),
];

const SYSTEM: [&str; 5] = ["Gsid", "CreatedDate", "CreatedBy", "ModifiedDate", "ModifiedBy"];

/// Objects with their records as texts, sorted.
pub type Held = BTreeMap<&'static str, Vec<String>>;

/// Everything that Gainsight holds, without what differs from run to run.
pub fn held(sandbox: &Sandbox) -> Held {
    let mut names: HashMap<String, String> = HashMap::new();
    for (object, keys) in NAMES {
        for record in sandbox.records(object) {
            let key = keys.iter().map(|key| &record[*key]).find(|value| !value.is_null()).unwrap_or(&Value::Null);
            let gsid = record["Gsid"].as_str().expect("every record has one").to_owned();
            names.insert(gsid, format!("{object} {key}"));
        }
    }
    let plain = |record: Map<String, Value>| {
        let kept = record.into_iter().filter(|(name, _)| !SYSTEM.contains(&name.as_str()));
        let kept = kept.map(|(name, value)| {
            let named = value.as_str().and_then(|gsid| names.get(gsid)).cloned().map(Value::from);
            (name, named.unwrap_or(value))
        });
        Value::Object(kept.collect()).to_string()
    };
    let sorted = |object| {
        let mut all: Vec<String> = sandbox.records(object).into_iter().map(plain).collect();
        all.sort();
        all
    };
    NAMES.into_iter().map(|(object, _)| (object, sorted(object))).collect()
}

/// Where two differ; nothing if they do not.
pub fn difference(expected: &Held, found: &Held) -> String {
    let mut told = String::new();
    for (object, before) in expected {
        let after = &found[object];
        for (sign, ours, others) in [('-', before, after), ('+', after, before)] {
            let mut left = others.clone();
            for one in ours {
                match left.iter().position(|other| other == one) {
                    Some(at) => drop(left.remove(at)),
                    None => told += &format!("{sign} {object} {one}\n"),
                }
            }
        }
    }
    told
}

/// Keys that several records have, each as often as it is there.
pub fn repeated(sandbox: &Sandbox, keys: &[(&str, &str)]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (object, field) in keys {
        for record in sandbox.records(object) {
            if let Some(value) = record[*field].as_str() {
                *counts.entry(format!("{object} {}", value.to_lowercase())).or_insert(0) += 1;
            }
        }
    }
    counts.retain(|_, count| *count > 1);
    counts
}
