//! Writes that are done: create, update, upsert, delete, and the parts of a row.

use super::client::{Client, answer, row};
use ferry::sandbox::corners::corners;
use reqwest::{Method, Response};
use serde_json::{Value, json};

async fn sent(client: &Client, method: Method, path: &str, body: Value) -> Response {
    client.write(method, path, &body).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Creates a row and returns its key, read from the address the service gives.
async fn create(client: &Client, set: &str, body: Value) -> String {
    let response = sent(client, Method::POST, set, body).await;
    assert_eq!(response.status(), 204);
    let address = header(&response, "odata-entityid").to_owned();
    assert_eq!(header(&response, "location"), address);
    let start = format!("{}/api/data/v9.2/{set}(", client.sandbox.dynamics_url());
    let key = address.strip_prefix(&start).and_then(|rest| rest.strip_suffix(')')).expect("an absolute address");
    key.to_owned()
}

#[tokio::test]
async fn a_created_row_is_there_with_what_the_service_adds() {
    let client = Client::start().await;
    let id =
        create(&client, "accounts", json!({"name": "Litware, Inc. – ÄÖ 🚀", "revenue": 2000.5, "industrycode": 1}))
            .await;
    let (_, account) = client.read(&format!("accounts({id})")).await;
    assert_eq!((&account["name"], &account["revenue"]), (&json!("Litware, Inc. – ÄÖ 🚀"), &json!(2000.5)));
    assert_eq!((&account["statecode"], &account["statuscode"]), (&json!(0), &json!(1)));
    assert_eq!((&account["revenue_base"], &account["exchangerate"]), (&json!(2000.5), &json!(1.0)));
    assert_eq!(account["createdon"], account["modifiedon"]);
    assert!(account["createdon"].as_str().unwrap().ends_with('Z'));
    let (_, me) = client.read("WhoAmI").await;
    for column in ["_ownerid_value", "_owninguser_value", "_createdby_value", "_modifiedby_value"] {
        assert_eq!(account[column], me["UserId"], "{column}");
    }
    assert_eq!(account["_owningbusinessunit_value"], me["BusinessUnitId"]);
    assert!(account["_transactioncurrencyid_value"].is_string());
    let other = create(&client, "accounts", json!({})).await;
    assert_ne!(other, id);
}

#[tokio::test]
async fn a_full_name_follows_its_parts() {
    let client = Client::start().await;
    let id = create(&client, "contacts", json!({"firstname": "Ada", "lastname": "Lovelace"})).await;
    assert_eq!(row(&client.sandbox, "contact", &id)["fullname"], "Ada Lovelace");
    sent(&client, Method::PATCH, &format!("contacts({id})"), json!({"firstname": null})).await;
    assert_eq!(row(&client.sandbox, "contact", &id)["fullname"], "Lovelace");
}

#[tokio::test]
async fn the_row_comes_back_where_it_is_preferred() {
    let client = Client::start().await;
    let post = client.write(Method::POST, "contacts?$select=lastname,emailaddress1", &json!({"lastname": "X"}));
    let response = post.header("Prefer", "return=representation").send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "preference-applied")), (201, "return=representation"));
    assert!(header(&response, "location").contains("/contacts("));
    let etag = header(&response, "etag").to_owned();
    let created: Value = response.json().await.unwrap();
    assert_eq!(created["@odata.etag"], etag);
    assert_eq!((&created["lastname"], &created["emailaddress1"]), (&json!("X"), &Value::Null));
    assert!(created["@odata.context"].as_str().unwrap().ends_with("#contacts(lastname,emailaddress1)/$entity"));
    assert!(created.get("firstname").is_none());
    let path = format!("contacts({})", created["contactid"].as_str().unwrap());
    let patch = client.write(Method::PATCH, &path, &json!({"lastname": "Y"}));
    let (status, changed) = answer(patch.header("Prefer", "return=representation")).await;
    assert_eq!((status, &changed["lastname"]), (200, &json!("Y")));
    assert_ne!(changed["@odata.etag"], etag);
}

