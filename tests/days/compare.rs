//! What two Gainsights hold, compared without the ids and the times that each gives itself.

use std::collections::{BTreeMap, HashMap};

use ferry::sandbox::Sandbox;
use serde_json::{Map, Value};

/// The objects that jobs write, with the fields by which a reader tells their records apart. References lead to objects that
/// stand before.
const OBJECTS: [(&str, &[&str]); 5] = [
    ("gsuser", &["SFDCUserName", "Email"]),
    ("company", &["External_Account_ID_gainsight123__gc", "Name"]),
    ("person", &["Email"]),
    ("company_person", &["Person_ID", "Company_ID"]),
    ("Opportunity__gc", &["Opportunity_External_Id__gc", "Name"]),
];

/// What a tenant gives each record itself.
const OWN: [&str; 5] = ["Gsid", "CreatedDate", "CreatedBy", "ModifiedDate", "ModifiedBy"];

const DIFFERENCES_SHOWN: usize = 12;

/// What the first holds and the second does not, and the other way round; nothing if they hold the same.
pub fn difference(daily: &Sandbox, full: &Sandbox) -> Option<String> {
    let (mut left, mut right) = (counted(daily), counted(full));
    for (line, count) in &mut left {
        let other = right.entry(line.clone()).or_default();
        let same = (*count).min(*other);
        *count -= same;
        *other -= same;
    }
    let only = |lines: BTreeMap<String, usize>, whose: &str| -> Vec<String> {
        lines.into_iter().filter(|(_, count)| *count > 0).map(|(line, _)| format!("only {whose}: {line}")).collect()
    };
    let mut all = [only(left, "daily"), only(right, "full")].concat();
    if all.is_empty() {
        return None;
    }
    // Both versions of a record stand one behind the other.
    all.sort_by_key(|line| line.split_once(": ").map(|(_, record)| record.to_owned()));
    let more = all.len().saturating_sub(DIFFERENCES_SHOWN);
    all.truncate(DIFFERENCES_SHOWN);
    all.push(format!("and {more} more"));
    Some(all.join("\n"))
}

/// Every record as a line, with how many there are of it.
fn counted(sandbox: &Sandbox) -> BTreeMap<String, usize> {
    let mut names: HashMap<String, String> = HashMap::new();
    let all: Vec<(&str, Vec<Map<String, Value>>)> =
        OBJECTS.iter().map(|(object, _)| (*object, sandbox.records(object))).collect();
    for ((object, key), (_, records)) in OBJECTS.iter().zip(&all) {
        for record in records {
            let parts: Vec<String> = key.iter().map(|field| shown(&record[*field], &names)).collect();
            names.insert(record["Gsid"].as_str().unwrap_or("").to_owned(), format!("{object} {}", parts.join(" ")));
        }
    }
    let mut counted = BTreeMap::new();
    for (_, records) in &all {
        for record in records {
            let name = names[record["Gsid"].as_str().unwrap_or("")].clone();
            let fields = record.iter().filter(|(field, value)| !OWN.contains(&field.as_str()) && !value.is_null());
            let fields: Vec<String> =
                fields.map(|(field, value)| format!("{field}={}", shown(value, &names))).collect();
            *counted.entry(format!("{name} | {}", fields.join(" · "))).or_default() += 1;
        }
    }
    counted
}

/// A value as it is in every tenant; ids become what they name.
fn shown(value: &Value, names: &HashMap<String, String>) -> String {
    let Some(text) = value.as_str() else { return value.to_string() };
    if let Some(name) = names.get(text) {
        return format!("[{name}]");
    }
    let is_id = text.len() == 36 && text.bytes().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
    // Items of picklists have the same ids everywhere.
    if is_id && !text.starts_with("1I00") { "[gone]".to_owned() } else { text.to_owned() }
}
