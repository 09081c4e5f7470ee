//! The file of faults: each kind on the wire, when rules strike, and files that are refused.

use std::time::Instant;

use ferry::sandbox::{Options, start};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, answer, post_token, token_form};
use crate::stage::faults_file;

const GOOD: &str = r#"{"service": "gainsight", "html": 502}"#;
const LIST: &str = "/v1/meta/services/objects/list";

async fn with(rules: &str) -> Client {
    let file = faults_file(rules);
    Client::with(Options { rows: 200, faults: Some(file.path().to_owned()), ..Options::default() }).await
}

/// What is wrong with a file, without its folder.
async fn refused(rules: &str) -> String {
    let file = faults_file(rules);
    let options = Options { rows: 20, faults: Some(file.path().to_owned()), ..Options::default() };
    let error = start(options).await.err().expect("the file is refused").to_string();
    error.strip_prefix(&format!("{}:", file.path().display())).expect("it names the file").to_owned()
}

/// The statuses of so many requests to Gainsight.
async fn statuses(client: &Client, count: usize) -> Vec<u16> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(client.gainsight(Method::GET, LIST, Value::Null).await.0);
    }
    all
}

#[tokio::test]
async fn a_status_has_the_services_own_body() {
    let client = with(
        r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "status": 429, "code": "0x80072321", "retry_after": 7, "times": 1}
           {"service": "gainsight", "status": 500, "times": 1}
           {"service": "gainsight", "status": 400, "code": "GSOBJ_1023", "times": 1}
           {"service": "entra", "nth": [2], "status": 429}"#,
    )
    .await;
    let response = client.dynamics("accounts?$top=1").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "0x80072321");
    assert_eq!(client.read("accounts?$top=1").await.0, 200);
    for (status, code) in [(500, "GU_1101"), (400, "GSOBJ_1023")] {
        let (found, body) = client.gainsight(Method::GET, LIST, Value::Null).await;
        assert_eq!((found, body["errorCode"].as_str()), (status, Some(code)));
    }
    let tenant = client.sandbox.credentials().tenant_id.clone();
    let form = token_form(&client.sandbox);
    let (status, body) = post_token(&client.sandbox, &client.http, &tenant, &form).await;
    assert_eq!((status, &body["error"]), (429, &json!("temporarily_unavailable")));
}

#[tokio::test]
async fn pages_and_texts_of_gateways_are_no_envelope() {
    let client = with(
        r#"# What stands before a service has words of its own.
           {"service": "gainsight", "html": 503, "retry_after": 2, "times": 1}

           {"service": "gainsight", "status": 429, "text": "Too many requests", "times": 1}
           {"service": "dynamics", "html": 504, "times": 1}"#,
    )
    .await;
    let key = &client.sandbox.credentials().access_key;
    let list = || client.http.get(format!("{}{LIST}", client.sandbox.gainsight_url())).header("accesskey", key).send();
    let page = list().await.unwrap();
    let head = (page.status().as_u16(), page.headers()["content-type"].clone(), page.headers()["retry-after"].clone());
    assert_eq!((head.0, head.1.to_str().unwrap(), head.2.to_str().unwrap()), (503, "text/html", "2"));
    assert!(page.text().await.unwrap().contains("<h1>503 Service Unavailable</h1>"));
    let text = list().await.unwrap();
    assert_eq!((text.status().as_u16(), text.headers().get_all("content-type").iter().count()), (429, 1));
    assert_eq!(text.text().await.unwrap(), "Too many requests");
    let (status, page) = client.read("accounts?$top=1").await;
    assert_eq!((status, page.as_str().is_some_and(|page| page.starts_with("<html>"))), (504, true));
}

