//! Ordered failures, the call log and revoked keys.

use super::client::{Client, answer};
use ferry::sandbox::Service;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn ordered_failures_have_the_services_own_bodies_and_then_end() {
    let client = Client::start().await;
    client.sandbox.fail_next(Service::Dynamics, 429, 1, Some(6));
    client.sandbox.fail_next(Service::Gainsight, 500, 2, None);
    let response = client.dynamics("accounts?$top=1").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (429, "6"));
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "0x80072322");
    assert_eq!(client.read("accounts?$top=1").await.0, 200);
    for _ in 0..2 {
        let (status, body) = client.query("company", json!({"select": ["Gsid"]})).await;
        assert_eq!((status, body["errorCode"].as_str()), (500, Some("GU_1101")));
    }
    assert_eq!(client.query("company", json!({"select": ["Gsid"]})).await.0, 200);
}

#[tokio::test]
async fn rules_are_replaced_on_the_way_and_count_what_they_strike() {
    let client = Client::start().await;
    let rule = |nth: &str| format!(r#"{{"service": "dynamics", "path": "/api/data/", "nth": [{nth}], "status": 500}}"#);
    client.sandbox.strike_by(&[rule("9"), rule("1, 3")].join("\n")).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(client.read("accounts?$top=1").await.0);
    }
    assert_eq!((statuses, client.sandbox.struck()), (vec![500, 200, 500], vec![0, 2]));
    client.sandbox.strike_by(&rule("2")).unwrap();
    assert_eq!(client.read("accounts?$top=1").await.0, 200, "the new rule counts from its first request");
    assert_eq!(client.read("accounts?$top=1").await.0, 500);
    assert_eq!(client.sandbox.struck(), vec![1]);
    assert!(client.sandbox.strike_by("{}").is_err());
    client.sandbox.strike_by("").unwrap();
    assert_eq!((client.read("accounts?$top=1").await.0, client.sandbox.struck()), (200, vec![]));
}

#[tokio::test]
async fn every_request_is_in_the_log() {
    let client = Client::start().await;
    client.read("accounts?$top=3").await;
    client.insert("company", json!([{"Name": "A"}, {"Name": "B"}])).await;
    client.insert("company", json!([{"Nome": "A"}])).await;
    let calls = client.sandbox.calls();
    let short: Vec<_> = calls.iter().map(|call| (call.service, call.status, call.write, call.records)).collect();
    let expected = vec![
        (Service::Entra, 200, false, 0),
        (Service::Dynamics, 200, false, 3),
        (Service::Gainsight, 200, true, 2),
        (Service::Gainsight, 400, true, 0),
    ];
    assert_eq!(short, expected);
    assert_eq!((calls[1].method.as_str(), calls[1].path.as_str()), ("GET", "/api/data/v9.2/accounts?$top=3"));
}

#[tokio::test]
async fn without_the_key_nothing_is_answered() {
    let client = Client::start().await;
    let url = format!("{}/v1/meta/services/objects/list", client.sandbox.gainsight_url());
    let (status, body) = answer(client.http.get(&url)).await;
    assert_eq!((status, body["errorCode"].as_str(), body.get("data")), (401, Some("GS_APIG_2401"), None));
    let wrong = client.http.get(&url).header("accesskey", "wrong");
    assert_eq!(answer(wrong).await.0, 401);
    client.sandbox.revoke_access_key();
    assert_eq!(client.gainsight(Method::GET, "/v1/meta/services/objects/list", Value::Null).await.0, 401);
    client.sandbox.set_access_key_valid(true);
    assert_eq!(client.gainsight(Method::GET, "/v1/meta/services/objects/list", Value::Null).await.0, 200);
}

#[tokio::test]
async fn unknown_routes_are_404_and_missing_features_501() {
    let client = Client::start().await;
    let (status, body) = client.gainsight(Method::GET, "/v1/nothing", Value::Null).await;
    assert_eq!((status, body["errorCode"].as_str()), (404, Some("GS_APIG_1000")));
    for (method, path) in [
        (Method::PUT, "/v1/peoplemgmt/v1.0/people/async"),
        (Method::POST, "/v1/users/services/list"),
        (Method::POST, "/v3/exports/data/bulk/company"),
    ] {
        let (status, body) = client.gainsight(method, path, json!({})).await;
        assert_eq!((status, body["result"].as_bool()), (501, Some(false)), "{path}");
    }
}

#[tokio::test]
async fn a_stopped_sandbox_no_longer_listens() {
    let client = Client::start().await;
    let url = client.sandbox.gainsight_url().to_owned();
    client.sandbox.stop().await;
    assert!(reqwest::Client::new().get(url).send().await.is_err());
}
