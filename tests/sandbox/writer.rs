//! Somebody who writes while rows are read: by a test's own hand, and by the rules of faults.

use super::client::{Client, answer, with_query};
use ferry::sandbox::{Change, Options};
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Reads a set by pages of fifty; gives the rows and the delta link, if there is one.
async fn read(client: &Client, address: &str, tracked: bool) -> (Vec<Value>, Option<String>) {
    let prefer = if tracked { "odata.track-changes,odata.maxpagesize=50" } else { "odata.maxpagesize=50" };
    let mut request = if address.starts_with("http") { client.link(address) } else { client.dynamics(address) };
    let mut rows = Vec::new();
    loop {
        let (status, page) = answer(request.header("Prefer", prefer)).await;
        assert_eq!(status, 200, "{page}");
        rows.extend(page["value"].as_array().unwrap().clone());
        match page["@odata.nextLink"].as_str() {
            Some(next) => request = client.link(next),
            None => return (rows, page["@odata.deltaLink"].as_str().map(str::to_owned)),
        }
    }
}

fn has(rows: &[Value], column: &str, value: &str) -> bool {
    rows.iter().any(|row| row[column] == value)
}

#[tokio::test]
async fn it_makes_changes_and_deletes_after_each_page_that_another_follows() {
    let client = Client::start().await;
    let keys: Vec<String> =
        client.sandbox.table("contact").iter().map(|row| row["contactid"].as_str().unwrap().to_owned()).collect();
    let last = keys.last().unwrap().clone();
    let (behind, ahead) = ("aaaaaaaa-0000-4000-8000-000000000000", "aaaaaaaa-0000-4000-8000-ffffffffffff");
    let (send, seen) = std::sync::mpsc::channel();
    let (first, second) = (keys[0].clone(), keys[1].clone());
    client.sandbox.write_between_pages(move |table| {
        send.send(table.to_owned()).unwrap();
        let put = |row: Value| Change::Put("contact".to_owned(), object(row));
        vec![
            put(json!({"contactid": behind, "lastname": "Behind"})),
            put(json!({"contactid": ahead, "lastname": "Ahead"})),
            put(json!({"contactid": first, "lastname": "Changed"})),
            put(json!({"contactid": first, "nonsense": "Left out"})),
            Change::Delete("contact".to_owned(), last.clone()),
            Change::Merge("contact".to_owned(), first.clone(), second.clone()),
        ]
    });
    client.sandbox.mark_delta_tokens_by_first_page(true);
    let (rows, link) = read(&client, "contacts?$select=lastname,merged", true).await;
    let pages = seen.try_iter().collect::<Vec<_>>();
    assert_eq!(pages, vec!["contact"; keys.len().div_ceil(50) - 1]);
    assert!(has(&rows, "lastname", "Ahead") && !has(&rows, "lastname", "Behind") && !has(&rows, "lastname", "Changed"));
    assert!(!has(&rows, "contactid", &keys[keys.len() - 1]));
    let (changed, _) = read(&client, &link.unwrap(), true).await;
    assert!(has(&changed, "lastname", "Behind") && has(&changed, "lastname", "Changed"));
    assert!(has(&changed, "id", &keys[keys.len() - 1]));
    assert!(changed.iter().any(|row| row["contactid"] == keys[1].as_str() && row["merged"] == true));
}

#[tokio::test]
async fn it_writes_between_pages_of_a_fetch_and_not_after_the_last_page() {
    let client = Client::start().await;
    let (send, seen) = std::sync::mpsc::channel();
    client.sandbox.write_between_pages(move |table| {
        send.send(table.to_owned()).unwrap();
        Vec::new()
    });
    let fetch = "<fetch count=\"10\"><entity name=\"account\"><attribute name=\"name\"/></entity></fetch>";
    let request = client.dynamics(&with_query("accounts", &[("fetchXml", fetch)]));
    answer(request.header("Prefer", "odata.include-annotations=\"*\"")).await;
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["account"]);
    client.read("accounts?$select=name").await;
    client.read("WhoAmI").await;
    client.read("EntityDefinitions?$select=LogicalName").await;
    assert_eq!(seen.try_iter().count(), 0);
}

#[tokio::test]
async fn rules_delete_and_change_rows_while_changes_are_read() {
    let rules = r#"{"service": "dynamics", "path": "/api/data/v9.2/contacts", "nth": [1], "drop_row": true}
        {"service": "dynamics", "path": "/api/data/v9.2/contacts", "nth": [2], "touch": {"table": "contact", "column": "jobtitle", "value": "Touched"}}"#;
    let client = Client::with_faults(Options { rows: 200, ..Options::default() }, rules).await;
    client.sandbox.mark_delta_tokens_by_first_page(true);
    let (_, link) = read(&client, "contacts?$select=jobtitle", true).await;
    let (changed, _) = read(&client, &link.unwrap(), true).await;
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert_eq!((&changed[0]["jobtitle"], &changed[1]["reason"]), (&json!("Touched"), &json!("deleted")));
}

#[tokio::test]
async fn a_link_of_change_tracking_expires_by_a_rule_too() {
    let rules = r#"{"service": "dynamics", "path": "/api/data/v9.2/contacts", "nth": [2], "expire_link": true}
        {"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [2], "repeat_row": true}"#;
    let client = Client::with_faults(Options { rows: 1000, ..Options::default() }, rules).await;
    let (mut link, mut refused) = ("contacts?$select=jobtitle".to_owned(), None);
    for _ in 0..3 {
        let request = if link.starts_with("http") { client.link(&link) } else { client.dynamics(&link) };
        let (_, page) = answer(request.header("Prefer", "odata.track-changes,odata.maxpagesize=50")).await;
        match page["@odata.nextLink"].as_str() {
            Some(next) => next.clone_into(&mut link),
            None => refused = page["error"]["code"].as_str().map(str::to_owned),
        }
    }
    assert_eq!(refused.as_deref(), Some("0x8004112a"));
    let (rows, _) = read(&client, "accounts?$select=name", true).await;
    assert_eq!(rows.len(), client.sandbox.table("account").len() + 1);
    assert_eq!(rows[99], rows[100]);
}
