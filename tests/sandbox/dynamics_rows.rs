//! What a row looks like, and what is refused.

use super::client::{Client, answer, row, with_query};
use ferry::sandbox::corners::corners;
use serde_json::{Value, json};

fn keys(row: &Value) -> Vec<&str> {
    row.as_object().expect("a row is an object").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn annotations_stand_before_their_property_and_only_when_asked() {
    let client = Client::start().await;
    let id = corners(1).account_unchanged;
    let path = format!("accounts({id})?$select=revenue,industrycode,_ownerid_value,_parentaccountid_value");
    let (_, plain) = client.read(&path).await;
    assert_eq!(keys(&plain)[1..3], ["@odata.etag", "accountid"]);
    assert!(!keys(&plain).iter().any(|key| key.contains("FormattedValue")));
    let (_, full) = answer(client.dynamics(&path).header("Prefer", "odata.include-annotations=\"*\"")).await;
    let owner = "_ownerid_value";
    let expected = [
        format!("{owner}@OData.Community.Display.V1.FormattedValue"),
        format!("{owner}@Microsoft.Dynamics.CRM.associatednavigationproperty"),
        format!("{owner}@Microsoft.Dynamics.CRM.lookuplogicalname"),
        owner.to_owned(),
    ];
    let place = keys(&full).iter().position(|key| *key == expected[0]).unwrap();
    assert_eq!(keys(&full)[place..place + 4], expected);
    assert_eq!(full["industrycode@OData.Community.Display.V1.FormattedValue"], "Accounting");
    assert!(full["revenue@OData.Community.Display.V1.FormattedValue"].as_str().unwrap().starts_with('$'));
    // A money column brings its currency, and a null has no annotations.
    assert!(full["_transactioncurrencyid_value"].is_string());
    let null = full.as_object().unwrap().iter().filter(|(_, value)| value.is_null()).map(|(key, _)| key);
    assert!(null.clone().all(|name| {
        !full.as_object().unwrap().contains_key(&format!("{name}@Microsoft.Dynamics.CRM.lookuplogicalname"))
    }));
}

#[tokio::test]
async fn annotations_can_be_chosen_by_wildcard_and_over_several_headers() {
    let client = Client::start().await;
    let id = corners(1).contact_parent_contact;
    let request = client.dynamics(&format!("contacts({id})?$select=_parentcustomerid_value"));
    let request = request.header("Prefer", "odata.maxpagesize=7");
    let request = request.header("Prefer", "odata.include-annotations=\"Microsoft.Dynamics.CRM.*\"");
    let (_, body) = answer(request).await;
    assert_eq!(body["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "contact");
    let navigation = "_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty";
    assert_eq!(body[navigation], "parentcustomerid_contact");
    assert!(!keys(&body).iter().any(|key| key.contains("FormattedValue")));
}

#[tokio::test]
async fn nulls_are_present_and_all_columns_come_without_select() {
    let client = Client::start().await;
    let (_, body) = client.read(&format!("contacts({})", corners(1).contact_without_email)).await;
    assert_eq!(body["emailaddress1"], Value::Null);
    assert!(body.as_object().unwrap().contains_key("suffix"));
    assert_eq!(body["@odata.etag"], format!("W/\"{}\"", body["versionnumber"]));
}

#[tokio::test]
async fn refusals_carry_the_documented_codes() {
    let client = Client::start().await;
    let none = "00000000-0000-0000-0000-000000000001";
    let cases = [
        ("Accounts".to_owned(), 404, "0x8006088a"),
        ("leads".to_owned(), 404, "0x8006088a"),
        ("accounts?$select=nome".to_owned(), 400, "0x0"),
        ("accounts?$select=industrycodename".to_owned(), 400, "0x0"),
        ("accounts?$orderby=nome".to_owned(), 400, "0x0"),
        ("accounts?$skip=5".to_owned(), 400, "0x80060888"),
        ("accounts?$search=x".to_owned(), 400, "0x80060888"),
        ("accounts?$format=json".to_owned(), 400, "0x80060888"),
        ("accounts?$compute=x".to_owned(), 400, "0x80060888"),
        ("accounts?$top=many".to_owned(), 400, "0x80060888"),
        (format!("accounts({none})"), 404, "0x80040217"),
    ];
    for (path, status, code) in cases {
        let (found, found_code, message) = client.refused(&path).await;
        assert_eq!((found, found_code.as_str()), (status, code), "{path}: {message}");
    }
    let (_, _, message) = client.refused("accounts?$select=nome").await;
    assert_eq!(message, "Could not find a property named 'nome' on type 'Microsoft.Dynamics.CRM.account'.");
}

#[tokio::test]
async fn what_the_sandbox_lacks_is_a_501_that_names_it() {
    let client = Client::start().await;
    for (path, feature) in [
        ("accounts?$expand=ownerid", "$expand=ownerid"),
        ("accounts?$apply=compute(revenue%20mul%202%20as%20twice)", "$apply step"),
        ("accounts?userQuery=x", "userQuery"),
        ("$metadata?annotations=true", "$metadata"),
        ("accounts?sql=SELECT%20name%20FROM%20account", "sql"),
        ("RetrieveMetadataChanges(Query=@p1)?@p1={}", "RetrieveMetadataChanges"),
    ] {
        let (status, _, message) = client.refused(path).await;
        assert!(status == 501 && message.contains(feature), "{path}: {status} {message}");
    }
    let fetch = with_query("accounts", &[("$apply", "aggregate($count as n)")]);
    let (status, body) = answer(client.dynamics(&fetch).header("Prefer", "odata.track-changes")).await;
    assert_eq!(status, 501);
    assert!(body.to_string().contains("odata.track-changes"));
}

#[tokio::test]
async fn a_change_of_the_source_moves_version_and_time() {
    let client = Client::start().await;
    let id = corners(1).contact_quotes;
    let before = row(&client.sandbox, "contact", &id);
    let change = json!({"contactid": id, "lastname": "Changed"});
    assert!(client.sandbox.put_row("contact", change.as_object().unwrap().clone()));
    let after = row(&client.sandbox, "contact", &id);
    assert_eq!((&after["lastname"], &after["firstname"]), (&json!("Changed"), &before["firstname"]));
    assert!(after["versionnumber"].as_i64() > before["versionnumber"].as_i64());
    assert!(after["modifiedon"].as_str() > before["modifiedon"].as_str());
    assert!(client.sandbox.delete_row("contact", &id));
    assert_eq!(client.read(&format!("contacts({id})")).await.0, 404);
    assert!(!client.sandbox.delete_row("contact", &id));
    let unknown = json!({"contactid": id, "lastnam": "x"});
    assert!(!client.sandbox.put_row("contact", unknown.as_object().unwrap().clone()));
}
