//! Paths below a row: properties, lookups and collections, and the references of a collection.

use super::client::{Client, answer, row, with_query};
use ferry::sandbox::corners::corners;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_property_has_an_address_of_its_own() {
    let client = Client::start().await;
    let id = corners(1).account_renamed;
    let (status, name) = client.read(&format!("accounts({id})/name")).await;
    assert_eq!((status, &name["value"]), (200, &json!("Renamed Ltd")));
    assert!(name["@odata.context"].as_str().unwrap().ends_with(&format!("$metadata#accounts({id})/name")));
    let raw = client.dynamics(&format!("accounts({id})/name/$value")).send().await.unwrap();
    assert_eq!(raw.headers()["content-type"], "text/plain");
    assert_eq!(raw.text().await.unwrap(), "Renamed Ltd");
    assert_eq!(client.read(&format!("accounts({id})/numberofemployees")).await.1["value"], 77);
    let null = client.dynamics(&format!("accounts({id})/fax")).send().await.unwrap();
    assert_eq!(null.status(), 204);
}

#[tokio::test]
async fn a_collection_is_paged_filtered_and_counted() {
    let client = Client::start().await;
    let account = corners(1).account_twice_there;
    let path = format!("accounts({account})/contact_customer_accounts");
    for number in 0..5 {
        let body = json!({"lastname": format!("Below {number}"), "parentcustomerid_account@odata.bind": format!("/accounts({account})")});
        assert_eq!(client.write(Method::POST, "contacts", &body).send().await.unwrap().status(), 204);
    }
    let all =
        client.sandbox.table("contact").into_iter().filter(|row| row["_parentcustomerid_value"] == account.as_str());
    let expected = all.count();
    let mut request = client.dynamics(&format!("{path}?$select=lastname&$orderby=lastname"));
    let mut found = 0;
    loop {
        let (status, page) = answer(request.header("Prefer", "odata.maxpagesize=2")).await;
        assert_eq!(status, 200, "{page}");
        assert!(page["@odata.context"].as_str().unwrap().ends_with("$metadata#contacts(lastname)"));
        found += page["value"].as_array().unwrap().len();
        match page["@odata.nextLink"].as_str() {
            Some(link) => {
                assert!(link.contains(&path), "{link}");
                request = client.link(link);
            }
            None => break,
        }
    }
    assert_eq!(found, expected);
    assert_eq!(client.read(&format!("{path}/$count")).await.1, expected);
    let below = with_query(&path, &[("$filter", "startswith(lastname,'Below') or lastname eq 'nobody'")]);
    assert_eq!(client.read(&below).await.1["value"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn rows_are_put_into_a_collection_and_taken_out() {
    let client = Client::start().await;
    let corners = corners(1);
    let (account, contact) = (corners.account_renamed, corners.contact_quotes);
    let collection = format!("accounts({account})/contact_customer_accounts");
    let company = || row(&client.sandbox, "contact", &contact)["_parentcustomerid_value"].clone();
    let address = format!("{}/api/data/v9.2/contacts({contact})", client.sandbox.dynamics_url());
    for leave in
        [format!("{collection}({contact})/$ref"), with_query(&format!("{collection}/$ref"), &[("$id", &address)])]
    {
        let post = client.write(Method::POST, &format!("{collection}/$ref"), &json!({"@odata.id": address}));
        assert_eq!(post.send().await.unwrap().status(), 204);
        assert_eq!(company(), account.as_str());
        let (_, found) = client.read(&format!("contacts({contact})/parentcustomerid_account?$select=name")).await;
        assert_eq!((&found["accountid"], &found["name"]), (&json!(account), &json!("Renamed Ltd")));
        assert_eq!(client.request(Method::DELETE, &leave).send().await.unwrap().status(), 204);
        assert_eq!(company(), Value::Null);
        assert_eq!(answer(client.request(Method::DELETE, &leave)).await.0, 404, "it is no member any more");
        let none = client.dynamics(&format!("contacts({contact})/parentcustomerid_account")).send().await.unwrap();
        assert_eq!(none.status(), 204);
    }
}

#[tokio::test]
async fn other_paths_are_refused() {
    let client = Client::start().await;
    let (id, none) = (corners(1).account_renamed, "00000000-0000-0000-0000-000000000001");
    for (path, status) in [
        (format!("accounts({none})/name"), 404),
        (format!("accounts({id})/nome"), 404),
        (format!("accounts({id})/contact_customer_contacts"), 404),
        (format!("accounts({id})/name/x"), 501),
        (format!("accounts({id})/ownerid"), 501),
        (format!("accounts({id})/primarycontactid/$ref"), 501),
        (format!("accounts({id})/contact_customer_accounts/$ref"), 501),
        (format!("accounts({id})/contact_customer_accounts?$select=nome"), 400),
        (format!("accounts({id})/contact_customer_accounts?$skiptoken=x"), 400),
    ] {
        let (found, body) = client.read(&path).await;
        assert_eq!(found, status, "{path}: {body}");
    }
    let collection = format!("accounts({id})/contact_customer_accounts/$ref");
    for (body, status) in [
        (json!({"@odata.id": format!("contacts({none})")}), 404),
        (json!({"@odata.id": format!("accounts({id})")}), 400),
        (json!({"@odata.id": "$1"}), 400),
        (json!({"@odata.id": 5}), 404),
    ] {
        let (found, answer) = answer(client.write(Method::POST, &collection, &body)).await;
        assert_eq!(found, status, "{body}: {answer}");
    }
    assert_eq!(answer(client.request(Method::DELETE, &collection)).await.0, 501);
}
