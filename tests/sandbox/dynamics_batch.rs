//! `$batch`: order, failures, change sets and the form of the text.

use super::client::{Client, row};
use ferry::sandbox::corners::corners;
use reqwest::Method;
use serde_json::{Value, json};

/// Sends a body as it is; gives the status and the text.
async fn raw(client: &Client, kind: &str, prefer: &str, body: String) -> (u16, String) {
    let request = client.request(Method::POST, "$batch").header("Content-Type", kind).header("Prefer", prefer);
    let response = request.body(body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn batch(client: &Client, prefer: &str, parts: &[String]) -> (u16, String) {
    let body: String = parts.iter().map(|part| format!("--batch_1\r\n{part}")).collect();
    raw(client, "multipart/mixed; boundary=\"batch_1\"", prefer, format!("{body}--batch_1--\r\n")).await
}

fn part(request: &str, body: &Value) -> String {
    let head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n";
    let body = if body.is_null() { String::new() } else { body.to_string() };
    format!("{head}\r\n{request} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n")
}

fn get(path: &str) -> String {
    part(&format!("GET /api/data/v9.2/{path}"), &Value::Null)
}

fn change_set(requests: &[(&str, &str, Value)]) -> String {
    let one =
        |(id, request, body): &(&str, &str, Value)| format!("--set_1\r\nContent-ID: {id}\r\n{}", part(request, body));
    let inner: String = requests.iter().map(one).collect();
    format!("Content-Type: multipart/mixed; boundary=set_1\r\n\r\n{inner}--set_1--\r\n")
}

/// The status lines of an answer, in order.
fn statuses(text: &str) -> Vec<u16> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    lines.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn parts_are_answered_in_their_order() {
    let client = Client::start().await;
    let url = client.sandbox.dynamics_url();
    let id = corners(1).account_renamed;
    let parts = [
        part(&format!("PATCH {url}/api/data/v9.2/accounts({id})"), &json!({"name": "First"})),
        get(&format!("accounts({id})?$select=name")),
        part(&format!("PATCH accounts({id})"), &json!({"name": "Second"})),
        get("accounts?$filter=name eq 'Second'&$select=name"),
        get("WhoAmI()"),
        part("POST /api/data/v9.2/contacts", &json!({"lastname": "Third"})),
    ];
    let (status, text) = batch(&client, "", &parts).await;
    assert_eq!((status, statuses(&text)), (200, vec![204, 200, 204, 200, 200, 204]), "{text}");
    assert!(text.find("\"name\":\"First\"") < text.find("\"name\":\"Second\""), "{text}");
    assert!(text.contains("Content-Type: application/json; odata.metadata=minimal; odata.streaming=true\r\n"));
    assert!(text.contains(&format!("OData-EntityId: {url}/api/data/v9.2/contacts(")), "{text}");
    assert!(text.starts_with("--batchresponse_") && text.trim_end().ends_with("--"));
    let log = client.sandbox.calls();
    assert_eq!((log.last().unwrap().write, log.last().unwrap().status), (true, 200));
}

#[tokio::test]
async fn the_first_failure_ends_a_batch_unless_it_is_to_go_on() {
    let client = Client::start().await;
    let parts = [get("accounts?$top=1"), get("accounts?$select=nome"), get("accounts?$top=1")];
    let (status, text) = batch(&client, "", &parts).await;
    assert_eq!((status, statuses(&text)), (400, vec![200, 400]), "{text}");
    assert!(text.contains("REQ_ID: ") && text.contains("Could not find a property named 'nome'"), "{text}");
    let (status, text) = batch(&client, "odata.continue-on-error", &parts).await;
    assert_eq!((status, statuses(&text)), (200, vec![200, 400, 200]), "{text}");
    let (status, text) = batch(&client, "odata.continue-on-error=false", &parts).await;
    assert_eq!((status, statuses(&text)), (400, vec![200, 400]), "{text}");
}

#[tokio::test]
async fn a_change_set_names_the_rows_it_made() {
    let client = Client::start().await;
    let set = change_set(&[
        ("1", "POST /api/data/v9.2/accounts", json!({"name": "Set"})),
        ("2", "POST /api/data/v9.2/contacts", json!({"lastname": "One", "parentcustomerid_account@odata.bind": "$1"})),
        ("3", "PUT $2/lastname", json!({"value": "Two"})),
        ("4", "PUT $1/primarycontactid/$ref", json!({"@odata.id": "$2"})),
        ("5", "PATCH $1", json!({"industrycode": 3})),
    ]);
    let (status, text) = batch(&client, "", &[set, get("accounts?$filter=name eq 'Set'")]).await;
    assert_eq!((status, statuses(&text)), (200, vec![204, 204, 204, 204, 204, 200]), "{text}");
    for id in ["1", "2", "3", "4", "5"] {
        assert!(text.contains(&format!("Content-ID: {id}\r\n")), "{text}");
    }
    assert!(text.contains("--changesetresponse_"));
    let account = client.sandbox.table("account").into_iter().find(|row| row["name"] == "Set").unwrap();
    let contact = row(&client.sandbox, "contact", account["_primarycontactid_value"].as_str().unwrap());
    assert_eq!((&contact["lastname"], &contact["_parentcustomerid_value"]), (&json!("Two"), &account["accountid"]));
    assert_eq!(account["industrycode"], 3);
}

#[tokio::test]
async fn a_change_set_that_fails_leaves_nothing_behind() {
    let client = Client::start().await;
    let corners = corners(1);
    let (kept, gone) = (&corners.account_renamed, &corners.account_quotes);
    let before = (client.sandbox.table("account"), client.sandbox.table("contact"));
    let first = ("1", "POST /api/data/v9.2/contacts", json!({"lastname": "Never"}));
    let patch = format!("PATCH /api/data/v9.2/accounts({kept})");
    let delete = format!("DELETE /api/data/v9.2/accounts({gone})");
    for (last, status) in [
        (("4", "POST /api/data/v9.2/accounts", json!({"name": "x".repeat(161)})), 400),
        (("4", "POST /api/data/v9.2/accounts", json!({"primarycontactid@odata.bind": "$9"})), 400),
        (("4", "PATCH $9", json!({"name": "x"})), 400),
        (("4", "GET /api/data/v9.2/accounts", Value::Null), 400),
        (("4", "DELETE /api/data/v9.2/accounts(00000000-0000-0000-0000-000000000001)", Value::Null), 404),
    ] {
        let middle = ("2", patch.as_str(), json!({"name": "Never"}));
        let set = change_set(&[first.clone(), middle, ("3", &delete, Value::Null), last.clone()]);
        let (outer, text) = batch(&client, "odata.continue-on-error", &[set, get("accounts?$top=1")]).await;
        assert_eq!((outer, statuses(&text)), (200, vec![status, 200]), "{last:?}: {text}");
        assert_eq!((client.sandbox.table("account"), client.sandbox.table("contact")), before, "{last:?}");
    }
}

#[tokio::test]
async fn text_that_does_not_keep_to_the_form_is_refused_as_a_whole() {
    let client = Client::start().await;
    let good = format!("--b\r\n{}--b--\r\n", get("accounts?$top=1"));
    let kind = "multipart/mixed;boundary=b";
    assert_eq!(raw(&client, kind, "", format!("\r\n{good}")).await.0, 200);
    let without_id = format!(
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n{}--c--\r\n--b--\r\n",
        part("POST /api/data/v9.2/contacts", &json!({"lastname": "x"}))
    );
    for (kind, body, code) in [
        (kind, good.replace("\r\n", "\n"), "0x80048d19"),
        (kind, good.replace("--b--\r\n", ""), "0x80048d19"),
        (kind, String::new(), "0x80048d19"),
        (kind, good.replace("application/http\r\n", "application/http\n"), "0x80048d19"),
        (kind, good.replace("Content-Type: application/http", "nonsense"), "0x80048d19"),
        (kind, good.replace("application/http", "text/plain"), "0x80060888"),
        (kind, good.replace(" HTTP/1.1", ""), "0x80060888"),
        (kind, without_id, "0x80060888"),
        (kind, format!("{}--b--\r\n", format!("--b\r\n{}", get("WhoAmI")).repeat(1001)), "0x80060888"),
        ("application/json", good.clone(), "0x80060888"),
        ("multipart/mixed", good.clone(), "0x80060888"),
    ] {
        let (status, text) = raw(&client, kind, "", body).await;
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, body["error"]["code"].as_str()), (400, Some(code)), "{text}");
    }
    let (status, text) = batch(&client, "", &[part("POST /api/data/v9.2/$batch", &Value::Null)]).await;
    assert_eq!((status, statuses(&text)), (400, vec![400]), "{text}");
    let (_, text) = batch(&client, "", &[part("GET $1", &Value::Null)]).await;
    assert!(text.contains("Content-ID Reference: '$1' does not exist in the batch context."), "{text}");
    let response = client.request(Method::GET, "$batch").send().await.unwrap();
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn a_long_address_fits_into_a_batch() {
    let client = Client::start().await;
    let filter = vec!["name eq 'Renamed Ltd'"; 2000].join(" or ");
    assert!(filter.len() > 32_768);
    let (status, text) = batch(&client, "", &[get(&format!("accounts?$select=name&$filter={filter}"))]).await;
    assert_eq!((status, statuses(&text)), (200, vec![200]));
    assert!(text.contains("Renamed Ltd"));
    // As many tests as an address holds are a list, not a tower.
    let many = vec!["fax eq null"; 4300].join(" or ");
    let (_, text) = batch(&client, "", &[get(&format!("accounts/$count?$filter={many}"))]).await;
    assert_eq!(statuses(&text), [200], "{text}");
    let (status, _) = batch(&client, "", &[get(&format!("accounts?$filter={}", "x".repeat(65_536)))]).await;
    assert_eq!(status, 400);
    let deep = "(".repeat(5000);
    let (_, text) = batch(&client, "", &[get(&format!("accounts?$filter={deep}"))]).await;
    assert_eq!(statuses(&text), [400], "{text}");
}
