//! Calls to Gainsight and their budget: what the service says of the time to wait, and tries that are calls too.

use ferry::diagnostic::source::Sources;
use ferry::gainsight::client::{Access, Gainsight};
use ferry::gainsight::error::Error;
use ferry::http::terms::Terms;
use ferry::lang::project::read;
use ferry::model::clock::Clock;
use ferry::model::secret::Secret;
use ferry::sandbox::{Options, Sandbox, start};
use serde_json::json;

use crate::stage::faults_file;

/// Minutes that take sixteen hours: whoever waits for the next window gives up at once.
const SLOW: f64 = 0.001;

async fn tenant(rules: &str, calls_per_minute: u32) -> (Sandbox, Gainsight) {
    let file = faults_file(rules);
    let options = Options { rows: 20, faults: Some(file.path().to_owned()), ..Options::default() };
    let sandbox = start(options).await.expect("the sandbox starts");
    let mut sources = Sources::default();
    let text = format!(
        "CREATE CONNECTION it TO GAINSIGHT URL '{}' AUTH access_key (key = SECRET 'k');",
        sandbox.gainsight_url()
    );
    sources.add("connections.ferry".to_owned(), text);
    let mut connection = read(&sources).connections.remove("it").expect("the connection is right");
    (connection.limits.calls_per_minute, connection.limits.reserve_percent) = (calls_per_minute, 0);
    let key = Secret::new(sandbox.credentials().access_key.clone());
    let terms = Terms::of(&connection, Clock::system(SLOW), None);
    let gainsight = Gainsight::new(&connection, Access::Key(key), &terms).expect("a client");
    (sandbox, gainsight)
}

#[tokio::test]
async fn a_time_to_wait_that_is_named_is_waited() {
    let rule = r#"{"service": "gainsight", "nth": [1], "in_a_row": 2, "status": 429, "retry_after": 0}"#;
    let (sandbox, gainsight) = tenant(rule, 100).await;
    assert!(!gainsight.objects().await.expect("the third call passes").is_empty());
    assert_eq!(sandbox.calls().len(), 3);
    let (_sandbox, gainsight) = tenant(&rule.replace(r#", "retry_after": 0"#, ""), 100).await;
    let error = gainsight.objects().await.expect_err("the next window is far away");
    assert!(matches!(error, Error::Budget { window: "a minute", .. }), "{error}");
}

#[tokio::test]
async fn a_time_to_wait_beyond_all_patience_is_told() {
    let rule = r#"{"service": "gainsight", "status": 429, "retry_after": 3600}"#;
    let (sandbox, gainsight) = tenant(rule, 100).await;
    let error = gainsight.objects().await.expect_err("an hour is too long");
    assert!(error.to_string().contains("asks to wait 3600 s"), "{error}");
    assert_eq!(sandbox.calls().len(), 1);
    let rule = r#"{"service": "gainsight", "status": 429, "retry_after": 0}"#;
    let (sandbox, gainsight) = tenant(rule, 100).await;
    let error = gainsight.objects().await.expect_err("it never ends");
    assert!(error.to_string().contains("GU_2400") && sandbox.calls().len() == 20, "{error}");
}

#[tokio::test]
async fn each_try_is_a_call_of_the_budget() {
    let rule = r#"{"service": "gainsight", "nth": [1], "html": 502}"#;
    let (sandbox, gainsight) = tenant(rule, 2).await;
    gainsight.objects().await.expect("the second try passes");
    let error = gainsight.objects().await.expect_err("two calls were made");
    assert!(matches!(error, Error::Budget { limit: 2, window: "a minute", .. }), "{error}");
    assert_eq!(sandbox.calls().len(), 2);
    let (sandbox, gainsight) = tenant(&rule.replace("[1]", "[1, 2, 3]"), 2).await;
    let error = gainsight.objects().await.expect_err("no third try");
    assert!(matches!(error, Error::Budget { limit: 2, .. }), "{error}");
    assert_eq!(sandbox.calls().len(), 2);
}

#[tokio::test]
async fn a_write_that_is_repeated_is_two_writes() {
    let rule = r#"{"service": "gainsight", "method": "PUT", "nth": [1], "close": "after"}"#;
    let (sandbox, gainsight) = tenant(rule, 100).await;
    let person = json!({ "Email": "kim@example.com" });
    gainsight.write_person(person.as_object().unwrap(), false).await.expect("it is repeated").expect("and not refused");
    assert_eq!(gainsight.calls().gainsight_writes, 2);
    assert_eq!(sandbox.records("person").len(), 1);
}
