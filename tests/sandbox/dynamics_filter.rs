//! `$filter`, by what it selects and what it refuses.

use super::client::{Client, with_query};
use ferry::sandbox::corners::corners;
use serde_json::{Map, Value};

type Keeps = fn(&Map<String, Value>) -> bool;

fn text<'a>(row: &'a Map<String, Value>, name: &str) -> &'a str {
    row[name].as_str().unwrap_or("")
}

#[tokio::test]
async fn each_filter_selects_what_it_says() {
    let client = Client::start().await;
    let rows = client.sandbox.table("contact");
    let cases: [(&str, Keeps); 16] = [
        ("lastname eq 'o''brien'", |row| text(row, "lastname") == "O'Brien"),
        ("emailaddress1 eq null", |row| row["emailaddress1"].is_null()),
        ("emailaddress1 ne null", |row| !row["emailaddress1"].is_null()),
        ("jobtitle ne 'Engineer'", |row| text(row, "jobtitle") != "Engineer"),
        ("telephone1 ne 'x'", |_| true),
        ("gendercode eq 1 and donotemail eq false", |row| row["gendercode"] == 1 && row["donotemail"] == false),
        ("gendercode eq 1 or gendercode eq 2", |_| true),
        ("not (gendercode eq 1)", |row| row["gendercode"] == 2),
        ("birthdate ge 1980-01-01", |row| text(row, "birthdate") >= "1980-01-01"),
        ("createdon lt 2022-06-01T00:00:00Z", |row| text(row, "createdon") < "2022-06-01T00:00:00Z"),
        ("contains(emailaddress1,'CONTACT0000')", |row| text(row, "emailaddress1").contains("contact0000")),
        ("startswith(firstname,'ma')", |row| text(row, "firstname").to_lowercase().starts_with("ma")),
        ("endswith(lastname,'_n')", |row| text(row, "lastname").ends_with('n')),
        ("contains(lastname,'[aä]n')", |row| text(row, "lastname").to_lowercase().contains("an")),
        ("versionnumber gt 1000100", |row| row["versionnumber"].as_i64() > Some(1_000_100)),
        ("firstname eq lastname", |row| row["firstname"] == row["lastname"]),
    ];
    for (filter, keeps) in cases {
        let path = with_query("contacts", &[("$select", "contactid"), ("$filter", filter)]);
        let (status, body) = client.read(&path).await;
        assert_eq!(status, 200, "{filter}: {body}");
        let expected = rows.iter().filter(|row| keeps(row)).count();
        assert_eq!(body["value"].as_array().unwrap().len(), expected, "{filter}");
    }
}

#[tokio::test]
async fn a_guid_and_a_lookup_can_be_asked_for() {
    let client = Client::start().await;
    let corners = corners(1);
    let filter = format!(
        "_parentcustomerid_value eq {} and contactid ne {}",
        corners.account_twice_there, corners.contact_quotes
    );
    let (_, body) = client.read(&with_query("contacts", &[("$filter", &filter)])).await;
    let found = body["value"].as_array().unwrap();
    assert!(found.iter().any(|row| row["contactid"] == corners.contact_company_twice.as_str()));
    assert!(found.iter().all(|row| row["_parentcustomerid_value"] == corners.account_twice_there.as_str()));
}

#[tokio::test]
async fn what_does_not_parse_is_refused_with_a_place() {
    let client = Client::start().await;
    let path = with_query("contacts", &[("$filter", "lastname eq 'O'Bryan'")]);
    let (status, code, message) = client.refused(&path).await;
    assert_eq!((status, code.as_str()), (400, "0x0"));
    assert_eq!(message, "There is an unterminated literal at position 21 in 'lastname eq 'O'Bryan''.");
    for filter in [
        "lastname",
        "lastname eq",
        "lastname is 'x'",
        "(lastname eq 'x'",
        "lastname eq 'x')",
        "lastname eq 'x' and",
        "gendercode eq 'x'",
        "lastname eq 5",
        "donotemail eq 1",
        "birthdate eq 2020-01-01T00:00:00Z",
        "contactid eq 5",
        "contains(gendercode,'x')",
        "nothing eq 'x'",
        "gendercode in (1,2)",
    ] {
        assert_eq!(client.refused(&with_query("contacts", &[("$filter", filter)])).await.0, 400, "{filter}");
    }
}

#[tokio::test]
async fn functions_of_other_kinds_are_a_501() {
    let client = Client::start().await;
    for (filter, name) in [
        ("Microsoft.Dynamics.CRM.Above(PropertyName='lastname',PropertyValue='a')", "Microsoft.Dynamics.CRM.Above"),
        ("length(lastname) eq 5", "length"),
        ("parentcustomerid_account/name eq 'x'", "parentcustomerid_account/name"),
    ] {
        let (status, _, message) = client.refused(&with_query("contacts", &[("$filter", filter)])).await;
        assert!(status == 501 && message.contains(name), "{filter}: {status} {message}");
    }
}
