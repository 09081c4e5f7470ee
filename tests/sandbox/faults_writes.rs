//! Faults of writes and of answers: late application, reads that lag behind, refused batches, and answers of another form.

use std::time::Duration;

use ferry::sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, answer, post_token, token_form};

const COMPANIES: &str = "/v1/data/objects/company";

async fn with(rules: &str) -> Client {
    Client::with_faults(Options { rows: 200, ..Options::default() }, rules).await
}

async fn named(client: &Client, name: &str) -> usize {
    let body = json!({
        "select": ["Name"], "where": {"conditions": [{"name": "Name", "alias": "A", "operator": "EQ", "value": [name]}]}
    });
    let (status, found) = client.query("company", body).await;
    assert_eq!(status, 200, "{found}");
    found["data"]["records"].as_array().expect("records").len()
}

fn stored(client: &Client, name: &str) -> usize {
    client.sandbox.records("company").iter().filter(|record| record["Name"] == name).count()
}

fn insert(client: &Client, name: &str) -> reqwest::RequestBuilder {
    let request = client.http.post(format!("{}{COMPANIES}", client.sandbox.gainsight_url()));
    request.header("accesskey", &client.sandbox.credentials().access_key).json(&json!({"records": [{"Name": name}]}))
}

/// Waits until something is so; what never comes fails the test.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn a_late_write_is_applied_after_its_connection_was_closed() {
    let client = with(
        r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [1], "late_ms": 60000}
           {"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [2], "late_ms": 40}"#,
    )
    .await;
    for name in ["Never", "Late"] {
        let error = insert(&client, name).send().await.expect_err("not even a status arrives");
        assert!(error.is_request(), "{error:?}");
    }
    let unanswered = |client: &Client| {
        let calls = client.sandbox.calls();
        calls.iter().filter(|call| call.status == 0).map(|call| (call.write, call.records)).collect::<Vec<_>>()
    };
    until("the write is in the log", || unanswered(&client)[1] == (true, 1)).await;
    assert_eq!(stored(&client, "Late"), 1);
    assert_eq!(stored(&client, "Never"), 0, "its time has not come");
    assert_eq!(unanswered(&client), [(true, 0), (true, 1)]);
}

#[tokio::test]
async fn a_late_write_is_applied_although_its_client_is_gone() {
    let client =
        with(r#"{"service": "gainsight", "method": "POST", "nth": [1], "late_ms": 40, "latency_ms": 60000}"#).await;
    let waiting = insert(&client, "Late");
    let sent = tokio::spawn(waiting.send());
    until("the call has come", || client.sandbox.calls().iter().any(|call| call.status == 0)).await;
    sent.abort();
    until("the write is applied", || stored(&client, "Late") == 1).await;
}

#[tokio::test]
async fn queries_do_not_see_a_hidden_write_for_a_while() {
    let client = with(
        r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [1], "stale_ms": 60000, "close": "after"}"#,
    )
    .await;
    let all = named(&client, "Hidden").await;
    insert(&client, "Hidden").send().await.expect_err("the answer is lost");
    assert_eq!((all, stored(&client, "Hidden"), named(&client, "Hidden").await), (0, 1, 0));
    client.insert("company", json!([{"Name": "Later"}])).await;
    assert_eq!(named(&client, "Later").await, 0, "the view is that of before");
    let (_, users) = client.query("gsuser", json!({"select": ["Gsid"]})).await;
    assert!(!users["data"]["records"].as_array().unwrap().is_empty(), "other objects are seen as they are");
}

#[tokio::test]
async fn a_hidden_write_is_seen_in_the_end() {
    // The windows go by fast, so that the many queries of the wait are all let in.
    let options = Options { rows: 200, limits_scale: 1_000_000.0, ..Options::default() };
    let rule = r#"{"service": "gainsight", "method": "PUT", "path": "/v1/peoplemgmt/", "nth": [1], "stale_ms": 50}"#;
    let client = Client::with_faults(options, rule).await;
    let found = async || {
        let condition = json!({"name": "Email", "alias": "A", "operator": "EQ", "value": ["new@example.com"]});
        let body = json!({"select": ["Gsid"], "where": {"conditions": [condition]}});
        client.query("person", body).await.1["data"]["records"].as_array().map_or(0, Vec::len)
    };
    let (status, _) = client.person(json!({"Name": "New", "LastName": "New", "Email": "new@example.com"})).await;
    assert_eq!(status, 200);
    let mut missed = 0;
    while found().await == 0 {
        missed += 1;
    }
    assert!(missed > 0, "the first look comes too early");
}

