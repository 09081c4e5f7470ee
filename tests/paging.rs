//! Pages as another service could send them: links of every form, cookies, an empty end, pauses, and values at their limits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;
use ferry::dynamics::odata::Query;
use ferry::model::field::{Field, FieldKind};
use serde_json::{Value, json};

use crate::security::listener::{Listener, accounts, reply, send};
use crate::stage::{COMPANIES, Stage};

/// A status, headers and a body.
pub type Page = (&'static str, Vec<(&'static str, &'static str)>, Value);

/// An organisation that gives one of these pages after the other, whatever it is asked for.
pub fn organization(pages: Vec<Page>) -> Listener {
    let number = AtomicUsize::new(0);
    Listener::organization(move |_, stream| {
        let (status, headers, body) = &pages[number.fetch_add(1, Ordering::SeqCst).min(pages.len() - 1)];
        send(stream, &reply(status, headers, body.to_string().as_bytes()));
    })
}

/// The requests for pages, each as its first line and its headers.
pub fn asked(listener: &Listener) -> Vec<String> {
    listener.heard().into_iter().filter(|asked| asked.contains("authorization: Bearer")).collect()
}

async fn all(listener: &Listener, query: Query) -> Vec<RecordBatch> {
    let dynamics = listener.dynamics();
    let mut pages = dynamics.read(query).unwrap();
    let mut batches = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        batches.push(page.rows);
    }
    batches
}

