//! `ferry serve` as a process: what it writes, what it answers, and that it ends when it is asked to.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::Value;
use tokio::net::TcpListener;

use super::asked::ask;
use crate::terminal::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_until_it_is_asked_to_stop() {
    let desk = Desk::new().await;
    let mut child = desk.begin_with(
        &["serve", "--log", "json", "--listen", "127.0.0.1:0"],
        Stdio::null(),
        // A collector that nobody is at, so that traces are on and disturb nothing.
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")],
    );
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(|line| {
        let line = line.unwrap();
        serde_json::from_str::<Value>(&line).unwrap_or_else(|_| panic!("{line}"))
    });
    let listening = said.find(|line| line["event"] == "listening").unwrap();
    let at: SocketAddr = listening["at"].as_str().unwrap().parse().unwrap();
    said.find(|line| line["event"] == "started").unwrap();
    let get = async |path: &str| ask(at, &format!("GET {path} HTTP/1.1\r\nHost: {at}\r\n")).await;
    assert_eq!(get("/healthz").await.0, 200);
    assert_eq!(get("/readyz").await, (200, "ok\n".to_owned()));
    assert!(get("/metrics").await.1.contains("ferry_build_info{version="));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let events: Vec<String> = said.map(|line| line["event"].as_str().unwrap().to_owned()).collect();
    assert!(events.ends_with(&["stopping".to_owned(), "stopped".to_owned()]), "{events:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let desk = Desk::new().await;
    let (code, _, talk) = desk.ferry(&["serve", "--listen", &at]);
    assert_eq!(code, 2);
    assert!(
        talk.contains(&format!("{at} cannot be listened at")) && talk.contains("--listen takes another, or none"),
        "{talk}"
    );
    let (code, _, talk) = desk.ferry(&["serve", "--listen", "somewhere"]);
    assert_eq!(code, 2);
    assert!(talk.contains("such as 127.0.0.1:9464, or none"), "{talk}");
}
