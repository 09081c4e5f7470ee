//! Certificates: an authority of one's own is trusted when it is named, and every wrong certificate is refused.

use std::sync::Arc;
use std::time::Duration;

use ferry::http::client::{Client, Method, Request};
use ferry::http::retry::Repeat;
use ferry::http::terms::Terms;
use ferry::model::clock::Clock;
use ferry::sandbox::{Options, start};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::stage::{SCALE, Stage, USERS};
use crate::terminal::Desk;

type Issuer = CertifiedIssuer<'static, KeyPair>;

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_goes_over_tls_with_an_authority_that_is_named() {
    let options = Options { rows: 60, limits_scale: SCALE, tls: true, ..Options::default() };
    let mut desk = Desk::on(Stage::on(start(options).await.unwrap()));
    assert!(desk.stage.sandbox.dynamics_url().starts_with("https://"));
    let (code, _, err) = desk.ferry(&["run", USERS]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("shows a certificate that is not trusted") && err.contains("FERRY_CA_FILE"), "{err}");
    assert!(desk.stage.sandbox.calls().is_empty(), "nothing was sent");
    let settings = std::fs::read_to_string(desk.project().join("secrets.env")).unwrap();
    let line = settings.lines().find_map(|line| line.strip_prefix("FERRY_CA_FILE=")).unwrap();
    desk.set("FERRY_CA_FILE", line.trim_matches('\''));
    let (code, _, err) = desk.ferry(&["run", USERS]);
    assert_eq!(code, 1, "{err}");
    for (file, says) in [("/nowhere/at/all", "FERRY_CA_FILE=/nowhere"), ("Cargo.toml", "holds no certificate")] {
        let file =
            if file.starts_with('/') { file.to_owned() } else { format!("{}/{file}", env!("CARGO_MANIFEST_DIR")) };
        desk.set("FERRY_CA_FILE", &file);
        let (code, _, err) = desk.ferry(&["check"]);
        assert!(code != 0 && err.contains(says), "{code} {err}");
    }
}

fn authority(name: &str, below: Option<&Issuer>) -> Issuer {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    match below {
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer).unwrap(),
        None => CertifiedIssuer::self_signed(params, key).unwrap(),
    }
}

/// A server that shows this chain, and what a client that trusts the authority says to it.
async fn said(chain: Vec<CertificateDer<'static>>, key: &KeyPair, trusted: &str) -> Result<u16, String> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _asked = stream.read(&mut [0; 1024]).await;
            let _sent = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
            let _closed = stream.shutdown().await;
        }
    });
    let mut terms = Terms::new(Duration::from_secs(5), Clock::system(1.0));
    terms.authorities = Some(trusted.into());
    let client = Client::new(&url, &terms).unwrap();
    let url = client.url("/").unwrap();
    let request = Request { method: Method::Get, url, headers: Vec::new(), body: None, repeat: Repeat::Never };
    let answer = client.send(&request).await;
    serving.abort();
    answer.map(|answer| answer.status).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_certificate_is_refused() {
    let root = authority("root", None);
    let between = authority("between", Some(&root));
    let other = authority("another root", None);
    let leaf = |names: &[&str], from: i32, until: i32, issuer: &Issuer| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, issuer).unwrap().der().clone(), key)
    };
    let trusted = root.pem();
    let (good, key) = leaf(&["localhost"], 2020, 2100, &root);
    assert_eq!(said(vec![good.clone()], &key, &trusted).await, Ok(204));
    assert!(said(vec![good], &key, &other.pem()).await.is_err(), "by an authority that nobody named");
    let (old, key) = leaf(&["localhost"], 2001, 2002, &root);
    assert!(said(vec![old], &key, &trusted).await.is_err_and(|said| said.contains("expired")), "expired");
    let (early, key) = leaf(&["localhost"], 2099, 2100, &root);
    assert!(said(vec![early], &key, &trusted).await.is_err(), "not good yet");
    let (elsewhere, key) = leaf(&["elsewhere.example"], 2020, 2100, &root);
    assert!(
        said(vec![elsewhere], &key, &trusted).await.is_err_and(|said| said.contains("not trusted")),
        "another host's"
    );
    let (below, key) = leaf(&["localhost"], 2020, 2100, &between);
    assert!(said(vec![below.clone()], &key, &trusted).await.is_err(), "a chain with its middle missing");
    assert_eq!(said(vec![below, between.der().clone()], &key, &trusted).await, Ok(204), "the same chain, whole");
}
