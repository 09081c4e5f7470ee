//! Plain http is for this machine, everything else is TLS 1.2 or newer, and nothing turns the checks of certificates off.

use std::io::Read;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ferry::diagnostic::source::Sources;
use ferry::http::client::{Client, Method, Request};
use ferry::http::retry::Repeat;
use ferry::http::terms::Terms;
use ferry::lang::project::read;
use ferry::model::clock::Clock;

use super::listener::{Listener, reply, send};
use crate::terminal::Desk;

fn client(url: &str) -> Result<Client, String> {
    Client::new(url, &Terms::new(Duration::from_secs(2), Clock::system(1.0))).map_err(|error| error.to_string())
}

async fn ask(url: &str) -> Result<u16, String> {
    let client = client(url)?;
    let url = client.url("/").map_err(|e| e.to_string())?;
    let request = Request { method: Method::Get, url, headers: Vec::new(), body: None, repeat: Repeat::Never };
    client.send(&request).await.map(|answer| answer.status).map_err(|error| error.to_string())
}

/// Whether a script may name this URL.
fn is_accepted(url: &str) -> bool {
    let mut sources = Sources::default();
    let text = format!("CREATE CONNECTION it TO GAINSIGHT URL '{url}' AUTH access_key (key = SECRET 'k');");
    sources.add("connections.ferry".to_owned(), text);
    read(&sources).connections.contains_key("it")
}

#[test]
fn plain_http_is_for_this_machine() {
    for url in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://127.1:1", "https://localhost:1"] {
        assert!(is_accepted(url) && client(url).is_ok(), "{url}");
    }
    for url in [
        "http://acme.gainsightcloud.com",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://0.0.0.0:1",
        "http://10.0.0.1",
        "http://[::ffff:127.0.0.1]:1",
        "ftp://127.0.0.1",
        "file:///tmp",
        "acme.gainsightcloud.com",
    ] {
        assert!(!is_accepted(url) && client(url).is_err(), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_does_not_lead_from_tls_to_plain_http() {
    let target = Listener::recorder();
    let to = format!("{}/", target.url());
    let answer = reply("302 Found", &[("location", &to)], b"");
    let first = Listener::start(move |_, stream| send(stream, &answer));
    assert!(ask(&first.url()).await.err().unwrap().contains("is not followed"));
    assert_eq!(target.heard(), [""; 0]);
    let desk = Desk::new().await;
    for url in
        ["dynamics=http://acme.crm.dynamics.com", "dynamics=https://acme.crm.dynamics.com", "dynamics=http://10.0.0.1"]
    {
        let (code, _, err) = desk.ferry(&["check", "--connection", url]);
        assert!(code == 2 && err.contains("only an address of this machine"), "{err}");
    }
}

/// A certificate for localhost that its owner signed himself.
const SELF_SIGNED: &str = "MIIBljCCATugAwIBAgIUYTp6QAOyw7FaxFYY8qYVItVCSc0wCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTIx\
    MzU1M1oYDzIxMjYxMTAxMjEzNTUzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAToQhmPS2AyV8er\
    L0ydtMAwRSz7LMbVRevOSyFABPeFz5X0OCeYUBIwGzOko7rp9MGrzFSDENgO+E8zQE4LyswLo2kwZzAdBgNVHQ4EFgQUDc+pSY/qmJ2o2o+Y\
    0rUMvb6BLeEwHwYDVR0jBBgwFoAUDc+pSY/qmJ2o2o+Y0rUMvb6BLeEwDwYDVR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3Qw\
    CgYIKoZIzj0EAwIDSQAwRgIhAKY4RnKCez6g5Bfi1E36+QTUK3JebVh8TNRhvqmy1UFbAiEAsz9ThMmzAHUWBp2BrxWmBMPYjZg43X7kxvlE\
    IqyZZwU=";

/// What a server of TLS 1.2 says until it waits for the client: hello, certificate, key, done. The key is not signed, as the
/// certificate is judged first. <https://www.rfc-editor.org/rfc/rfc5246#section-7.4>
fn flight(certificate: &[u8]) -> Vec<u8> {
    let long = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[1..], bytes].concat();
    let message = |kind: u8, body: &[u8]| [&[kind][..], &long(body)].concat();
    let hello = [&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2b, 0]].concat();
    let key = [&[3, 0, 29, 32][..], &[9; 32], &[4, 3, 0, 64], &[1; 64]].concat();
    let messages =
        [message(2, &hello), message(11, &long(&long(certificate))), message(12, &key), message(14, &[])].concat();
    [&[22, 3, 3][..], &u16::try_from(messages.len()).unwrap().to_be_bytes(), &messages].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (port, heard) = hello(flight(&STANDARD.decode(SELF_SIGNED).unwrap()));
    let said = ask(&format!("https://localhost:{port}")).await.err().unwrap();
    assert!(said.contains("shows a certificate that is not trusted") && said.contains("so nothing was sent"), "{said}");
    heard.join().unwrap();
}

/// One who listens for the first words of TLS, and answers with these.
fn hello(answer: impl AsRef<[u8]> + Send + 'static) -> (u16, std::thread::JoinHandle<Vec<u8>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        stream.read_exact(&mut body).unwrap();
        send(&mut stream, answer.as_ref());
        body
    });
    (port, heard)
}

/// The versions that a client offers: extension 43. <https://www.rfc-editor.org/rfc/rfc8446#section-4.2.1>
fn versions(hello: &[u8]) -> Vec<[u8; 2]> {
    let at = (0..hello.len() - 5)
        .find(|at| hello[*at..].starts_with(&[0, 43, 0]) && hello[at + 3] == hello[at + 4] + 1)
        .expect("it offers versions");
    hello[at + 5..][..usize::from(hello[at + 4])].chunks(2).map(|pair| [pair[0], pair[1]]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_1_2_or_newer() {
    // A server that chooses TLS 1.1: its hello, with no session and AES128-SHA.
    const OLD: &[u8] = &[
        22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 47, 0,
    ];
    let (port, heard) = hello(OLD);
    let said = ask(&format!("https://localhost:{port}")).await.err().unwrap();
    assert!(said.contains("cannot be reached"), "{said}");
    assert_eq!(versions(&heard.join().unwrap()), [[3, 4], [3, 3]], "TLS 1.3 and 1.2");
    // A server that speaks no TLS at all.
    let (port, heard) = hello(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    assert!(ask(&format!("https://localhost:{port}")).await.is_err());
    heard.join().unwrap();
}

/// `tests/architecture.rs` reads the sources; here the whole tree is read, with its scripts and settings.
#[test]
fn nothing_turns_the_checks_off() {
    let (word, root) = (concat!("danger_", "accept"), env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "benches", "jobs", "grammar"] {
        for text in texts(&std::path::Path::new(root).join(folder)) {
            assert!(!text.contains(word) && !text.contains(concat!("tls_built_in_root_certs(", "false")), "{folder}");
        }
    }
    let manifest = std::fs::read_to_string(format!("{root}/Cargo.toml")).unwrap();
    assert!(manifest.contains("rustls-tls") && !manifest.contains("native-tls") && !manifest.contains("openssl"));
}

fn texts(folder: &std::path::Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(texts(&path));
        } else {
            all.extend(std::fs::read_to_string(path));
        }
    }
    all
}
