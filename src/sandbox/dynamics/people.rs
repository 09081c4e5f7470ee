//! Sign-ins of people: device codes, the browser's page, and the refresh tokens that they leave.
//!
//! Whoever opens the page is the sandbox's only person, and consents. In: requests of a client and of that person. Out:
//! codes; whether a code or a refresh token is good is asked by `token`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use sha::challenge_of;

use super::super::assumptions::{CODE_LIFE_SECONDS, POLL_SECONDS};
use super::super::clock::real_ms;
use super::super::http::{Ask, Reply};
use super::super::randomness::Chance;
use super::entra::is_tenant;
use super::service::Dynamics;
use super::token::{self, Wrong, refuse, wrong};

/// What people have begun and left behind.
pub(in crate::sandbox) struct People {
    seed: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    given: u64,
    devices: HashMap<String, Device>,
    codes: HashMap<String, Code>,
    /// What was granted with each; nothing any more where it was revoked.
    refresh_tokens: HashMap<String, Option<Grant>>,
}

/// What a person granted a client: scopes, and the nonce that an `id_token` repeats.
#[derive(Debug, Clone, Default)]
pub(super) struct Grant {
    scopes: Vec<String>,
    pub(super) nonce: Option<String>,
}

impl Grant {
    fn read(form: &HashMap<String, String>) -> Self {
        let scopes = form.get("scope").map(String::as_str).unwrap_or_default();
        let scopes = scopes.split_whitespace().map(str::to_owned).collect();
        Grant { scopes, nonce: form.get("nonce").cloned() }
    }

    pub(super) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|one| one == scope)
    }
}

struct Device {
    user_code: String,
    grant: Grant,
    until_ms: i64,
    answer: Answer,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Pending,
    Approved,
    Declined,
}

/// A code that a browser brought to a client.
struct Code {
    grant: Grant,
    challenge: Option<String>,
    redirect_uri: String,
    until_ms: i64,
}

mod sha {
    //! PKCE's challenge, from the other side.

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::digest::{SHA256, digest};

    pub(super) fn challenge_of(verifier: &str) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
    }
}

impl People {
    pub(in crate::sandbox) fn new(seed: u64) -> Self {
        People { seed, state: Mutex::default() }
    }

    /// A refresh token; the ones before stay good, as in Entra.
    pub(super) fn refresh_token(&self, grant: &Grant) -> String {
        let mut state = self.state();
        let token = self.chance(&mut state, "refresh token", 200);
        // The nonce was for the sign-in alone.
        let kept = Grant { nonce: None, ..grant.clone() };
        state.refresh_tokens.insert(token.clone(), Some(kept));
        token
    }

    /// Every refresh token that was given.
    pub(in crate::sandbox) fn refresh_tokens(&self) -> Vec<String> {
        self.state().refresh_tokens.keys().cloned().collect()
    }

    /// Ends every refresh token, as an administrator can.
    pub(in crate::sandbox) fn sign_everybody_out(&self) {
        self.state().refresh_tokens.values_mut().for_each(|grant| *grant = None);
    }

    pub(super) fn check_refresh_token(&self, token: &str) -> Result<Grant, Wrong> {
        match self.state().refresh_tokens.get(token) {
            Some(Some(grant)) => Ok(grant.clone()),
            Some(None) => Err(wrong(
                400,
                "invalid_grant",
                50_173,
                "AADSTS50173: The provided grant has expired due to it being revoked.",
            )),
            None => {
                Err(wrong(400, "invalid_grant", 9_002_313, "AADSTS9002313: Invalid request. Request is malformed."))
            }
        }
    }

    pub(super) fn check_device(&self, device_code: &str, now_ms: i64) -> Result<Grant, Wrong> {
        let mut state = self.state();
        let bad = || wrong(400, "bad_verification_code", 70_018, "AADSTS70018: Invalid verification code.");
        let device = state.devices.get(device_code).ok_or_else(bad)?;
        if now_ms >= device.until_ms {
            let text = "AADSTS70019: Verification code expired.";
            return Err(wrong(400, "expired_token", 70_019, text));
        }
        match device.answer {
            Answer::Pending => {
                let text = "AADSTS70016: OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
                Err(wrong(400, "authorization_pending", 70_016, text))
            }
            Answer::Declined => {
                let text = "AADSTS65004: User declined to consent to access the app.";
                Err(wrong(400, "authorization_declined", 65_004, text))
            }
            Answer::Approved => {
                let known = state.devices.remove(device_code);
                known.map(|device| device.grant).ok_or_else(bad)
            }
        }
    }