#[tokio::test]
async fn a_cut_body_announces_its_whole_length() {
    let client = with(
        r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "cut": 100, "times": 1}
           {"service": "dynamics", "path": "/api/data/v9.2/accounts", "cut": 9999999, "times": 1}
           {"service": "dynamics", "path": "/api/data/v9.2/accounts", "cut": 0, "times": 1}"#,
    )
    .await;
    let path = "accounts?$top=3&$orderby=name";
    let mut received = Vec::new();
    let mut announced = Vec::new();
    for _ in 0..3 {
        let mut response = client.dynamics(path).send().await.expect("the head arrives");
        assert_eq!(response.status(), 200);
        announced.push(response.content_length().expect("a length is announced") as usize);
        let mut bytes = 0;
        let error = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes += chunk.len(),
                Ok(None) => panic!("the body ended as if it were whole"),
                Err(error) => break error,
            }
        };
        assert!(error.is_body() || error.is_decode(), "{error:?}");
        received.push(bytes);
    }
    let whole = client.dynamics(path).send().await.unwrap().bytes().await.unwrap().len();
    assert_eq!(announced, [whole; 3]);
    assert_eq!(received, [100, whole - 1, 0]);
}

#[tokio::test]
async fn a_closed_connection_is_closed_before_or_after_the_deed() {
    let client = with(
        r#"{"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [1], "close": "before"}
           {"service": "gainsight", "method": "POST", "path": "/v1/data/objects/company", "nth": [2], "close": "after"}"#,
    )
    .await;
    let before = client.sandbox.records("company").len();
    let url = format!("{}/v1/data/objects/company", client.sandbox.gainsight_url());
    let body = json!({"records": [{"Name": "A"}]});
    let insert = || client.http.post(&url).header("accesskey", &client.sandbox.credentials().access_key).json(&body);
    for stored in [0, 1] {
        let error = insert().send().await.expect_err("not even a status arrives");
        assert!(error.is_request(), "{error:?}");
        assert_eq!(client.sandbox.records("company").len(), before + stored);
    }
    assert_eq!(answer(insert()).await.0, 200);
    let calls = client.sandbox.calls();
    let short: Vec<_> = calls[1..].iter().map(|call| (call.status, call.write, call.records)).collect();
    assert_eq!(short, [(0, true, 0), (0, true, 1), (200, true, 1)]);
}

#[tokio::test]
async fn json_may_end_early_and_a_link_may_lead_back() {
    let client = with(
        r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [1], "truncate_json": true}
           {"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [2, 4], "repeat_link": true}"#,
    )
    .await;
    let paged = |path: &str| client.dynamics(path).header("Prefer", "odata.maxpagesize=2");
    let (status, half) = answer(paged("accounts?$select=name")).await;
    assert_eq!((status, half.as_str().is_some_and(|text| text.starts_with('{'))), (200, true), "{half}");
    let (_, page) = answer(paged("accounts?$select=name")).await;
    let asked = format!("{}/api/data/v9.2/accounts?$select=name", client.sandbox.dynamics_url());
    assert_eq!(page["@odata.nextLink"], asked.as_str());
    let (_, honest) = answer(client.link(&asked).header("Prefer", "odata.maxpagesize=2")).await;
    assert_eq!(honest["value"], page["value"]);
    assert!(honest["@odata.nextLink"].as_str().unwrap().contains("$skiptoken="));
    let (status, last) = client.read("accounts?$top=1").await;
    assert_eq!((status, last.get("@odata.nextLink")), (200, None), "what has no link is given none");
}

#[tokio::test]
async fn latency_stands_alone_or_beside_another_fault() {
    let client = with(
        r#"{"service": "gainsight", "latency_ms": 20, "nth": [1]}
           {"service": "gainsight", "latency_ms": 20, "html": 502, "nth": [2]}"#,
    )
    .await;
    for expected in [200, 502] {
        let begin = Instant::now();
        assert_eq!(statuses(&client, 1).await, [expected]);
        assert!(begin.elapsed().as_millis() >= 20);
    }
}

