//! How a request may be written, and what every answer carries.

use super::client::{Client, answer};
use ferry::sandbox::Service;
use ferry::sandbox::corners::corners;
use serde_json::{Value, json};

#[tokio::test]
async fn blanks_dollars_and_guids_may_be_written_in_several_ways() {
    let client = Client::start().await;
    let id = corners(1).account_renamed;
    let upper = id.to_uppercase();
    for path in [
        "accounts?$filter=name%20eq%20'Renamed%20Ltd'&$select=name".to_owned(),
        "accounts?$filter=name+eq+'Renamed+Ltd'&$select=name".to_owned(),
        "accounts?%24filter=name+eq+%27Renamed+Ltd%27&%24select=name".to_owned(),
        "accounts?$filter=name%20eq%20@p1&@p1='Renamed%20Ltd'&$select=name".to_owned(),
        "accounts?$filter=(name+eq+%40p1)&%40p1=%27renamed+ltd%27&$select=name".to_owned(),
        format!("accounts?$select=name&$filter=accountid eq {id}"),
        format!("accounts?$select=name&$filter=accountid eq {upper}"),
    ] {
        let (status, body) = client.read(&path).await;
        assert_eq!((status, &body["value"][0]["accountid"]), (200, &json!(id)), "{path}: {body}");
        assert_eq!(body["value"].as_array().unwrap().len(), 1);
    }
    for key in [id.clone(), upper.clone(), format!("accountid={id}"), format!("accountid={upper}")] {
        assert_eq!(client.read(&format!("accounts({key})")).await.1["accountid"], id, "{key}");
    }
    let (_, ordered) = client.read("accounts?$select=name&$orderby=@by&@by=name%20desc&$top=2").await;
    let (_, plain) = client.read("accounts?$select=name&$orderby=name%20desc&$top=2").await;
    assert_eq!(ordered["value"], plain["value"]);
    let (_, nulls) = client.read("accounts/$count?$filter=name%20eq%20@none").await;
    let expected = client.sandbox.table("account").iter().filter(|row| row["name"].is_null()).count();
    assert_eq!(nulls, expected, "an alias without a value is null");
    let (status, _, message) = client.refused("accounts?$filter=name%20eq%20@p1&@p1='a'%20or%20name").await;
    assert_eq!(status, 501, "{message}");
}

#[tokio::test]
async fn a_row_the_client_has_is_not_sent_again() {
    let client = Client::start().await;
    let path = format!("accounts({})?$select=name", corners(1).account_renamed);
    let response = client.dynamics(&path).header("If-None-Match", "null").send().await.unwrap();
    let etag = response.headers()["etag"].to_str().unwrap().to_owned();
    let row: Value = response.json().await.unwrap();
    assert_eq!(row["@odata.etag"], etag);
    let again = client.dynamics(&path).header("If-None-Match", &etag).send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, etag.as_str()));
    assert!(again.bytes().await.unwrap().is_empty());
    let old = client.dynamics(&path).header("If-None-Match", "W/\"1\"").send().await.unwrap();
    assert_eq!(old.status(), 200);
    // What comes from other rows may have changed, so such a read is always answered.
    let annotated = client.dynamics(&path).header("If-None-Match", &etag);
    assert_eq!(answer(annotated.header("Prefer", "odata.include-annotations=\"*\"")).await.0, 200);
    let expanded = client.dynamics(&format!("{path}&$expand=primarycontactid")).header("If-None-Match", &etag);
    assert_eq!(answer(expanded).await.0, 200);
    for (path, value) in [("accounts", etag.as_str()), ("WhoAmI", etag.as_str()), ("accounts", "*"), ("", "*")] {
        assert_eq!(answer(client.dynamics(path).header("If-None-Match", value)).await.0, 501, "{path} {value}");
    }
    assert_eq!(answer(client.dynamics("accounts?$top=1").header("If-None-Match", "null")).await.0, 200);
    assert_eq!(answer(client.dynamics(&path).header("If-Match", "*")).await.0, 501);
}

