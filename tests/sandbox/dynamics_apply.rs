//! `$apply`: counts, sums and groups.

use std::collections::HashMap;

use super::client::{Client, answer, with_query};
use serde_json::{Value, json};

async fn applied(client: &Client, set: &str, text: &str) -> Vec<Value> {
    let (status, body) = client.read(&with_query(set, &[("$apply", text)])).await;
    assert_eq!(status, 200, "{text}: {body}");
    assert!(body["@odata.context"].as_str().unwrap().ends_with(&format!("$metadata#{set}")));
    body["value"].as_array().unwrap().clone()
}

#[tokio::test]
async fn rows_are_counted_and_summed() {
    let client = Client::start().await;
    let accounts = client.sandbox.table("account");
    let few: Vec<_> = accounts.iter().filter(|row| row["industrycode"] == 1).collect();
    let revenue: Vec<f64> = few.iter().filter_map(|row| row["revenue"].as_f64()).collect();
    let text = "filter(industrycode eq 1)/aggregate($count as n,revenue with sum as total,revenue with min as least,\
                revenue with max as most,revenue with average as mean,numberofemployees with sum as people)";
    let found = &applied(&client, "accounts", text).await[0];
    let sum: f64 = revenue.iter().sum();
    let close = |value: &Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() < 0.001;
    assert_eq!((&found["n"], few.len() > 1), (&json!(few.len()), true));
    assert!(close(&found["total"], sum) && close(&found["mean"], sum / revenue.len() as f64), "{found}");
    assert!(close(&found["least"], revenue.iter().copied().fold(f64::MAX, f64::min)));
    assert!(close(&found["most"], revenue.iter().copied().fold(f64::MIN, f64::max)));
    let people: i64 = few.iter().filter_map(|row| row["numberofemployees"].as_i64()).sum();
    assert_eq!(found["people"], people);
    let none = "filter(name eq @p1)/filter(name ne null)/aggregate($count as n,revenue with sum as total)";
    let path = with_query("accounts", &[("$apply", none), ("@p1", "'nobody'")]);
    let (_, body) = client.read(&path).await;
    assert_eq!(body["value"], json!([{"n": 0, "total": null}]));
}

#[tokio::test]
async fn groups_hold_every_row_once() {
    let client = Client::start().await;
    let mut expected: HashMap<String, usize> = HashMap::new();
    for row in client.sandbox.table("contact") {
        *expected.entry(row["gendercode"].to_string()).or_default() += 1;
    }
    let groups =
        applied(&client, "contacts", "groupby((gendercode),aggregate($count as n,createdon with max as last))").await;
    assert_eq!(groups.len(), expected.len());
    for group in &groups {
        assert_eq!(group["n"], expected[&group["gendercode"].to_string()], "{group}");
        assert!(group["last"].as_str().unwrap().ends_with('Z'));
    }
    let pairs = applied(&client, "contacts", "groupby((gendercode,statecode))").await;
    assert!(pairs.len() >= groups.len() && pairs.iter().all(|pair| pair.as_object().unwrap().len() == 2));
    let owners = applied(&client, "contacts", "groupby((_ownerid_value),aggregate($count as n))").await;
    let total: i64 = owners.iter().map(|owner| owner["n"].as_i64().unwrap()).sum();
    assert_eq!(total as usize, client.sandbox.table("contact").len());
}

#[tokio::test]
async fn what_cannot_be_applied_is_told() {
    let client = Client::start().await;
    for (text, status) in [
        ("", 501),
        ("filter(statecode eq 0)", 501),
        ("compute(revenue mul 2 as twice)", 501),
        ("aggregate($count as n)/filter(n gt 1)", 501),
        ("aggregate(primarycontactid/fullname with max as n)", 501),
        ("aggregate(industrycode with countdistinct as n)", 501),
        ("aggregate(numberofemployees with average as n)", 501),
        ("aggregate(name with sum as n)", 501),
        ("aggregate(nome with sum as n)", 400),
        ("aggregate($count)", 400),
        ("aggregate($count as n", 400),
        ("groupby(industrycode)", 400),
        ("groupby((createdon),aggregate($count as n))", 400),
        ("groupby((nome))", 400),
        ("groupby((industrycode),aggregate($count as n),statecode)", 400),
        ("filter(nome eq 1)/aggregate($count as n)", 400),
    ] {
        let (found, body) = client.read(&with_query("accounts", &[("$apply", text)])).await;
        assert_eq!(found, status, "{text}: {body}");
    }
    for path in [
        "accounts?$apply=aggregate($count%20as%20n)&$top=1",
        "accounts?$orderby=name&$apply=aggregate($count%20as%20n)",
    ] {
        assert_eq!(client.read(path).await.0, 501, "{path}");
    }
    let annotated = client.dynamics("accounts?$apply=aggregate($count%20as%20n)");
    assert_eq!(answer(annotated.header("Prefer", "odata.include-annotations=\"*\"")).await.0, 501);
}

#[tokio::test]
async fn more_rows_than_the_service_looks_at_are_refused() {
    let client = Client::with(ferry::sandbox::Options { rows: 50_001, ..Default::default() }).await;
    let path = |text: &str| with_query("contacts", &[("$apply", text)]);
    let (status, code, _) = client.refused(&path("aggregate($count as n)")).await;
    assert_eq!((status, code.as_str()), (400, "0x8004e023"));
    assert_eq!(client.read(&path("filter(gendercode eq 1)/aggregate($count as n)")).await.0, 200);
}
