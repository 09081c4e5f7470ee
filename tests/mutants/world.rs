//! The world of all trials, and what an undisturbed run makes of it.
//!
//! Three users, each the next one's manager; ten accounts, of which Gainsight refuses the fifth; four contacts, of which two are one
//! person and one has no company. In: nothing. Out: a folder for the sandbox, and for each job its counts, its failed rows and
//! what Gainsight holds afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use ferry::sandbox::{Options, start};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::faults::holdings;
use crate::stage::{COMPANIES, PEOPLE, SCALE, Stage, USERS, errors};

pub const ACCOUNTS: usize = 10;
/// The account that Gainsight refuses.
pub const BAD: usize = 5;

/// What a job comes to.
pub struct Whole {
    pub counts: Value,
    pub records: Value,
    /// Primary keys of the rows that failed.
    pub failed: BTreeSet<String>,
    /// Records of the objects that the job writes.
    pub held: BTreeMap<&'static str, Vec<String>>,
}

pub fn account_id(number: usize) -> String {
    format!("00000000-0000-0000-0000-{number:012}")
}

pub fn account(number: usize, name: &str, employees: i64) -> Map<String, Value> {
    object(json!({ "accountid": account_id(number), "name": name, "numberofemployees": employees }))
}

pub fn user(number: usize, name: &str) -> Map<String, Value> {
    let id = |number: usize| format!("20000000-0000-0000-0000-{number:012}");
    let manager = (number > 1).then(|| id(number - 1));
    object(json!({ "systemuserid": id(number), "firstname": "F", "lastname": format!("L{number}"), "domainname": name,
        "personalemailaddress": format!("u{number}@example.com"), "isdisabled": false, "_parentsystemuserid_value": manager }))
}

fn contact(number: usize, first: &str, email: &str, account: usize) -> Map<String, Value> {
    object(json!({
        "contactid": format!("10000000-0000-0000-0000-{number:012}"), "firstname": first, "lastname": "L",
        "emailaddress1": email, "modifiedon": format!("2024-01-{number:02}T00:00:00Z"),
        "_parentcustomerid_value": account_id(account),
        "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "account",
    }))
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let employees = |n: usize| if n == BAD { -1 } else { i64::try_from(n).unwrap() };
    let tables = [
        ("systemusers", (1..=3).map(|n| user(n, &format!("u{n}@example.com"))).collect::<Vec<_>>()),
        ("accounts", (1..=ACCOUNTS).map(|n| account(n, &format!("A{n}"), employees(n))).collect()),
        (
            "contacts",
            vec![
                contact(1, "Old", "one@example.com", 1),
                contact(2, "New", "ONE@example.com", 2),
                contact(3, "Bob", "bob@example.com", 99),
                contact(4, "Cy", "cy@example.com", 3),
            ],
        ),
    ];
    for (name, rows) in tables {
        let lines: String = rows.into_iter().map(|row| format!("{}\n", Value::Object(row))).collect();
        std::fs::write(folder.path().join(format!("{name}.jsonl")), lines).expect("a file");
    }
    folder
}

/// What the job comes to where nothing disturbs it.
pub fn undisturbed(job: &str) -> &'static Whole {
    static KNOWN: OnceLock<BTreeMap<&'static str, Whole>> = OnceLock::new();
    &KNOWN.get_or_init(|| tokio::runtime::Runtime::new().expect("it starts").block_on(all()))[job]
}

async fn all() -> BTreeMap<&'static str, Whole> {
    let folder = folder();
    let options = Options { world: Some(folder.path().to_owned()), limits_scale: SCALE, ..Options::default() };
    let stage = Stage::on(start(options).await.expect("the sandbox starts"));
    let mut known = BTreeMap::new();
    for job in [USERS, COMPANIES, PEOPLE] {
        let report = stage.run(job).await.remove(0);
        let whole = Whole {
            counts: json!(report.counts),
            records: json!(report.records),
            failed: errors(&report).iter().map(|line| line["source_key"].clone()).collect(),
            held: held(&stage, job),
        };
        known.insert(job, whole);
    }
    known
}

/// What Gainsight holds of the objects that a job writes.
pub fn held(stage: &Stage, job: &str) -> BTreeMap<&'static str, Vec<String>> {
    let objects: &[&str] = match job {
        USERS => &["gsuser"],
        COMPANIES => &["company"],
        _ => &["person", "company_person"],
    };
    holdings(stage).into_iter().filter(|(object, _)| objects.contains(object)).collect()
}
