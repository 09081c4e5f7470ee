//! Values on their way into filters: whatever a script or a row says, exactly the rows come back that it means.

use ferry::dynamics::error::Error;
use serde_json::{Value, json};

use crate::stage::{Stage, errors};
use crate::terminal::Desk;

const PAYLOADS: [&str; 26] = [
    "' or 1 eq 1",
    "' or '1' eq '1",
    "') or (1 eq 1",
    "'",
    "''",
    "'''",
    "%27",
    "%27 or 1 eq 1",
    "%2527",
    "\u{2019} or 1 eq 1",
    "\u{ff07} or 1 eq 1",
    "\u{02bc}",
    "\\' or 1 eq 1",
    "a\0b",
    "\0",
    "x&$top=1",
    "x&$filter=name ne null",
    "x#y",
    "x?y",
    "x+y",
    "x;y",
    "null",
    "\"},{\"name\":\"Gsid\"",
    "/../../accounts",
    "\r\nhost: evil.example",
    "🙂 ü",
];

/// A sandbox whose accounts have these names, two of each, and some honest ones.
async fn stage() -> Stage {
    let account = |number: usize, name: &str| {
        let id = format!("00000000-0000-0000-0000-{number:012}");
        json!({ "accountid": id, "name": name, "numberofemployees": number }).to_string()
    };
    let names = PAYLOADS.iter().chain(&PAYLOADS).chain(&["x", "y", "ab", "O'Brien", "a", "b"]);
    let accounts: Vec<String> = names.enumerate().map(|(number, name)| account(number, name)).collect();
    Stage::world("", &accounts.join("\n"), "").await
}

fn job(columns: &str, tail: &str) -> String {
    format!(
        "CREATE JOB \"J\" AS UPSERT INTO gainsight.Company KEY (\"Dynamics Account ID\") SELECT a.accountid AS \
         \"Dynamics Account ID\"{columns} FROM dynamics.account AS a {tail};"
    )
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// The ids of the accounts whose name is one of these, letter by letter.
fn naively(stage: &Stage, names: &[&str]) -> Vec<String> {
    let is_meant = |row: &Value| names.iter().any(|name| row["name"] == *name);
    let rows = stage.sandbox.table("account").into_iter().map(Value::Object).filter(is_meant);
    let mut ids: Vec<String> = rows.map(|row| row["accountid"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn loaded(stage: &Stage) -> Vec<String> {
    let companies = stage.sandbox.records("company").into_iter();
    let mut ids: Vec<String> =
        companies.filter_map(|c| c["Dynamics_Account_ID__gc"].as_str().map(str::to_owned)).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_finds_the_rows_that_it_means() {
    let stage = stage().await;
    let mut seen: Vec<String> = Vec::new();
    for payload in PAYLOADS {
        let job = job(", a.name AS \"Name\"", &format!("WHERE a.name = {}", text(payload)));
        let (reports, result) = stage.try_run_with("J", &[("j.ferry", &job)]).await;
        assert!(result.is_ok(), "{payload:?}: {:?}", result.err());
        let meant = naively(&stage, &[payload]);
        assert_eq!(reports[0].counts.read, 2, "{payload:?}: Dynamics gives the two, and no other");
        assert_eq!(meant.len(), 2);
        seen.extend(meant);
        seen.sort();
        let refused = errors(&reports[0]).len();
        assert_eq!(refused, 0, "{payload:?}: {:?}", errors(&reports[0]));
        assert_eq!(loaded(&stage), seen, "{payload:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_finds_the_rows_that_it_means() {
    let stage = stage().await;
    for some in PAYLOADS.chunks(9) {
        let list: Vec<String> = some.iter().map(|payload| text(payload)).collect();
        let job = job(", 'n' AS \"Name\"", &format!("WHERE a.name IN ({})", list.join(", ")));
        let (reports, result) = stage.try_run_with("J", &[("j.ferry", &job)]).await;
        assert!(result.is_ok(), "{some:?}: {:?}", result.err());
        assert_eq!(reports[0].counts.read, naively(&stage, some).len() as u64, "{some:?}");
    }
    assert_eq!(loaded(&stage), naively(&stage, &PAYLOADS));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_none_finds_nothing() {
    let stage = stage().await;
    for payload in PAYLOADS {
        let job = job(", 'n' AS \"Name\"", &format!("WHERE a.accountid = {}", text(payload)));
        let (reports, result) = stage.try_run_with("J", &[("j.ferry", &job)]).await;
        assert!(result.is_ok(), "{payload:?}: {:?}", result.err());
        assert_eq!(reports[0].counts.inserted, 0, "{payload:?}");
    }
    assert_eq!(loaded(&stage), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_finds_the_record_that_it_means() {
    let stage = stage().await;
    let there = &PAYLOADS[..13];
    for name in there {
        stage.sandbox.put_record("company", json!({ "Name": name }).as_object().unwrap().clone());
    }
    let lookup = "LOOKUP gainsight.Company AS co ON co.\"Name\" = a.name WHEN MULTIPLE MATCHED THEN ERROR WHEN NOT MATCHED THEN REJECT";
    let job = job(", 'n' AS \"Name\", co.\"GSID\" AS \"Parent Company\"", lookup);
    let (reports, result) = stage.try_run_with("J", &[("j.ferry", &job)]).await;
    assert!(result.is_ok(), "{:?}", result.err());
    assert_eq!(loaded(&stage), naively(&stage, there));
    let companies = stage.sandbox.records("company");
    let name_of = |gsid: &Value| companies.iter().find(|c| c["Gsid"] == *gsid).map(|c| c["Name"].clone());
    for row in stage.sandbox.table("account") {
        let company = companies.iter().find(|c| c["Dynamics_Account_ID__gc"] == row["accountid"]);
        let parent = company.and_then(|c| name_of(&c["ParentCompany"]));
        assert_eq!(parent, there.iter().find(|name| row["name"] == ***name).map(|name| json!(name)));
    }
    assert_eq!(errors(&reports[0]).len(), stage.sandbox.table("account").len() - 2 * there.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_no_table_can_have_is_not_asked_for() {
    let stage = stage().await;
    let workspace = stage.workspace(&[]).await;
    let dynamics = workspace.services.dynamics.values().next().unwrap();
    let before = stage.sandbox.calls().len();
    let no_names = PAYLOADS.into_iter().filter(|p| !["null", "\u{02bc}"].contains(p));
    for name in no_names.chain(["", "..", "a/../../../x", "x')/Attributes?$top=1&y=('"]) {
        assert!(matches!(dynamics.describe(name).await, Err(Error::NoTable(_))), "{name:?}");
        assert!(matches!(dynamics.probe(name).await, Err(Error::NoTable(_))), "{name:?}");
    }
    assert_eq!(stage.sandbox.calls().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_the_command_line_is_a_value() {
    let desk = Desk::new().await;
    desk.stage.sandbox.put_record("company", json!({ "Name": "One" }).as_object().unwrap().clone());
    for payload in PAYLOADS.into_iter().filter(|p| !p.contains('\0')) {
        let (code, out, err) = desk.ferry(&["company", payload]);
        assert!(code == 1 && out.is_empty() && err.contains("is not linked"), "{payload:?}: {code} {out}{err}");
    }
}
