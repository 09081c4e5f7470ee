//! The action `Merge`, and the same in process.

use super::client::{Client, answer, row};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Makes a row and returns its key.
async fn create(client: &Client, set: &str, body: Value) -> String {
    let request = client.write(Method::POST, set, &body).header("Prefer", "return=representation");
    let (status, created) = answer(request).await;
    assert_eq!(status, 201, "{created}");
    let key = format!("{}id", if set == "opportunities" { "opportunity" } else { set.trim_end_matches('s') });
    created[&key].as_str().unwrap().to_owned()
}

fn typed(table: &str, id: &str) -> Value {
    json!({"@odata.type": format!("Microsoft.Dynamics.CRM.{table}"), format!("{table}id"): id})
}

fn merging(table: &str, master: &str, subordinate: &str) -> Value {
    json!({"Target": typed(table, master), "Subordinate": typed(table, subordinate), "PerformParentingChecks": false})
}

async fn merge(client: &Client, body: &Value) -> (u16, Value) {
    answer(client.write(Method::POST, "Merge", body)).await
}

/// Two accounts with a contact, an opportunity and an account below the second.
async fn accounts(client: &Client) -> [String; 5] {
    let master = create(client, "accounts", json!({"name": "Master"})).await;
    let subordinate = create(client, "accounts", json!({"name": "Subordinate"})).await;
    let bound = format!("/accounts({subordinate})");
    let child = create(client, "accounts", json!({"name": "Child", "parentaccountid@odata.bind": bound})).await;
    let contact =
        create(client, "contacts", json!({"lastname": "C", "parentcustomerid_account@odata.bind": bound})).await;
    let deal = json!({"name": "O", "customerid_account@odata.bind": bound, "parentaccountid@odata.bind": bound});
    let opportunity = create(client, "opportunities", deal).await;
    [master, subordinate, child, contact, opportunity]
}

fn text(client: &Client, table: &str, id: &str, column: &str) -> Value {
    row(&client.sandbox, table, id)[column].clone()
}

