//! The forms of what Gainsight takes and gives: sizes of calls, days and moments, GSIDs, descriptions, answers of queries.

use ferry::sandbox::{Items, NoRows, Rows, Shape, Times};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, records};

const LIST: &str = "/v1/meta/services/objects/list";

#[tokio::test]
async fn fifty_records_are_written_and_five_thousand_read_at_once() {
    let client = Client::start().await;
    let many =
        |count: usize| -> Vec<Value> { (0..count).map(|n| json!({"Name": format!("N{n:02}"), "Users": n})).collect() };
    assert_eq!(client.insert("company", json!(many(50))).await.0, 200);
    for (count, status) in [(50, 200), (51, 400)] {
        assert_eq!(client.update("company", "Name", json!(many(count))).await.0, status);
        let users: Vec<Value> = (0..count)
            .map(|n| json!({"LastName": "U", "Email": format!("{n}@example.com"), "SFDCUserName": format!("n{count} {n}")}))
            .collect();
        let created = client.gainsight(Method::POST, "/v1/users/services", json!({"records": users})).await;
        assert_eq!(created.0, status, "{}", created.1);
    }
    for number in 0..5_001 {
        let record = json!({"Email": format!("p{number}@example.com")});
        client.sandbox.put_record("person", record.as_object().unwrap().clone());
    }
    for body in [json!({"select": ["Gsid"]}), json!({"select": ["Gsid"], "limit": 5_001})] {
        let (_, page) = client.query("person", body).await;
        assert_eq!(page["data"]["records"].as_array().unwrap().len(), 5_000);
    }
    let (_, rest) = client.query("person", json!({"select": ["Gsid"], "offset": 5_000})).await;
    assert_eq!(rest["data"]["records"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn days_and_moments_are_taken_in_every_documented_form() {
    let client = Client::start().await;
    let opportunity = |at: &Value| json!([{"Name": "O", "Opportunity_External_Id__gc": at.to_string(), "Close_Date__gc": at, "Last_Activity__gc": at}]);
    for (at, day, moment) in [
        (json!(1_772_370_000_123_i64), 1_772_323_200_000_i64, 1_772_370_000_123_i64),
        (json!("1772370000123"), 1_772_323_200_000, 1_772_370_000_123),
        (json!("2026-03-01"), 1_772_323_200_000, 1_772_323_200_000),
        (json!("03-01-2026"), 1_772_323_200_000, 1_772_323_200_000),
        (json!("03/01/2026"), 1_772_323_200_000, 1_772_323_200_000),
        (json!("2026-03-01 13:00:00"), 1_772_323_200_000, 1_772_370_000_000),
        (json!("2026-03-01T13:00:00Z"), 1_772_323_200_000, 1_772_370_000_000),
        (json!("2026-03-01T14:00:00.123+01:00"), 1_772_323_200_000, 1_772_370_000_123),
        (json!("2026-03-01T14:00:00.123+0100"), 1_772_323_200_000, 1_772_370_000_123),
    ] {
        let (status, body) = client.insert("Opportunity__gc", opportunity(&at)).await;
        assert_eq!(status, 200, "{body}");
        let stored = &records(&client.sandbox, "Opportunity__gc", "Opportunity_External_Id__gc", &at.to_string())[0];
        assert_eq!((&stored["Close_Date__gc"], &stored["Last_Activity__gc"]), (&json!(day), &json!(moment)), "{at}");
    }
    for at in [json!("2026-02-30"), json!("1.3.2026"), json!(210_318), json!(true), json!("13:00"), json!(1.5)] {
        let (status, body) = client.insert("Opportunity__gc", opportunity(&at)).await;
        let codes: Vec<&Value> =
            body["data"]["errors"][0].as_array().unwrap().iter().map(|e| &e["errors"][0]["errorCode"]).collect();
        assert_eq!((status, codes), (400, vec![&json!("GSOBJ_1006"), &json!("GSOBJ_1005")]), "{at}");
    }
}

#[tokio::test]
async fn gsids_have_the_documented_form_for_every_object() {
    let client = Client::start().await;
    let (_, list) = client.gainsight(Method::GET, LIST, Value::Null).await;
    let is_gsid = |text: &str| text.bytes().all(|letter| letter.is_ascii_digit() || letter.is_ascii_uppercase());
    for (object, code) in [
        ("gsuser", "1P01"),
        ("company", "1P02"),
        ("person", "1P04"),
        ("company_person", "1C01"),
        ("Opportunity__gc", "1Z02"),
    ] {
        let described = list["data"].as_array().unwrap().iter().find(|one| one["objectName"] == object).unwrap();
        let prefix = described["keyPrefix"].as_str().unwrap();
        assert!(prefix.len() == 18 && prefix.starts_with(code) && is_gsid(prefix), "{object}: {prefix}");
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let gsid = client.sandbox.put_record(object, serde_json::Map::new());
            assert!(gsid.len() == 36 && gsid.starts_with(prefix) && is_gsid(&gsid), "{object}: {gsid}");
            assert!(seen.insert(gsid));
        }
    }
}

#[tokio::test]
async fn describe_gives_the_items_of_a_picklist() {
    let client = Client::start().await;
    let path = "/v1/meta/services/objects/describe";
    for (with, is_there) in [("true", true), ("false", false)] {
        let body = json!({"objectNames": ["company"], "populatePickListOptions": with});
        let (_, described) = client.gainsight(Method::POST, path, body).await;
        let fields = described["data"][0]["fields"].as_array().unwrap();
        let field = |name: &str| fields.iter().find(|field| field["fieldName"] == name).unwrap();
        assert_eq!(field("Name").get("options"), None);
        assert_eq!(field("Stage").get("options").is_some(), is_there, "{with}");
        if is_there {
            let stage = field("Stage");
            let category = &stage["meta"]["properties"]["PICKLIST_CATEGORY_ID"];
            for option in stage["options"].as_array().unwrap() {
                assert!(option["value"].as_str().is_some_and(|gsid| gsid.len() == 36 && gsid.starts_with("1I00")));
                assert_eq!((&option["groupId"], &option["active"]), (category, &json!(option["label"] != "Retired")));
            }
            assert_eq!(field("ManagedAs")["options"][0]["defaultValue"], true);
            assert_eq!(field("Tags")["options"].as_array().unwrap().len(), 3);
        }
    }
}

#[tokio::test]
async fn a_query_answers_in_the_shape_that_was_chosen() {
    let client = Client::start().await;
    let key = client.sandbox.put_record(
        "Opportunity__gc",
        json!({"Name": "Shape", "Close_Date__gc": 1_772_323_200_000_i64,
        "Last_Activity__gc": 1_772_370_000_000_i64, "Regions__gc": "a;b"})
        .as_object()
        .unwrap()
        .clone(),
    );
    let ask = async |name: &str, shape: Shape| {
        client.sandbox.answer_queries_in(shape);
        let condition = json!([{"name": "Name", "alias": "A", "operator": "EQ", "value": [name]}]);
        let body = json!({"select": ["Gsid", "Close_Date__gc", "Last_Activity__gc", "Regions__gc"],
            "where": {"conditions": condition, "expression": "A"}});
        client.query("Opportunity__gc", body).await
    };
    let plain = Shape::default();
    let row = json!([{"Gsid": key, "Close_Date__gc": 1_772_323_200_000_i64, "Last_Activity__gc": 1_772_370_000_000_i64, "Regions__gc": "a;b"}]);
    assert_eq!(ask("Shape", plain).await.1["data"], json!({"records": row}));
    assert_eq!(ask("Shape", Shape { rows: Rows::List, ..plain }).await.1["data"], row);
    let lists = Shape { items: Items::List, times: Times::Iso, ..plain };
    let iso = json!([{"Gsid": key, "Close_Date__gc": "2026-03-01", "Last_Activity__gc": "2026-03-01T13:00:00Z", "Regions__gc": ["a", "b"]}]);
    assert_eq!(ask("Shape", lists).await.1["data"]["records"], iso);
    let offset = ask("Shape", Shape { times: Times::IsoOffset, ..plain }).await.1;
    assert_eq!(offset["data"]["records"][0]["Last_Activity__gc"], "2026-03-01T13:00:00.000+0000");
    assert_eq!(ask("none", plain).await.1["data"], json!({"records": []}));
    assert_eq!(ask("none", Shape { rows: Rows::List, ..plain }).await.1["data"], json!([]));
    let (status, body) = ask("none", Shape { none: NoRows::NoData, ..plain }).await;
    assert_eq!(
        (status, &body["result"], body["errorDesc"].as_str()),
        (200, &json!(false), Some("No data found for given criteria"))
    );
    let (status, body) = ask("none", Shape { none: NoRows::NoEntity, ..plain }).await;
    assert_eq!((status, body["errorCode"].as_str()), (400, Some("GSOBJ_1011")));
}