#[tokio::test]
async fn links_use_the_name_the_client_used_and_can_be_asked_again() {
    let client = Client::start().await;
    let request =
        client.dynamics("contacts?$select=fullname&$orderby=gendercode").header("Prefer", "odata.maxpagesize=20");
    let (_, page) = answer(request.header("Host", "org.example:8443").header("X-Forwarded-Proto", "https")).await;
    let start = "https://org.example:8443/api/data/v9.2/";
    assert!(page["@odata.context"].as_str().unwrap().starts_with(&format!("{start}$metadata#contacts")));
    let link = page["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with(&format!("{start}contacts?$select=fullname&$orderby=gendercode&$skiptoken=")), "{link}");
    let local = link.replace("https://org.example:8443", client.sandbox.dynamics_url());
    let mut pages = Vec::new();
    for _ in 0..2 {
        let (status, body) = answer(client.link(&local).header("Prefer", "odata.maxpagesize=20")).await;
        assert_eq!(status, 200, "{body}");
        pages.push(body);
    }
    assert_eq!(pages[0], pages[1], "a link gives the same page each time");
    let post = client.write(reqwest::Method::POST, "contacts", &json!({"lastname": "x"}));
    let response = post.header("Host", "org.example").header("X-Forwarded-Proto", "HTTPS, http").send().await.unwrap();
    let address = response.headers()["odata-entityid"].to_str().unwrap().to_owned();
    assert!(address.starts_with("https://org.example/api/data/v9.2/contacts("), "{address}");
    let (_, odd) = answer(client.dynamics("").header("X-Forwarded-Proto", "javascript")).await;
    assert!(odd["@odata.context"].as_str().unwrap().starts_with("http://"));
}

#[tokio::test]
async fn rows_come_with_key_and_tag_and_ties_keep_their_order() {
    let client = Client::start().await;
    let (_, page) = client.read("contacts?$select=gendercode&$orderby=gendercode&$count=true").await;
    let rows = page["value"].as_array().unwrap();
    assert_eq!(page["@odata.count"], rows.len());
    for row in rows {
        let names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["@odata.etag", "contactid", "gendercode"]);
    }
    for tied in rows.chunk_by(|a, b| a["gendercode"] == b["gendercode"]) {
        let keys: Vec<&str> = tied.iter().map(|row| &row["contactid"].as_str().unwrap()[24..]).collect();
        assert!(keys.is_sorted(), "the key decides last");
    }
    assert_eq!(client.read("contacts?$select=gendercode&$orderby=gendercode&$count=true").await.1, page);
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own_and_an_error_is_an_envelope() {
    let client = Client::start().await;
    let url = client.sandbox.dynamics_url().to_owned();
    let mut ids = Vec::new();
    let deleted = client.request(reqwest::Method::DELETE, "accounts(00000000-0000-0000-0000-000000000001)");
    for (request, status) in [
        (client.dynamics("accounts?$top=1"), 200),
        (client.dynamics("accounts?$select=nome"), 400),
        (client.dynamics("nothing"), 404),
        (client.dynamics("accounts?savedQuery=x"), 501),
        (client.http.get(format!("{url}/api/data/v8.0/accounts")).bearer_auth("x"), 401),
        (client.http.get(format!("{url}/api/data/v9.2/")), 401),
        (client.http.get(format!("{url}/elsewhere")), 404),
        (deleted, 404),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        let id = response.headers()["x-ms-service-request-id"].to_str().unwrap().to_owned();
        assert_eq!(response.headers()["req_id"].to_str().unwrap(), id);
        if status == 401 {
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer authorization_uri=") && challenge.contains(", resource_id="));
        } else if status >= 400 {
            let body: Value = response.json().await.unwrap();
            assert!(body["error"]["code"].is_string() && body["error"]["message"].is_string(), "{body}");
        }
        ids.push(id);
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[tokio::test]
async fn each_service_protection_limit_has_its_code_and_words() {
    let client = Client::start().await;
    for (code, words) in [
        ("0x80072322", "limit of 6000 over time window of 300 seconds."),
        ("0x80072321", "1,200,000 milliseconds"),
        ("0x80072326", "Number of concurrent requests exceeded the limit of 52."),
    ] {
        client.sandbox.fail_next_with(Service::Dynamics, 429, 1, code);
        let (status, found, message) = client.refused("accounts?$top=1").await;
        assert_eq!((status, found.as_str()), (429, code));
        assert!(message.contains(words), "{message}");
    }
    client.sandbox.fail_next(Service::Dynamics, 429, 1, Some(6));
    let response = client.dynamics("accounts").send().await.unwrap();
    assert_eq!(response.headers()["retry-after"].to_str().unwrap().parse::<u64>(), Ok(6));
    assert!(response.headers().contains_key("x-ms-service-request-id"));
}
