//! Change tracking: links, changes and deletions, and what it refuses.

use super::client::{Client, answer, row, with_query};
use ferry::sandbox::corners::corners;
use ferry::sandbox::{Drift, Service};
use reqwest::Method;
use serde_json::{Map, Value, json};

const DAY_MS: i64 = 86_400_000;
const CONTACTS: &str = "contacts?$select=lastname";

/// What a chain of pages gave.
struct Chain {
    rows: Vec<Value>,
    pages: usize,
    /// The link of the last page.
    link: String,
}

fn preferring(size: usize) -> String {
    format!("odata.track-changes,odata.maxpagesize={size}")
}

/// Follows pages to the last one; the work is done once the first page is there.
async fn chain(client: &Client, address: &str, size: usize, mut between: impl FnMut()) -> Chain {
    let mut request = if address.starts_with("http") { client.link(address) } else { client.dynamics(address) };
    let mut chain = Chain { rows: Vec::new(), pages: 0, link: String::new() };
    loop {
        let (status, page) = answer(request.header("Prefer", preferring(size))).await;
        assert_eq!(status, 200, "{page}");
        chain.rows.extend(page["value"].as_array().unwrap().clone());
        chain.pages += 1;
        if chain.pages == 1 {
            between();
        }
        match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
            (Some(next), None) => request = client.link(next),
            (None, Some(link)) => {
                link.clone_into(&mut chain.link);
                return chain;
            }
            other => panic!("a page has one of the two links, not {other:?}"),
        }
    }
}

async fn changes(client: &Client, link: &str, size: usize) -> Chain {
    chain(client, link, size, || {}).await
}

fn put(client: &Client, table: &str, row: Value) {
    assert!(client.sandbox.put_row(table, row.as_object().unwrap().clone()));
}

/// Some keys of contacts, in the order of pages.
fn some(client: &Client, count: usize) -> Vec<String> {
    client
        .sandbox
        .table("contact")
        .iter()
        .take(count)
        .map(|row| row["contactid"].as_str().unwrap().to_owned())
        .collect()
}

fn ids(rows: &[Value]) -> Vec<String> {
    let id = |row: &Value| row["contactid"].as_str().or(row["id"].as_str()).unwrap().to_owned();
    rows.iter().map(id).collect()
}

async fn refused(client: &Client, address: &str) -> (u16, String, String) {
    let request = if address.starts_with("http") { client.link(address) } else { client.dynamics(address) };
    let (status, body) = answer(request.header("Prefer", "odata.track-changes")).await;
    let text = |name: &str| body["error"][name].as_str().unwrap_or("?").to_owned();
    (status, text("code"), text("message"))
}

#[tokio::test]
async fn a_first_read_gives_every_row_and_ends_with_a_link() {
    let client = Client::start().await;
    client.sandbox.set_clock(1_503_389_444_000);
    let all: Vec<String> =
        client.sandbox.table("contact").iter().map(|row| row["contactid"].as_str().unwrap().to_owned()).collect();
    for size in [1, 7, all.len(), 5000] {
        let read = chain(&client, CONTACTS, size, || {}).await;
        assert_eq!(ids(&read.rows), all);
        assert_eq!(read.pages, all.len().div_ceil(size));
        let version = all.iter().map(|id| row(&client.sandbox, "contact", id)["versionnumber"].as_i64().unwrap()).max();
        let start = format!("{}/api/data/v9.2/{CONTACTS}&$deltatoken=", client.sandbox.dynamics_url());
        let (known, time) = read.link.strip_prefix(&start).unwrap().split_once("%21").unwrap();
        assert!(known.parse::<i64>().unwrap() >= version.unwrap(), "{}", read.link);
        assert_eq!(time, "08%2f22%2f2017%2008%3a10%3a44");
    }
    let request = client.dynamics(CONTACTS).header("Prefer", "odata.track-changes, odata.maxpagesize=3");
    let response = request.header("Prefer", "odata.include-annotations=\"*\"").send().await.unwrap();
    let applied = "odata.track-changes,odata.maxpagesize=3,odata.include-annotations=\"*\"";
    assert_eq!(response.headers()["preference-applied"], applied);
    let page: Value = response.json().await.unwrap();
    assert!(page["@odata.context"].as_str().unwrap().ends_with("$metadata#contacts(lastname)"));
    assert!(page["@odata.nextLink"].as_str().unwrap().contains("istracking=%22True%22"));
}

