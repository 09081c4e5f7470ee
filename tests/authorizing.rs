//! Signing in, by every way there is: applications with a secret or a certificate, people with a code or a browser.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Child;

use ferry::sandbox::Service;
use ferry::store::connections::Established;
use ferry::store::state::State;
use serde_json::{Value, json};

use crate::security::canary::{files, found};
use crate::stage::{COMPANIES, USERS};
use crate::terminal::{Desk, ended};

const SHIPPED: &str = "AUTH client_credentials (\n    tenant_id     = SECRET 'dynamics/tenant_id',\n    client_id     = \
                       SECRET 'dynamics/client_id',\n    client_secret = SECRET 'dynamics/client_secret'\n  )";

/// A desk whose Dynamics connection signs in in another way, with the home's secrets under a key.
async fn desk(auth: &str) -> Desk {
    let mut desk = Desk::new().await;
    let path = desk.project().join("connections.ferry");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(SHIPPED), "{text}");
    desk.write("connections.ferry", &text.replace(SHIPPED, auth));
    let key = desk.project().join("../key");
    desk.set("FERRY_SECRETS_KEY_FILE", key.to_str().unwrap());
    desk
}

fn status(desk: &Desk) -> Value {
    let (_, out, _) = desk.ferry(&["connection", "show", "dynamics", "--json"]);
    serde_json::from_str::<Value>(&out).unwrap()["status"].clone()
}

/// Begins to authorize and gives what the person is told in the line that begins so.
fn begin(desk: &Desk) -> (Child, BufReader<std::process::ChildStderr>, String) {
    let mut child = desk.begin(&["connection", "authorize", "dynamics"]);
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("Waiting until") {
        let read = talk.read_line(&mut said).unwrap();
        assert!(read > 0, "it ended: {said}");
    }
    (child, talk, said)
}

fn end(child: Child, mut talk: BufReader<std::process::ChildStderr>) -> (i32, String) {
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut talk, &mut rest).unwrap();
    (ended(child.wait_with_output().unwrap()).0, rest)
}

/// Opens a page without following where it leads.
async fn open(url: &str) -> (u16, Option<String>) {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = browser.get(url).send().await.unwrap();
    let leads = answer.headers().get("location").and_then(|to| to.to_str().ok()).map(str::to_owned);
    (answer.status().as_u16(), leads)
}

/// The code in `… and enter the code X`, as the page takes it.
fn entering(said: &str) -> String {
    let (page, code) = said.split_once(" on any device and enter the code ").unwrap();
    let page = page.rsplit_once("open ").unwrap().1;
    format!("{page}?code={}", code.lines().next().unwrap())
}

const DEVICE: &str = "AUTH device_code (client_id = SECRET 'dynamics/client_id')";
const BROWSER: &str = "AUTH authorization_code (client_id = SECRET 'dynamics/client_id')";