pub fn rows(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({"@odata.etag": "W/\"1\"", "accountid": "a", "name": name, "unknown": [1]})).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_followed_to_an_empty_one_whatever_form_their_links_have() {
    const RELATIVE: &str = "accounts?$select=name&$skiptoken=%253ccookie%2520page%253d%25221%2522%253e+%2B";
    const ROOTED: &str = "/api/data/v9.2/accounts?$skiptoken=2";
    let cookie = ("set-cookie", "ARRAffinity=server-1; Path=/");
    let organization = organization(vec![
        ("200 OK", vec![cookie], json!({"value": rows(&["a", "b"]), "@odata.nextLink": RELATIVE})),
        ("200 OK", vec![cookie], json!({"@odata.nextLink": ROOTED, "value": rows(&["c"])})),
        ("200 OK", vec![], json!({"value": []})),
    ]);
    let batches = all(&organization, accounts()).await;
    let text = |batch: &RecordBatch, column: &str, at: usize| {
        array_value_to_string(batch.column_by_name(column).unwrap(), at).unwrap()
    };
    let found: Vec<(String, String)> = batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|at| (text(batch, "_row", at), text(batch, "name", at))))
        .collect();
    assert_eq!(found, [("1", "a"), ("2", "b"), ("3", "c")].map(|(row, name)| (row.to_owned(), name.to_owned())));
    let asked = asked(&organization);
    assert_eq!(asked.len(), 3);
    assert!(asked[0].starts_with("GET /api/data/v9.2/accounts?$select=accountid,name "), "{}", asked[0]);
    assert!(asked[1].starts_with(&format!("GET /api/data/v9.2/{RELATIVE} ")), "byte for byte: {}", asked[1]);
    assert!(asked[2].starts_with(&format!("GET {ROOTED} ")), "{}", asked[2]);
    for request in &asked {
        assert!(request.contains("prefer: odata.maxpagesize=5000\r\n"), "{request}");
        assert!(!request.contains("\r\ncookie:"), "a cookie would tie every request to one server: {request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_leads_back_ends_the_read() {
    let page = |link: &str| json!({"value": rows(&["a"]), "@odata.nextLink": format!("accounts?$skiptoken={link}")});
    let pages = ["1", "2", "1"].map(|link| ("200 OK", vec![], page(link)));
    let organization = organization(pages.to_vec());
    let dynamics = organization.dynamics();
    let mut pages = dynamics.read(accounts()).unwrap();
    for _ in 0..2 {
        pages.next().await.unwrap().unwrap();
    }
    assert!(pages.next().await.err().unwrap().to_string().contains("sent the same link twice"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_asked_for_is_made() {
    for status in ["429 Too Many Requests", "503 Service Unavailable"] {
        let error = json!({"error": {"code": "0x80072322", "message": "Number of requests exceeded the limit."}});
        let end = json!({"value": rows(&["a"])});
        let organization = organization(vec![(status, vec![("retry-after", "1")], error), ("200 OK", vec![], end)]);
        let since = Instant::now();
        assert_eq!(all(&organization, accounts()).await.len(), 1);
        assert!(since.elapsed() >= Duration::from_secs(1), "{status}: after {:?}", since.elapsed());
        assert_eq!(asked(&organization).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_recommends_counts() {
    let organization = organization(vec![("200 OK", vec![("x-ms-dop-hint", "1")], json!({"value": []}))]);
    let dynamics = organization.dynamics();
    assert_eq!(dynamics.at_once(), 4, "until it says something");
    dynamics.read(accounts()).unwrap().next().await.unwrap();
    assert_eq!(dynamics.at_once(), 2, "one, and one more as it went well");
}

/// Values at the limits of what Dataverse keeps, each with what it is in a batch.
#[tokio::test(flavor = "multi_thread")]
async fn values_keep_what_they_say() {
    const LARGE: &str = "922337203685477.5807";
    let cases = [
        (FieldKind::DateTime, "\"1753-01-01T00:00:00Z\"", "1753-01-01T00:00:00"),
        (FieldKind::DateTime, "\"1969-12-31T23:59:59Z\"", "1969-12-31T23:59:59"),
        (FieldKind::DateTime, "\"2263-01-01T00:00:00Z\"", "2263-01-01T00:00:00"),
        (FieldKind::DateTime, "\"9999-12-30T23:59:59Z\"", "9999-12-30T23:59:59"),
        (FieldKind::DateTime, "\"2024-02-29T01:30:00+02:00\"", "2024-02-28T23:30:00"),
        (FieldKind::Date, "\"1753-01-01\"", "1753-01-01"),
        (FieldKind::Date, "\"9999-12-30\"", "9999-12-30"),
        (FieldKind::Guid, "\"0F8FAD5B-D9CB-469F-A165-70867728950E\"", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        (FieldKind::Reference, "\"0F8FAD5B-D9CB-469F-A165-70867728950e\"", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        (FieldKind::Decimal, "25000.5000", "25000.5000000000"),
        (FieldKind::Decimal, "-0.0000000001", "-0.0000000001"),
        (FieldKind::Decimal, LARGE, "922337203685477.5807000000"),
        (FieldKind::Decimal, "1.5E+2", "150.0000000000"),
        (FieldKind::Integer, "-2147483648", "-2147483648"),
        (FieldKind::Integer, "9007199254740993", "9007199254740993"),
        (FieldKind::Boolean, "false", "false"),
        (FieldKind::MultiChoice, "\"100000000,100000002\"", "100000000,100000002"),
        (FieldKind::Text, r#""a\u0000\n\"\u00df\ud83d\ude00""#, "a\u{0}\n\"ß\u{1f600}"),
        (FieldKind::Text, "null", ""),
    ];
    for (kind, value, expected) in cases {
        let mut query = accounts();
        query.fields = vec![Field { name: "it".to_owned(), kind, scale: 10, ..query.fields[0].clone() }];
        let property = query.fields[0].property();
        let body = format!("{{\"value\":[{{\"{property}\":{value}}}]}}");
        let organization =
            Listener::organization(move |_, stream| send(stream, &reply("200 OK", &[], body.as_bytes())));
        let batches = all(&organization, query).await;
        let column = batches[0].column_by_name("it").unwrap();
        let found = array_value_to_string(column, 0).unwrap();
        assert_eq!(found.trim_end_matches('Z'), expected, "{kind:?} {value}");
        assert_eq!(column.is_null(0), value == "null");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_records_than_one_read_of_gainsight_gives_are_all_found() {
    let stage = Stage::world("", "", "").await;
    let company = |number: usize| json!({"Name": format!("C{number}"), "External_Account_ID_gainsight123__gc": format!("00000000-0000-4000-8000-{number:012}")});
    for number in 0..5_001 {
        stage.sandbox.put_record("company", company(number).as_object().unwrap().clone());
    }
    for number in [0, 2_500, 5_000] {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let row = json!({"accountid": id, "name": format!("Renamed {number}")});
        assert!(stage.sandbox.put_row("account", row.as_object().unwrap().clone()));
    }
    let counts = stage.run(COMPANIES).await[0].counts;
    assert_eq!((counts.inserted, counts.updated), (0, 3), "none was taken for missing");
    assert_eq!(stage.sandbox.records("company").len(), 5_001);
}
