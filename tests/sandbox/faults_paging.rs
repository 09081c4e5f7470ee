//! Faults of paging: links that expire, rows that come twice, and a source that changes meanwhile.

use ferry::sandbox::{Options, start_with};
use serde_json::{Value, json};

use super::client::{Client, answer};

const CONTACTS: &str = "/api/data/v9.2/contacts";

async fn with(rules: &str) -> Client {
    Client::with_faults(Options { rows: 200, ..Options::default() }, rules).await
}

/// The pages of a request from first to last; a refused one ends them.
async fn pages(client: &Client, path: &str, size: usize) -> Vec<(u16, Value)> {
    let prefer = |request: reqwest::RequestBuilder| {
        let value = format!("odata.maxpagesize={size},odata.include-annotations=\"*\"");
        request.header("Prefer", value)
    };
    let mut all = vec![answer(prefer(client.dynamics(path))).await];
    while let Some(link) = all.last().and_then(|(_, page)| page["@odata.nextLink"].as_str()) {
        let next = answer(prefer(client.link(link))).await;
        all.push(next);
    }
    all
}

fn keys(page: &Value) -> Vec<&str> {
    let rows = page["value"].as_array().expect("a page has rows");
    rows.iter().map(|row| row["contactid"].as_str().expect("a row has its key")).collect()
}

/// The contacts that differ between two looks at the source, as they are now; nothing for one that is gone.
fn changed(before: &[Value], client: &Client) -> Vec<Option<Value>> {
    let now: Vec<Value> = client.sandbox.table("contact").into_iter().map(Value::Object).collect();
    let found = |row: &&Value| now.iter().find(|other| other["contactid"] == row["contactid"]).cloned();
    before
        .iter()
        .map(|row| (row, found(&row)))
        .filter(|(row, now)| now.as_ref() != Some(row))
        .map(|(_, now)| now)
        .collect()
}