#[tokio::test]
async fn changes_come_in_the_order_of_their_versions_and_deletions_last() {
    let client = Client::start().await;
    let first = chain(&client, CONTACTS, 50, || {}).await;
    let keys = some(&client, 6);
    put(&client, "contact", json!({"contactid": keys[3], "lastname": "Once"}));
    assert!(client.sandbox.delete_row("contact", &keys[1]));
    put(&client, "contact", json!({"contactid": keys[0], "lastname": "Twice"}));
    put(&client, "contact", json!({"contactid": keys[3], "firstname": "Again"}));
    let path = format!("contacts({})", keys[2]);
    assert_eq!(client.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    let (_, created) = answer(
        client.write(Method::POST, "contacts", &json!({"lastname": "New"})).header("Prefer", "return=representation"),
    )
    .await;
    let new = created["contactid"].as_str().unwrap().to_owned();
    let expected = [&keys[0], &keys[3], &new, &keys[1], &keys[2]].map(String::clone);
    for size in [1, 2, 3, 4, 5, 5000] {
        let read = changes(&client, &first.link, size).await;
        assert_eq!(ids(&read.rows), expected, "pages of {size}");
        assert_eq!(read.pages, 5_usize.div_ceil(size));
        let last = changes(&client, &read.link, size).await;
        assert_eq!((last.rows.len(), last.pages), (0, 1));
        assert!(last.link.contains("contacts?$select=lastname&$deltatoken="), "{}", last.link);
    }
    let (_, page) = answer(client.link(&first.link)).await;
    let base = format!("{}/api/data/v9.2/$metadata#contacts", client.sandbox.dynamics_url());
    assert_eq!(page["@odata.context"], format!("{base}(lastname)/$delta"));
    assert_eq!((&page["value"][1]["lastname"], page["value"][1].get("firstname")), (&json!("Once"), None));
    assert!(page["value"][1]["@odata.etag"].is_string());
    let gone = json!({"@odata.context": format!("{base}/$deletedEntity"), "id": keys[2], "reason": "deleted"});
    assert_eq!(page["value"][4], gone);
    let token = first.link.split_once("$deltatoken=").unwrap().1;
    assert_eq!(client.read(&format!("contacts/$count?$deltatoken={token}")).await.1, 5);
}

#[tokio::test]
async fn a_row_that_came_and_went_is_a_deletion_and_one_that_came_back_is_none() {
    let client = Client::start().await;
    let first = chain(&client, CONTACTS, 5000, || {}).await;
    let (passing, back) = ("aaaaaaaa-0000-4000-8000-000000000001", some(&client, 1).remove(0));
    put(&client, "contact", json!({"contactid": passing, "lastname": "Passing"}));
    assert!(client.sandbox.delete_row("contact", passing));
    assert!(client.sandbox.delete_row("contact", &back));
    assert!(!client.sandbox.delete_row("contact", &back));
    put(&client, "contact", json!({"contactid": back, "lastname": "Back"}));
    let read = changes(&client, &first.link, 5000).await;
    assert_eq!(ids(&read.rows), [back, passing.to_owned()]);
    assert_eq!(read.rows[1]["reason"], "deleted");
}

#[tokio::test]
async fn a_change_set_that_fails_leaves_neither_changes_nor_deletions() {
    let client = Client::start().await;
    let first = chain(&client, CONTACTS, 5000, || {}).await;
    let key = some(&client, 1).remove(0);
    let part = |id: usize, head: &str, body: &str| {
        format!(
            "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\r\n\
             {head} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
        )
    };
    let set = [
        part(1, &format!("DELETE /api/data/v9.2/contacts({key})"), ""),
        part(2, "POST /api/data/v9.2/contacts", "{\"lastname\":\"New\"}"),
        part(3, "POST /api/data/v9.2/contacts", "{\"nonsense\":1}"),
    ]
    .concat();
    let body = format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{set}--c--\r\n--b--\r\n");
    let request = client.request(Method::POST, "$batch").header("Content-Type", "multipart/mixed; boundary=b");
    let (_, answered) = answer(request.body(body)).await;
    assert!(answered.as_str().unwrap().contains("400 Bad Request"), "{answered}");
    assert_eq!(changes(&client, &first.link, 5000).await.rows, Vec::<Value>::new());
}

#[tokio::test]
async fn what_changes_behind_the_page_is_lost_or_comes_again_as_the_token_is_read() {
    for by_first_page in [false, true] {
        let client = Client::start().await;
        client.sandbox.mark_delta_tokens_by_first_page(by_first_page);
        let keys = some(&client, 2);
        let between = || {
            put(&client, "contact", json!({"contactid": keys[0], "lastname": "Behind"}));
            assert!(client.sandbox.delete_row("contact", &keys[1]));
        };
        let first = chain(&client, CONTACTS, 10, between).await;
        assert_eq!(ids(&first.rows)[..2], keys);
        let read = changes(&client, &first.link, 10).await;
        assert_eq!(ids(&read.rows), if by_first_page { keys } else { Vec::new() });
    }
}

#[tokio::test]
async fn nothing_is_lost_that_changes_between_pages_of_changes() {
    for by_first_page in [false, true] {
        let client = Client::start().await;
        client.sandbox.mark_delta_tokens_by_first_page(by_first_page);
        let first = chain(&client, CONTACTS, 5000, || {}).await;
        let keys = some(&client, 6);
        for key in &keys[..3] {
            put(&client, "contact", json!({"contactid": key, "lastname": "Before"}));
        }
        assert!(client.sandbox.delete_row("contact", &keys[4]));
        let between = || {
            put(&client, "contact", json!({"contactid": keys[0], "lastname": "Between"}));
            put(&client, "contact", json!({"contactid": keys[3], "lastname": "Between"}));
            assert!(client.sandbox.delete_row("contact", &keys[5]));
        };
        let second = chain(&client, &first.link, 4, between).await;
        let third = changes(&client, &second.link, 4).await;
        let seen: Vec<Value> = [second.rows, third.rows].concat();
        for key in &keys[..4] {
            let last = seen.iter().rfind(|row| row["contactid"] == key.as_str()).unwrap();
            let is_later = *key == keys[0] || *key == keys[3];
            assert_eq!(last["lastname"], if is_later { "Between" } else { "Before" });
        }
        for key in &keys[4..] {
            assert!(seen.iter().any(|row| row["id"] == key.as_str() && row["reason"] == "deleted"));
        }
    }
}

#[tokio::test]
async fn options_that_do_not_go_with_it_are_refused_by_name() {
    let client = Client::start().await;
    let first = chain(&client, CONTACTS, 5000, || {}).await;
    for (name, value) in [
        ("$filter", "lastname eq 'x'"),
        ("$orderby", "lastname"),
        ("$expand", "parentcustomerid_account"),
        ("$top", "3"),
    ] {
        let added = with_query("", &[(name, value)]).replacen('?', "&", 1);
        for address in [format!("{CONTACTS}{added}"), format!("{}{added}", first.link)] {
            let (status, _, message) = refused(&client, &address).await;
            let text = format!("The \"{name}\" query parameter isn't supported when Change Tracking is enabled.");
            assert_eq!((status, message), (400, text));
        }
    }
    assert_eq!(refused(&client, "contacts?$count=true").await.0, 501);
    assert_eq!(refused(&client, &format!("contacts({})", corners(1).contact_quotes)).await.0, 501);
    let (status, code, _) = refused(&client, "contacts?$select=lastnam").await;
    assert_eq!((status, code.as_str()), (400, "0x0"));
}

#[tokio::test]
async fn a_table_without_change_tracking_is_refused_and_metadata_says_so_before() {
    let client = Client::start().await;
    let definition =
        "EntityDefinitions(LogicalName='systemuser')?$select=ChangeTrackingEnabled,CanChangeTrackingBeEnabled";
    for on in [false, true, false] {
        assert!(client.sandbox.track("systemuser", on));
        let (_, told) = client.read(definition).await;
        assert_eq!(
            (&told["ChangeTrackingEnabled"], &told["CanChangeTrackingBeEnabled"]["Value"]),
            (&json!(on), &json!(true))
        );
        let (status, code, message) = refused(&client, "systemusers?$select=fullname").await;
        if on {
            assert_eq!(status, 200);
        } else {
            let text = "Entity systemuser isn't enabled for change tracking.";
            assert_eq!((status, code.as_str(), message.as_str()), (400, "0x80072491", text));
        }
    }
    assert!(!client.sandbox.track("lead", true));
    let tracked =
        with_query("EntityDefinitions", &[("$select", "LogicalName"), ("$filter", "ChangeTrackingEnabled eq true")]);
    let (_, list) = client.read(&tracked).await;
    let names: Vec<&str> =
        list["value"].as_array().unwrap().iter().map(|one| one["LogicalName"].as_str().unwrap()).collect();
    assert_eq!(names, ["account", "contact", "opportunity", "new_project"]);
}

#[tokio::test]
async fn who_may_not_read_everything_may_not_read_changes() {
    let client = Client::start().await;
    let first = chain(&client, CONTACTS, 5000, || {}).await;
    for depth in [Some("Local"), None] {
        client.sandbox.grant("contact", "Read", depth);
        for address in [CONTACTS, &first.link] {
            let (status, code, message) = refused(&client, address).await;
            assert_eq!((status, code.as_str()), (403, "0x80040220"));
            assert!(message.contains("prvReadContact"), "{message}");
        }
    }
    assert_eq!(client.read(CONTACTS).await.0, 200);
}

#[tokio::test]
async fn a_token_lives_seven_days_by_the_clock_of_the_sandbox() {
    let client = Client::start().await;
    let first = chain(&client, CONTACTS, 5000, || {}).await;
    client.sandbox.set_clock(1_800_000_000_000);
    let expired = |answered: (u16, String, String)| {
        let text = "Version stamp associated with the client has expired. Please perform a full sync.";
        assert_eq!(answered, (400, "0x80044352".to_owned(), text.to_owned()));
    };
    // Access tokens end by the same clock, so the client gets another one.
    let client = client.signed_in_again().await;
    expired(refused(&client, &first.link).await);
    let first = chain(&client, CONTACTS, 5000, || {}).await;
    client.sandbox.advance_clock(7 * DAY_MS);
    let client = client.signed_in_again().await;
    assert_eq!(changes(&client, &first.link, 5000).await.rows.len(), 0);
    client.sandbox.advance_clock(1000);
    expired(refused(&client, &first.link).await);
    client.sandbox.keep_delta_tokens(8);
    let again = changes(&client, &first.link, 5000).await;
    client.sandbox.keep_delta_tokens(0);
    assert_eq!(refused(&client, &again.link).await.0, 200);
}

#[tokio::test]
async fn a_token_from_before_a_change_of_the_table_has_expired() {
    let client = Client::start().await;
    let first = chain(&client, CONTACTS, 5000, || {}).await;
    let accounts = chain(&client, "accounts?$select=name", 5000, || {}).await;
    assert!(client.sandbox.drift(Service::Dynamics, "contact.fax", Drift::Length(20)));
    assert_eq!(refused(&client, &first.link).await.1, "0x80044352");
    assert_eq!(refused(&client, &accounts.link).await.0, 200);
    let again = chain(&client, CONTACTS, 5000, || {}).await;
    assert_eq!(changes(&client, &again.link, 5000).await.rows.len(), 0);
}

#[tokio::test]
async fn a_token_that_is_none_is_refused_and_so_is_an_altered_page() {
    let client = Client::start().await;
    for token in ["", "x", "919042", "919042!yesterday", "x!08/22/2017 08:10:44", "99999999999!08/22/2017 08:10:44"] {
        let (status, _, message) = refused(&client, &with_query("contacts", &[("$deltatoken", token)])).await;
        assert!(status == 400 && message.contains("$deltatoken"), "{token}: {status} {message}");
    }
    let (_, page) = answer(client.dynamics(CONTACTS).header("Prefer", preferring(10))).await;
    let link = page["@odata.nextLink"].as_str().unwrap();
    for altered in
        [link.replace("pagenumber=%222", "pagenumber=%223"), link.replace("%257b", "%257c"), format!("{link}x")]
    {
        assert_ne!(altered, link);
        assert_eq!(refused(&client, &altered).await.1, "0x8004112a");
    }
    let (status, code, _) =
        client.refused(&format!("contacts?{}", link.split_once('?').unwrap().1.replace("True", "False"))).await;
    assert_eq!((status, code.as_str()), (400, "0x8004112a"));
}

#[tokio::test]
async fn the_world_of_before_does_not_come_back_as_changes() {
    let client = Client::start().await;
    let before: Vec<Map<String, Value>> = client.sandbox.table("account");
    let first = chain(&client, "accounts", 5000, || {}).await;
    assert_eq!(first.rows.len(), before.len());
    put(&client, "contact", json!({"contactid": some(&client, 1)[0], "lastname": "Other table"}));
    let read = changes(&client, &first.link, 5000).await;
    assert_eq!(read.rows.len(), 0);
    assert!(read.link.contains("/accounts?$deltatoken="), "{}", read.link);
}
