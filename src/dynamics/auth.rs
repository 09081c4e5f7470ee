//! Entra: a token for the organisation, kept until most of its life is over.
//!
//! An application proves itself with a secret or a certificate; a person has signed in once (see `sign_in`) and left a
//! refresh token. In: credentials. Out: the value of the `Authorization` header. Access tokens stay in memory.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, OnceCell};

use super::assertion::Certificate;
use super::assumptions::TOKEN_LIFE_PERCENT;
use super::authority::Authority;
use super::error::Error;
use super::grant::{Granted, Uses, grant};
use crate::http::client::Client;
use crate::http::terms::Terms;
use crate::model::secret::Secret;

const DAY_SECONDS: u64 = 86_400;

/// What signs in.
pub struct Credentials {
    /// The tenant's id or domain; the organisation names it where it is not given.
    pub tenant_id: Option<Secret>,
    /// The application's id.
    pub client_id: Secret,
    /// What it proves itself with.
    pub proof: Proof,
}

/// What an application proves itself with, or whom it acts for.
pub enum Proof {
    /// Its secret.
    Secret(Secret),
    /// A certificate with its key.
    Certificate(Box<Certificate>),
    /// A person has signed in: the refresh token, and the secret of an application that has one too.
    Person(Arc<dyn RefreshToken>, Option<Secret>),
}

/// Where the refresh token of one connection lies between runs.
pub trait RefreshToken: Send + Sync {
    /// The token, if a person has signed in.
    ///
    /// # Errors
    /// In words, if it cannot be read.
    fn get(&self) -> Result<Option<Secret>, String>;

    /// Keeps a token in place of the one before.
    ///
    /// # Errors
    /// In words, if it cannot be kept.
    fn keep(&self, token: &Secret) -> Result<(), String>;
}

/// Gives tokens; one request for a token at a time, whoever waits for it.
pub(super) struct Tokens {
    credentials: Credentials,
    terms: Terms,
    authority: OnceCell<Authority>,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: Secret,
    renew_at: Instant,
}

impl Tokens {
    pub(super) fn new(credentials: Credentials, terms: Terms) -> Self {
        Self { credentials, terms, authority: OnceCell::new(), held: Mutex::new(None) }
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
        let (life, header) = (granted.life(), format!("Bearer {}", granted.access_token));
        *held = Some(Held { token: Secret::new(granted.access_token), renew_at: Instant::now() + life });
        Ok(header)
    }

    async fn ask(&self, organization: &Client) -> Result<Granted, Error> {
        let given = self.credentials.tenant_id.as_ref();
        // Who signs the users in does not change during a run.
        let authority = self.authority.get_or_try_init(|| Authority::of(organization, given, &self.terms)).await?;
        let client_id = self.credentials.client_id.expose();
        let own = scope(organization, ".default")?;
        match &self.credentials.proof {
            Proof::Secret(secret) => {
                let more = [("client_secret", secret.expose()), ("grant_type", "client_credentials")];
                grant(authority, client_id, Some(&own), &more, Uses::Many).await
            }
            Proof::Certificate(certificate) => {
                let assertion = certificate.assertion(client_id, authority.token_url()?.as_str(), self.terms.clock)?;
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                let more = [
                    ("client_assertion_type", kind),
                    ("client_assertion", &assertion),
                    ("grant_type", "client_credentials"),
                ];
                grant(authority, client_id, Some(&own), &more, Uses::Many).await
            }
            Proof::Person(kept, secret) => {
                let token = kept.get().map_err(Error::RefreshToken)?.ok_or(Error::NobodySignedIn)?;
                let mut more = vec![("refresh_token", token.expose()), ("grant_type", "refresh_token")];
                more.extend(secret.as_ref().map(|secret| ("client_secret", secret.expose())));
                let granted =
                    grant(authority, client_id, Some(&personal_scope(organization)?), &more, Uses::Many).await?;
                granted.keep(kept.as_ref())?;
                Ok(granted)
            }
        }
    }
}

impl Granted {
    /// How long the access token is used; whatever the service says, a day at the most.
    fn life(&self) -> Duration {
        Duration::from_secs(self.expires_in.min(DAY_SECONDS) * TOKEN_LIFE_PERCENT / 100)
    }

    /// Keeps the refresh token that came along, before anything is done with the access token.
    pub(super) fn keep(&self, kept: &dyn RefreshToken) -> Result<(), Error> {
        match &self.refresh_token {
            Some(token) => kept.keep(&Secret::new(token.clone())).map_err(Error::RefreshToken),
            None => Ok(()),
        }
    }
}

/// What a person lets the application do: what he may do himself, also while he is away.
pub(super) fn personal_scope(organization: &Client) -> Result<String, Error> {
    Ok(format!("{} offline_access", scope(organization, "user_impersonation")?))
}

fn scope(organization: &Client, name: &str) -> Result<String, Error> {
    Ok(format!("{}{name}", organization.url("/")?))
}
