//! Users: create, update and status.

use super::client::{Client, records};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/v1/users/services";

async fn create(client: &Client, records: Value) -> (u16, Value) {
    client.gainsight(Method::POST, &format!("{PATH}?notify=false"), json!({"records": records})).await
}

async fn update(client: &Client, key: &str, records: Value) -> (u16, Value) {
    client.gainsight(Method::PUT, &format!("{PATH}?key={key}"), json!({"records": records})).await
}

fn user(name: &str) -> Value {
    json!({"FirstName": "New", "LastName": name, "Email": format!("{name}@example.com"), "SFDCUserName": name})
}

#[tokio::test]
async fn a_created_user_gets_a_name_and_defaults() {
    let client = Client::start().await;
    let (status, body) = create(&client, json!([user("one"), user("two")])).await;
    assert_eq!((status, &body["data"]["count"]), (200, &json!(2)));
    let stored = &records(&client.sandbox, "gsuser", "SFDCUserName", "one")[0];
    assert_eq!((&stored["Name"], &stored["IsActiveUser"]), (&json!("New one"), &json!(true)));
    assert_eq!(stored["Gsid"], body["data"]["records"][0]["Gsid"]);
}

#[tokio::test]
async fn refused_users_take_the_whole_call_with_them() {
    let client = Client::start().await;
    let before = client.sandbox.records("gsuser").len();
    let with = |field: &str, value: Value| {
        let mut record = user("bad");
        record[field] = value;
        record
    };
    for bad in [
        with("SFDCUserName", json!("there@contoso.example")),
        with("SFDCUserName", json!("TWICE@contoso.example")),
        with("SFDCUserName", Value::Null),
        with("SFDCUserName", json!("u".repeat(300))),
        with("SFDCUserName", json!("good")),
        with("Email", Value::Null),
        with("Email", json!("x@blocked.example")),
        with("Manager", json!("1P01AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        with("IsSuperAdmin", json!(true)),
        with("SystemType", json!("External")),
        json!({"Email": "n@example.com", "SFDCUserName": "nameless"}),
    ] {
        let (status, body) = create(&client, json!([user("good"), bad])).await;
        assert_eq!((status, body["errorCode"].as_str()), (400, Some("GU_2401")), "{bad}");
        assert!(body["data"]["errors"][0][0]["errors"][0]["fieldName"].is_string());
    }
    assert_eq!(client.sandbox.records("gsuser").len(), before);
}

#[tokio::test]
async fn an_update_finds_one_user_and_keeps_its_key() {
    let client = Client::start().await;
    let (_, body) = create(&client, json!([user("one"), user("two")])).await;
    let gsid = body["data"]["records"][0]["Gsid"].clone();
    let (status, _) = update(&client, "SFDCUserName", json!([{"SFDCUserName": "two", "Manager": gsid}])).await;
    assert_eq!((status, &records(&client.sandbox, "gsuser", "SFDCUserName", "two")[0]["Manager"]), (200, &gsid));
    for (key, record, code) in [
        ("Email", json!({"Email": "one@example.com", "Title": "X"}), "GU_2409"),
        ("SFDCUserName", json!({"SFDCUserName": "nobody", "Title": "X"}), "GU_2402"),
        ("SFDCUserName", json!({"Title": "X"}), "GU_2402"),
        ("SFDCUserName", json!({"SFDCUserName": "twice@contoso.example", "Title": "X"}), "GU_2411"),
        ("Gsid", json!({"Gsid": gsid, "SFDCUserName": "two"}), "GU_2411"),
        ("Gsid", json!({"Gsid": gsid, "Manager": gsid}), "GU_2410"),
        ("Gsid", json!({"Gsid": gsid, "Email": null}), "GU_2402"),
    ] {
        let (status, body) = update(&client, key, json!([record])).await;
        assert_eq!((status, body["errorCode"].as_str()), (400, Some(code)), "{record}");
    }
}

#[tokio::test]
async fn users_are_switched_off_and_not_deleted() {
    let client = Client::start().await;
    let (_, body) = create(&client, json!([user("one")])).await;
    let gsid = body["data"]["records"][0]["Gsid"].clone();
    let status = |value: &'static str| format!("{PATH}/status?status={value}");
    assert_eq!(client.gainsight(Method::PUT, &status("false"), json!([gsid])).await.0, 200);
    assert_eq!(records(&client.sandbox, "gsuser", "SFDCUserName", "one")[0]["IsActiveUser"], false);
    let (_, unknown) = client.gainsight(Method::PUT, &status("true"), json!([gsid, "nobody"])).await;
    assert_eq!(unknown["errorCode"], "GU_2402");
    assert_eq!(records(&client.sandbox, "gsuser", "SFDCUserName", "one")[0]["IsActiveUser"], false);
    assert_eq!(client.gainsight(Method::PUT, &status("maybe"), json!([gsid])).await.0, 400);
}
