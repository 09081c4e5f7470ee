//! What changes in Gainsight: times of change, the log of deletions, and what users do there themselves.

use super::client::Client;
use reqwest::Method;
use serde_json::{Map, Value, json};

const DAY_MS: i64 = 86_400_000;
/// 2027-01-15T08:00:00Z.
const START_MS: i64 = 1_800_000_000_000;

/// A client of a sandbox whose clock stands.
async fn at_start() -> Client {
    let client = Client::start().await;
    client.sandbox.set_clock(START_MS);
    client
}

async fn company(client: &Client, name: &str) -> String {
    let (status, body) = client.insert("company", json!([{ "Name": name }])).await;
    assert_eq!(status, 200, "{body}");
    body["data"]["records"][0]["Gsid"].as_str().unwrap().to_owned()
}

fn stored(client: &Client, object: &str, gsid: &str) -> Map<String, Value> {
    client.sandbox.records(object).into_iter().find(|record| record["Gsid"] == gsid).expect("the record is there")
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

async fn logged(client: &Client, body: Value) -> Vec<Value> {
    let mut whole = json!({"select": ["RecordId", "DeletedOn", "ObjectName"]});
    whole.as_object_mut().unwrap().extend(object(body));
    let (status, answered) = client.query("record_delete_log", whole).await;
    assert_eq!(status, 200, "{answered}");
    answered["data"]["records"].as_array().unwrap().clone()
}

fn condition(name: &str, operator: &str, value: Value) -> Value {
    json!({"conditions": [{"name": name, "alias": "A", "operator": operator, "value": [value]}], "expression": "A"})
}

#[tokio::test]
async fn every_write_moves_the_time_of_change() {
    let client = at_start().await;
    let gsid = company(&client, "Moving").await;
    let time = |client: &Client| stored(client, "company", &gsid)["ModifiedDate"].as_i64().unwrap() - START_MS;
    assert_eq!(time(&client), 0);
    client.sandbox.advance_clock(1000);
    client.update("company", "Gsid", json!([{"Gsid": gsid, "Industry": "Banking"}])).await;
    assert_eq!(time(&client), 1000);
    client.sandbox.advance_clock(1000);
    assert!(client.sandbox.edit_record("company", &gsid, object(json!({"Industry": null, "Stage": "Launched"}))));
    let edited = stored(&client, "company", &gsid);
    assert_eq!((time(&client), &edited["Industry"], &edited["Name"]), (2000, &Value::Null, &json!("Moving")));
    assert!(edited["Stage"].as_str().unwrap().starts_with("1I00"));
    assert_eq!(edited["CreatedDate"], START_MS);
    client.sandbox.advance_clock(1000);
    client.sandbox.put_record("company", edited);
    assert_eq!(time(&client), 3000);
    let set = json!({"Gsid": gsid, "Name": "Moving", "ModifiedDate": START_MS + 7});
    client.sandbox.put_record("company", object(set));
    assert_eq!(time(&client), 7);
}

#[tokio::test]
async fn people_and_users_move_it_too() {
    let client = at_start().await;
    let gsid = company(&client, "Of people").await;
    let person =
        json!({"FirstName": "A", "LastName": "B", "Email": "a@b.example", "companies": [{"Company_ID": gsid}]});
    for later in [0, 1000] {
        assert_eq!(client.person(person.clone()).await.0, 200);
        for name in ["person", "company_person"] {
            let latest = client.sandbox.records(name).iter().filter_map(|record| record["ModifiedDate"].as_i64()).max();
            assert_eq!(latest, Some(START_MS + later), "{name}");
        }
        client.sandbox.advance_clock(1000);
    }
    let user = json!({"FirstName": "U", "LastName": "V", "Email": "u@v.example", "SFDCUserName": "u@v.example"});
    let (status, body) = client.gainsight(Method::POST, "/v1/users/services", json!({"records": [user]})).await;
    assert_eq!(status, 200, "{body}");
    let latest = client.sandbox.records("gsuser").iter().filter_map(|record| record["ModifiedDate"].as_i64()).max();
    assert_eq!(latest, Some(START_MS + 2000));
}

#[tokio::test]
async fn records_are_found_by_their_time_of_change() {
    let client = at_start().await;
    let mut names = Vec::new();
    for second in 0..3 {
        company(&client, &format!("At {second}")).await;
        names.push(format!("At {second}"));
        client.sandbox.advance_clock(1000);
    }
    for (operator, value, found) in [
        ("GTE", json!(START_MS + 1000), 1..3),
        ("GT", json!(START_MS + 1000), 2..3),
        ("GTE", json!("2027-01-15T08:00:01Z"), 1..3),
        ("GT", json!("2027-01-15T10:00:01.000+0200"), 2..3),
        ("GTE", json!("2027-01-15 08:00:02"), 2..3),
        ("GTE", json!("2027-01-15T08:00:03Z"), 3..3),
        ("GTE", json!("2027-01-15"), 0..3),
    ] {
        let query = json!({"select": ["Name"], "where": condition("ModifiedDate", operator, value.clone()),
            "orderBy": {"ModifiedDate": "asc", "Gsid": "asc"}});
        let (_, body) = client.query("company", query).await;
        let list: Vec<&str> =
            body["data"]["records"].as_array().unwrap().iter().map(|record| record["Name"].as_str().unwrap()).collect();
        assert_eq!(list, names[found], "{operator} {value}");
    }
    let wrong = json!({"select": ["Name"], "where": condition("ModifiedDate", "GTE", json!("yesterday"))});
    assert_eq!(client.query("company", wrong).await.1["errorCode"], "GSOBJ_1002");
}

#[tokio::test]
async fn a_deletion_is_logged_however_it_came() {
    let client = at_start().await;
    let (called, edited) = (company(&client, "By a call").await, company(&client, "By a user").await);
    let path = format!("/v1/data/objects/Company/{called}");
    assert_eq!(client.gainsight(Method::DELETE, &path, Value::Null).await.0, 200);
    client.sandbox.advance_clock(1000);
    assert!(client.sandbox.delete_record("company", &edited));
    assert!(!client.sandbox.delete_record("company", &edited));
    assert!(!client.sandbox.delete_record("nothing", &edited));
    let opportunity = json!({"Name": "O", "Opportunity_External_Id__gc": "o"});
    let (_, body) = client.insert("Opportunity__gc", json!([opportunity])).await;
    let custom = body["data"]["records"][0]["Gsid"].as_str().unwrap().to_owned();
    client.sandbox.advance_clock(1000);
    let path = format!("/v1/data/objects/Opportunity__gc/{custom}");
    assert_eq!(client.gainsight(Method::DELETE, &path, Value::Null).await.0, 200);
    let all = logged(&client, json!({"orderBy": {"DeletedOn": "asc"}})).await;
    let entry = |id: &str, time: &str, name: &str| json!({"RecordId": id, "DeletedOn": time, "ObjectName": name});
    let expected = [
        entry(&called, "2027-01-15T08:00:00Z", "Company"),
        entry(&edited, "2027-01-15T08:00:01Z", "Company"),
        entry(&custom, "2027-01-15T08:00:02Z", "Opportunity__gc"),
    ];
    assert_eq!(all, expected);
    let one =
        json!({"where": condition("ObjectName", "EQ", json!("Company")), "orderBy": {"DeletedOn": "desc"}, "limit": 1});
    assert_eq!(logged(&client, one).await, expected[1..2]);
    let later = json!({"where": condition("DeletedOn", "GT", json!("2027-01-15T08:00:00Z")), "orderBy": {"DeletedOn": "asc"}, "offset": 1});
    assert_eq!(logged(&client, later).await, expected[2..]);
}

#[tokio::test]
async fn a_refused_deletion_is_not_logged() {
    let client = at_start().await;
    let gsid = company(&client, "Stays").await;
    for path in
        ["company/none", "company/1P02AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "person/1P02AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
    {
        assert_eq!(client.gainsight(Method::DELETE, &format!("/v1/data/objects/{path}"), Value::Null).await.0, 400);
    }
    assert_eq!(logged(&client, json!({})).await, Vec::<Value>::new());
    assert_eq!(stored(&client, "company", &gsid)["Name"], "Stays");
}

#[tokio::test]
async fn the_log_goes_back_fifteen_days() {
    let client = at_start().await;
    let gsid = company(&client, "Old").await;
    assert!(client.sandbox.delete_record("company", &gsid));
    client.sandbox.advance_clock(15 * DAY_MS);
    assert_eq!(logged(&client, json!({})).await.len(), 1);
    client.sandbox.advance_clock(1);
    assert_eq!(logged(&client, json!({})).await.len(), 0);
}

#[tokio::test]
async fn the_log_can_be_queried_and_nothing_else() {
    let client = at_start().await;
    let query = json!({"select": ["RecordId"]});
    let (status, body) = client.query("record_delete_log_high_volume", query).await;
    assert_eq!((status, &body["errorDesc"]), (400, &json!("Requested object not found")));
    for field in ["Gsid", "ModifiedDate"] {
        assert_eq!(client.query("record_delete_log", json!({"select": [field]})).await.1["errorCode"], "GSOBJ_1002");
    }
    let entry = json!([{"RecordId": "1P02AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ObjectName": "Company"}]);
    assert_eq!(client.insert("record_delete_log", entry).await.0, 400);
    let (_, list) = client.gainsight(Method::GET, "/v1/meta/services/objects/list", Value::Null).await;
    assert!(!list.to_string().contains("record_delete_log"));
    let path = "/v1/meta/services/objects/record_delete_log/describe";
    assert_eq!(client.gainsight(Method::GET, path, Value::Null).await.0, 404);
}
