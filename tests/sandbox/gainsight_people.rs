//! The upsert of a person with companies.

use super::client::{Client, records};
use serde_json::{Value, json};

async fn company(client: &Client, name: &str) -> String {
    let (_, body) = client.insert("company", json!([{"Name": name}])).await;
    body["data"]["records"][0]["Gsid"].as_str().expect("the company was inserted").to_owned()
}

#[tokio::test]
async fn a_person_is_found_by_email_without_case_and_companies_add_up() {
    let client = Client::start().await;
    let (one, two) = (company(&client, "One").await, company(&client, "Two").await);
    let link = |gsid: &str, title: &str| json!({"Company_ID": gsid, "Title": title});
    let first = json!({"Email": "kim@example.com", "FirstName": "Kim", "companies": [link(&one, "CIO")]});
    let second =
        json!({"Email": "KIM@example.com", "LastName": "Lee", "companies": [link(&two, "CFO"), link(&one, "CEO")]});
    let (status, body) = client.person(first).await;
    assert_eq!(status, 200, "{body}");
    let (_, again) = client.person(second).await;
    assert_eq!(body["data"]["Gsid"], again["data"]["Gsid"]);
    assert_eq!((&again["data"]["FirstName"], &again["data"]["LastName"]), (&json!("Kim"), &json!("Lee")));
    let gsid = body["data"]["Gsid"].as_str().unwrap();
    let links = records(&client.sandbox, "company_person", "Person_ID", gsid);
    assert_eq!(links.len(), 2);
    assert!(links.iter().any(|link| link["Company_ID"] == one.as_str() && link["Title"] == "CEO"));
}

#[tokio::test]
async fn an_unknown_company_and_neither_is_written() {
    let client = Client::start().await;
    for company in [json!("1P02AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), json!("x"), Value::Null] {
        let body = json!({"Email": "lone@example.com", "companies": [{"Company_ID": company}]});
        let (status, body) = client.person(body).await;
        assert_eq!((status, body["errorCode"].as_str()), (400, Some("GSOBJ_PEOPLE1001")));
    }
    assert!(client.sandbox.records("person").is_empty());
    assert!(client.sandbox.records("company_person").is_empty());
}

#[tokio::test]
async fn refusals_use_the_codes_of_the_people_api() {
    let client = Client::start().await;
    let company = company(&client, "One").await;
    for (body, code) in [
        (json!({}), "GSOBJ_VCRUDR1001"),
        (json!({"FirstName": "Nobody"}), "GSOBJ_VCRUDR1003"),
        (json!({"Email": "no-mail"}), "GSOBJ_VDTEMAIL1001"),
        (json!({"Email": "x@blocked.example"}), "GSOBJ_VDTEMAIL1001"),
        (json!({"Email": "a@b.example", "Nothing": 1}), "GSOBJ_VCRUDR1002"),
        (json!({"Email": "a@b.example", "EmailOptOut": "maybe"}), "GSOBJ_VDTBOOL1001"),
        (json!({"Email": "a@b.example", "FirstName": "x".repeat(256)}), "GSOBJ_VDTBSTR1001"),
        (json!({"Email": "a@b.example", "LinkedinUrl": "not a url"}), "GSOBJ_VDTURL1001"),
        (json!({"Email": "a@b.example", "companies": [{"Company_ID": company, "Active": 1}]}), "GSOBJ_VDTBOOL1001"),
        (json!({"Email": "a@b.example", "companies": [{"Company_ID": company, "Nothing": 1}]}), "GSOBJ_VCRUDR1002"),
    ] {
        let (status, answer) = client.person(body.clone()).await;
        assert_eq!((status, answer["errorCode"].as_str()), (400, Some(code)), "{body}");
    }
    assert!(client.sandbox.records("person").is_empty());
    let (status, _) = client.person(json!({"Email": "a@b.example", "relationships": []})).await;
    assert_eq!(status, 501);
}
