//! The custom object for opportunities: its fields by their labels, and what each refuses.

use super::client::Client;
use reqwest::Method;
use serde_json::{Value, json};

async fn fields(client: &Client, object: &str) -> Vec<Value> {
    let path = format!("/v1/meta/services/objects/{object}/describe?ic=false&cl=0&idd=false");
    let (status, body) = client.gainsight(Method::GET, &path, Value::Null).await;
    assert_eq!(status, 200, "{body}");
    body["data"][0]["fields"].as_array().expect("an object has fields").clone()
}

/// A record that is complete, with one more field.
fn with(field: &str, value: Value) -> Value {
    let mut record = json!({"Name": "Deal", "Opportunity_External_Id__gc": "1"});
    record[field] = value;
    record
}

#[tokio::test]
async fn every_label_is_there_once_with_its_type() {
    let client = Client::start().await;
    let fields = fields(&client, "Opportunity__gc").await;
    for (label, kind) in [
        ("Opportunity External Id", "STRING"),
        ("Name", "STRING"),
        ("Amount", "CURRENCY"),
        ("Currency", "STRING"),
        ("Close Date", "DATE"),
        ("State", "PICKLIST"),
        ("Forecast", "PICKLIST"),
        ("Company", "LOOKUP"),
        ("Owner", "LOOKUP"),
        ("Signed At", "DATETIME"),
        ("Strategic", "BOOLEAN"),
        ("Website", "URL"),
        ("Contact Email", "EMAIL"),
        ("Notes", "RICHTEXTAREA"),
        ("Regions", "MULTISELECTDROPDOWNLIST"),
        ("Score", "NUMBER"),
        ("Probability", "PERCENTAGE"),
        ("Modified Date", "DATETIME"),
    ] {
        let found: Vec<&Value> = fields.iter().filter(|field| field["label"] == label).collect();
        assert_eq!(found.len(), 1, "{label}");
        assert_eq!(found[0]["dataType"], kind, "{label}");
    }
    let meta = |label: &str| fields.iter().find(|field| field["label"] == label).expect("a field")["meta"].clone();
    assert_eq!((&meta("Opportunity External Id")["required"], &meta("Name")["length"]), (&json!(true), &json!(100)));
    assert_eq!(meta("Company")["lookupDetail"]["lookupObjects"][0]["objectName"], "company");
    assert_eq!(meta("Owner")["lookupDetail"]["lookupObjects"][0]["objectName"], "gsuser");
    assert_eq!((&meta("Amount")["decimalPlaces"], &meta("Score")["decimalPlaces"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn each_bad_value_is_refused_with_its_field() {
    let client = Client::start().await;
    for (field, value, code) in [
        ("Opportunity_External_Id__gc", Value::Null, "GSOBJ_1007"),
        ("Opportunity_External_Id__gc", json!(""), "GSOBJ_1007"),
        ("Name", json!("x".repeat(101)), "GSOBJ_1001"),
        ("Amount__gc", json!("a lot"), "GSOBJ_1008"),
        ("Currency__gc", json!(5), "GSOBJ_1002"),
        ("Close_Date__gc", json!("soon"), "GSOBJ_1006"),
        ("State__gc", json!("open"), "GSOBJ_1002"),
        ("State__gc", json!(0), "GSOBJ_1002"),
        ("Forecast__gc", json!("Best Case"), "GSOBJ_1002"),
        ("Company__gc", json!("1P02AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "GSOBJ_1002"),
        ("Owner__gc", json!("owner@example.com"), "GSOBJ_1002"),
        ("Signed_At__gc", json!("yesterday"), "GSOBJ_1005"),
        ("Strategic__gc", json!(1), "GSOBJ_1008"),
        ("Website__gc", json!("no address"), "GSOBJ_1008"),
        ("Contact_Email__gc", json!("nobody"), "GSOBJ_1008"),
        ("Notes__gc", json!(false), "GSOBJ_1002"),
        ("Regions__gc", json!(["EMEA", "MARS"]), "GSOBJ_1002"),
        ("Regions__gc", json!("EMEA,APAC"), "GSOBJ_1002"),
        ("Score__gc", json!("high"), "GSOBJ_1008"),
        ("Probability__gc", json!("half"), "GSOBJ_1008"),
        ("ModifiedDate", json!(1_700_000_000_000_i64), "GSOBJ_1002"),
    ] {
        let record = with(field, value);
        let (status, body) = client.insert("Opportunity__gc", json!([with("Score__gc", json!(1)), record])).await;
        assert_eq!((status, body["errorCode"].as_str()), (400, Some(code)), "{record}");
        assert_eq!(body["data"]["errors"][0][0]["errors"][0]["fieldName"], field, "{record}");
    }
    assert_eq!(client.insert("Opportunity__gc", json!([{"Name": "No id"}])).await.1["errorCode"], "GSOBJ_1007");
    assert!(client.sandbox.records("Opportunity__gc").is_empty(), "a refused call writes nothing");
}

#[tokio::test]
async fn a_complete_record_is_stored_in_stored_form() {
    let client = Client::start().await;
    let company = client.sandbox.records("company")[0]["Gsid"].clone();
    let record = json!({
        "Name": "Deal", "Opportunity_External_Id__gc": "1", "Amount__gc": 25_000.5, "Currency__gc": "USD",
        "Close_Date__gc": "2026-06-30", "State__gc": "Won", "Forecast__gc": "Best case", "Company__gc": company,
        "Strategic__gc": true, "Website__gc": "https://deal.example", "Contact_Email__gc": "a@b.example",
        "Regions__gc": ["EMEA", "APAC"], "Score__gc": 7.6, "Probability__gc": "60%",
    });
    let (status, body) = client.insert("Opportunity__gc", json!([record])).await;
    assert_eq!(status, 200, "{body}");
    let stored = &client.sandbox.records("Opportunity__gc")[0];
    assert_eq!((&stored["Score__gc"], &stored["Probability__gc"]), (&json!(8), &json!(60)));
    assert_eq!(stored["Company__gc"], company);
    let won =
        client.update("Opportunity__gc", "Opportunity_External_Id__gc", json!([with("State__gc", json!("Deleted"))]));
    assert_eq!(won.await.0, 200);
    assert_ne!(client.sandbox.records("Opportunity__gc")[0]["State__gc"], stored["State__gc"]);
    let unknown = json!([{"Opportunity_External_Id__gc": "2", "State__gc": "Open"}]);
    assert_eq!(client.update("Opportunity__gc", "Opportunity_External_Id__gc", unknown).await.0, 400);
}