#[tokio::test]
async fn the_subordinate_is_inactive_and_what_led_to_it_leads_to_the_master() {
    for in_process in [false, true] {
        let client = Client::start().await;
        let [master, subordinate, child, contact, opportunity] = accounts(&client).await;
        let before = text(&client, "contact", &contact, "versionnumber").as_i64();
        if in_process {
            assert!(client.sandbox.merge_rows("account", &master, &subordinate));
        } else {
            assert_eq!(merge(&client, &merging("account", &master, &subordinate)).await, (204, json!("")));
        }
        let merged = row(&client.sandbox, "account", &subordinate);
        assert_eq!((&merged["merged"], &merged["_masterid_value"]), (&json!(true), &json!(master)));
        assert_eq!((&merged["statecode"], &merged["statuscode"]), (&json!(1), &json!(2)));
        assert_eq!(text(&client, "account", &master, "merged"), Value::Null);
        assert_eq!(text(&client, "account", &master, "statecode"), 0);
        assert_eq!(text(&client, "account", &child, "_parentaccountid_value"), json!(master));
        let moved = row(&client.sandbox, "contact", &contact);
        assert_eq!(moved["_parentcustomerid_value"], json!(master));
        assert_eq!(moved["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "account");
        assert!(moved["versionnumber"].as_i64() > before);
        for column in ["_customerid_value", "_parentaccountid_value"] {
            assert_eq!(text(&client, "opportunity", &opportunity, column), json!(master));
        }
    }
}

#[tokio::test]
async fn contacts_are_merged_with_what_the_master_takes_over() {
    let client = Client::start().await;
    let master = create(&client, "contacts", json!({"firstname": "A", "lastname": "B"})).await;
    let subordinate = create(&client, "contacts", json!({"lastname": "B", "emailaddress1": "a@b.example"})).await;
    let bound = json!({"name": "P", "primarycontactid@odata.bind": format!("/contacts({subordinate})")});
    let account = create(&client, "accounts", bound).await;
    let mut body = merging("contact", &master, &subordinate);
    body["UpdateContent"] =
        json!({"@odata.type": "Microsoft.Dynamics.CRM.contact", "emailaddress1": "a@b.example", "lastname": "C"});
    assert_eq!(merge(&client, &body).await.0, 204);
    let kept = row(&client.sandbox, "contact", &master);
    assert_eq!((&kept["emailaddress1"], &kept["fullname"]), (&json!("a@b.example"), &json!("A C")));
    assert_eq!(text(&client, "account", &account, "_primarycontactid_value"), json!(master));
    assert_eq!(text(&client, "contact", &subordinate, "_masterid_value"), json!(master));
}

#[tokio::test]
async fn a_merge_is_a_change_of_every_row_that_it_moves() {
    let client = Client::start().await;
    let [master, subordinate, _, contact, _] = accounts(&client).await;
    let mut links = Vec::new();
    for set in ["accounts", "contacts"] {
        let request =
            client.dynamics(&format!("{set}?$select={}", if set == "accounts" { "name,merged" } else { "lastname" }));
        let (_, page) = answer(request.header("Prefer", "odata.track-changes")).await;
        links.push(page["@odata.deltaLink"].as_str().unwrap().to_owned());
    }
    assert!(client.sandbox.merge_rows("account", &master, &subordinate));
    let (_, accounts) = answer(client.link(&links[0])).await;
    let changed: Map<String, Value> = accounts["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["accountid"].as_str().unwrap().to_owned(), row["merged"].clone()))
        .collect();
    assert_eq!((changed.len(), &changed[&master], &changed[&subordinate]), (3, &Value::Null, &json!(true)));
    let (_, contacts) = answer(client.link(&links[1])).await;
    assert_eq!(contacts["value"].as_array().unwrap().len(), 1);
    assert_eq!(contacts["value"][0]["contactid"], json!(contact));
}

#[tokio::test]
async fn rows_merged_earlier_keep_their_master_and_no_row_is_its_own_parent() {
    let client = Client::start().await;
    let first = create(&client, "accounts", json!({"name": "First"})).await;
    let second = create(&client, "accounts", json!({"name": "Second"})).await;
    let below = json!({"name": "Third", "parentaccountid@odata.bind": format!("/accounts({second})")});
    let third = create(&client, "accounts", below).await;
    assert!(client.sandbox.merge_rows("account", &second, &first));
    assert!(client.sandbox.merge_rows("account", &third, &second));
    assert_eq!(text(&client, "account", &first, "_masterid_value"), json!(second));
    assert_eq!(text(&client, "account", &third, "_parentaccountid_value"), Value::Null);
}

#[tokio::test]
async fn what_is_no_merge_is_refused_and_changes_nothing() {
    let client = Client::start().await;
    let [master, subordinate, child, contact, opportunity] = accounts(&client).await;
    let good = merging("account", &master, &subordinate);
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let nobody = "aaaaaaaa-0000-4000-8000-000000000001";
    for (body, status) in [
        (json!({}), 400),
        (without("Target"), 400),
        (without("Subordinate"), 400),
        (without("PerformParentingChecks"), 400),
        (with("PerformParentingChecks", json!("no")), 400),
        (with("Target", json!({"accountid": master})), 400),
        (with("Target", json!({"@odata.type": "Microsoft.Dynamics.CRM.account"})), 400),
        (with("Target", typed("contact", &contact)), 400),
        (with("Target", typed("account", nobody)), 404),
        (with("Subordinate", typed("account", nobody)), 404),
        (with("Subordinate", typed("account", &master)), 400),
        (with("UpdateContent", json!("name")), 400),
        (with("UpdateContent", json!({"nonsense": 1})), 400),
        (with("Extra", json!(1)), 400),
        (merging("opportunity", &opportunity, &opportunity), 501),
    ] {
        let (answered, text) = merge(&client, &body).await;
        assert_eq!(answered, status, "{body}: {text}");
    }
    let mut different = merging("account", &child, &master);
    different["PerformParentingChecks"] = json!(true);
    assert_eq!(merge(&client, &different).await.0, 501);
    assert_eq!(text(&client, "account", &subordinate, "merged"), Value::Null);
    assert_eq!(text(&client, "contact", &contact, "_parentcustomerid_value"), json!(subordinate));
    let mut checked = good.clone();
    checked["PerformParentingChecks"] = json!(true);
    assert_eq!(merge(&client, &checked).await.0, 204);
    let (status, again) = merge(&client, &good).await;
    assert_eq!((status, again["error"]["code"].as_str()), (400, Some("0x80040203")));
    assert!(!client.sandbox.merge_rows("account", &master, &subordinate));
    assert!(!client.sandbox.merge_rows("account", &master, nobody));
    assert!(!client.sandbox.merge_rows("lead", &master, &child));
    assert_eq!(answer(client.request(Method::GET, "Merge")).await.0, 404);
}
