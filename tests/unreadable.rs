//! Answers of success that are none: bodies that break off, pages of sign-in, pages beyond the limits.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferry::dynamics::error::Error;
use ferry::gainsight;
use ferry::gainsight::sent::Fields;
use ferry::gainsight::write::Batch;
use ferry::model::field::{Field, FieldKind};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::paging::{asked, rows as listed};
use crate::ranges::{client, contacts, rows};
use crate::security::listener::{Listener, accounts, reply, send};

/// An organisation that gives this body with this type so many times, and then a page of one row.
fn organization(kind: Option<&'static str>, body: &str, times: usize) -> Listener {
    let (number, body) = (AtomicUsize::new(0), body.as_bytes().to_vec());
    Listener::organization(move |_, stream| {
        let page = json!({"value": listed(&["a"])}).to_string();
        let headers: Vec<_> = kind.map(|kind| ("content-type", kind)).into_iter().collect();
        let is_wrong = number.fetch_add(1, Ordering::SeqCst) < times;
        let good = reply("200 OK", &[("content-type", "application/json; odata.metadata=minimal")], page.as_bytes());
        send(stream, &if is_wrong { reply("200 OK", &headers, &body) } else { good });
    })
}

const SIGN_IN: &str = "<!DOCTYPE html>\n<html><title>Sign in to your account</title>\u{1b}[31m Bearer a-token </html>";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_read_is_asked_for_three_times_in_all() {
    let cases = [
        (Some("text/html; charset=utf-8"), SIGN_IN, "it is text/html; charset=utf-8, not JSON: <!DOCTYPE html> <html>"),
        (Some("text/plain"), "Service starting", "it is text/plain, not JSON: Service starting"),
        (Some("application/xml"), "<error/>", "it is application/xml, not JSON: <error/>"),
        (Some("application/json"), SIGN_IN, "expected value at line 1 column 1"),
        (None, SIGN_IN, "expected value at line 1 column 1"),
        (Some("application/json"), "", "EOF while parsing"),
        (Some("application/json"), "{\"value\":[{\"name\":\"Ada", "EOF while parsing"),
        (Some("application/json"), "{\"values\":[]}", "it has no list of rows"),
        (Some("text/plain"), " {\"value\":[{\"name\":\"Ada\"}]}", "it is text/plain, not JSON"),
        (Some("application/jsonp"), "[\"Ada\"]", "it is application/jsonp, not JSON"),
    ];
    // The waits between tries are real ones, so all cases wait together.
    futures::future::join_all(cases.map(|(kind, body, said)| three_times_in_all(kind, body, said))).await;
}

