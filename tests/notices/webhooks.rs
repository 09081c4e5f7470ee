//! A message to a program: signed, sent once a try, and to where it was to go.

use std::time::Duration;

use ferry::http::terms::Terms;
use ferry::model::clock::Clock;
use ferry::model::secret::Secret;
use ferry::notice::error::Error;
use ferry::notice::webhook::{Hook, signature};
use serde_json::Value;

use super::desk::{KEY, content, parcel};
use crate::security::listener::{Listener, reply, send};

fn hook() -> Hook {
    Hook { key: Secret::new(KEY.to_owned()), terms: Terms::new(Duration::from_secs(10), Clock::system(1.0)) }
}

fn header<'a>(asked: &'a str, name: &str) -> &'a str {
    asked.lines().find_map(|line| line.strip_prefix(name)).expect("the header is there")
}

/// HMAC-SHA256 of `1764140400.{"a":1}` as another library has it.
const DIGITS: &str = "9335cd0a22967ebbada511abb6f9e6600ba65ec0045f0d004bf2cd9a7618954c";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_arrives_signed() {
    let there = Listener::start(|_, stream| send(stream, &reply("204 No Content", &[], b"")));
    let url = format!("{}/hooks/ferry?team=revops", there.url());
    let content = content();
    assert_eq!(hook().send(&url, &parcel(&content)).await.unwrap(), "HTTP 204");
    let asked = there.heard().remove(0);
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hooks/ferry?team=revops HTTP/1.1\r\n"), "{head}");
    assert_eq!(
        (header(head, "content-type: "), header(head, "x-ferry-delivery: ")),
        ("application/json", "20261126-0003.17")
    );
    let signed = header(head, "x-ferry-signature: ");
    let second: i64 = signed.strip_prefix("t=").and_then(|rest| rest.split(',').next()).unwrap().parse().unwrap();
    assert_eq!(signed, signature(KEY, second, body));
    assert!((second - Clock::system(1.0).now().timestamp()).abs() < 60);
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["version"], &told["event"], &told["status"]), (&1.into(), &"partial".into(), &"partial".into()));
    assert_eq!(
        (&told["counts"]["read"], &told["runs"][0]["reasons"][0]["code"]),
        (&3.into(), &"REQUIRED_EMPTY".into())
    );
    assert_eq!(told["error_file"], "/home/ferry/runs/20261126-0003/errors.csv");
}

#[test]
fn a_signature_is_what_other_libraries_make_of_it() {
    assert_eq!(signature(KEY, 1_764_140_400, "{\"a\":1}"), format!("t=1764140400,v1={DIGITS}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_success_is_tried_again_unless_nobody_will_ever_listen() {
    for (status, is_final) in [
        ("410 Gone", true),
        ("404 Not Found", false),
        ("401 Unauthorized", false),
        ("500 Oops", false),
        ("503 Away", false),
    ] {
        let there = Listener::start(move |_, stream| send(stream, &reply(status, &[], b"no\x1b[31m thanks")));
        let error = hook().send(&there.url(), &parcel(&content())).await.unwrap_err();
        assert_eq!(error.is_final(), is_final, "{status}: {error}");
        assert!(error.to_string().contains("no thanks"), "{error}");
        assert_eq!(there.heard().len(), 1, "once a try: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_follows_a_redirect() {
    let elsewhere = Listener::recorder();
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = reply(status, &[("location", &elsewhere.url())], b"");
        let there = Listener::start(move |_, stream| send(stream, &answer));
        let error = hook().send(&there.url(), &parcel(&content())).await.unwrap_err();
        assert!(error.to_string().contains("redirect") && !error.is_final(), "{error}");
    }
    assert_eq!(elsewhere.heard(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_private_address_is_told_anything() {
    for url in
        ["https://10.0.0.1/x", "https://169.254.169.254/latest", "http://acme.com/x", "https://[::ffff:10.0.0.1]/"]
    {
        let error = hook().send(url, &parcel(&content())).await.unwrap_err();
        assert!(matches!(error, Error::Http(_)), "{url}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_breaks_off_is_tried_again() {
    let there = Listener::start(|_, _| {});
    let error = hook().send(&there.url(), &parcel(&content())).await.unwrap_err();
    assert!(!error.is_final(), "{error}");
    let error = hook().send("http://127.0.0.1:1/", &parcel(&content())).await.unwrap_err();
    assert!(error.to_string().contains("cannot be reached") && !error.is_final(), "{error}");
}