    /// A code is good once, for the address it was sent to, and for who knows what its challenge was made from.
    pub(super) fn check_code(
        &self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
        now_ms: i64,
    ) -> Result<Grant, Wrong> {
        let used =
            || wrong(400, "invalid_grant", 54_005, "AADSTS54005: OAuth2 Authorization code was already redeemed.");
        let known = self.state().codes.remove(code).ok_or_else(used)?;
        if now_ms >= known.until_ms {
            return Err(wrong(
                400,
                "invalid_grant",
                70_008,
                "AADSTS70008: The provided authorization code has expired.",
            ));
        }
        if known.redirect_uri != redirect_uri {
            let text = "AADSTS50011: The redirect URI specified in the request does not match.";
            return Err(wrong(400, "invalid_grant", 50_011, text));
        }
        if known.challenge.is_some_and(|challenge| challenge != challenge_of(verifier)) {
            let text = "AADSTS501481: The Code_Verifier does not match the code_challenge supplied.";
            return Err(wrong(400, "invalid_grant", 501_481, text));
        }
        Ok(known.grant)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chance(&self, state: &mut State, what: &str, letters: usize) -> String {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ23456789";
        state.given += 1;
        Chance::of_text(self.seed, &format!("{what} {}", state.given)).letters(letters, ALPHABET)
    }
}

/// Names of no one tenant, which do for people.
pub(in crate::sandbox) fn is_alias(tenant: &str) -> bool {
    matches!(tenant, "organizations" | "common")
}

/// `/devicecode`: a code for the client, and one for the person.
pub(in crate::sandbox) fn device_code(dynamics: &Dynamics, tenant: &str, ask: &Ask) -> Reply {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&ask.body).into_owned().collect();
    if let Err(wrong) = application(dynamics, tenant, &form) {
        return refuse(&wrong);
    }
    let mut state = dynamics.people.state();
    let code = dynamics.people.chance(&mut state, "device code", 120);
    let user_code = dynamics.people.chance(&mut state, "user code", 9);
    let until_ms = real_ms() + CODE_LIFE_SECONDS * 1000;
    let device = Device { user_code: user_code.clone(), grant: Grant::read(&form), until_ms, answer: Answer::Pending };
    state.devices.insert(code.clone(), device);
    let page = format!("{}/devicelogin", dynamics.url());
    let answer = json!({
        "user_code": user_code,
        "device_code": code,
        "verification_uri": page,
        "expires_in": CODE_LIFE_SECONDS,
        "interval": POLL_SECONDS,
        "message": format!("To sign in, use a web browser to open the page {page} and enter the code {user_code}."),
    });
    Reply::new(200, "application/json; charset=utf-8", answer.to_string())
}

/// `/devicelogin?code=…[&decline=true]`: the person, who enters the code.
pub(in crate::sandbox) fn enter_code(dynamics: &Dynamics, ask: &Ask) -> Reply {
    let page = |status: u16, text: &str| Reply::new(status, "text/plain; charset=utf-8", text);
    let Some(entered) = ask.parameter("code") else {
        return page(200, "Open this page with ?code=CODE to sign in, and with &decline=true to decline.");
    };
    let mut state = dynamics.people.state();
    let Some(device) = state.devices.values_mut().find(|device| device.user_code == entered) else {
        return page(404, "That code did not work. Check the code and try again.");
    };
    device.answer = if ask.parameter("decline").is_some() { Answer::Declined } else { Answer::Approved };
    page(200, "You may close this page now.")
}

/// `/authorize`: the person consents at once, and the browser is sent back with a code.
pub(in crate::sandbox) fn authorize(dynamics: &Dynamics, tenant: &str, ask: &Ask) -> Reply {
    let asked: HashMap<String, String> = url::form_urlencoded::parse(ask.query.as_bytes()).into_owned().collect();
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    if let Err(wrong) = application(dynamics, tenant, &asked) {
        return refuse(&wrong);
    }
    let Some(mut back) = native(of("redirect_uri")) else {
        let text = "AADSTS50011: The redirect URI specified in the request does not match.";
        return refuse(&wrong(400, "invalid_request", 50_011, text));
    };
    if of("response_type") != "code" || !matches!(of("response_mode"), "" | "query") {
        return refuse(&token::missing(&format!("response_type {}", of("response_type"))));
    }
    if !matches!(of("code_challenge_method"), "" | "S256") {
        return refuse(&token::missing("code_challenge_method other than S256"));
    }
    let mut state = dynamics.people.state();
    let code = dynamics.people.chance(&mut state, "code", 120);
    let made = Code {
        grant: Grant::read(&asked),
        challenge: asked.get("code_challenge").cloned(),
        redirect_uri: of("redirect_uri").to_owned(),
        until_ms: real_ms() + CODE_LIFE_SECONDS * 1000,
    };
    state.codes.insert(code.clone(), made);
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", of("state"));
    Reply::new(302, "text/html", "").with("location", back.to_string())
}

/// Native clients are sent back to this machine, on any port.
fn native(redirect_uri: &str) -> Option<url::Url> {
    let url = url::Url::parse(redirect_uri).ok()?;
    (url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"))).then_some(url)
}

fn application(dynamics: &Dynamics, tenant: &str, form: &HashMap<String, String>) -> Result<(), Wrong> {
    if !is_tenant(dynamics, tenant) && !is_alias(tenant) {
        return Err(token::unknown_tenant(tenant));
    }
    let client = form.get("client_id").map(String::as_str).unwrap_or_default();
    if !client.eq_ignore_ascii_case(&dynamics.vault.credentials.client_id) {
        return Err(token::unknown_application(client));
    }
    token::personal_scope(dynamics, form.get("scope").map(String::as_str).unwrap_or_default())
}
