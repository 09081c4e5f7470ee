//! `$expand`: related rows inside a row.

use super::client::{Client, answer, row, with_query};
use ferry::sandbox::corners::corners;
use reqwest::Method;
use serde_json::{Value, json};

/// An account with a primary contact and no parent, and a contact that has it as its company.
async fn linked(client: &Client) -> (String, String) {
    let corners = corners(1);
    let (account, contact) = (corners.account_renamed, corners.contact_quotes);
    for (path, name, target) in [
        (format!("accounts({account})"), "primarycontactid", format!("/contacts({contact})")),
        (format!("contacts({contact})"), "parentcustomerid_account", format!("/accounts({account})")),
    ] {
        let mut bind = json!({format!("{name}@odata.bind"): target});
        if name == "primarycontactid" {
            bind["parentaccountid"] = Value::Null;
        }
        assert_eq!(client.write(Method::PATCH, &path, &bind).send().await.unwrap().status(), 204);
    }
    (account, contact)
}

#[tokio::test]
async fn a_lookup_brings_its_row_or_null() {
    let client = Client::start().await;
    let (account, contact) = linked(&client).await;
    let query = [("$select", "name"), ("$expand", "primarycontactid($select=fullname),parentaccountid($select=name)")];
    let (_, body) = client.read(&with_query(&format!("accounts({account})"), &query)).await;
    let stored = row(&client.sandbox, "contact", &contact);
    assert_eq!(body["primarycontactid"]["fullname"], stored["fullname"]);
    assert_eq!(body["primarycontactid"]["contactid"], contact.as_str());
    assert_eq!(body["primarycontactid"]["@odata.etag"], format!("W/\"{}\"", stored["versionnumber"]));
    assert!(body["primarycontactid"].get("lastname").is_none() && body["parentaccountid"].is_null());
    let context = body["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("#accounts(name,primarycontactid(fullname),parentaccountid(name))/$entity"), "{context}");
    // A lookup with several targets has a navigation property for each, and only one leads to the row.
    let (_, body) = client
        .read(&format!(
            "contacts({contact})?$select=fullname&$expand=parentcustomerid_account,parentcustomerid_contact"
        ))
        .await;
    assert_eq!(body["parentcustomerid_account"]["accountid"], account.as_str());
    assert_eq!(body["parentcustomerid_contact"], Value::Null);
}

#[tokio::test]
async fn every_row_of_a_page_is_expanded_and_pages_go_on() {
    let client = Client::start().await;
    let path =
        "contacts?$select=fullname&$expand=owninguser($select=fullname;$expand=parentsystemuserid($select=fullname))";
    let mut request = client.dynamics(path);
    let mut seen = 0;
    loop {
        let (status, page) = answer(request.header("Prefer", "odata.maxpagesize=70")).await;
        assert_eq!(status, 200, "{page}");
        for found in page["value"].as_array().unwrap() {
            let contact = row(&client.sandbox, "contact", found["contactid"].as_str().unwrap());
            assert_eq!(found["owninguser"]["systemuserid"], contact["_owninguser_value"]);
            assert_eq!(found["owninguser"]["ownerid"], contact["_owninguser_value"]);
            if !found["owninguser"].is_null() {
                let user = row(&client.sandbox, "systemuser", contact["_owninguser_value"].as_str().unwrap());
                let manager = &found["owninguser"]["parentsystemuserid"]["systemuserid"];
                assert_eq!(*manager, user["_parentsystemuserid_value"]);
            }
            seen += 1;
        }
        match page["@odata.nextLink"].as_str() {
            Some(link) => request = client.link(link),
            None => break,
        }
    }
    assert_eq!(seen, client.sandbox.table("contact").len());
}

#[tokio::test]
async fn a_collection_brings_the_rows_that_lead_here() {
    let client = Client::start().await;
    let (account, contact) = linked(&client).await;
    let query =
        [("$select", "name"), ("$expand", "contact_customer_accounts($select=fullname;$filter=statecode eq 0)")];
    let (_, page) = client.read(&with_query("accounts", &query)).await;
    let contacts = client.sandbox.table("contact");
    for found in page["value"].as_array().unwrap() {
        let expected = contacts
            .iter()
            .filter(|row| row["_parentcustomerid_value"] == found["accountid"] && row["statecode"] == 0)
            .count();
        assert_eq!(found["contact_customer_accounts"].as_array().unwrap().len(), expected, "{found}");
    }
    let one = page["value"].as_array().unwrap().iter().find(|row| row["accountid"] == account.as_str()).unwrap();
    assert!(
        one["contact_customer_accounts"].as_array().unwrap().iter().any(|row| row["contactid"] == contact.as_str())
    );
}

#[tokio::test]
async fn a_collection_is_filtered_ordered_and_cut() {
    let client = Client::start().await;
    let expand =
        "contact_customer_accounts($select=fullname;$filter=gendercode eq 1;$orderby=fullname desc,contactid;$top=2)";
    let (status, page) = client.read(&with_query("accounts", &[("$select", "name"), ("$expand", expand)])).await;
    assert_eq!(status, 200, "{page}");
    let mut contacts = client.sandbox.table("contact");
    let name = |row: &serde_json::Map<String, Value>| row["fullname"].as_str().unwrap_or("").to_lowercase();
    contacts.sort_by_key(name);
    let mut cut = 0;
    for found in page["value"].as_array().unwrap() {
        let all: Vec<String> = contacts
            .iter()
            .rev()
            .filter(|row| row["_parentcustomerid_value"] == found["accountid"] && row["gendercode"] == 1)
            .map(name)
            .collect();
        let list = found["contact_customer_accounts"].as_array().unwrap();
        let names: Vec<String> = list.iter().map(|row| row["fullname"].as_str().unwrap_or("").to_lowercase()).collect();
        assert_eq!(names, all[..all.len().min(2)], "{found}");
        cut += usize::from(all.len() > 2);
    }
    assert!(cut > 0, "some account has more than two");
}

#[tokio::test]
async fn annotations_reach_into_related_rows() {
    let client = Client::start().await;
    let (account, _) = linked(&client).await;
    let request =
        client.dynamics(&format!("accounts({account})?$select=name&$expand=primarycontactid($select=gendercode)"));
    let (_, body) = answer(request.header("Prefer", "odata.include-annotations=\"*\"")).await;
    assert!(body["primarycontactid"]["gendercode@OData.Community.Display.V1.FormattedValue"].is_string(), "{body}");
}

#[tokio::test]
async fn what_cannot_be_expanded_is_told() {
    let client = Client::start().await;
    let sixteen = vec!["primarycontactid"; 16].join(",");
    for (expand, status) in [
        ("nothing", 400),
        ("_primarycontactid_value", 400),
        ("name", 400),
        ("primarycontactid($select=nome)", 400),
        ("primarycontactid($select=fullname", 400),
        ("primarycontactid,", 400),
        ("contact_customer_accounts($filter=nome eq 1)", 400),
        (sixteen.as_str(), 400),
        ("ownerid", 501),
        ("primarycontactid/parentcustomerid_account", 501),
        ("primarycontactid($top=1)", 400),
        ("primarycontactid($orderby=fullname)", 400),
        ("contact_customer_accounts($top=-1)", 400),
        ("contact_customer_accounts($orderby=nome)", 400),
        ("contact_customer_accounts($orderby=fullname down)", 400),
        ("contact_customer_accounts($orderby=parentcustomerid_account/name)", 501),
        ("contact_customer_accounts($skip=1)", 501),
        ("contact_customer_accounts($expand=owninguser)", 501),
        ("primarycontactid($expand=account_primary_contact)", 501),
    ] {
        let (found, body) = client.read(&with_query("accounts", &[("$top", "1"), ("$expand", expand)])).await;
        assert_eq!(found, status, "{expand}: {body}");
    }
}
