//! How a call to Gainsight proves itself: the tenant's access key, or a token of an application of its own.
//!
//! In: a key, or an application's id and secret. Out: one header. A token stays in memory and is renewed when most of its life
//! is over, or when the service does not take it.
//! <https://support.gainsight.com/Gainsight_NXT/01Onboarding_and_Implementation/Onboarding_for_Gainsight_NXT/Login_and_Permissions/OAuth_for_Gainsight_APIs>

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::assumptions::{TOKEN_LIFE_PERCENT, TOKEN_PATH};
use super::error::Error;
use crate::http::client::{Client, Method, Request};
use crate::http::retry::Repeat;
use crate::model::secret::Secret;

/// What opens a tenant.
pub enum Access {
    /// The access key, of which a tenant has one.
    Key(Secret),
    /// An application (M2M OAuth), of which a tenant may have fifteen.
    Application(Application),
}

/// An application with its secret, and the token that it holds.
pub struct Application {
    id: Secret,
    secret: Secret,
    held: Mutex<Option<Held>>,
}

const DAY_SECONDS: u64 = 86_400;

struct Held {
    token: Secret,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl Access {
    /// An application that holds no token yet.
    #[must_use]
    pub fn application(id: Secret, secret: Secret) -> Self {
        Self::Application(Application { id, secret, held: Mutex::new(None) })
    }

    /// Whether another header might be taken where one was not.
    pub(super) fn is_renewable(&self) -> bool {
        matches!(self, Self::Application(_))
    }

    /// The header of a call: its name and its value. `refused` is a value that the service did not take.
    pub(super) async fn header(&self, http: &Client, refused: Option<&str>) -> Result<(&'static str, String), Error> {
        match self {
            Self::Key(key) => Ok(("accesskey", key.expose().to_owned())),
            Self::Application(application) => Ok(("authorization", application.bearer(http, refused).await?)),
        }
    }
}

impl Application {
    async fn bearer(&self, http: &Client, refused: Option<&str>) -> Result<String, Error> {
        let mut held = self.held.lock().await;
        if let Some(known) = &*held {
            let value = format!("Bearer {}", known.token.expose());
            if Instant::now() < known.renew_at && Some(value.as_str()) != refused {
                return Ok(value);
            }
        }
        let granted = self.ask(http).await?;
        let life = Duration::from_secs(granted.expires_in.min(DAY_SECONDS) * TOKEN_LIFE_PERCENT / 100);
        let value = format!("Bearer {}", granted.access_token);
        *held = Some(Held { token: Secret::new(granted.access_token), renew_at: Instant::now() + life });
        Ok(value)
    }

    async fn ask(&self, http: &Client) -> Result<Granted, Error> {
        let pair = Secret::new(format!("{}:{}", self.id.expose(), self.secret.expose()));
        let answer = http
            .send(&Request {
                method: Method::Post,
                url: http.url(TOKEN_PATH)?,
                headers: vec![
                    ("accept", "application/json".to_owned(), false),
                    ("authorization", format!("Basic {}", STANDARD.encode(pair.expose())), true),
                ],
                body: Some((Bytes::from("grant_type=client_credentials"), "application/x-www-form-urlencoded".into())),
                repeat: Repeat::Harmless,
            })
            .await?;
        if !answer.is_success() {
            return Err(Error::Application { status: answer.status });
        }
        serde_json::from_slice(&answer.body)
            .map_err(|_| Error::Unreadable { what: "a token".to_owned(), detail: "it is none".to_owned() })
    }
}
