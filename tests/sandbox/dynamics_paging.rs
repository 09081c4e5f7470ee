//! Pages, their links and counts.

use std::collections::HashSet;

use super::client::{Client, answer, with_query};
use serde_json::{Value, json};

/// Reads all pages and returns the keys in order.
async fn all(client: &Client, path: &str, size: usize) -> Vec<String> {
    let mut keys = Vec::new();
    let mut request = client.dynamics(path);
    loop {
        let (status, body) = answer(request.header("Prefer", format!("odata.maxpagesize={size}"))).await;
        assert_eq!(status, 200, "{body}");
        let rows = body["value"].as_array().expect("a page has rows");
        assert!(rows.len() <= size);
        keys.extend(rows.iter().map(|row| row["contactid"].as_str().expect("a row has its key").to_owned()));
        match body["@odata.nextLink"].as_str() {
            Some(link) => request = client.link(link),
            None => return keys,
        }
    }
}

#[tokio::test]
async fn every_row_comes_once_whatever_the_page_size_and_order() {
    let client = Client::start().await;
    let count = client.sandbox.table("contact").len();
    for size in [1, 7, 199, 200, 201, 5000] {
        for path in [
            "contacts?$select=contactid",
            "contacts?$select=contactid&$orderby=lastname",
            "contacts?$select=contactid&$orderby=emailaddress1%20desc,firstname%20asc",
            "contacts?$select=contactid&$orderby=_parentcustomerid_value",
            "contacts?$select=contactid&$orderby=gendercode,birthdate%20desc",
        ] {
            let keys = all(&client, path, size).await;
            assert_eq!((keys.len(), keys.iter().collect::<HashSet<_>>().len()), (count, count), "{path} by {size}");
        }
    }
}

#[tokio::test]
async fn without_an_order_keys_come_in_sql_order() {
    let client = Client::start().await;
    let keys = all(&client, "contacts?$select=fullname", 50).await;
    let last_groups: Vec<&str> = keys.iter().map(|key| &key[24..]).collect();
    assert!(last_groups.is_sorted());
}

#[tokio::test]
async fn a_row_added_behind_the_position_is_not_seen_and_one_ahead_is() {
    let client = Client::start().await;
    let request = client.dynamics("contacts?$select=contactid").header("Prefer", "odata.maxpagesize=10");
    let (_, first) = answer(request).await;
    for last in ["000000000000", "ffffffffffff"] {
        let id = format!("aaaaaaaa-0000-4000-8000-{last}");
        let row = json!({"contactid": id, "lastname": "New"});
        assert!(client.sandbox.put_row("contact", row.as_object().unwrap().clone()));
    }
    let mut keys = Vec::new();
    let mut next = first["@odata.nextLink"].as_str().map(str::to_owned);
    while let Some(link) = next {
        let (_, page) = answer(client.link(&link)).await;
        keys.extend(page["value"].as_array().unwrap().iter().map(|row| row["contactid"].as_str().unwrap().to_owned()));
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    assert!(keys.iter().any(|key| key.ends_with("ffffffffffff")));
    assert!(!keys.iter().any(|key| key.ends_with("000000000000")));
}

#[tokio::test]
async fn an_altered_link_is_refused() {
    let client = Client::start().await;
    let request = client.dynamics("contacts?$select=contactid").header("Prefer", "odata.maxpagesize=10");
    let (_, first) = answer(request).await;
    let link = first["@odata.nextLink"].as_str().unwrap();
    for altered in
        [link.replace("pagenumber=%222", "pagenumber=%223"), link.replace("%257b", "%257c"), format!("{link}x")]
    {
        assert_ne!(altered, link);
        let (status, body) = answer(client.link(&altered)).await;
        assert_eq!((status, body["error"]["code"].as_str()), (400, Some("0x8004112a")));
    }
    let (status, body) = answer(client.link(&format!("{link}&$orderby=lastname"))).await;
    assert_eq!((status, body["error"]["code"].as_str()), (400, Some("0x80041129")));
}

#[tokio::test]
async fn the_page_size_beats_top_and_is_said_to_be_applied() {
    let client = Client::start().await;
    let request = client.dynamics("contacts?$select=contactid&$top=3").header("Prefer", "odata.maxpagesize=5");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["preference-applied"], "odata.maxpagesize=5");
    assert_eq!(response.headers()["odata-version"], "4.0");
    assert!(response.headers().contains_key("x-ms-service-request-id"));
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["value"].as_array().unwrap().len(), 5);
    let (_, top) = client.read("contacts?$select=contactid&$top=3").await;
    assert_eq!((top["value"].as_array().unwrap().len(), top.get("@odata.nextLink")), (3, None));
}

#[tokio::test]
async fn counts_stop_at_five_thousand() {
    let options = ferry::sandbox::Options { rows: 5003, ..Default::default() };
    let client = Client::with(options).await;
    let request = client.dynamics("contacts?$select=contactid&$count=true");
    let (_, body) = answer(request.header("Prefer", "odata.include-annotations=\"*\"")).await;
    assert_eq!(body["@odata.count"], 5000);
    assert_eq!(body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"], true);
    assert_eq!(body["value"].as_array().unwrap().len(), 5000);
    assert_eq!(client.read("contacts/$count").await.1, 5000);
    let filtered = with_query("contacts/$count", &[("$filter", "gendercode eq null")]);
    assert_eq!(client.read(&filtered).await.1, 0);
}
