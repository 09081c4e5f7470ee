//! Insert, update and delete of companies and custom objects.

use super::client::{Client, records};
use ferry::sandbox::corners::corners;
use reqwest::Method;
use serde_json::{Value, json};

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["errorCode"].as_str().unwrap_or(""))
}

#[tokio::test]
async fn one_bad_record_and_nothing_is_written() {
    let client = Client::start().await;
    let before = client.sandbox.records("company").len();
    let answer = client.insert("Company", json!([{"Name": "Good"}, {"Name": "Bad", "RenewalDate": 99}])).await;
    assert_eq!(code(&answer), (400, "GSOBJ_1006"));
    let detail = &answer.1["data"]["errors"][0][0];
    assert_eq!(detail["errors"][0]["fieldName"], "RenewalDate");
    assert_eq!(detail["errors"][0]["invalidValue"], 99);
    assert_eq!((&answer.1["data"]["count"], &answer.1["data"]["records"]), (&json!(0), &Value::Null));
    assert_eq!(client.sandbox.records("company").len(), before);
}

#[tokio::test]
async fn each_bad_value_has_its_code() {
    let client = Client::start().await;
    let cases = [
        (json!({}), "GSOBJ_1007"),
        (json!({"Name": null}), "GSOBJ_1007"),
        (json!({"Name": ""}), "GSOBJ_1007"),
        (json!({"Name": "x".repeat(256)}), "GSOBJ_1001"),
        (json!({"Name": 5}), "GSOBJ_1002"),
        (json!({"Name": "A", "Nothing": 1}), "GSOBJ_1002"),
        (json!({"Name": "A", "CreatedDate": 1_700_000_000_000_i64}), "GSOBJ_1002"),
        (json!({"Name": "A", "Gsid": "1P02"}), "GSOBJ_1002"),
        (json!({"Name": "A", "Stage": "No such stage"}), "GSOBJ_1002"),
        (json!({"Name": "A", "Stage": "Retired"}), "GSOBJ_1002"),
        (json!({"Name": "A", "Csm": "nobody"}), "GSOBJ_1002"),
        (json!({"Name": "A", "Csm": "1P01AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}), "GSOBJ_1002"),
        (json!({"Name": "A", "Employees": "many"}), "GSOBJ_1008"),
        (json!({"Name": "A", "Employees": "1,00"}), "GSOBJ_1008"),
        (json!({"Name": "A", "Discount__gc": "half"}), "GSOBJ_1008"),
        (json!({"Name": "A", "Strategic__gc": "yes"}), "GSOBJ_1008"),
        (json!({"Name": "A", "RenewalDate": "soon"}), "GSOBJ_1006"),
    ];
    for (record, expected) in cases {
        let answer = client.insert("company", json!([record])).await;
        assert_eq!(code(&answer), (400, expected), "{record}");
    }
}

#[tokio::test]
async fn what_is_stored_is_the_stored_form() {
    let client = Client::start().await;
    let record = json!({
        "Name": "Form", "Stage": "Launched", "RenewalDate": "2026-03-01", "Employees": "1,234",
        "Arr": 10.129, "Industry": "", "Tags": ["Alpha", "Gamma"], "Discount__gc": "45%",
    });
    let (status, body) = client.insert("company", json!([record])).await;
    assert_eq!((status, &body["data"]["count"]), (200, &json!(1)));
    let gsid = body["data"]["records"][0]["Gsid"].as_str().unwrap();
    let stored = &records(&client.sandbox, "company", "Gsid", gsid)[0];
    assert_eq!((gsid.len(), &gsid[..4]), (36, "1P02"));
    assert_eq!(
        (&stored["Employees"], &stored["Arr"], &stored["Industry"]),
        (&json!(1234), &json!(10.13), &Value::Null)
    );
    assert_eq!((&stored["RenewalDate"], &stored["Discount__gc"]), (&json!(1_772_323_200_000_i64), &json!(45)));
    let item = stored["Stage"].as_str().unwrap();
    assert!(item.starts_with("1I00") && item.len() == 36);
    assert_eq!(stored["Tags"].as_str().unwrap().split(';').count(), 2);
    assert!(stored["ManagedAs"].is_string(), "a default is applied");
    let again = client.update("company", "Gsid", json!([{"Gsid": gsid, "Stage": item}])).await;
    assert_eq!(again.0, 200, "an item may be written as its GSID: {}", again.1);
}

#[tokio::test]
async fn an_update_never_inserts() {
    let client = Client::start().await;
    client.insert("company", json!([{"Name": "Here", "Dynamics_Account_ID__gc": "h"}])).await;
    let before = client.sandbox.records("company");
    let sent =
        json!([{"Dynamics_Account_ID__gc": "h", "Name": "Changed"}, {"Dynamics_Account_ID__gc": "gone", "Name": "X"}]);
    let answer = client.update("company", "Dynamics_Account_ID__gc", sent).await;
    assert_eq!(code(&answer), (400, "GSOBJ_1011"));
    assert_eq!(client.sandbox.records("company"), before);
    let unknown = json!([{"Gsid": "1P02AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Name": "X"}]);
    assert_eq!(code(&client.update("company", "Gsid", unknown).await), (400, "GSOBJ_1011"));
}

#[tokio::test]
async fn an_update_changes_what_is_sent_and_all_that_match() {
    let client = Client::start().await;
    let id = corners(1).account_twice_there;
    let key = "External_Account_ID_gainsight123__gc";
    let (status, body) = client.update("company", key, json!([{key: id, "Employees": 9, "Industry": null}])).await;
    assert_eq!((status, &body["data"]["count"]), (200, &json!(2)));
    for record in records(&client.sandbox, "company", key, &id) {
        assert_eq!((&record["Employees"], &record["Industry"]), (&json!(9), &Value::Null));
        assert!(record["Name"].is_string());
    }
}

#[tokio::test]
async fn keys_must_be_few_present_and_of_a_key_type() {
    let client = Client::start().await;
    for keys in ["", "Nothing", "Stage", "Csm", "Name,Industry,Employees,Gsid"] {
        let answer = client.update("company", keys, json!([{"Name": "A"}])).await;
        assert_eq!(code(&answer), (400, "GSOBJ_1002"), "{keys}");
    }
    let missing = client.update("company", "Dynamics_Account_ID__gc", json!([{"Name": "A"}])).await;
    assert_eq!(code(&missing), (400, "GSOBJ_1002"));
}

#[tokio::test]
async fn bodies_that_are_no_batch_are_refused() {
    let client = Client::start().await;
    let path = "/v1/data/objects/company";
    let many: Vec<Value> = (0..51).map(|number| json!({"Name": format!("N{number}")})).collect();
    for body in [json!([]), json!({}), json!({"records": []}), json!({"records": [1]}), json!({"records": many})] {
        assert_eq!(code(&client.gainsight(Method::POST, path, body).await), (400, "GSOBJ_1002"));
    }
    let fifty: Vec<Value> = (0..50).map(|number| json!({"Name": format!("N{number}")})).collect();
    assert_eq!(client.insert("company", json!(fifty)).await.0, 200);
    let lookups = json!({"records": [{"Name": "A"}], "lookups": {}});
    assert_eq!(client.gainsight(Method::POST, path, lookups).await.0, 501);
}

#[tokio::test]
async fn only_companies_and_low_volume_objects_are_written_here() {
    let client = Client::start().await;
    for object in ["person", "company_person", "gsuser", "UsageEvents__gc", "nothing"] {
        let answer = client.insert(object, json!([{"Name": "A", "Email": "a@b.example"}])).await;
        assert_eq!(code(&answer), (400, "GSOBJ_1002"), "{object}");
    }
    let record = json!({"Name": "Big", "Opportunity_External_Id__gc": "1", "Stage__gc": "Close"});
    assert_eq!(client.insert("opportunity__GC", json!([record])).await.0, 200);
}

#[tokio::test]
async fn house_rules_refuse_what_no_metadata_tells() {
    let client = Client::start().await;
    let (status, body) = client.insert("company", json!([{"Name": "A"}, {"Name": "B", "Employees": -5}])).await;
    assert_eq!((status, body["errorDesc"].as_str()), (400, Some("Invalid field value (Employees = -5)")));
    assert_eq!(body["data"]["errors"][0][0]["errors"][0]["invalidValue"], -5);
    let (status, body) = client.insert("company", json!([{"Name": "A"}, {"Name": "Void Ltd"}])).await;
    assert_eq!((status, body["errorCode"].as_str(), &body["data"]["errors"]), (400, Some("GSOBJ_1002"), &Value::Null));
}

#[tokio::test]
async fn one_record_is_deleted_by_its_gsid() {
    let client = Client::start().await;
    let (_, body) = client.insert("company", json!([{"Name": "Gone"}])).await;
    let path = format!("/v1/data/objects/Company/{}", body["data"]["records"][0]["Gsid"].as_str().unwrap());
    assert_eq!(client.gainsight(Method::DELETE, &path, Value::Null).await.0, 200);
    assert_eq!(code(&client.gainsight(Method::DELETE, &path, Value::Null).await), (400, "GSOBJ_1011"));
    let bad = client.gainsight(Method::DELETE, "/v1/data/objects/Company/none", Value::Null).await;
    assert_eq!(code(&bad), (400, "GSOBJ_1004"));
}