#[tokio::test]
async fn bad_records_refuse_their_whole_call() {
    let client = with(
        r#"{"service": "gainsight", "path": "/v1/data/objects/company", "nth": [1], "refuse_records": [0, 2, 9]}
           {"service": "gainsight", "path": "/v1/data/objects/company", "nth": [2], "refuse_records": [3]}
           {"service": "gainsight", "path": "/v1/users/services", "refuse_records": [0]}
           {"service": "gainsight", "path": "/v1/peoplemgmt/", "refuse_records": [0]}"#,
    )
    .await;
    let records = json!([{"Name": "A"}, {"Name": "B"}, {"Name": "C"}]);
    let (status, body) = client.insert("company", records.clone()).await;
    assert_eq!((status, body["result"].as_bool(), body["errorCode"].as_str()), (400, Some(false), Some("GSOBJ_1008")));
    let errors = body["data"]["errors"].as_array().expect("one list per bad record");
    let named: Vec<_> = errors.iter().map(|list| &list[0]["errors"][0]).collect();
    let told: Vec<_> = named.iter().map(|error| (&error["fieldName"], &error["invalidValue"])).collect();
    assert_eq!(told, [(&json!("Name"), &json!("A")), (&json!("Name"), &json!("C"))]);
    assert_eq!((stored(&client, "A"), stored(&client, "B")), (0, 0));
    let (status, _) = client.insert("company", records).await;
    assert_eq!((status, stored(&client, "B")), (200, 1), "no record is at that place");
    let user = json!({"records": [{"SFDCUserName": "u", "Name": "U", "LastName": "U", "Email": "u@example.com"}]});
    for (method, path, code) in
        [(Method::POST, "/v1/users/services", "GU_2401"), (Method::PUT, "/v1/users/services?key=Gsid", "GU_2402")]
    {
        let (status, body) = client.gainsight(method, path, user.clone()).await;
        let field = &body["data"]["errors"][0][0]["errors"][0]["fieldName"];
        assert_eq!((status, body["errorCode"].as_str(), field), (400, Some(code), &json!("SFDCUserName")));
    }
    let (status, body) = client.person(json!({"Email": "p@example.com", "LastName": "P"})).await;
    assert_eq!((status, body["errorCode"].as_str()), (400, Some("GSOBJ_VDTEMAIL1001")), "{body}");
}

#[tokio::test]
async fn an_answer_may_be_of_another_type_or_size() {
    let client = with(
        r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [1], "content_type": "text/html"}
           {"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [2], "oversize_kb": 300}
           {"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [4], "status": 200, "text": "<html>Sign in</html>"}"#,
    )
    .await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let response = client.dynamics("accounts?$top=2&$select=name").send().await.unwrap();
        let kinds = response.headers().get_all("content-type").iter();
        let kind = kinds.map(|kind| kind.to_str().unwrap().split(';').next().unwrap()).collect::<Vec<_>>().join(",");
        seen.push((kind, response.text().await.unwrap()));
    }
    let rows = |text: &str| serde_json::from_str::<Value>(text).expect("JSON")["value"].as_array().map(Vec::len);
    let kinds: Vec<&str> = seen.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["text/html", "application/json", "application/json", "text/html"]);
    assert_eq!(
        seen[..3].iter().map(|(_, text)| rows(text)).collect::<Vec<_>>(),
        [Some(2); 3],
        "nothing else is changed"
    );
    assert_eq!(seen[1].1.len(), 300 * 1024);
    assert_eq!(seen[0].1, seen[2].1);
}

#[tokio::test]
async fn the_time_to_wait_may_be_unreadable() {
    let client = with(
        r#"{"service": "dynamics", "nth": [1], "status": 429, "retry_after_text": "Wed, 21 Oct 2015 07:28:00 GMT"}
           {"service": "gainsight", "nth": [1], "status": 429, "retry_after_text": "soon"}
           {"service": "gainsight", "nth": [2], "status": 429, "retry_after": 3}
           {"service": "gainsight", "nth": [3], "status": 429}
           {"service": "gainsight", "nth": [4], "html": 503, "retry_after_text": ""}"#,
    )
    .await;
    let sent = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), wait)
    };
    let date = "Wed, 21 Oct 2015 07:28:00 GMT".to_owned();
    assert_eq!(sent(client.dynamics("accounts?$top=1")).await, (429, Some(date)));
    for (status, wait) in [(429, Some("soon")), (429, Some("3")), (429, None), (503, Some(""))] {
        assert_eq!(sent(insert(&client, "A")).await, (status, wait.map(str::to_owned)));
    }
}

#[tokio::test]
async fn an_access_token_may_expire_at_a_request() {
    let client = with(r#"{"service": "dynamics", "nth": [2], "status": 401}"#).await;
    assert_eq!(client.read("accounts?$top=1").await.0, 200);
    let response = client.dynamics("accounts?$top=1").send().await.unwrap();
    let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert_eq!((response.status().as_u16(), challenge.starts_with("Bearer authorization_uri=")), (401, true));
    let (sandbox, form) = (&client.sandbox, token_form(&client.sandbox));
    assert_eq!(post_token(sandbox, &client.http, &sandbox.credentials().tenant_id, &form).await.0, 200);
    assert_eq!(answer(client.dynamics("accounts?$top=1")).await.0, 200);
}
