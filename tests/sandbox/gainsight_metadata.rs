//! The list and the description of objects, and picklist categories.

use super::client::Client;
use reqwest::Method;
use serde_json::{Value, json};

async fn fields(client: &Client, object: &str) -> Vec<Value> {
    let path = format!("/v1/meta/services/objects/{object}/describe?ic=false&cl=0&idd=false");
    let (status, body) = client.gainsight(Method::GET, &path, Value::Null).await;
    assert_eq!(status, 200, "{body}");
    body["data"][0]["fields"].as_array().expect("an object has fields").clone()
}

#[tokio::test]
async fn fields_are_found_by_the_labels_analysts_write() {
    let client = Client::start().await;
    for (object, label, name, kind) in [
        ("Company", "External Account ID_gainsight123", "External_Account_ID_gainsight123__gc", "STRING"),
        ("company", "Employees", "Employees", "NUMBER"),
        ("gsuser", "Username", "SFDCUserName", "STRING"),
        ("GsUser", "Manager", "Manager", "LOOKUP"),
        ("person", "Email", "Email", "EMAIL"),
        ("company_person", "External Contact ID_gainsight123", "External_Contact_ID_gainsight123__gc", "STRING"),
        ("company", "GSID", "Gsid", "GSID"),
    ] {
        let fields = fields(&client, object).await;
        let field = fields.iter().find(|field| field["label"] == label).unwrap();
        assert_eq!((&field["fieldName"], &field["dataType"]), (&json!(name), &json!(kind)), "{object} {label}");
    }
}

#[tokio::test]
async fn meta_says_what_may_be_written() {
    let client = Client::start().await;
    let users = fields(&client, "gsuser").await;
    let meta = |name: &str| users.iter().find(|field| field["fieldName"] == name).unwrap()["meta"].clone();
    assert_eq!(meta("IsSuperAdmin")["updateable"], false);
    assert_eq!((&meta("Email")["required"], &meta("Email")["nillable"]), (&json!(true), &json!(false)));
    assert_eq!(meta("SFDCUserName")["length"], 255);
    assert_eq!(meta("Name")["required"], false);
    assert_eq!(meta("Manager")["lookupDetail"]["lookupObjects"][0]["objectName"], "gsuser");
    assert_eq!(meta("Manager")["selfLookup"], true);
}

#[tokio::test]
async fn a_category_lists_the_items_that_describe_lists() {
    let client = Client::start().await;
    let company = fields(&client, "company").await;
    let stage = company.iter().find(|field| field["fieldName"] == "Stage").unwrap();
    let id = stage["meta"]["properties"]["PICKLIST_CATEGORY_ID"].as_str().unwrap();
    let (_, body) = client.gainsight(Method::GET, &format!("/v1/meta/services/dropdowns/{id}"), Value::Null).await;
    let listed: Vec<&Value> = body["data"]["childItems"].as_array().unwrap().iter().map(|item| &item["gsid"]).collect();
    let options: Vec<&Value> = stage["options"].as_array().unwrap().iter().map(|item| &item["value"]).collect();
    assert_eq!(listed, options);
}

#[tokio::test]
async fn several_are_described_at_once_and_an_unknown_one_is_told() {
    let client = Client::start().await;
    let path = "/v1/meta/services/objects/describe";
    let body = json!({"objectNames": ["company", "gsuser"], "includeChilds": "true", "childLevels": "0"});
    let (_, both) = client.gainsight(Method::POST, path, body).await;
    assert_eq!(both["data"].as_array().unwrap().len(), 2);
    let (_, unknown) = client.gainsight(Method::POST, path, json!({"objectNames": ["nothing"]})).await;
    assert_eq!((unknown["title"].as_str(), unknown.get("errorCode")), (Some("OBJECT_NOT_FOUND"), None));
    let (_, list) = client.gainsight(Method::GET, "/v1/meta/services/objects/list", Value::Null).await;
    let high = list["data"].as_array().unwrap().iter().find(|one| one["objectName"] == "UsageEvents__gc").unwrap();
    assert_eq!(high["transactional"], false);
}
