//! The Company job by hand: every account, keyed by its id.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::expected::{End, Ends, Records, Row, World, new, stored, text};

/// The field that carries the account's id.
pub const ACCOUNT: &str = "External_Account_ID_gainsight123__gc";

const DYNAMICS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sandbox/dynamics/schema.txt"));

pub fn expect(world: &World) -> (Ends, Records) {
    let industries = industries();
    let mut records = world.kept("company");
    let by_account = by_account(&records);
    let mut ends = Ends::default();
    for row in &world.tables["account"] {
        let key = text(row, "accountid").expect("an account has a key");
        let there = by_account.get(&key).map_or(&[][..], Vec::as_slice);
        let end = match there {
            _ if text(row, "name").is_none() && there.len() < 2 => End::Error("REQUIRED_EMPTY"),
            [] => put(&mut records, new(&key), mapped(row, &industries), End::Inserted),
            [one] => put(&mut records, one.clone(), mapped(row, &industries), End::Updated),
            _ => End::Error("AMBIGUOUS_TARGET"),
        };
        ends.0.insert(key, end);
    }
    (ends, records)
}

/// The names of the companies of each account, which compares as a GUID: without case.
pub fn by_account(records: &Records) -> HashMap<String, Vec<String>> {
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for (name, record) in records {
        if let Some(account) = text(record, ACCOUNT) {
            found.entry(account.to_lowercase()).or_default().push(name.clone());
        }
    }
    found
}

fn mapped(row: &Row, industries: &HashMap<i64, &str>) -> Row {
    let industry = row["industrycode"].as_i64().map(|code| industries[&code]);
    let mut record = Row::new();
    record.insert(ACCOUNT.to_owned(), stored(row, "accountid"));
    record.insert("Dynamics_Account_ID__gc".to_owned(), stored(row, "accountid"));
    record.insert("Name".to_owned(), stored(row, "name"));
    record.insert("Industry".to_owned(), industry.map_or(Value::Null, Value::from));
    record.insert("Employees".to_owned(), row["numberofemployees"].clone());
    record
}

/// Writes what differs, unless a house rule refuses it.
fn put(records: &mut Records, name: String, mapped: Row, end: End) -> End {
    let there = records.get(&name).cloned().unwrap_or_default();
    let differs = |field: &String, value: &Value| there.get(field) != Some(value);
    let sent: Row = mapped.into_iter().filter(|(field, value)| differs(field, value)).collect();
    let is_negative = sent.get("Employees").and_then(Value::as_i64).is_some_and(|number| number < 0);
    let is_void = sent.get("Name").and_then(Value::as_str).is_some_and(|name| name.starts_with("Void "));
    if is_negative || is_void {
        return End::Error("REFUSED");
    }
    if sent.is_empty() {
        return End::Unchanged;
    }
    let record = records.entry(name.clone()).or_default();
    record.insert("Gsid".to_owned(), json!(name));
    record.extend(sent);
    end
}

/// The labels of `industrycode` by code, from the schema of the sandbox.
fn industries() -> HashMap<i64, &'static str> {
    let line = DYNAMICS.lines().find(|line| line.starts_with("industrycode |")).expect("the column is there");
    let options = line.split('|').nth(3).expect("the column has options").trim();
    let option = |option: &'static str| {
        let (code, label) = option.split_once('=').expect("an option is a code and a label");
        (code.parse().expect("a code is a number"), label)
    };
    options.split(';').map(option).collect()
}
