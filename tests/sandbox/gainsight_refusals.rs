//! Refusals of the gateway, the windows and the writes, byte for byte; and the two paths of people.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, answer, records};

const LIST: &str = "/v1/meta/services/objects/list";

/// The bytes of an answer, with the id of the request taken out.
async fn bytes(client: &Client, path: &str, key: &str) -> (u16, String) {
    let url = format!("{}{path}", client.sandbox.gainsight_url());
    let response = client.http.get(url).header("accesskey", key).send().await.unwrap();
    let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
    let id = serde_json::from_str::<Value>(&text).unwrap()["requestId"].as_str().expect("an id").to_owned();
    assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{id} is a UUID");
    (status, text.replace(&id, "ID"))
}

#[tokio::test]
async fn the_gateway_refuses_in_its_own_form() {
    let client = Client::start().await;
    let key = client.sandbox.credentials().access_key.clone();
    let unauthorized = r#"{"result":false,"errorCode":"GS_APIG_2401","errorDesc":"Unauthorized","requestId":"ID","message":"Unauthorized"}"#;
    assert_eq!(bytes(&client, LIST, "wrong").await, (401, unauthorized.to_owned()));
    client.sandbox.refuse_address(true);
    let foreign = r#"{"result":false,"errorCode":"GS_APIG_2402","errorDesc":"IP Address does not lie in range of whitelisted ips","requestId":"ID","message":null}"#;
    assert_eq!(bytes(&client, LIST, &key).await, (403, foreign.to_owned()));
    assert_eq!(bytes(&client, LIST, "wrong").await.0, 401, "the key is looked at first");
    let known = client.sandbox.credentials();
    let token = client.http.post(format!("{}/v1/users/m2m/oauth/token", client.sandbox.gainsight_url()));
    let token = token.basic_auth(&known.gainsight_client_id, Some(&known.gainsight_client_secret));
    let (_, granted) = answer(token.body("grant_type=client_credentials")).await;
    let list = client.http.get(format!("{}{LIST}", client.sandbox.gainsight_url()));
    let signed_in = list.bearer_auth(granted["access_token"].as_str().unwrap());
    assert_eq!(answer(signed_in).await.0, 200, "an application is not bound to addresses");
    client.sandbox.refuse_address(false);
    assert_eq!(bytes(&client, LIST, &key).await.0, 200);
}

#[tokio::test]
async fn a_full_window_refuses_in_the_short_form() {
    let client = Client::start().await;
    client.sandbox.fail_next(ferry::sandbox::Service::Gainsight, 429, 1, None);
    let key = client.sandbox.credentials().access_key.clone();
    let ordered = bytes(&client, LIST, &key).await;
    let body = r#"{"result":false,"errorCode":"GU_2400","errorDesc":"Too many request","requestId":"ID","data":null,"message":null}"#;
    assert_eq!(ordered, (429, body.to_owned()));
    for _ in 0..201 {
        let found = bytes(&client, LIST, &key).await;
        if found.0 == 429 {
            assert_eq!(found, ordered);
            return;
        }
    }
    panic!("no window filled");
}

#[tokio::test]
async fn people_are_written_at_both_paths() {
    let client = Client::start().await;
    for (path, name) in [("/v1.0/api/people", "Old"), ("/v1/peoplemgmt/v1.0/people", "New")] {
        let (status, body) =
            client.gainsight(Method::PUT, path, json!({"Email": "kim@example.com", "FirstName": name})).await;
        assert_eq!((status, &body["data"]["FirstName"]), (200, &json!(name)), "{path}");
    }
    assert_eq!(records(&client.sandbox, "person", "Email", "kim@example.com").len(), 1);
    for (method, path) in [(Method::POST, "/v1.0/api/people"), (Method::GET, "/v1.0/api/people")] {
        assert_eq!(client.gainsight(method, path, json!({})).await.0, 404);
    }
}

#[tokio::test]
async fn each_refused_record_has_an_entry_with_its_refused_fields() {
    let client = Client::start().await;
    let sent = json!([
        {"Name": "Good"},
        {"Name": "Bad", "RenewalDate": 210_318, "Employees": "many"},
        {"Name": null},
    ]);
    let (status, body) = client.insert("company", sent).await;
    assert_eq!((status, &body["result"], &body["errorCode"]), (400, &json!(false), &json!("GSOBJ_1006")));
    assert_eq!(body["errorDesc"], "Invalid dateTime format (RenewalDate= 210318)");
    let field = |code: &str, name: &str, value: Value, said: &str| {
        let error = json!({"errorMessage": said, "errorCode": code, "fieldName": name, "invalidValue": value});
        json!({"success": false, "parsedValue": value, "errors": [error]})
    };
    let expected = json!([
        [
            field("GSOBJ_1006", "RenewalDate", json!(210_318), "Invalid dateTime format"),
            field("GSOBJ_1008", "Employees", json!("many"), "Failed to parse value as number."),
        ],
        [field("GSOBJ_1007", "Name", Value::Null, "Invalid field value")],
    ]);
    assert_eq!(body["data"], json!({"count": 0, "errors": expected, "records": null}));
}

#[tokio::test]
async fn an_update_that_matches_nothing_says_so_for_any_key() {
    let client = Client::start().await;
    client.insert("company", json!([{"Name": "Here", "Industry": "A"}])).await;
    for (keys, record) in [
        ("Name", json!({"Name": "Gone"})),
        ("Name,Industry", json!({"Name": "Here", "Industry": "B"})),
        ("Gsid", json!({"Gsid": "1P02AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Name": "X"})),
    ] {
        let (status, body) = client.update("company", keys, json!([record])).await;
        assert_eq!((status, body["errorCode"].as_str()), (400, Some("GSOBJ_1011")), "{keys}");
        assert_eq!(body["errorDesc"], "No entity matches the given criteria, please re-check your request");
    }
    let three = json!([{"Name": "Here", "Industry": "A", "Dynamics_Account_ID__gc": "x"}]);
    assert_eq!(client.update("company", "Name,Industry", three).await.0, 200);
    assert_eq!(records(&client.sandbox, "company", "Name", "Here")[0]["Dynamics_Account_ID__gc"], "x");
}
