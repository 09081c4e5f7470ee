//! One request to Entra's token endpoint, and what its refusals mean.
//!
//! In: the form of a grant. Out: tokens, or Entra's words with what to do about them.
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::authority::Authority;
use super::error::Error;
use crate::http::client::{Answer, Method, Request};
use crate::http::quoted::quoted;
use crate::http::retry::{Repeat, TRIES, wait};

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The fields of a form that nobody else may know.
const SECRET_FIELDS: [&str; 6] =
    ["client_secret", "client_assertion", "refresh_token", "code", "code_verifier", "device_code"];

/// What Entra gives.
#[derive(Deserialize)]
pub(super) struct Granted {
    pub(super) access_token: String,
    pub(super) expires_in: u64,
    /// For a person who let the application act while he is away.
    pub(super) refresh_token: Option<String>,
}

/// What Entra says in place of a token.
#[derive(Deserialize)]
pub(super) struct Denied {
    #[serde(default)]
    pub(super) error: String,
    #[serde(default)]
    error_description: String,
}

/// Whether a form may be posted again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uses {
    /// As often as one likes.
    Many,
    /// What it carries is good once: a second time it would be called used.
    One,
}

/// Asks for a token.
pub(super) async fn grant(
    authority: &Authority,
    client_id: &str,
    scope: Option<&str>,
    more: &[(&str, &str)],
    uses: Uses,
) -> Result<Granted, Error> {
    match post(authority, &authority.token_url()?, client_id, scope, more, uses).await? {
        Ok(granted) => Ok(granted),
        Err(denied) => Err(denied.into()),
    }
}

/// Posts a form of an application to one of Entra's endpoints. What passes is waited out.
pub(super) async fn post<T: DeserializeOwned>(
    authority: &Authority,
    url: &Url,
    client_id: &str,
    scope: Option<&str>,
    more: &[(&str, &str)],
    uses: Uses,
) -> Result<Result<T, Denied>, Error> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", client_id)
        .extend_pairs(scope.map(|scope| ("scope", scope)))
        .extend_pairs(more)
        .finish();
    let request = Request {
        method: Method::Post,
        url: url.clone(),
        headers: vec![("accept", "application/json".to_owned(), false)],
        body: Some((Bytes::from(form), "application/x-www-form-urlencoded".into())),
        repeat: if uses == Uses::Many { Repeat::Harmless } else { Repeat::Never },
    };
    let mut tried = 1;
    let answer = loop {
        let answer = authority.http.send(&request).await?;
        if tried >= TRIES || !is_passing(&answer) {
            break answer;
        }
        authority.clock.sleep(answer.retry_after().unwrap_or_else(|| wait(tried)).min(LONGEST_PAUSE)).await;
        tried += 1;
    };
    if !answer.is_success() {
        let mut denied = denied(&answer);
        // What was sent is not repeated, whatever the answer repeats of it.
        let is_secret = |(name, value): &&(&str, &str)| SECRET_FIELDS.contains(name) && !value.is_empty();
        for (_, value) in more.iter().filter(is_secret) {
            denied.error_description = denied.error_description.replace(value, "(secret)");
            denied.error = denied.error.replace(value, "(secret)");
        }
        return Ok(Err(denied));
    }
    let unreadable = |_| Error::Unreadable { what: "token".to_owned(), detail: "not a token".to_owned() };
    serde_json::from_slice(&answer.body).map(Ok).map_err(unreadable)
}

/// Whether Entra will have it another time: nothing was given, so nothing was used up.
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
fn is_passing(answer: &Answer) -> bool {
    let passes = || denied(answer).error == "temporarily_unavailable";
    matches!(answer.status, 429 | 500..=599) || (!answer.is_success() && passes())
}

fn denied(answer: &Answer) -> Denied {
    serde_json::from_slice(&answer.body)
        .unwrap_or_else(|_| Denied { error: format!("HTTP {}", answer.status), error_description: answer.beginning() })
}

impl Denied {
    /// What a redirect of the authorization endpoint carries.
    pub(super) fn new(error: &str, description: &str) -> Self {
        Self { error: error.to_owned(), error_description: description.to_owned() }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        // A redirect can be written by anybody, and an answer is a stranger's text too.
        let first_line = quoted(denied.error_description.lines().next().unwrap_or_default());
        let word = quoted(&denied.error);
        let help = help(&denied.error, &first_line);
        Error::SignIn { message: format!("{word} ({first_line})"), help }
    }
}

/// What to do about a refusal: by its number where that says more than its word.
fn help(error: &str, description: &str) -> &'static str {
    let says = |code: &str| description.contains(code);
    if says("AADSTS7000215") {
        "the client secret is wrong: set the secret's value, not its id"
    } else if says("AADSTS7000222") {
        "the client secret has expired: make a new one in Entra and set it"
    } else if says("AADSTS700027") || says("AADSTS50012") {
        "Entra does not know the certificate: upload it to the application, or set the one that is there"
    } else if says("AADSTS700016") {
        "the client id is unknown in this tenant: check client_id and tenant_id"
    } else if says("AADSTS90002") {
        "the tenant is unknown: check tenant_id"
    } else if says("AADSTS500011") || says("AADSTS70011") {
        "the organisation URL is unknown in this tenant: check the connection's URL"
    } else if says("AADSTS65001") {
        "an administrator has to consent to the application first"
    } else if says("AADSTS50011") {
        "add http://localhost to the application's redirect URIs, as a mobile and desktop application"
    } else if says("AADSTS7000218") {
        "allow public client flows for the application in Entra, or give its client_secret"
    } else {
        match error {
            "invalid_grant" | "interaction_required" | "consent_required" => {
                "sign in again with `ferry connection authorize`"
            }
            "authorization_declined" | "access_denied" => "the sign-in was declined: begin it again",
            "expired_token" => "the code was not entered in time: begin again",
            _ => "check the connection's secrets",
        }
    }
}
