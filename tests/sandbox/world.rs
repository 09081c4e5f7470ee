//! What is there at the start: generated from a seed, or read from a folder.

use std::path::Path;

use super::client::{Client, records, row};
use ferry::sandbox::corners::corners;
use ferry::sandbox::{Error, Options, start};
use serde_json::{Value, json};

async fn tables(options: &Options) -> String {
    let sandbox = start(options.clone()).await.expect("the sandbox starts");
    let tables = ["systemuser", "account", "contact"].map(|name| sandbox.table(name));
    let objects = ["gsuser", "company", "person"].map(|name| sandbox.records(name));
    format!("{:?}", (tables, objects, sandbox.credentials(), sandbox.organization_id()))
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let options = Options { rows: 300, ..Options::default() };
    assert!(tables(&options).await == tables(&options).await);
    assert!(tables(&options).await != tables(&Options { seed: 2, ..options }).await);
}

#[tokio::test]
async fn counts_follow_the_rows() {
    for (rows, users, accounts) in [(40, 13, 20), (1000, 20, 200)] {
        let sandbox = start(Options { rows, ..Options::default() }).await.unwrap();
        let count = |table: &str| sandbox.table(table).len();
        assert_eq!((count("contact"), count("systemuser"), count("account")), (rows, users, accounts));
    }
}

#[tokio::test]
async fn every_special_row_is_what_its_name_says() {
    let client = Client::start().await;
    let (sandbox, corners) = (&client.sandbox, corners(1));
    let user = |id: &str| row(sandbox, "systemuser", id);
    let contact = |id: &str| row(sandbox, "contact", id);
    let account = |id: &str| row(sandbox, "account", id);
    let manager = user(&corners.user_manager_later)["_parentsystemuserid_value"].as_str().unwrap().to_owned();
    assert!(corners.user_manager_later[24..] < manager[24..]);
    assert_eq!(manager, corners.user_late_manager);
    let manager = user(&corners.user_manager_without_email)["_parentsystemuserid_value"].as_str().unwrap().to_owned();
    assert_eq!(user(&manager)["personalemailaddress"], Value::Null);
    assert_eq!(user(&corners.user_manager_disabled)["_parentsystemuserid_value"], corners.user_disabled.as_str());
    assert_eq!(user(&corners.user_disabled)["isdisabled"], true);
    assert_eq!(user(&corners.user_long_username)["domainname"].as_str().unwrap().len(), 300);
    assert_eq!(user(&corners.user_without_username)["domainname"], Value::Null);
    let twice = user(&corners.user_twice_there)["domainname"].as_str().unwrap().to_owned();
    assert_eq!(records(sandbox, "gsuser", "SFDCUserName", &twice).len(), 2);
    let same = |id: &str| user(id)["domainname"].clone();
    assert_eq!(same(&corners.user_same_username_first), same(&corners.user_same_username_second));

    let key = "External_Account_ID_gainsight123__gc";
    assert_eq!(records(sandbox, "company", key, &corners.account_twice_there).len(), 2);
    let there = &records(sandbox, "company", key, &corners.account_unchanged)[0];
    let unchanged = account(&corners.account_unchanged);
    assert_eq!((&there["Name"], &there["Employees"]), (&unchanged["name"], &unchanged["numberofemployees"]));
    assert_eq!((&there["Industry"], &unchanged["industrycode"]), (&json!("Accounting"), &json!(1)));
    assert_eq!(account(&corners.account_null_name)["name"], Value::Null);
    assert_eq!(account(&corners.account_negative_employees)["numberofemployees"], -5);

    let case = [&corners.contact_case_first, &corners.contact_case_second].map(|id| contact(id));
    let mail = |place: usize| case[place]["emailaddress1"].as_str().unwrap();
    assert!(mail(0) != mail(1) && mail(0).eq_ignore_ascii_case(mail(1)));
    assert_ne!(case[0]["_parentcustomerid_value"], case[1]["_parentcustomerid_value"]);
    let unknown = contact(&corners.contact_unknown_company)["_parentcustomerid_value"].clone();
    assert!(sandbox.table("account").iter().all(|account| account["accountid"] != unknown));
    let target = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
    assert_eq!(contact(&corners.contact_parent_contact)[target], "contact");
    assert_eq!(contact(&corners.contact_multibyte)["lastname"].as_str().unwrap().chars().count(), 50);
}

