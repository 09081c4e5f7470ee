//! The query functions of a `$filter`: `Microsoft.Dynamics.CRM.In` and its kin.

use super::client::{Client, with_query};
use serde_json::{Map, Value, json};

type Keeps = fn(&Map<String, Value>) -> bool;

fn text<'a>(row: &'a Map<String, Value>, name: &str) -> &'a str {
    row[name].as_str().unwrap_or("")
}

async fn count(client: &Client, set: &str, filter: &str) -> usize {
    let (status, body) = client.read(&with_query(set, &[("$filter", filter)])).await;
    assert_eq!(status, 200, "{filter}: {body}");
    body["value"].as_array().unwrap().len()
}

#[tokio::test]
async fn each_function_selects_what_it_says() {
    let client = Client::start().await;
    let rows = client.sandbox.table("contact");
    let cases: [(&str, Keeps); 14] = [
        (r#"In(PropertyName='statecode',PropertyValues=["0","1"])"#, |_| true),
        ("In(PropertyName='statecode',PropertyValues=['1'])", |_| false),
        ("In(PropertyName='gendercode', PropertyValues=[ 2 ])", |row| row["gendercode"] == 2),
        (r#"In(PropertyName='lastname',PropertyValues=["o'brien","x, y (z)"])"#, |row| {
            text(row, "lastname") == "O'Brien"
        }),
        ("In(PropertyName='lastname',PropertyValues=['O''Brien'])", |row| text(row, "lastname") == "O'Brien"),
        (r#"NotIn(PropertyName='jobtitle',PropertyValues=["Engineer"])"#, |row| text(row, "jobtitle") != "Engineer"),
        (r#"In(PropertyName='donotemail',PropertyValues=["1"])"#, |row| row["donotemail"] == true),
        (r#"Between(PropertyName='birthdate',PropertyValues=["1960-01-01","1979-12-31"])"#, |row| {
            ("1960-01-01"..="1979-12-31").contains(&text(row, "birthdate"))
        }),
        (r#"NotBetween(PropertyName='gendercode',PropertyValues=["1","1"])"#, |row| row["gendercode"] == 2),
        ("On(PropertyName='createdon',PropertyValue='2023-01-01')", |row| {
            text(row, "createdon").starts_with("2023-01-01")
        }),
        ("OnOrAfter(PropertyName='createdon',PropertyValue=2023-01-01)", |row| text(row, "createdon") >= "2023-01-01"),
        ("OnOrBefore(PropertyName='createdon',PropertyValue='2023-01-01T09:00:00Z')", |row| {
            text(row, "createdon") < "2023-01-02"
        }),
        ("In(PropertyName='gendercode',PropertyValues=['1']) eq false", |row| row["gendercode"] == 2),
        ("Today(PropertyName='createdon')", |_| false),
    ];
    for (call, keeps) in cases {
        let expected = rows.iter().filter(|row| keeps(row)).count();
        assert_eq!(count(&client, "contacts", &format!("Microsoft.Dynamics.CRM.{call}")).await, expected, "{call}");
    }
    let filter =
        "statecode eq 0 and (Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2) or gendercode eq 9)";
    let query = [("$filter", filter), ("@p1", "'gendercode'"), ("@p2", "[\"1\"]")];
    let (status, body) = client.read(&with_query("contacts", &query)).await;
    assert_eq!(status, 200, "{body}");
    let expected = rows.iter().filter(|row| row["gendercode"] == 1).count();
    assert_eq!(body["value"].as_array().unwrap().len(), expected);
}

#[tokio::test]
async fn options_of_several_and_owners_can_be_asked_for() {
    let client = Client::start().await;
    let rows = client.sandbox.table("opportunity");
    let has = |row: &&Map<String, Value>| {
        text(row, "new_stages").split(',').any(|one| matches!(one, "100000001" | "100000003"))
    };
    let expected = rows.iter().filter(has).count();
    let call = "ContainValues(PropertyName='new_stages',PropertyValues=[\"100000001\",\"100000003\"])";
    assert!(expected > 0 && expected < rows.len());
    assert_eq!(count(&client, "opportunities", &format!("Microsoft.Dynamics.CRM.{call}")).await, expected);
    let others = count(&client, "opportunities", &format!("Microsoft.Dynamics.CRM.DoesNot{call}")).await;
    assert_eq!(others, rows.len() - expected);
    let contacts = client.sandbox.table("contact");
    let owner = text(&contacts[0], "_ownerid_value");
    let expected = contacts.iter().filter(|row| text(row, "_ownerid_value") == owner).count();
    for name in ["ownerid", "_ownerid_value"] {
        let call = format!("Microsoft.Dynamics.CRM.In(PropertyName='{name}',PropertyValues=['{owner}'])");
        assert_eq!(count(&client, "contacts", &call).await, expected);
    }
}

#[tokio::test]
async fn relative_conditions_go_by_the_clock() {
    let client = Client::start().await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
    for (number, hours) in [(1, 2), (2, 30), (3, 24 * 20)] {
        let made = chrono::DateTime::from_timestamp(now - hours * 3600, 0).unwrap();
        let made = made.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let id = format!("00000000-0000-4000-8000-00000000000{number}");
        let row = json!({"accountid": id, "name": "Recent", "createdon": made});
        assert!(client.sandbox.put_row("account", row.as_object().unwrap().clone()));
    }
    for (call, expected) in [
        ("LastXHours(PropertyName='createdon',PropertyValue=5)", 1),
        ("LastXHours(PropertyName='createdon',PropertyValue=40)", 2),
        ("LastXDays(PropertyName='createdon',PropertyValue=5)", 2),
        ("LastXDays(PropertyName='createdon',PropertyValue='30')", 3),
    ] {
        let filter = format!("name eq 'Recent' and Microsoft.Dynamics.CRM.{call}");
        assert_eq!(count(&client, "accounts", &filter).await, expected, "{call}");
    }
}

#[tokio::test]
async fn what_a_function_cannot_read_is_refused() {
    let client = Client::start().await;
    for call in [
        "In(PropertyName='statecode',PropertyValues=[])",
        "In(PropertyName='statecode',PropertyValues=[\"0\"",
        "In(PropertyName='statecode',PropertyValues=[\"0\"]",
        "In(PropertyName='statecode',PropertyValues=[\"0\",])",
        "In(PropertyName='statecode',PropertyValues=[\"0\" \"1\"])",
        "In(PropertyName='statecode',PropertyValues=[\"zero\"])",
        "In(PropertyName='statecode',PropertyValues='0')",
        "In(PropertyName='nothing',PropertyValues=['0'])",
        "In(PropertyName=statecode,PropertyValues=['0'])",
        "In(PropertyValues=['0'])",
        "In('statecode',['0'])",
        "In(PropertyName='statecode',PropertyValues=@p9)",
        "In()",
        "In",
        "Between(PropertyName='statecode',PropertyValues=['0'])",
        "Between(PropertyName='birthdate',PropertyValues=['1980-01-01','never'])",
        "ContainValues(PropertyName='lastname',PropertyValues=['1'])",
        "On(PropertyName='lastname',PropertyValue='2023-01-01')",
        "On(PropertyName='createdon',PropertyValue='yesterday')",
        "Today(PropertyName='createdon',PropertyValue='1')",
        "LastXDays(PropertyName='createdon',PropertyValue=0)",
        "LastXDays(PropertyName='createdon',PropertyValue=99999999999)",
        "LastXHours(PropertyName='createdon')",
        "LastXHours(PropertyName='createdon',PropertyValue=1,PropertyValue=2)",
        "In(PropertyName='donotemail',PropertyValues=['yes'])",
        "In(PropertyName='gendercode',PropertyValues=['NaN'])",
    ] {
        let filter = format!("Microsoft.Dynamics.CRM.{call}");
        let (status, _, message) = client.refused(&with_query("contacts", &[("$filter", &filter)])).await;
        assert_eq!(status, 400, "{call}: {message}");
    }
    for name in ["EqualUserId", "OlderThanXMinutes", "Under", "NoSuchFunction"] {
        let filter = format!("Microsoft.Dynamics.CRM.{name}(PropertyName='ownerid')");
        assert_eq!(client.refused(&with_query("contacts", &[("$filter", &filter)])).await.0, 501, "{name}");
    }
}