#[tokio::test]
async fn rules_count_the_requests_that_they_are_about() {
    let client = with(
        r#"{"service": "gainsight", "every": 3, "html": 502, "times": 2}
           {"service": "gainsight", "nth": [1, 3], "html": 503}
           {"service": "gainsight", "method": "POST", "html": 504}
           {"service": "gainsight", "path": "/v2/", "html": 504}
           {"service": "gainsight", "nth": [8], "in_a_row": 3, "status": 429}"#,
    )
    .await;
    client.read("accounts?$top=1").await;
    let endless =
        with(&format!(r#"{{"service": "gainsight", "nth": [2], "in_a_row": {}, "html": 502}}"#, usize::MAX)).await;
    assert_eq!(statuses(&endless, 4).await, [200, 502, 502, 502]);
    assert_eq!(statuses(&client, 12).await, [503, 200, 502, 200, 200, 502, 200, 429, 429, 429, 200, 200]);
}

#[tokio::test]
async fn one_seed_draws_one_sequence() {
    let rules = r#"{"service": "gainsight", "probability": 0.3, "html": 502}
                   {"service": "gainsight", "probability": 0.3, "html": 503}"#;
    let drawn = async |seed: u64| {
        let file = faults_file(rules);
        let faults = Some(file.path().to_owned());
        let client = Client::with(Options { rows: 20, seed, faults, ..Options::default() }).await;
        statuses(&client, 60).await
    };
    let first = drawn(1).await;
    assert_eq!(first, drawn(1).await);
    assert_ne!(first, drawn(2).await);
    let of = |status: u16| first.iter().filter(|found| **found == status).count();
    assert!((9..=27).contains(&of(502)) && (5..=22).contains(&of(503)), "{first:?}");
    for (probability, status) in [("0", 200), ("1.0", 502)] {
        let client = with(&format!(r#"{{"service": "gainsight", "probability": {probability}, "html": 502}}"#)).await;
        assert_eq!(statuses(&client, 20).await, [status; 20]);
    }
}

/// A wrong line among good ones is told by its number.
async fn assert_told(line: &str, said: &str) {
    let found = refused(&format!("# One good rule.\n{GOOD}\n{line}\n{GOOD}")).await;
    assert!(found.starts_with(&format!("3: {said}")), "{line} is told: {found}");
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_named_with_what_to_do() {
    for (line, said) in [
        (r#"{"service": "gainsight", "expire_link": true}"#, "only Dynamics links to a next page"),
        (r#"{"service": "entra", "repeat_row": true}"#, "only Dynamics links to a next page"),
        (
            r#"{"service": "gainsight", "drop_row": true}"#,
            "`drop_row` is about rows of Dynamics; name service dynamics",
        ),
        (r#"{"service": "gainsight", "unknown_choice": true}"#, "`unknown_choice` is about rows of Dynamics"),
        (
            r#"{"service": "entra", "touch": {"table": "contact", "column": "jobtitle", "value": "x"}}"#,
            "`touch` is about rows of Dynamics",
        ),
        (r#"{"service": "dynamics", "touch": {"table": "contact", "column": "jobtitle"}}"#, "missing field `value`"),
        (
            r#"{"service": "dynamics", "touch": {"table": "contact", "column": "jobtitle", "value": "x", "rows": 0}}"#,
            "`rows` of a touch counts rows; write 1 to 10000",
        ),
        (r#"{"service": "dynamics", "drop_row": true, "unknown_choice": true}"#, "the rule does two things"),
        (r#"{"service": "dynamics", "refuse_records": [0]}"#, "`refuse_records` is about writes to Gainsight"),
        (r#"{"service": "gainsight", "refuse_records": []}"#, "`refuse_records` lists records of a call"),
        (r#"{"service": "gainsight", "refuse_records": [50]}"#, "`refuse_records` lists records of a call"),
        (r#"{"service": "gainsight", "late_ms": 60001}"#, "`late_ms` is too long; write 60000 at most"),
        (r#"{"service": "gainsight", "late_ms": 1, "close": "after"}"#, "the rule does two things"),
        (r#"{"service": "gainsight", "stale_ms": 60001}"#, "`stale_ms` is too long; write 60000 at most"),
        (r#"{"service": "dynamics", "stale_ms": 1}"#, "only Gainsight is written to"),
        (r#"{"service": "gainsight", "content_type": ""}"#, "`content_type` is the value of a header"),
        (r#"{"service": "gainsight", "oversize_kb": 0}"#, "`oversize_kb` is the size of the answer; write 1 to 131072"),
        (r#"{"service": "gainsight", "oversize_kb": 131073}"#, "`oversize_kb` is the size of the answer"),
        (r#"{"service": "gainsight", "cut": 1, "retry_after_text": "x"}"#, "`retry_after_text` belongs to a status"),
        (
            r#"{"service": "gainsight", "status": 429, "retry_after": 1, "retry_after_text": "x"}"#,
            "the header is written twice; keep one of retry_after, retry_after_text",
        ),
        (
            r#"{"service": "gainsight", "status": 429, "retry_after_text": "\n"}"#,
            "`retry_after_text` is the value of a",
        ),
    ] {
        assert_told(line, said).await;
    }
}

#[tokio::test]
async fn a_wrong_line_is_named_with_what_to_do() {
    for (line, said) in [
        ("html 502", "expected value (column 1); a rule is one JSON object on one line"),
        (r#"{"html": 502}"#, "missing field `service` (column 13)"),
        (r#"{"service": "salesforce", "html": 502}"#, "unknown variant `salesforce`, expected one of `dynamics`"),
        (r#"{"service": "gainsight", "stauts": 502}"#, "unknown field `stauts`, expected one of `service`"),
        (r#"{"service": "gainsight"}"#, "the rule does nothing; name one of status"),
        (r#"{"service": "gainsight", "html": 502, "cut": 1}"#, "the rule does two things; give each a line"),
        (r#"{"service": "gainsight", "html": 500}"#, "`html` is the page of a gateway; write 502, 503 or 504"),
        (r#"{"service": "gainsight", "status": 99}"#, "`status` is no status of an answer"),
        (r#"{"service": "gainsight", "html": 502, "code": "X"}"#, "`code` and `text` belong to a status"),
        (r#"{"service": "gainsight", "status": 401, "code": "X"}"#, "this error has no code to choose"),
        (r#"{"service": "entra", "status": 400, "code": "X"}"#, "this error has no code to choose"),
        (r#"{"service": "gainsight", "status": 400, "code": "X", "text": ""}"#, "`text` is the whole body"),
        (r#"{"service": "gainsight", "cut": 1, "retry_after": 1}"#, "`retry_after` belongs to a status"),
        (r#"{"service": "gainsight", "html": 503, "retry_after": 86401}"#, "`retry_after` is in seconds; write 86400"),
        (r#"{"service": "gainsight", "repeat_link": true}"#, "only Dynamics links to a next page"),
        (r#"{"service": "gainsight", "close": "during"}"#, "unknown variant `during`, expected `before` or `after`"),
        (r#"{"service": "gainsight", "latency_ms": 60001}"#, "`latency_ms` is too long; write 60000 at most"),
        (r#"{"service": "gainsight", "html": 502, "probability": 1.5}"#, "`probability` is a share"),
        (r#"{"service": "gainsight", "html": 502, "every": 0}"#, "`every` counts requests; write 1 or more"),
        (r#"{"service": "gainsight", "html": 502, "nth": []}"#, "`nth` lists the numbers of requests"),
        (r#"{"service": "gainsight", "html": 502, "nth": [0]}"#, "`nth` lists the numbers of requests"),
        (r#"{"service": "gainsight", "html": 502, "nth": [1], "every": 2}"#, "the rule says twice when it strikes"),
        (r#"{"service": "gainsight", "html": 502, "times": 0}"#, "`in_a_row` and `times` count strikes"),
        (r#"{"service": "gainsight", "html": 502, "method": "get"}"#, "`method` is no method; write it in capitals"),
        (r#"{"service": "gainsight", "html": 502, "path": "v1"}"#, "`path` is the beginning of a path"),
        (r#"{"service": "gainsight", "html": 502, "path": "/v1?x"}"#, "`path` is the beginning of a path"),
    ] {
        assert_told(line, said).await;
    }
    assert!(refused(&format!("{GOOD}\n").repeat(1001)).await.starts_with("1001: the file is too long"));
    let gone = Options { faults: Some("no/such/file".into()), ..Options::default() };
    let error = start(gone).await.err().expect("there is no file").to_string();
    assert!(error.starts_with("no/such/file: cannot read the faults: "), "{error}");
}