fn folder(users: &str, accounts: &str, contacts: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, text) in [("systemusers", users), ("accounts", accounts), ("contacts", contacts)] {
        std::fs::write(folder.path().join(format!("{name}.jsonl")), text).expect("a file can be written");
    }
    folder
}

async fn read(folder: &Path) -> Result<ferry::sandbox::Sandbox, Error> {
    start(Options { world: Some(folder.to_owned()), ..Options::default() }).await
}

const ACCOUNT: &str = r#"{"accountid":"D8187212-0CC7-4dce-b78f-2d9ed8ae181f","name":"Ünï","revenue":2.5,"createdon":"2023-11-02T04:26:07Z"}"#;

#[tokio::test]
async fn a_folder_is_served_and_gainsight_is_empty() {
    let target = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname";
    let contact = json!({"contactid": "949ba487-9d9f-4d81-9ecd-4657bd7b8856", "lastname": "L",
        "_parentcustomerid_value": "d8187212-0cc7-4dce-b78f-2d9ed8ae181f", target: "account"});
    let folder = folder("", &format!("{ACCOUNT}\n\n"), &contact.to_string());
    let sandbox = read(folder.path()).await.unwrap();
    let account = row(&sandbox, "account", "d8187212-0cc7-4dce-b78f-2d9ed8ae181f");
    assert_eq!((&account["name"], &account["revenue"]), (&json!("Ünï"), &json!(2.5)));
    assert_eq!(sandbox.table("contact")[0][target], "account");
    assert!(sandbox.records("company").is_empty());
    assert_eq!(sandbox.records("gsuser").len(), 1);
}

#[tokio::test]
async fn a_bad_line_is_named_with_file_line_and_column() {
    for (line, expected) in [
        ("{\"accountid\":", "EOF"),
        ("[]", "map"),
        (r#"{"name":"No key"}"#, "'accountid'"),
        (r#"{"accountid":"d8187212-0cc7-4dce-b78f-2d9ed8ae1810","nome":"X"}"#, "'nome'"),
        (r#"{"accountid":"d8187212-0cc7-4dce-b78f-2d9ed8ae1810","name":5}"#, "'name'"),
        (r#"{"accountid":"d8187212-0cc7-4dce-b78f-2d9ed8ae1810","industrycode":99}"#, "'industrycode'"),
        (r#"{"accountid":"d8187212-0cc7-4dce-b78f-2d9ed8ae1810","createdon":"soon"}"#, "'createdon'"),
    ] {
        let folder = folder("", &format!("{ACCOUNT}\n{line}\n"), "");
        let error = read(folder.path()).await.err().unwrap().to_string();
        assert!(error.contains("accounts.jsonl:2:") && error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn gainsight_holds_what_lies_beside_a_world() {
    let folder = folder("", "", "");
    let below = folder.path().join("gainsight");
    std::fs::create_dir(&below).unwrap();
    let gsid = format!("1P02{:0>32}", 7);
    let line = json!({ "Gsid": gsid, "Name": "There before", "Industry": "Brokers" });
    std::fs::write(below.join("company.jsonl"), format!("{line}\n")).unwrap();
    let sandbox = read(folder.path()).await.unwrap();
    let held = sandbox.records("company");
    assert_eq!((held.len(), &held[0]["Gsid"], &held[0]["Name"]), (1, &json!(gsid), &json!("There before")));
    assert!(!held[0]["ModifiedDate"].is_null());
    for (file, line, expected) in [
        ("company.jsonl", "{\"Nome\":\"X\"}", "company.jsonl:1: unknown field 'Nome'"),
        ("company.jsonl", "{\"Name\":", "company.jsonl:1: EOF"),
        ("compny.jsonl", "{}", "compny.jsonl:1: there is no object 'compny'"),
    ] {
        std::fs::write(below.join("company.jsonl"), "").unwrap();
        std::fs::write(below.join(file), line).unwrap();
        let error = read(folder.path()).await.err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_missing_file_and_a_taken_port_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read(folder.path()).await.err().unwrap(), Error::World { .. }));
    let first = start(Options::default()).await.unwrap();
    let port: u16 = first.dynamics_url().rsplit(':').next().unwrap().parse().unwrap();
    let second = start(Options { dynamics_port: port, ..Options::default() }).await;
    assert!(matches!(second.err().unwrap(), Error::Port { .. }));
}

#[tokio::test]
async fn a_contact_of_the_world_names_its_owner_twice() {
    let client = Client::start().await;
    for row in client.sandbox.table("contact") {
        assert_eq!(row["_owninguser_value"], row["_ownerid_value"], "{row:?}");
    }
}