#[tokio::test(flavor = "multi_thread")]
async fn an_application_signs_in_with_a_secret_and_finds_its_tenant_itself() {
    let auth = "AUTH client_credentials (client_id = SECRET 'dynamics/client_id', client_secret = SECRET \
                'dynamics/client_secret')";
    let desk = desk(auth).await;
    let (code, _, err) = desk.ferry(&["connection", "authorize", "dynamics"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(status(&desk), "established");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_signs_in_with_a_certificate() {
    let auth = "AUTH certificate (tenant_id = SECRET 'dynamics/tenant_id', client_id = SECRET 'dynamics/client_id', \
                certificate = SECRET 'dynamics/certificate')";
    let mut desk = desk(auth).await;
    let pem = desk.stage.sandbox.credentials().certificate.clone();
    desk.set("FERRY_SECRET_DYNAMICS_CERTIFICATE", &pem);
    let (code, _, err) = desk.ferry(&["connection", "authorize", "dynamics"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(status(&desk), "established");
    assert_eq!(desk.ferry(&["run", USERS]).0, 1, "it runs; some users are refused");
    // A certificate that the application does not have: the same key under another certificate's bytes.
    let body = |text: &str| text.lines().filter(|line| !line.starts_with("--")).collect::<String>();
    let (certificate, key) = pem.split_once("-----BEGIN PRIVATE KEY-----").unwrap();
    let other = certificate.replacen("IDBT", "IDBU", 1);
    let wrong = if other == certificate { certificate.replacen("MII", "MIJ", 1) } else { other };
    assert_ne!(body(&wrong), body(certificate));
    for (value, says) in [
        (format!("{wrong}-----BEGIN PRIVATE KEY-----{key}"), "Entra does not know the certificate"),
        (certificate.to_owned(), "it holds no private key"),
        (format!("-----BEGIN PRIVATE KEY-----{key}"), "it holds no certificate"),
        ("no PEM at all".to_owned(), "it holds no certificate"),
    ] {
        desk.set("FERRY_SECRET_DYNAMICS_CERTIFICATE", &value);
        let (code, out, err) = desk.ferry(&["connection", "authorize", "dynamics"]);
        assert_eq!(code, 3, "{err}");
        assert!(err.contains(says), "{says}: {err}");
        assert!(!format!("{out}{err}").contains(&body(key)[..40]), "the key is nowhere shown");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_enters_a_code_on_any_device() {
    let desk = desk(DEVICE).await;
    let (code, _, err) = desk.ferry(&["run", USERS]);
    assert_eq!(code, 3);
    assert!(err.contains("nobody has signed in yet; run `ferry connection authorize`"), "{err}");
    let (child, talk, said) = begin(&desk);
    assert_eq!(open(&entering(&said)).await.0, 200);
    let (code, rest) = end(child, talk);
    assert_eq!(code, 0, "{rest}");
    assert_eq!(status(&desk), "established");
    for _ in 0..2 {
        let (code, _, err) = desk.ferry(&["run", USERS]);
        assert_eq!(code, 1, "the refresh token lasts from run to run, and is another each time: {err}");
    }
    desk.stage.sandbox.sign_everybody_out();
    let (code, _, err) = desk.ferry(&["run", USERS]);
    assert_eq!(code, 3);
    assert!(err.contains("AADSTS50173") && err.contains("sign in again with `ferry connection authorize`"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_declined_or_never_entered_establishes_nothing() {
    let desk = desk(DEVICE).await;
    let (child, talk, said) = begin(&desk);
    assert_eq!(open(&format!("{}&decline=true", entering(&said))).await.0, 200);
    let (code, rest) = end(child, talk);
    assert_eq!(code, 3, "{rest}");
    assert!(rest.contains("the sign-in was declined"), "{rest}");
    let (code, _, err) = desk.ferry(&["connection", "authorize", "dynamics"]);
    assert_eq!(code, 3, "nobody came");
    assert!(err.contains("authorization_pending") || err.contains("was not entered in time"), "{err}");
    assert_eq!(status(&desk), "declared");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_in_the_browser() {
    let desk = desk(BROWSER).await;
    let (child, talk, said) = begin(&desk);
    let page = said.lines().find(|line| line.starts_with("http")).unwrap();
    for part in
        ["code_challenge_method=S256", "response_type=code", "offline_access", "redirect_uri=http%3A%2F%2Flocalhost"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (code, back) = open(page).await;
    let back = back.unwrap();
    assert_eq!(code, 302);
    // Whoever does not know the state brings nothing, and the sign-in goes on.
    let (address, _) = back.split_once('?').unwrap();
    for wrong in ["?code=stolen", "?code=stolen&state=guessed", "?error=access_denied&state=", ""] {
        assert_eq!(open(&format!("{address}{wrong}")).await.0, 400, "{wrong}");
    }
    assert_eq!(open(&back).await.0, 200);
    let (code, rest) = end(child, talk);
    assert_eq!(code, 0, "{rest}");
    assert_eq!(desk.ferry(&["run", USERS]).0, 1);
    let tokens = desk.stage.sandbox.calls().iter().filter(|c| c.service == Service::Entra && c.status >= 400).count();
    assert_eq!(tokens, 0, "a stolen code was not even tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_the_browser_brings_is_said() {
    let desk = desk(BROWSER).await;
    let (child, talk, said) = begin(&desk);
    let page = said.lines().find(|line| line.starts_with("http")).unwrap();
    let query = |name: &str| {
        let url = url::Url::parse(page).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap()
    };
    let refusal = "error=access_denied&error_description=The%20user%20cancelled%0D%0A%1B[31mred";
    assert_eq!(open(&format!("{}?{refusal}&state={}", query("redirect_uri"), query("state"))).await.0, 200);
    let (code, rest) = end(child, talk);
    assert_eq!(code, 3);
    assert!(rest.contains("access_denied (The user cancelled)"), "{rest}");
    assert!(!rest.contains('\u{1b}'), "what a stranger writes does not paint the terminal: {rest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_kept_encrypted_and_gone_when_it_is_revoked() {
    let desk = desk(DEVICE).await;
    let (child, talk, said) = begin(&desk);
    open(&entering(&said)).await;
    end(child, talk);
    let kept = std::fs::read_to_string(desk.home().join("secrets.json")).unwrap();
    assert!(kept.contains("ferry/refresh_token/dynamics"), "{kept}");
    let (code, _, err) = desk.ferry(&["connection", "revoke", "dynamics"]);
    assert_eq!(code, 0, "{err}");
    let kept = std::fs::read_to_string(desk.home().join("secrets.json")).unwrap();
    assert!(!kept.contains("refresh_token"), "{kept}");
    let (code, _, err) = desk.ferry(&["run", USERS]);
    assert_eq!(code, 3, "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_s_sign_in_needs_a_place_to_be_kept() {
    let mut desk = desk(DEVICE).await;
    desk.set("FERRY_SECRETS_KEY_FILE", "");
    let (code, _, err) = desk.ferry(&["connection", "authorize", "dynamics"]);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("FERRY_SECRETS_KEY_FILE"), "{err}");
    let asked = desk.stage.sandbox.calls().iter().any(|call| call.path.ends_with("devicecode"));
    assert!(!asked, "nobody is sent to sign in for nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn gainsight_takes_an_application_in_place_of_the_key() {
    let mut desk = Desk::new().await;
    let path: PathBuf = desk.project().join("connections.ferry");
    let text = std::fs::read_to_string(path).unwrap();
    let auth = "AUTH m2m (client_id = SECRET 'gainsight/client_id', client_secret = SECRET 'gainsight/client_secret')";
    let shipped = "AUTH access_key (key = SECRET 'gainsight/access_key')";
    assert!(text.contains(shipped), "{text}");
    desk.write("connections.ferry", &text.replace(shipped, auth));
    let known = desk.stage.sandbox.credentials().clone();
    desk.set("FERRY_SECRET_GAINSIGHT_CLIENT_ID", &known.gainsight_client_id);
    desk.set("FERRY_SECRET_GAINSIGHT_CLIENT_SECRET", &known.gainsight_client_secret);
    desk.stage.sandbox.revoke_access_key();
    let (code, out, err) = desk.ferry(&["run", COMPANIES, "--json"]);
    assert_eq!(code, 1, "{err}");
    assert!(serde_json::from_str::<Value>(&out).unwrap()["counts"]["inserted"] != json!(0), "{out}");
    desk.set("FERRY_SECRET_GAINSIGHT_CLIENT_SECRET", "wrong-and-never-shown");
    let (code, out, err) = desk.ferry(&["connection", "test", "gainsight"]);
    assert_eq!(code, 3);
    assert!(out.contains("gives the application no token (HTTP 401)"), "{out}{err}");
    assert!(!format!("{out}{err}").contains("never-shown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_to_the_wrong_organisation_replaces_nothing() {
    let desk = desk(DEVICE).await;
    let (child, talk, said) = begin(&desk);
    open(&entering(&said)).await;
    assert_eq!(end(child, talk).0, 0);
    let secrets = desk.home().join("secrets.json");
    let kept = std::fs::read(&secrets).unwrap();
    let state = State::open(&desk.home().join("state.db")).unwrap();
    let known = state.connection("dynamics").unwrap().unwrap();
    state.establish(&Established { identity: "another-organisation".to_owned(), ..known }).unwrap();
    drop(state);
    let (child, talk, said) = begin(&desk);
    open(&entering(&said)).await;
    let (code, rest) = end(child, talk);
    assert!(code == 3 && rest.contains("was established with another-organisation"), "{rest}");
    assert_eq!(std::fs::read(&secrets).unwrap(), kept, "the sign-in that worked is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_forgotten_without_its_key_and_without_its_state() {
    let mut desk = desk(DEVICE).await;
    let (child, talk, said) = begin(&desk);
    open(&entering(&said)).await;
    assert_eq!(end(child, talk).0, 0);
    desk.set("FERRY_SECRETS_KEY_FILE", "");
    std::fs::remove_file(desk.home().join("state.db")).unwrap();
    let (code, _, err) = desk.ferry(&["connection", "revoke", "dynamics"]);
    assert_eq!(code, 0, "{err}");
    assert!(!std::fs::read_to_string(desk.home().join("secrets.json")).unwrap().contains("refresh_token"));
    let (code, _, err) = desk.ferry(&["connection", "revoke", "dynamics"]);
    assert!(code == 2 && err.contains("was never established"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_at_entra_is_waited_out() {
    let desk = Desk::new().await;
    for status in [429, 500, 503] {
        desk.stage.sandbox.fail_next(Service::Entra, status, 2, Some(0));
        let (code, _, err) = desk.ferry(&["connection", "authorize", "dynamics"]);
        assert_eq!(code, 0, "{status}: {err}");
    }
    desk.stage.sandbox.fail_next(Service::Entra, 429, 50, Some(0));
    let before = desk.stage.sandbox.calls().len();
    let (code, _, err) = desk.ferry(&["connection", "authorize", "dynamics"]);
    assert!(code == 3 && err.contains("AADSTS90055"), "{err}");
    let asked = desk.stage.sandbox.calls()[before..].iter().filter(|c| c.service == Service::Entra).count();
    assert_eq!(asked, 5, "and not without end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_changed_is_told_before_anything_is_sent() {
    let desk = Desk::new().await;
    assert_eq!(desk.ferry(&["connection", "authorize", "gainsight"]).0, 0);
    let text = std::fs::read_to_string(desk.project().join("connections.ferry")).unwrap();
    desk.write(
        "connections.ferry",
        &text.replace(desk.stage.sandbox.gainsight_url(), "https://acmee.gainsightcloud.com"),
    );
    let before = desk.stage.sandbox.calls().len();
    let (code, out, err) = desk.ferry(&["check"]);
    assert!(code == 2 && out.contains("the URL of `gainsight` cannot change"), "{out}{err}");
    assert_eq!(desk.stage.sandbox.calls().len(), before, "nobody was asked, and no key was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_nowhere_but_in_memory() {
    let mut desk = desk(DEVICE).await;
    let text = std::fs::read_to_string(desk.project().join("connections.ferry")).unwrap();
    let auth = "AUTH m2m (client_id = SECRET 'gainsight/client_id', client_secret = SECRET 'gainsight/client_secret')";
    desk.write("connections.ferry", &text.replace("AUTH access_key (key = SECRET 'gainsight/access_key')", auth));
    let known = desk.stage.sandbox.credentials().clone();
    desk.set("FERRY_SECRET_GAINSIGHT_CLIENT_ID", &known.gainsight_client_id);
    desk.set("FERRY_SECRET_GAINSIGHT_CLIENT_SECRET", &known.gainsight_client_secret);
    let (child, talk, said) = begin(&desk);
    open(&entering(&said)).await;
    let mut words = vec![said, end(child, talk).1];
    let mut say = |desk: &Desk, arguments: &[&str]| {
        let (_, out, err) = desk.ferry(arguments);
        words.extend([out, err]);
    };
    say(&desk, &["run", USERS, "--json"]);
    say(&desk, &["connection", "test", "dynamics", "--json"]);
    desk.stage.sandbox.fail_next(Service::Dynamics, 403, 9, None);
    say(&desk, &["run", COMPANIES]);
    desk.stage.sandbox.fail_next(Service::Gainsight, 401, 9, None);
    say(&desk, &["run", COMPANIES]);
    desk.stage.sandbox.sign_everybody_out();
    say(&desk, &["run", USERS]);
    let tokens = desk.stage.sandbox.tokens();
    assert!(tokens.len() > 8, "{} tokens were given", tokens.len());
    let kept = [files(&desk.home()), files(&desk.project())].concat();
    for token in tokens.iter().chain([&known.gainsight_client_secret, &known.client_secret]) {
        for text in &words {
            assert_eq!(found(text.as_bytes(), token), None, "{text}");
        }
        let is_settings = |path: &std::path::Path| path.ends_with("secrets.env");
        for (path, bytes) in kept.iter().filter(|(path, _)| !is_settings(path)) {
            assert_eq!(found(bytes, token), None, "{}", path.display());
        }
    }
}
