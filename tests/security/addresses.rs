//! Where a connection may lead: names of the services or of the administrator, and public addresses behind them.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferry::http::address::{Lookup, is_public};
use ferry::http::client::{Client, Method, Request};
use ferry::http::hosts::named;
use ferry::http::retry::Repeat;
use ferry::http::terms::Terms;
use ferry::model::clock::Clock;

use super::listener::Listener;
use crate::terminal::Desk;

/// Addresses that a name may lead to, and that are refused.
const FORBIDDEN: [&str; 48] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "2001::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
];
/// Addresses in place of a name, in every spelling of a URL.
const LITERAL: [&str; 17] = [
    "8.8.8.8",
    "10.0.0.1",
    "167772161",
    "0xa000001",
    "012.0.0.1",
    "10.1",
    "169.254.169.254",
    "2852039166",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "①⓪.0.0.1",
    "0.0.0.0",
    "0",
    "[::]",
    "[fd00:ec2::254]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
];
const PUBLIC: [&str; 10] = [
    "8.8.8.8",
    "13.107.6.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2603:1030::1",
    "64:ff9b::8.8.8.8",
];

fn lookup(answers: Vec<Vec<IpAddr>>) -> Lookup {
    let (asked, answers) = (AtomicUsize::new(0), Arc::new(answers));
    Arc::new(move |_| {
        let answer = answers[asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)].clone();
        Box::pin(async move { Ok(answer) })
    })
}

async fn ask(url: &str, lookup: Lookup) -> Result<(), String> {
    let client = Client::resolving(url, &Terms::new(Duration::from_millis(300), Clock::system(1.0)), lookup)
        .map_err(|e| e.to_string())?;
    let url = client.url("/").map_err(|e| e.to_string())?;
    let request = Request { method: Method::Get, url, headers: Vec::new(), body: None, repeat: Repeat::Never };
    client.send(&request).await.map(drop).map_err(|e| e.to_string())
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_into_a_private_network_is_refused() {
    for address in FORBIDDEN {
        assert!(!is_public(ip(address)), "{address}");
        let said = ask("https://acme.crm.dynamics.com", lookup(vec![vec![ip(address)]])).await.err().unwrap();
        assert!(said.contains(&format!("leads to {}", ip(address))), "{address}: {said}");
    }
    for address in PUBLIC {
        assert!(is_public(ip(address)), "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_address_does_not_cover_for_another() {
    let target = Listener::recorder();
    // Of a block that nobody has, so that nobody is asked.
    let (public, here) = (ip("2d00::1"), ip("127.0.0.1"));
    let url = format!("https://acme.crm.dynamics.com:{}", target.port());
    // Both at once, in either order.
    for both in [vec![public, here], vec![here, public]] {
        let said = ask(&url, lookup(vec![both])).await.err().unwrap();
        assert!(said.contains("leads to 127.0.0.1"), "{said}");
    }
    // One after the other: what is used is what was looked at, each time anew. A host that is away is tried again.
    let rebinding = lookup(vec![vec![public], vec![here]]);
    let mut said = ask(&url, Arc::clone(&rebinding)).await.err().unwrap();
    if !said.contains("leads to") {
        said = ask(&url, rebinding).await.err().unwrap();
    }
    assert!(said.contains("leads to 127.0.0.1"), "{said}");
    assert_eq!(target.heard(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_no_name() {
    for host in LITERAL {
        let said = ask(&format!("https://{host}"), lookup(vec![vec![]])).await.err().unwrap();
        assert!(said.contains("is an address") || said.contains("is not asked"), "{host}: {said}");
        let said = ask(&format!("http://{host}"), lookup(vec![vec![]])).await.err().unwrap();
        assert!(said.contains("is an address"), "{host}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_reached_where_the_url_names_it() {
    let target = Listener::recorder();
    let here = lookup(vec![vec![ip("127.0.0.1")]]);
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "127.1", "2130706433", "0x7f000001"] {
        ask(&format!("http://{host}:{}", target.port()), Arc::clone(&here)).await.unwrap();
    }
    let heard = target.heard().len();
    let said =
        ask(&format!("http://localhost:{}", target.port()), lookup(vec![vec![ip("192.0.1.1")]])).await.err().unwrap();
    assert!(said.contains("leads to 192.0.1.1"), "localhost is this machine and no other: {said}");
    assert_eq!(target.heard().len(), heard);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_must_be_the_services_or_a_named_one() {
    let mut desk = Desk::new().await;
    let own = desk.stage.sandbox.dynamics_url().to_owned();
    let file = desk.project().join("connections.ferry");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut said = |host: &str, allowed: &str| {
        std::fs::write(&file, text.replace(&own, &format!("https://{host}"))).unwrap();
        desk.set("FERRY_ALLOWED_HOSTS", allowed);
        desk.ferry(&["connection", "authorize", "dynamics"])
    };
    for host in
        ["crm.invalid", "dynamics.com.invalid", "xdynamics.com", "dynamics.com", "acme.gainsightcloud.com", "10.0.0.1"]
    {
        let (code, _, err) = said(host, "another.invalid");
        assert!(code == 3 && err.contains(&format!("{host} is no host of the service")), "{host}: {err}");
        assert!(err.contains("FERRY_ALLOWED_HOSTS"), "what to do: {err}");
    }
    let (code, _, err) = said("crm.invalid", "another.invalid, CRM.invalid ,");
    assert!(code == 3 && err.contains("crm.invalid cannot be reached"), "it is tried: {err}");
    let (code, _, err) = said("10.0.0.1", "10.0.0.1");
    assert!(code == 3 && err.contains("is an address"), "an address stays one: {err}");
    let list = " a.b,, C.d ,https://e.f:443/x, bücher.example, *.g.h";
    assert_eq!(named(list), ["a.b", "c.d", "e.f", "xn--bcher-kva.example", "*.g.h"], "a star stands for itself alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_proxy_of_the_environment_gets_in_between() {
    let proxy = Listener::recorder();
    let mut desk = Desk::new().await;
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        desk.set(name, &proxy.url());
    }
    let (code, _, err) = desk.ferry(&["connection", "authorize", "dynamics"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(proxy.heard(), [""; 0]);
}
