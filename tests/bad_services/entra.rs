//! Entra behaves badly when a run signs in, and while it is under way.

use std::sync::{Arc, Mutex};

use ferry::app::workspace::Workspace;
use ferry::diagnostic::source::Sources;
use ferry::dynamics::client::{Credentials, Dynamics, Proof, RefreshToken};
use ferry::dynamics::error::Error;
use ferry::http::terms::Terms;
use ferry::lang::project::read;
use ferry::model::clock::Clock;
use ferry::model::secret::Secret;
use ferry::sandbox::Service;
use serde_json::{Value, json};

use super::{ACCOUNTS, attempt, held, whole};
use crate::faults::plain_stage;
use crate::paging::asked;
use crate::security::listener::{Listener, reply, send};
use crate::stage::{COMPANIES, SCALE, Stage};

fn signed_in(stage: &Stage) -> usize {
    stage.sandbox.calls().iter().filter(|call| call.service == Service::Entra).count()
}

/// Opens the project, which no run can do without signing in.
async fn refused(stage: &Stage) -> String {
    let error = Workspace::of(stage.text(&[]), &stage.setting).await.err().expect("nobody can sign in");
    assert_eq!(error.exit_code(), 3, "{error}");
    error.to_string()
}

fn answering(status: u16, body: &Value, times: usize) -> String {
    let (service, text) = ("entra", body.to_string());
    json!({ "service": service, "status": status, "text": text, "times": times }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_at_the_token_endpoint_is_waited_out_by_a_run() {
    let rules = r#"{"service": "entra", "nth": [1], "status": 429, "retry_after": 0}
                   {"service": "entra", "nth": [2], "html": 503, "retry_after": 0}
                   {"service": "entra", "nth": [3], "close": "before"}"#;
    let stage = plain_stage(rules).await;
    let report = attempt(&stage, COMPANIES).await.done();
    assert_eq!((report.counts.inserted, signed_in(&stage)), (ACCOUNTS, 4));
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_token_waits_for_the_same_one() {
    let me = br#"{"OrganizationId":"o","UserId":"u"}"#;
    let organization = Listener::organization(|_, stream| send(stream, &reply("200 OK", &[], me)));
    let dynamics = organization.dynamics();
    let all = futures::future::join_all((0..8).map(|_| dynamics.who_am_i())).await;
    assert!(all.iter().all(Result::is_ok));
    let tokens = organization.heard().iter().filter(|asked| asked.starts_with("POST /tenant/oauth2/")).count();
    assert_eq!((tokens, asked(&organization).len()), (1, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_expires_in_the_middle_of_a_run_is_told_and_the_run_goes_on_with_a_new_one() {
    let expired = json!({ "error": "invalid_client", "error_description":
        "AADSTS7000222: The provided client secret keys for app 'a' are expired." });
    let token_ends = r#"{"service": "dynamics", "path": "/api/data/v9.2/accounts", "nth": [2], "status": 401}"#;
    let denied = json!({ "service": "entra", "nth": [2], "status": 401, "text": expired.to_string() });
    let stage = plain_stage(&format!("{token_ends}\n{denied}")).await;
    let words = ["AADSTS7000222", "the client secret has expired: make a new one in Entra and set it"];
    let first = attempt(&stage, COMPANIES).await.stopped(&words);
    assert!(held(&stage).is_empty());
    let second = attempt(&stage, COMPANIES).await.done();
    assert_eq!((&second.run, second.resumed, second.counts.inserted), (&first.run, 1, ACCOUNTS));
    whole(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_token_is_told_without_its_words() {
    let secret = "a-token-nobody-may-see";
    for body in [json!({}), json!({ "access_token": [secret] }), json!({ "expires_in": secret }), json!([secret])] {
        let stage = plain_stage(&answering(200, &body, 1)).await;
        let said = refused(&stage).await;
        assert!(said.contains("not a token") && !said.contains(secret), "{said}");
        attempt(&stage, COMPANIES).await.done();
        whole(&stage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_another_audience_ends_the_run_after_few_tries() {
    let stage =
        plain_stage(r#"{"service": "dynamics", "path": "/api/data/", "nth": [2, 3, 4, 5], "status": 401}"#).await;
    let said = refused(&stage).await;
    assert!(said.contains("HTTP 401"), "{said}");
    assert!((2..=4).contains(&signed_in(&stage)), "{}", signed_in(&stage));
    assert!(stage.sandbox.tokens().iter().all(|token| !said.contains(token)));
    attempt(&stage, COMPANIES).await.done();
    whole(&stage).await;
}

/// A place for a refresh token that remembers what it was given, or takes nothing.
struct Place {
    kept: Mutex<Vec<String>>,
    is_full: bool,
}

impl RefreshToken for Place {
    fn get(&self) -> Result<Option<Secret>, String> {
        let kept = self.kept.lock().expect("nobody panicked");
        Ok(kept.last().map(|token| Secret::new(token.clone())))
    }

    fn keep(&self, token: &Secret) -> Result<(), String> {
        if self.is_full {
            return Err("the disk is full".to_owned());
        }
        self.kept.lock().expect("nobody panicked").push(token.expose().to_owned());
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_kept_before_the_access_token_beside_it_is_used() {
    for is_full in [false, true] {
        let place = Arc::new(Place { kept: Mutex::new(vec!["first".to_owned()]), is_full });
        let (seen, kept) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(&place));
        let used = Arc::clone(&seen);
        let organization = Listener::start(move |asked, stream| {
            if asked.starts_with("POST /tenant/oauth2/v2.0/token") {
                assert!(asked.contains("refresh_token=first"), "{asked}");
                let tokens = br#"{"expires_in": 3599, "access_token": "a-token", "refresh_token": "second"}"#;
                send(stream, &reply("200 OK", &[], tokens));
            } else if asked.contains("authorization: Bearer") {
                used.lock().unwrap().push(kept.kept.lock().unwrap().clone());
                send(stream, &reply("200 OK", &[], br#"{"OrganizationId":"o"}"#));
            } else {
                let host = asked.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
                let challenge = format!("Bearer authorization_uri=http://{host}/tenant/oauth2/authorize");
                send(stream, &reply("401 Unauthorized", &[("www-authenticate", &challenge)], b""));
            }
        });
        let ended = personal(&organization, Arc::<Place>::clone(&place)).who_am_i().await;
        let seen = seen.lock().unwrap().clone();
        if is_full {
            assert!(matches!(&ended, Err(Error::RefreshToken(why)) if why == "the disk is full"));
            assert!(seen.is_empty(), "a token whose successor is lost opens nothing");
        } else {
            assert_eq!((ended.is_ok(), seen), (true, vec![vec!["first".to_owned(), "second".to_owned()]]));
        }
    }
}

/// A client by which a person acts who has signed in.
fn personal(organization: &Listener, place: Arc<dyn RefreshToken>) -> Dynamics {
    let mut sources = Sources::default();
    let auth = "device_code (tenant_id = SECRET 't', client_id = SECRET 'c')";
    let text = format!("CREATE CONNECTION it TO DYNAMICS URL '{}' AUTH {auth};", organization.url());
    sources.add("connections.ferry".to_owned(), text);
    let connection = read(&sources).connections.remove("it").expect("the connection is right");
    let secret = |value: &str| Secret::new(value.to_owned());
    let (tenant_id, client_id, proof) = (Some(secret("tenant")), secret("client"), Proof::Person(place, None));
    let terms = Terms::of(&connection, Clock::system(SCALE), None);
    Dynamics::new(&connection, Credentials { tenant_id, client_id, proof }, &terms).expect("a client")
}
