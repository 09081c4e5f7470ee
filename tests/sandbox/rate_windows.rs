//! Rate windows.

use super::client::Client;
use ferry::sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

const LIST: &str = "/v1/meta/services/objects/list";

/// How many of the calls pass; more than one window's worth can only mean that the window rolled meanwhile.
async fn passed(client: &Client, method: Method, path: &str, calls: usize) -> (usize, Option<Value>) {
    let (mut passed, mut refused) = (0, None);
    for _ in 0..calls {
        let (status, body) = client.gainsight(method.clone(), path, json!({"records": []})).await;
        match status {
            429 => refused = Some(body),
            _ => passed += 1,
        }
    }
    (passed, refused)
}

#[tokio::test]
async fn the_window_has_a_hundred_calls_and_refuses_with_the_documented_body() {
    let client = Client::start().await;
    let (count, refused) = passed(&client, Method::GET, LIST, 201).await;
    assert!((100..=200).contains(&count), "{count}");
    let refused = refused.unwrap();
    assert_eq!((refused["errorCode"].as_str(), refused["data"].clone()), (Some("GU_2400"), Value::Null));
    assert_eq!(client.sandbox.calls().iter().filter(|call| call.status == 429).count(), 201 - count);
}

#[tokio::test]
async fn users_have_a_bucket_of_their_own() {
    let client = Client::start().await;
    let (count, _) = passed(&client, Method::POST, "/v1/users/services", 201).await;
    assert!((100..=200).contains(&count), "{count}");
    assert_eq!(client.gainsight(Method::GET, LIST, Value::Null).await.0, 200);
}

#[tokio::test]
async fn the_next_window_is_free_again() {
    // A minute takes one second, so the calls that follow a refusal soon reach the next one.
    let client = Client::with(Options { rows: 20, limits_scale: 60.0, ..Options::default() }).await;
    let mut seen_refusal = false;
    for _ in 0..20_000 {
        let (status, _) = client.gainsight(Method::GET, LIST, Value::Null).await;
        seen_refusal |= status == 429;
        if seen_refusal && status == 200 {
            return;
        }
    }
    unreachable!("no window filled and opened again (refused: {seen_refusal})");
}

#[tokio::test]
async fn calls_without_a_key_or_a_route_are_not_counted() {
    let client = Client::start().await;
    client.sandbox.set_access_key_valid(false);
    passed(&client, Method::GET, LIST, 150).await;
    client.sandbox.set_access_key_valid(true);
    passed(&client, Method::GET, "/v1/nothing", 150).await;
    assert_eq!(passed(&client, Method::GET, LIST, 100).await.0, 100);
}
