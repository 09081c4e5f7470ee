//! Rows by moments: what an index finds is what looking through all rows finds.
//!
//! The oracle has all rows of the table, sorts and filters them as texts, and knows no index.

use std::cmp::Reverse;

use super::client::{Client, answer, with_query};
use ferry::sandbox::Options;
use serde_json::{Map, Value, json};

type Holds = fn(Option<&str>, Option<&str>) -> bool;

const EARLY: &str = "2023-01-01T00:00:00Z";
const LATE: &str = "2031-05-05T05:05:05Z";

/// Filters as they are sent, and what they say of when a row was made and changed.
const FILTERS: [(&str, Holds); 14] = [
    ("", |_, _| true),
    ("createdon eq null", |made, _| made.is_none()),
    ("createdon ne null", |made, _| made.is_some()),
    ("modifiedon ge 2031-05-05T05:05:05Z", |_, changed| changed >= Some(LATE)),
    ("modifiedon gt 2031-05-05T05:05:05Z", |_, changed| changed > Some(LATE)),
    ("modifiedon eq 2031-05-05T05:05:05Z", |_, changed| changed == Some(LATE)),
    ("createdon le 2023-01-01T00:00:00Z", |made, _| made.is_some_and(|made| made <= EARLY)),
    ("createdon ge 2023-01-01T00:00:00Z and createdon lt 2031-05-05T05:05:05Z", |made, _| {
        made.is_some_and(|made| (EARLY..LATE).contains(&made))
    }),
    ("createdon lt 2023-01-01T00:00:00Z and createdon gt 2031-05-05T05:05:05Z", |_, _| false),
    ("createdon ne 2031-05-05T05:05:05Z", |made, _| made != Some(LATE)),
    ("not (modifiedon ge 2031-05-05T05:05:05Z)", |_, changed| changed < Some(LATE)),
    ("createdon eq null and modifiedon ge 2031-05-05T05:05:05Z", |made, changed| {
        made.is_none() && changed >= Some(LATE)
    }),
    (
        "(createdon ne null and modifiedon gt 2023-01-01T00:00:00Z) and modifiedon le 2031-05-05T05:05:05Z",
        |made, changed| made.is_some() && changed > Some(EARLY) && changed <= Some(LATE),
    ),
    ("createdon eq null or modifiedon eq 2031-05-05T05:05:05Z", |made, changed| {
        made.is_none() || changed == Some(LATE)
    }),
];

const ORDERS: [&str; 5] = ["", "createdon", "createdon desc", "modifiedon,contactid", "modifiedon desc"];

#[tokio::test]
async fn what_moments_find_is_what_all_rows_have() {
    let client = Client::with(Options { rows: 300, ..Options::default() }).await;
    for number in 0..12 {
        let row = json!({ "contactid": id(number), "createdon": LATE, "modifiedon": LATE });
        put(&client, row);
    }
    for number in 12..20 {
        put(&client, json!({ "contactid": id(number), "modifiedon": EARLY }));
        // What is new without a moment gets one.
        put(&client, json!({ "contactid": id(number), "createdon": null, "modifiedon": EARLY }));
    }
    agrees(&client).await;
    // Rows that get another moment, lose the one they had, and go.
    for number in 0..4 {
        put(&client, json!({ "contactid": id(number), "modifiedon": "2032-01-01T00:00:00Z" }));
        put(&client, json!({ "contactid": id(number + 4), "createdon": null, "modifiedon": LATE }));
        assert!(client.sandbox.delete_row("contact", &id(number + 8)));
    }
    agrees(&client).await;
}

#[tokio::test]
async fn a_page_goes_on_behind_a_row_that_is_gone() {
    for (order, filter) in [("modifiedon desc", ""), ("modifiedon", "modifiedon ge 2031-05-05T05:05:05Z")] {
        let client = Client::with(Options { rows: 40, ..Options::default() }).await;
        // The first of them has the least of all keys.
        let ids = ["00000000-0000-0000-0000-000000000000".to_owned(), id(1), id(2), id(3)];
        ids.iter().for_each(|id| put(&client, json!({ "contactid": id, "modifiedon": LATE })));
        let mut query = vec![("$select", "contactid"), ("$orderby", order)];
        query.extend((!filter.is_empty()).then_some(("$filter", filter)));
        let (mut found, mut request) = (Vec::new(), client.dynamics(&with_query("contacts", &query)));
        while found.len() < ids.len() {
            let (_, body) = answer(request.header("Prefer", "odata.maxpagesize=1")).await;
            let row = body["value"][0]["contactid"].as_str().expect("a row").to_owned();
            assert!(row == ids[0] || client.sandbox.delete_row("contact", &row), "it is there once");
            found.push(row);
            let Some(link) = body["@odata.nextLink"].as_str() else { break };
            request = client.link(link);
        }
        assert_eq!(found, ids, "{order}");
    }
}

async fn agrees(client: &Client) {
    let by_key = pages(client, "", "", 5000).await;
    assert!(by_key.len() > 300, "the table has rows");
    for (filter, holds) in FILTERS {
        let by_key: Vec<&Value> =
            by_key.iter().filter(|row| holds(row["createdon"].as_str(), row["modifiedon"].as_str())).collect();
        for order in ORDERS {
            let column = order.split([',', ' ']).next().unwrap_or_default();
            let at = |row: &Value| row[column].as_str().map(str::to_owned);
            let mut wanted = by_key.clone();
            match (order.is_empty(), order.ends_with("desc")) {
                (true, _) => {}
                (_, false) => wanted.sort_by_key(|row| at(row)),
                (_, true) => wanted.sort_by_key(|row| Reverse(at(row))),
            }
            for size in [7, 5000] {
                let found = pages(client, filter, order, size).await;
                assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{filter} by {order}, {size} at a time");
            }
        }
    }
}

async fn pages(client: &Client, filter: &str, order: &str, size: usize) -> Vec<Value> {
    let mut query = vec![("$select", "contactid,createdon,modifiedon")];
    query.extend((!filter.is_empty()).then_some(("$filter", filter)));
    query.extend((!order.is_empty()).then_some(("$orderby", order)));
    let (mut rows, mut request) = (Vec::new(), client.dynamics(&with_query("contacts", &query)));
    loop {
        let (status, body) = answer(request.header("Prefer", format!("odata.maxpagesize={size}"))).await;
        assert_eq!(status, 200, "{body}");
        rows.extend(body["value"].as_array().expect("a page has rows").iter().map(|row| {
            json!({ "contactid": row["contactid"], "createdon": row["createdon"], "modifiedon": row["modifiedon"] })
        }));
        match body["@odata.nextLink"].as_str() {
            Some(link) => request = client.link(link),
            None => return rows,
        }
    }
}

fn put(client: &Client, row: Value) {
    let row: Map<String, Value> = row.as_object().expect("a row").clone();
    client.sandbox.put_row("contact", row);
}

/// Keys that are spread over the order of all keys.
fn id(number: usize) -> String {
    format!("aaaaaaaa-0000-4000-8000-{:02x}0000000000", number * 12)
}