#[tokio::test]
async fn lookups_are_bound_by_every_form_of_address_and_cleared() {
    let client = Client::start().await;
    let corners = corners(1);
    let (contact, account) = (&corners.contact_quotes, &corners.account_renamed);
    let url = client.sandbox.dynamics_url();
    for address in [
        format!("/contacts({contact})"),
        format!("contacts({})", contact.to_uppercase()),
        format!("contacts(contactid={contact})"),
        format!("{url}/api/data/v9.2/contacts({contact})"),
    ] {
        let id = create(&client, "accounts", json!({"name": "Bound", "primarycontactid@odata.bind": address})).await;
        assert_eq!(row(&client.sandbox, "account", &id)["_primarycontactid_value"], contact.as_str(), "{address}");
    }
    let body = json!({"lastname": "Z", "parentcustomerid_account@odata.bind": format!("/accounts({account})")});
    let id = create(&client, "contacts", body).await;
    let read = client.dynamics(&format!("contacts({id})?$select=_parentcustomerid_value"));
    let (_, found) = answer(read.header("Prefer", "odata.include-annotations=\"*\"")).await;
    assert_eq!(found["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "account");
    for clear in [json!({"parentcustomerid_account@odata.bind": null}), json!({"parentcustomerid_contact": null})] {
        let bind = json!({"parentcustomerid_contact@odata.bind": format!("/contacts({contact})")});
        sent(&client, Method::PATCH, &format!("contacts({id})"), bind).await;
        assert_eq!(row(&client.sandbox, "contact", &id)["_parentcustomerid_value"], contact.as_str());
        sent(&client, Method::PATCH, &format!("contacts({id})"), clear).await;
        assert_eq!(row(&client.sandbox, "contact", &id)["_parentcustomerid_value"], Value::Null);
    }
    let team = client.sandbox.table("team")[0]["teamid"].as_str().unwrap().to_owned();
    let bind = json!({"ownerid@odata.bind": format!("/teams({team})")});
    sent(&client, Method::PATCH, &format!("contacts({id})"), bind).await;
    let owned = row(&client.sandbox, "contact", &id);
    assert_eq!((&owned["_ownerid_value"], &owned["_owninguser_value"]), (&json!(team), &Value::Null));
}

#[tokio::test]
async fn an_update_moves_version_and_time_and_leaves_the_rest() {
    let client = Client::start().await;
    let id = corners(1).account_renamed;
    let before = row(&client.sandbox, "account", &id);
    let patch =
        client.write(Method::PATCH, &format!("accounts({id})"), &json!({"numberofemployees": 3, "statecode": 1}));
    let response = patch.header("If-Match", "*").send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert!(header(&response, "odata-entityid").ends_with(&format!("accounts({id})")));
    let after = row(&client.sandbox, "account", &id);
    assert_eq!((&after["numberofemployees"], &after["name"]), (&json!(3), &before["name"]));
    assert_eq!((&after["statecode"], &after["statuscode"]), (&json!(1), &json!(2)));
    assert!(after["versionnumber"].as_i64() > before["versionnumber"].as_i64());
    assert!(after["modifiedon"].as_str() > before["modifiedon"].as_str());
    assert_eq!(after["createdon"], before["createdon"]);
}

#[tokio::test]
async fn an_upsert_creates_under_the_given_key_and_then_updates() {
    let client = Client::start().await;
    let id = "aaaabbbb-cccc-4ddd-8eee-ffff00001111";
    for (name, status) in [("One", 201), ("Two", 200)] {
        let patch = client.write(Method::PATCH, &format!("accounts({id})"), &json!({"name": name}));
        let (found, body) = answer(patch.header("Prefer", "return=representation")).await;
        assert_eq!((found, &body["name"], &body["accountid"]), (status, &json!(name), &json!(id)));
    }
    let other = create(&client, "accounts", json!({"accountid": id.replace('a', "c"), "name": "Own key"})).await;
    assert_eq!(other, id.replace('a', "c"));
    let patch = client.write(Method::PATCH, &format!("accounts({})", id.replace('a', "d")), &json!({"name": "New"}));
    assert_eq!(patch.header("If-None-Match", "*").send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_row_is_deleted_once() {
    let client = Client::start().await;
    let path = format!("contacts({})", corners(1).contact_quotes);
    let response = client.request(Method::DELETE, &path).header("If-Match", "*").send().await.unwrap();
    assert_eq!((response.status().as_u16(), header(&response, "odata-entityid")), (204, ""));
    assert_eq!(client.read(&path).await.0, 404);
    let (status, body) = answer(client.request(Method::DELETE, &path)).await;
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("0x80040217")));
}

#[tokio::test]
async fn one_property_and_one_reference_can_be_set_and_cleared() {
    let client = Client::start().await;
    let corners = corners(1);
    let (account, contact) = (corners.account_renamed, corners.contact_quotes);
    let (name, lookup) =
        (format!("accounts({account})/description"), format!("accounts({account})/primarycontactid/$ref"));
    let column = |column: &str| row(&client.sandbox, "account", &account)[column].clone();
    assert_eq!(sent(&client, Method::PUT, &name, json!({"value": "One"})).await.status(), 204);
    assert_eq!(column("description"), "One");
    assert_eq!(client.request(Method::DELETE, &name).send().await.unwrap().status(), 204);
    assert_eq!(column("description"), Value::Null);
    let address = format!("{}/api/data/v9.2/contacts({contact})", client.sandbox.dynamics_url());
    assert_eq!(sent(&client, Method::PUT, &lookup, json!({"@odata.id": address})).await.status(), 204);
    assert_eq!(column("_primarycontactid_value"), contact.as_str());
    assert_eq!(client.request(Method::DELETE, &lookup).send().await.unwrap().status(), 204);
    assert_eq!(column("_primarycontactid_value"), Value::Null);
}

#[tokio::test]
async fn several_rows_are_created_and_updated_by_one_action() {
    let client = Client::start().await;
    let one = |name: &str| json!({"@odata.type": "Microsoft.Dynamics.CRM.account", "name": name});
    let action = |name: &str| format!("accounts/Microsoft.Dynamics.CRM.{name}");
    let targets = json!({"Targets": [one("A"), one("B")]});
    let (status, created) = answer(client.write(Method::POST, &action("CreateMultiple"), &targets)).await;
    assert_eq!((status, created["Ids"].as_array().unwrap().len()), (200, 2));
    assert!(created["@odata.context"].as_str().unwrap().ends_with("#Microsoft.Dynamics.CRM.CreateMultipleResponse"));
    let id = created["Ids"][1].as_str().unwrap();
    let mut changed = one("C");
    changed["accountid"] = id.into();
    let targets = json!({"Targets": [changed]});
    assert_eq!(sent(&client, Method::POST, &action("UpdateMultiple"), targets).await.status(), 204);
    assert_eq!(row(&client.sandbox, "account", id)["name"], "C");
    let mut known = one("D");
    known["@odata.id"] = format!("accounts({id})").into();
    let mut fresh = one("E");
    fresh["@odata.id"] = format!("accounts({})", "aaaabbbb-cccc-4ddd-8eee-ffff00002222").into();
    let targets = json!({"Targets": [known, fresh]});
    assert_eq!(sent(&client, Method::POST, &action("UpsertMultiple"), targets).await.status(), 204);
    assert_eq!(row(&client.sandbox, "account", id)["name"], "D");
    assert_eq!(row(&client.sandbox, "account", "aaaabbbb-cccc-4ddd-8eee-ffff00002222")["name"], "E");
}