async fn three_times_in_all(kind: Option<&'static str>, body: &'static str, said: &'static str) {
    for times in [1, 2] {
        let passing = organization(kind, body, times);
        let page = passing.dynamics().read(accounts()).unwrap().next().await.unwrap().unwrap();
        assert_eq!((page.rows.num_rows(), asked(&passing).len()), (1, times + 1), "{kind:?} {body}");
    }
    let staying = organization(kind, body, usize::MAX);
    let error = staying.dynamics().read(accounts()).unwrap().next().await.err().unwrap();
    assert!(matches!(error, Error::Unreadable { .. }) && !error.is_to_begin_again(), "{error}");
    let text = error.to_string();
    assert!(text.contains("(accounts)") && text.contains(said), "{kind:?} {body}: {text}");
    for hidden in ["Ada", "a-token", "\u{1b}", "\n"] {
        assert!(!text.contains(hidden), "{hidden:?} is said: {text}");
    }
    assert_eq!(asked(&staying).len(), 3, "{kind:?} {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_page_of_another_type_only_the_beginning_is_shown() {
    let long = format!("<html>{}</html>", "x".repeat(5_000));
    let staying = organization(Some("text/html"), &long, usize::MAX);
    let said = staying.dynamics().read(accounts()).unwrap().next().await.err().unwrap().to_string();
    assert!(said.contains(&format!("<html>{}…", "x".repeat(194))) && !said.contains(&"x".repeat(195)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_json_than_pages_is_asked_for_again_too() {
    let me = "{\"OrganizationId\":\"o\",\"UserId\":\"u\"}";
    let number = AtomicUsize::new(0);
    let passing = Listener::organization(move |_, stream| {
        let body = if number.fetch_add(1, Ordering::SeqCst) < 2 { &me[..20] } else { me };
        send(stream, &reply("200 OK", &[], body.as_bytes()));
    });
    assert_eq!(passing.dynamics().who_am_i().await.unwrap().organization_id, "o");
    let staying = organization(Some("text/html"), SIGN_IN, usize::MAX);
    let said = staying.dynamics().who_am_i().await.err().unwrap().to_string();
    assert!(said.contains("(WhoAmI): it is text/html, not JSON: <!DOCTYPE html>"), "{said}");
    assert_eq!(asked(&staying).len(), 3);
}

/// What is larger than any honest page would be so again.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_beyond_the_limits_is_asked_for_once() {
    let names: Vec<String> = (0..4_097).map(|number| format!("\"c{number}\":1")).collect();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 3 << 20]).unwrap();
    for (body, packed, said) in [
        (format!("{{\"value\":[{{{}}}]}}", names.join(",")).into_bytes(), false, "row 1 has more than 4096 names"),
        (format!("{{\"value\":[{}]}}", "[".repeat(100)).into_bytes(), false, "nested more than 64 deep"),
        (format!("{{\"a\":\"{}\"}}", "x".repeat((1 << 20) + 1)).into_bytes(), false, "a text of more than 1048576"),
        (bomb.finish().unwrap(), true, "unpacks to more than 100 times its size"),
        (vec![b' '; (64 << 20) + 1], false, "more than 67108864 bytes"),
    ] {
        let listener = Listener::organization(move |_, stream| {
            let encoding = if packed { "gzip" } else { "identity" };
            send(stream, &reply("200 OK", &[("content-encoding", encoding)], &body));
        });
        let error = listener.dynamics().read(accounts()).unwrap().next().await.err().unwrap();
        assert!(matches!(error, Error::TooLarge { .. }), "{error}");
        let text = error.to_string();
        let whole = ["a page larger than Ferry takes (accounts: ", said, "lower page_size in LIMITS"];
        assert!(whole.iter().all(|part| text.contains(part)), "{text}");
        assert_eq!(asked(&listener).len(), 1, "{text}");
    }
}

/// In the middle of a table too, in one chain and in ranges.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_pages_that_break_off_is_read_whole() {
    let rule = r#"{"service": "dynamics", "path": "/api/data/v9.2/contacts", "nth": [4, 7], "in_a_row": 2, "truncate_json": true}
        {"service": "dynamics", "path": "/api/data/v9.2/contacts", "nth": [12], "status": 200, "text": "<html>Sign in</html>"}"#;
    for ranges_from_rows in [100, u64::MAX] {
        let stage = crate::checkpoints::world(5, rule).await;
        let (query, mut dynamics) = client(&stage, "", 100, 5).await;
        dynamics.ranges_from_rows = ranges_from_rows;
        let found = rows(&mut dynamics.read_whole(query, None).await.unwrap(), || ()).await;
        assert_eq!(found.len(), contacts(5).lines().count());
        assert!(found.iter().map(|(number, ..)| *number).eq(1..=1_200));
    }
}

/// Reads of Gainsight alike; an answer that is readable and refuses is not one of these.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_of_gainsight_is_asked_for_three_times_in_all() {
    let fields = vec![Field::bare("Gsid", "GSID", FieldKind::Text)];
    let good = json!({"result": true, "data": {"records": [{"Gsid": "1"}]}}).to_string();
    for body in [SIGN_IN, &good[..good.len() / 2], ""] {
        for times in [1, 2, 3] {
            let (number, body, good) = (AtomicUsize::new(0), body.to_owned(), good.clone());
            let tenant = Listener::start(move |_, stream| {
                let is_wrong = number.fetch_add(1, Ordering::SeqCst) < times;
                send(stream, &reply("200 OK", &[], if is_wrong { &body } else { &good }.as_bytes()));
            });
            let read = tenant.gainsight().read("Company", &fields).next().await;
            match read {
                Ok(page) => assert_eq!((page.unwrap().num_rows(), times < 3), (1, true)),
                Err(error) => {
                    assert!(matches!(error, gainsight::error::Error::Unreadable { .. }) && times == 3, "{error}");
                }
            }
            assert_eq!(tenant.heard().len(), 3.min(times + 1));
        }
    }
    let refusal = json!({"result": false, "errorCode": "GSOBJ_1002", "errorDesc": "Invalid field"}).to_string();
    for (status, body, calls) in [("400 Bad Request", refusal.as_str(), 1), ("403 Forbidden", "Forbidden", 1)] {
        let body = body.to_owned();
        let tenant = Listener::start(move |_, stream| send(stream, &reply(status, &[], body.as_bytes())));
        assert!(tenant.gainsight().read("Company", &fields).next().await.is_err());
        assert_eq!(tenant.heard().len(), calls, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_cannot_be_read_is_not_sent_again() {
    let tenant = Listener::start(|_, stream| send(stream, &reply("200 OK", &[], SIGN_IN.as_bytes())));
    let record = Fields::of(json!({"Name": "A"}).as_object().unwrap());
    let error =
        tenant.gainsight().write(&Batch::InsertObject("company".to_owned()), &[(&record, None)]).await.err().unwrap();
    assert!(matches!(error, gainsight::error::Error::Unclear { .. }), "{error}");
    assert_eq!(tenant.heard().len(), 1);
}
