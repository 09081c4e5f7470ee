//! A person signs in, once, and lets the application act for him while he is away.
//!
//! With a code that he enters on any device, or in the browser of this machine. In: the application, and a way to tell the
//! person what to do. Out: a refresh token.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use serde::Deserialize;
use url::Url;

use super::auth::personal_scope;
use super::authority::Authority;
use super::error::Error;
use super::grant::{Granted, Uses, grant, post};
use super::redirect::Redirect;
use crate::http::client::Client;
use crate::http::terms::Terms;
use crate::model::clock::Clock;
use crate::model::secret::Secret;

/// The longest that a person may take, in seconds of the services' clock: codes live about ten minutes.
const PATIENCE_SECONDS: u64 = 900;
/// Added to the time between two questions when Entra finds them too frequent. <https://www.rfc-editor.org/rfc/rfc8628>
const SLOWER_SECONDS: u64 = 5;
/// The longest time between two questions, whatever Entra says.
const LONGEST_INTERVAL_SECONDS: u64 = 60;

/// What a person is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// Open a page on any device and enter a code there.
    Code {
        /// The page.
        url: String,
        /// The code.
        code: String,
    },
    /// Open a page in the browser of this machine.
    Browser {
        /// The page.
        url: String,
    },
}

/// How a person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// With a code, on any device.
    Code,
    /// In the browser of this machine.
    Browser,
}

/// The application that a person signs in to.
pub struct Application<'a> {
    /// The tenant's id or domain, if it is given.
    pub tenant_id: Option<&'a Secret>,
    /// Its id.
    pub client_id: &'a Secret,
    /// Its secret, if it has one.
    pub client_secret: Option<&'a Secret>,
}

#[derive(Deserialize)]
struct DeviceCode {
    user_code: String,
    device_code: String,
    verification_uri: String,
    expires_in: u64,
    #[serde(default = "default_interval")]
    interval: u64,
}

/// Signs a person in to the organisation at a URL; gives the refresh token.
///
/// # Errors
/// If the person declines or takes too long, or Entra refuses.
pub async fn sign_in(
    url: &str,
    application: &Application<'_>,
    way: Way,
    terms: &Terms,
    tell: &(dyn Fn(&Prompt) + Send + Sync),
) -> Result<Secret, Error> {
    let clock = terms.clock;
    let organization = Client::new(url, terms)?;
    let authority = Authority::of(&organization, application.tenant_id, terms).await?;
    let scope = personal_scope(&organization)?;
    let granted = match way {
        Way::Code => by_code(&authority, application, &scope, clock, tell).await?,
        Way::Browser => in_browser(&authority, application, &scope, clock, tell).await?,
    };
    granted.refresh_token.map(Secret::new).ok_or_else(|| Error::SignIn {
        message: "Entra gave no refresh token".to_owned(),
        help: "let the application keep access to data (offline_access)",
    })
}

async fn by_code(
    authority: &Authority,
    application: &Application<'_>,
    scope: &str,
    clock: Clock,
    tell: &(dyn Fn(&Prompt) + Send + Sync),
) -> Result<Granted, Error> {
    let client_id = application.client_id.expose();
    let page = authority.endpoint("devicecode")?;
    let asked = post::<DeviceCode>(authority, &page, client_id, Some(scope), &[], Uses::Many).await?;
    let device = asked.map_err(Error::from)?;
    tell(&Prompt::Code { url: device.verification_uri, code: device.user_code });
    let grant_type = "urn:ietf:params:oauth:grant-type:device_code";
    let form = [("grant_type", grant_type), ("device_code", device.device_code.as_str())];
    let (mut interval, mut waited) = (device.interval.clamp(1, LONGEST_INTERVAL_SECONDS), 0);
    loop {
        clock.sleep(clock.real(i64::try_from(interval * 1_000).unwrap_or(i64::MAX))).await;
        waited += interval;
        let is_over = waited > device.expires_in.min(PATIENCE_SECONDS);
        match post::<Granted>(authority, &authority.token_url()?, client_id, None, &form, Uses::One).await {
            Ok(Ok(granted)) => return Ok(granted),
            Ok(Err(denied)) if is_over => return Err(denied.into()),
            Ok(Err(denied)) if denied.error == "authorization_pending" => {}
            Ok(Err(denied)) if denied.error == "slow_down" => {
                interval = (interval + SLOWER_SECONDS).min(LONGEST_INTERVAL_SECONDS);
            }
            Ok(Err(denied)) => return Err(denied.into()),
            // A question that got lost is asked again next time.
            Err(Error::Http(_)) if !is_over => {}
            Err(error) => return Err(error),
        }
    }
}

async fn in_browser(
    authority: &Authority,
    application: &Application<'_>,
    scope: &str,
    clock: Clock,
    tell: &(dyn Fn(&Prompt) + Send + Sync),
) -> Result<Granted, Error> {
    let (state, verifier) = (chance()?, chance()?);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let redirect = Redirect::listen(&state).await?;
    let client_id = application.client_id.expose();
    let mut page: Url = authority.endpoint("authorize")?;
    page.query_pairs_mut().extend_pairs([
        ("client_id", client_id),
        ("response_type", "code"),
        ("redirect_uri", redirect.uri()),
        ("response_mode", "query"),
        ("scope", scope),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    tell(&Prompt::Browser { url: page.to_string() });
    let patience = clock.real(i64::try_from(PATIENCE_SECONDS * 1_000).unwrap_or(i64::MAX));
    let uri = redirect.uri().to_owned();
    let code = redirect.code(patience).await?;
    let mut form = vec![
        ("code", code.expose()),
        ("redirect_uri", uri.as_str()),
        ("grant_type", "authorization_code"),
        ("code_verifier", verifier.as_str()),
    ];
    form.extend(application.client_secret.map(|secret| ("client_secret", secret.expose())));
    grant(authority, client_id, Some(scope), &form, Uses::One).await
}

/// 256 bits of chance as text.
fn chance() -> Result<String, Error> {
    let bytes: Result<ring::rand::Random<[u8; 32]>, _> = ring::rand::generate(&SystemRandom::new());
    let bytes = bytes.map_err(|_| Error::RefreshToken("this machine gives no random numbers".to_owned()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes.expose()))
}

fn default_interval() -> u64 {
    5
}