#[tokio::test]
async fn an_expired_link_is_refused_and_first_pages_are_not_counted() {
    let client =
        with(&format!(r#"{{"service": "dynamics", "path": "{CONTACTS}", "nth": [2], "expire_link": true}}"#)).await;
    let path = "contacts?$select=contactid&$top=150";
    let first = pages(&client, path, 50).await;
    let statuses: Vec<u16> = first.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [200, 200, 400], "the second link has expired");
    assert_eq!(first[2].1["error"]["code"], "0x8004112a");
    let again = pages(&client, path, 50).await;
    assert!(again.iter().all(|(status, _)| *status == 200), "a chain that begins again is whole");
}

#[tokio::test]
async fn a_row_comes_again_on_the_next_page_and_none_is_lost() {
    for order in ["", "&$orderby=createdon desc"] {
        let client =
            with(&format!(r#"{{"service": "dynamics", "path": "{CONTACTS}", "nth": [1], "repeat_row": true}}"#)).await;
        let path = format!("contacts?$select=contactid{order}");
        let struck = pages(&client, &path, 60).await;
        let plain = pages(&client, &path, 60).await;
        let first = keys(&struck[0].1);
        assert_eq!(first, keys(&plain[0].1));
        assert_eq!(keys(&struck[1].1).first(), first.last(), "{order}");
        assert_eq!(keys(&struck[1].1).len(), 60, "the page is no larger");
        let count = |all: &[(u16, Value)]| all.iter().map(|(_, page)| keys(page).len()).sum::<usize>();
        assert_eq!(count(&struck), count(&plain) + 1);
    }
}

#[tokio::test]
async fn rows_change_once_a_page_is_made() {
    let rule = format!(
        r#"{{"service": "dynamics", "path": "{CONTACTS}", "nth": [1],
            "touch": {{"table": "contact", "column": "jobtitle", "value": "Changed", "rows": 3}}}}"#
    );
    let rule = rule.replace('\n', " ");
    let client = with(&rule).await;
    let before: Vec<Value> = client.sandbox.table("contact").into_iter().map(Value::Object).collect();
    let (_, page) = client.read("contacts?$select=contactid,jobtitle").await;
    assert!(page["value"].as_array().unwrap().iter().all(|row| row["jobtitle"] != "Changed"), "the page came before");
    let changed_rows = changed(&before, &client);
    assert_eq!(changed_rows.len(), 3);
    for row in changed_rows.iter().flatten() {
        let old = before.iter().find(|old| old["contactid"] == row["contactid"]).unwrap();
        assert_eq!(row["jobtitle"], "Changed");
        assert!(row["versionnumber"].as_i64() > old["versionnumber"].as_i64());
        assert!(row["modifiedon"].as_str() > old["modifiedon"].as_str());
    }
    let twin = with(&rule).await;
    twin.read("contacts?$select=contactid,jobtitle").await;
    let ids =
        |rows: Vec<Option<Value>>| rows.into_iter().flatten().map(|row| row["contactid"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(changed(&before, &twin)), ids(changed_rows), "one seed changes the same rows");
}

#[tokio::test]
async fn a_row_goes_once_a_page_is_made() {
    let client =
        with(&format!(r#"{{"service": "dynamics", "path": "{CONTACTS}", "nth": [2], "drop_row": true}}"#)).await;
    let before: Vec<Value> = client.sandbox.table("contact").into_iter().map(Value::Object).collect();
    client.read("contacts?$top=1").await;
    assert_eq!(changed(&before, &client), []);
    client.read("contacts?$top=1").await;
    assert_eq!(changed(&before, &client), [None]);
}

#[tokio::test]
async fn one_choice_of_a_page_is_unknown() {
    let rules = format!(
        r#"{{"service": "dynamics", "path": "{CONTACTS}", "nth": [1], "unknown_choice": true}}
           {{"service": "dynamics", "path": "{CONTACTS}", "nth": [3], "unknown_choice": true}}"#
    );
    let client = with(&rules).await;
    let path = "contacts?$select=contactid,gendercode";
    let (_, struck) = pages(&client, path, 5000).await.remove(0);
    let (_, plain) = pages(&client, path, 5000).await.remove(0);
    let both = struck["value"].as_array().unwrap().iter().zip(plain["value"].as_array().unwrap());
    let differing: Vec<(&Value, &Value)> = both.filter(|(struck, plain)| struck != plain).collect();
    let [(struck, plain)] = differing.as_slice() else { panic!("one row differs: {differing:?}") };
    let annotation = "gendercode@OData.Community.Display.V1.FormattedValue";
    assert!(plain[annotation].is_string() && struck.get(annotation).is_none());
    let known = client.read("EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='gendercode')/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet($select=Options)").await.1;
    let options = known["OptionSet"]["Options"].as_array().expect("options");
    assert!(options.iter().all(|option| option["Value"] != struck["gendercode"]));
    let (status, without) = client.read("contacts?$select=contactid&$top=1").await;
    assert_eq!((status, keys(&without).len()), (200, 1), "a page without a choice stays as it is");
}

#[tokio::test]
async fn a_touch_that_does_not_fit_the_source_is_refused_at_the_start() {
    for (touch, said) in [
        (json!({"table": "contract", "column": "x", "value": 1}), "unknown table 'contract'"),
        (json!({"table": "contact", "column": "jobtitel", "value": "x"}), "unknown column 'jobtitel'"),
        (json!({"table": "contact", "column": "jobtitle", "value": 1}), "column 'jobtitle': 1 does not fit String"),
    ] {
        let rules = json!({"service": "dynamics", "touch": touch}).to_string();
        let error = start_with(Options { rows: 20, ..Options::default() }, &rules).await.err().expect("it is refused");
        assert_eq!(error.to_string(), format!("the given faults:1: `touch` does not fit: {said}"));
    }
}
