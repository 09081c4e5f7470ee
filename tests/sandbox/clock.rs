//! The clock that a test may set: what goes by it, and what does not.

use super::client::{Client, row};
use ferry::sandbox::corners::corners;
use reqwest::Method;
use serde_json::{Value, json};

/// 2027-01-15T08:00:00Z.
const START_MS: i64 = 1_800_000_000_000;

fn date(response: &reqwest::Response) -> &str {
    response.headers()["date"].to_str().unwrap()
}

#[tokio::test]
async fn time_stamps_and_replies_go_by_it() {
    let client = Client::start().await;
    client.sandbox.set_clock(START_MS);
    let mut client = client.signed_in_again().await;
    for (later_ms, time, day) in [
        (0, "2027-01-15T08:00:00Z", "Fri, 15 Jan 2027 08:00:00 GMT"),
        (86_400_000, "2027-01-16T08:00:00Z", "Sat, 16 Jan 2027 08:00:00 GMT"),
    ] {
        client.sandbox.advance_clock(later_ms);
        client = client.signed_in_again().await;
        let post = client.write(Method::POST, "contacts", &json!({"lastname": "Timed"}));
        let response = post.header("Prefer", "return=representation").send().await.unwrap();
        assert_eq!(date(&response), day);
        let created: Value = response.json().await.unwrap();
        assert_eq!((&created["createdon"], &created["modifiedon"]), (&json!(time), &json!(time)));
        let id = corners(1).contact_quotes;
        let change = json!({"contactid": id, "lastname": time});
        assert!(client.sandbox.put_row("contact", change.as_object().unwrap().clone()));
        assert_eq!(row(&client.sandbox, "contact", &id)["modifiedon"], time);
        let gsid = client.sandbox.put_record("company", json!({"Name": time}).as_object().unwrap().clone());
        let records = client.sandbox.records("company");
        let record = records.iter().find(|record| record["Gsid"] == gsid.as_str()).unwrap();
        assert_eq!(record["CreatedDate"], START_MS + later_ms);
    }
    let refused = client.http.get(client.sandbox.gainsight_url()).send().await.unwrap();
    assert_eq!(date(&refused), "Sat, 16 Jan 2027 08:00:00 GMT");
}

#[tokio::test]
async fn access_tokens_end_by_it() {
    let client = Client::start().await;
    client.sandbox.advance_clock(3_590_000);
    assert_eq!(client.read("WhoAmI").await.0, 200);
    client.sandbox.advance_clock(10_000);
    assert_eq!(client.read("WhoAmI").await.0, 401);
    assert_eq!(client.signed_in_again().await.read("WhoAmI").await.0, 200);
}

#[tokio::test]
async fn windows_of_calls_stay_in_real_time() {
    let client = Client::start().await;
    client.sandbox.set_clock(START_MS);
    let query = json!({"select": ["Gsid"], "limit": 1});
    let mut refused = 0;
    // A minute of the wall's clock may end in between, so twice a window is more than enough to fill one.
    for _ in 0..201 {
        client.sandbox.advance_clock(60_000);
        refused += usize::from(client.query("company", query.clone()).await.0 == 429);
    }
    assert!(refused > 0);
}
