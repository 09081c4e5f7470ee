//! Queries: conditions, order and paging.

use super::client::Client;
use serde_json::{Value, json};

async fn filled() -> Client {
    let client = Client::start().await;
    for number in 0..120 {
        let stage = if number % 3 == 0 { "Launched" } else { "Adopting" };
        let record = json!({
            "Name": format!("Query {number:03}"), "Employees": number, "Stage": stage,
            "RenewalDate": 1_767_225_600_000_i64 + number * 86_400_000,
            "Industry": (number % 2 == 0).then_some("Even"),
        });
        client.sandbox.put_record("company", record.as_object().expect("a record is an object").clone());
    }
    client
}

fn names(body: &Value) -> Vec<&str> {
    body["data"]["records"]
        .as_array()
        .expect("each record has a name")
        .iter()
        .map(|record| record["Name"].as_str().expect("each record has a name"))
        .collect()
}

#[tokio::test]
async fn each_condition_selects_what_it_says() {
    let client = filled().await;
    for (field, operator, value, expected) in [
        ("Name", "EQ", json!(["query 007"]), 1),
        ("Name", "IN", json!(["QUERY 001", "Query 002", "none"]), 2),
        ("Name", "STARTS_WITH", json!(["query 01"]), 10),
        ("Name", "ENDS_WITH", json!(["9"]), 12),
        ("Employees", "BTW", json!([1, 2]), usize::MAX),
        ("Employees", "GTE", json!([110]), 10),
        ("Employees", "NOT_IN", json!([5, 42, 77]), 117),
        ("Stage", "EQ", json!(["launched"]), 40),
        ("Stage", "IN", json!(["Launched", "Adopting"]), 120),
        ("Stage", "CONTAINS", json!(["adopt"]), 80),
        ("Industry", "EQ", json!(["Even"]), 60),
        ("RenewalDate", "BTW", json!(["2026-01-01", "01-03-2026"]), 3),
        ("RenewalDate", "GT", json!(["2026-01-01"]), 119),
    ] {
        let condition = json!({"name": field, "alias": "A", "operator": operator, "value": value});
        let both = json!([condition, {"name": "Name", "alias": "B", "operator": "STARTS_WITH", "value": ["Query"]}]);
        let body = json!({"select": ["Name"], "where": {"conditions": both, "expression": "A AND B"}});
        let (status, body) = client.query("company", body).await;
        if expected == usize::MAX {
            assert_eq!((status, body["errorCode"].as_str()), (400, Some("GSOBJ_1002")), "{field} {operator}");
        } else {
            assert_eq!(names(&body).len(), expected, "{field} {operator}");
        }
    }
}

#[tokio::test]
async fn paging_by_offset_and_by_gsid_sees_every_record_once() {
    let client = filled().await;
    let all: Vec<Value> = client.sandbox.records("company").into_iter().map(|record| record["Gsid"].clone()).collect();
    let (mut by_offset, mut by_gsid) = (Vec::new(), Vec::new());
    loop {
        let body = json!({"select": ["Gsid"], "orderBy": {"Gsid": "asc"}, "limit": 25, "offset": by_offset.len()});
        let (_, body) = client.query("company", body).await;
        let page = body["data"]["records"].as_array().unwrap().clone();
        by_offset.extend(page.iter().map(|record| record["Gsid"].clone()));
        if page.is_empty() {
            break;
        }
    }
    loop {
        let last = by_gsid.last().cloned().unwrap_or(json!("0"));
        let after = json!([{"name": "Gsid", "alias": "A", "operator": "GT", "value": [last]}]);
        let body = json!({"select": ["Gsid"], "where": {"conditions": after, "expression": "A"},
            "orderBy": {"Gsid": "asc"}, "limit": 25});
        let (_, body) = client.query("company", body).await;
        let page = body["data"]["records"].as_array().unwrap().clone();
        by_gsid.extend(page.iter().map(|record| record["Gsid"].clone()));
        if page.len() < 25 {
            break;
        }
    }
    assert_eq!((&by_offset, &by_gsid), (&all, &all));
}

#[tokio::test]
async fn order_and_clipped_limits() {
    let client = filled().await;
    let body = json!({"select": ["Name"], "orderBy": {"Stage": "asc", "Name": "desc"}, "limit": 90_000});
    let (_, body) = client.query("company", body).await;
    let names = names(&body);
    assert_eq!(names.len(), client.sandbox.records("company").len());
    let place = |name: &str| names.iter().position(|other| *other == name).unwrap();
    assert!(place("Query 117") < place("Query 000"));
}

#[tokio::test]
async fn what_is_no_query_is_refused() {
    let client = filled().await;
    let condition = |name: &str, operator: &str, value: Value| {
        let list = json!([{"name": name, "alias": "A", "operator": operator, "value": value}]);
        json!({"select": ["Name"], "where": {"conditions": list, "expression": "A"}})
    };
    for body in [
        json!({}),
        json!({"select": []}),
        json!({"select": ["*"]}),
        json!({"select": ["Nothing"]}),
        json!({"select": ["name"]}),
        json!({"select": ["Name"], "limit": "five"}),
        json!({"select": ["Name"], "orderBy": {"Name": "up"}}),
        json!({"select": ["Name"], "orderBy": {"Summary": "asc"}}),
        json!({"select": ["Name"], "where": {"conditions": [], "expression": "A"}}),
        condition("Nothing", "EQ", json!(["x"])),
        condition("Name", "EQ", json!("x")),
        condition("Name", "EQ", json!(["x", "y"])),
        condition("Name", "LIKE", json!(["x"])),
        condition("Summary", "CONTAINS", json!(["x"])),
        condition("RenewalDate", "EQ", json!(["soon"])),
        condition("Strategic__gc", "GT", json!([true])),
        json!([]),
    ] {
        let (status, answer) = client.query("company", body.clone()).await;
        assert_eq!((status, answer["errorCode"].as_str()), (400, Some("GSOBJ_1002")), "{body}");
    }
    assert_eq!(client.query("nothing", json!({"select": ["Gsid"]})).await.0, 400);
    for body in [json!({"select": ["Csm__gr.Email"]}), json!({"select": ["Gsid"], "groupBy": ["Name"]})] {
        assert_eq!(client.query("company", body).await.0, 501);
    }
}
