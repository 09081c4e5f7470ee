//! Entra: a token by client credentials, kept until most of its life is over.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::assumptions::{API, AUTHORITY_HOSTS, TOKEN_LIFE_PERCENT};
use super::error::Error;
use crate::http::client::{Client, Method, Request};
use crate::http::quoted::quoted;
use crate::http::retry::Repeat;
use crate::model::clock::Clock;
use crate::model::connection::is_loopback;
use crate::model::secret::Secret;

/// What the application signs in with.
pub struct Credentials {
    /// The tenant's id or domain.
    pub tenant_id: Secret,
    /// The application's id.
    pub client_id: Secret,
    /// Its secret.
    pub client_secret: Secret,
}

/// Gives tokens; one request for a token at a time, whoever waits for it.
pub(super) struct Tokens {
    credentials: Credentials,
    clock: Clock,
    timeout: Duration,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Secret,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Denied {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Tokens {
    pub(super) fn new(credentials: Credentials, clock: Clock, timeout: Duration) -> Self {
        Self { credentials, clock, timeout, held: Mutex::new(None) }
    }

    /// A token that is good now, as the value of the `Authorization` header. `refused` is one that the service did not
    /// take: it is not handed out again.
    pub(super) async fn bearer(&self, organization: &Client, refused: Option<&str>) -> Result<String, Error> {
        let mut held = self.held.lock().await;
        if let Some(known) = &*held {
            let header = format!("Bearer {}", known.token.expose());
            if Instant::now() < known.renew_at && Some(header.as_str()) != refused {
                return Ok(header);
            }
        }
        let granted = self.ask(organization).await?;
        let life = Duration::from_secs(granted.expires_in * TOKEN_LIFE_PERCENT / 100);
        let header = format!("Bearer {}", granted.access_token);
        *held = Some(Held { token: Secret::new(granted.access_token), renew_at: Instant::now() + life });
        Ok(header)
    }

    async fn ask(&self, organization: &Client) -> Result<Granted, Error> {
        let authority = authority(organization).await?;
        let entra = Client::new(authority.as_str(), self.timeout, self.clock)?;
        let tenant = encode(self.credentials.tenant_id.expose());
        let scope = format!("{}.default", organization.url("/")?);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", self.credentials.client_id.expose())
            .append_pair("scope", &scope)
            .append_pair("client_secret", self.credentials.client_secret.expose())
            .append_pair("grant_type", "client_credentials")
            .finish();
        let answer = entra
            .send(&Request {
                method: Method::Post,
                url: entra.url(&format!("/{tenant}/oauth2/v2.0/token"))?,
                headers: vec![("accept", "application/json".to_owned(), false)],
                body: Some((Bytes::from(form), "application/x-www-form-urlencoded")),
                repeat: Repeat::Harmless,
            })
            .await?;
        if answer.is_success() {
            return serde_json::from_slice(&answer.body)
                .map_err(|_| Error::Unreadable { what: "token".to_owned(), detail: "not a token".to_owned() });
        }
        let denied: Denied = serde_json::from_slice(&answer.body)
            .unwrap_or(Denied { error: format!("HTTP {}", answer.status), error_description: answer.beginning() });
        let first_line = denied.error_description.lines().next().unwrap_or_default();
        let said = format!("{} ({first_line})", denied.error);
        let message = quoted(&said.replace(self.credentials.client_secret.expose(), "(secret)"));
        Err(Error::SignIn { message, help: help(first_line) })
    }
}

/// What to do about Entra's numbered errors. <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
fn help(description: &str) -> &'static str {
    let says = |code: &str| description.contains(code);
    if says("AADSTS7000215") {
        "the client secret is wrong: set the secret's value, not its id"
    } else if says("AADSTS7000222") {
        "the client secret has expired: make a new one in Entra and set it"
    } else if says("AADSTS700016") {
        "the client id is unknown in this tenant: check client_id and tenant_id"
    } else if says("AADSTS90002") {
        "the tenant is unknown: check tenant_id"
    } else if says("AADSTS500011") || says("AADSTS70011") {
        "the organisation URL is unknown in this tenant: check the connection's URL"
    } else if says("AADSTS65001") {
        "an administrator has to consent to the application first"
    } else {
        "check the connection's secrets"
    }
}

/// Who gives tokens for the organisation, as it says itself when asked without one.
async fn authority(organization: &Client) -> Result<Url, Error> {
    let url = organization.url(API)?;
    let is_here = is_loopback(&url);
    let request = Request {
        method: Method::Get,
        url,
        headers: vec![("accept", "application/json".to_owned(), false)],
        body: None,
        repeat: Repeat::Harmless,
    };
    let answer = organization.send(&request).await?;
    let unreadable =
        |detail: &str| Error::Unreadable { what: "sign-in challenge".to_owned(), detail: detail.to_owned() };
    if answer.status != 401 {
        return Err(unreadable("the URL is not a Dynamics organisation; check the connection's URL"));
    }
    let header = answer.header("www-authenticate").unwrap_or_default();
    let named = header
        .trim_start_matches("Bearer")
        .split(',')
        .filter_map(|part| part.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("authorization_uri"))
        .ok_or_else(|| unreadable("it names no authority"))?;
    let authority = Url::parse(named.1.trim().trim_matches('"')).map_err(|_| unreadable("its authority is no URL"))?;
    let host = authority.host_str().unwrap_or_default();
    let is_known =
        (authority.scheme() == "https" && AUTHORITY_HOSTS.contains(&host)) || (is_here && is_loopback(&authority));
    if is_known { Ok(authority) } else { Err(Error::Authority(host.to_owned())) }
}

/// A tenant as one segment of a path.
fn encode(segment: &str) -> String {
    url::form_urlencoded::byte_serialize(segment.as_bytes()).collect()
}
