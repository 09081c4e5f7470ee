//! The unbound functions.

use super::client::{Client, answer};
use serde_json::json;

#[tokio::test]
async fn functions_are_called_with_and_without_parentheses() {
    let client = Client::start().await;
    for path in ["WhoAmI", "WhoAmI()"] {
        let (status, me) = client.read(path).await;
        assert_eq!((status, me["OrganizationId"].as_str()), (200, Some(client.sandbox.organization_id())), "{path}");
        assert!(me["@odata.context"].as_str().unwrap().ends_with("$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"));
    }
    for path in ["RetrieveVersion", "RetrieveVersion()"] {
        let (status, version) = client.read(path).await;
        assert!(status == 200 && version["Version"].as_str().unwrap().starts_with("9.2."), "{version}");
    }
}

#[tokio::test]
async fn rows_of_several_tables_are_counted_at_once() {
    let client = Client::start().await;
    let rows = |table: &str| client.sandbox.table(table).len();
    let expected = json!({"Count": 2, "IsReadOnly": false, "Keys": ["account", "contact"],
        "Values": [rows("account"), rows("contact")]});
    for call in [
        "(EntityNames=@p1)?@p1=[\"account\",\"contact\"]",
        "(EntityNames=@p1)?@p1=%5B%22account%22%2C%22contact%22%5D",
        "(EntityNames=@names)?%40names=['account','contact']",
        "(EntityNames=['account','contact'])",
    ] {
        let (status, counted) = client.read(&format!("RetrieveTotalRecordCount{call}")).await;
        assert_eq!((status, &counted["EntityRecordCountCollection"]), (200, &expected), "{call}");
    }
}

#[tokio::test]
async fn wrong_calls_are_refused() {
    let client = Client::start().await;
    for (path, status) in [
        ("RetrieveTotalRecordCount", 404),
        ("RetrieveTotalRecordCount()", 404),
        ("RetrieveTotalRecordCount(Names=@p1)?@p1=[\"account\"]", 404),
        ("RetrieveTotalRecordCount(EntityNames=@p1)", 400),
        ("RetrieveTotalRecordCount(EntityNames=@p1)?@p2=[\"account\"]", 400),
        ("RetrieveTotalRecordCount(EntityNames=@p1)?@p1=account", 400),
        ("RetrieveTotalRecordCount(EntityNames=@p1)?@p1=[\"lead\"]", 400),
        ("RetrieveTotalRecordCount(EntityNames=@p1)?@p1=[1]", 400),
        ("WhoAmI(x=1)", 404),
        ("WhoAmI?$select=UserId", 400),
        ("WhoAmI/UserId", 501),
        ("whoami", 404),
        ("RetrieveCurrentOrganization(AccessType=@p1)", 501),
    ] {
        let (found, body) = client.read(path).await;
        assert_eq!(found, status, "{path}: {body}");
    }
    let (status, body) = answer(client.request(reqwest::Method::POST, "WhoAmI")).await;
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("")));
    assert!(body["error"]["message"].as_str().unwrap().starts_with("No HTTP resource was found"));
}
