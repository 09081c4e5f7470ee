//! The Entra token endpoint, client-credentials flow with a secret.
//!
//! Certificates and sign-ins by people are not here yet and answer 501. In: the form a client posts. Out: a token, or
//! Entra's own error object.

use std::collections::HashMap;

use chrono::Utc;
use serde_json::json;

use super::super::assumptions::{ENTRA_MISSING_FEATURE, TOKEN_LIFE_SECONDS};
use super::super::faults::Fault;
use super::super::http::{Ask, Reply};
use super::super::randomness::Chance;
use super::errors::{gateway, waiting};
use super::service::Dynamics;

struct Wrong {
    status: u16,
    error: &'static str,
    code: u32,
    text: String,
}

fn wrong(status: u16, error: &'static str, code: u32, text: impl Into<String>) -> Wrong {
    Wrong { status, error, code, text: text.into() }
}

/// The tenant named by the path, if this is a token request.
pub(in crate::sandbox) fn tenant(path: &str) -> Option<&str> {
    path.strip_prefix('/')?.strip_suffix("/oauth2/v2.0/token").filter(|tenant| !tenant.contains('/'))
}

pub(in crate::sandbox) fn answer(dynamics: &Dynamics, tenant: &str, ask: &Ask) -> Reply {
    if ask.method != "POST" {
        return Reply::new(405, "text/plain", "Method Not Allowed");
    }
    match check(dynamics, tenant, ask) {
        Ok(()) => {
            let token = dynamics.tokens.give(dynamics.clock.now_ms() + TOKEN_LIFE_SECONDS * 1000);
            let body = json!({"token_type": "Bearer", "expires_in": TOKEN_LIFE_SECONDS, "access_token": token});
            Reply::new(200, "application/json; charset=utf-8", body.to_string()).with("cache-control", "no-store")
        }
        Err(wrong) => refuse(&wrong),
    }
}

fn check(dynamics: &Dynamics, tenant: &str, ask: &Ask) -> Result<(), Wrong> {
    let mut form: HashMap<String, String> = url::form_urlencoded::parse(&ask.body).into_owned().collect();
    if let Some((id, secret)) = basic(ask) {
        form.entry("client_id".to_owned()).or_insert(id);
        form.entry("client_secret".to_owned()).or_insert(secret);
    }
    let needed = |name: &str| {
        let text = format!("AADSTS900144: The request body must contain the following parameter: '{name}'.");
        form.get(name).filter(|value| !value.is_empty()).ok_or_else(|| wrong(400, "invalid_request", 900_144, text))
    };
    let right = &dynamics.vault.credentials;
    let grant = needed("grant_type")?;
    match grant.as_str() {
        "client_credentials" => {}
        "authorization_code" | "refresh_token" | "urn:ietf:params:oauth:grant-type:device_code" => {
            return Err(missing(&format!("grant_type {grant}")));
        }
        _ => {
            let text = format!("AADSTS70003: The app requested an unsupported grant type '{grant}'.");
            return Err(wrong(400, "unsupported_grant_type", 70_003, text));
        }
    }
    if !tenant.eq_ignore_ascii_case(&right.tenant_id) {
        let text =
            format!("AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        return Err(wrong(400, "invalid_request", 90_002, text));
    }
    let client = needed("client_id")?;
    if !client.eq_ignore_ascii_case(&right.client_id) {
        let text = format!("AADSTS700016: Application with identifier '{client}' was not found in the directory.");
        return Err(wrong(400, "unauthorized_client", 700_016, text));
    }
    scope(dynamics, needed("scope")?)?;
    if form.contains_key("client_assertion") {
        return Err(missing("client_assertion"));
    }
    if !dynamics.vault.opens_entra(needed("client_secret")?) {
        let text = "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the \
                    client secret value, not the client secret ID, for a secret added to app.";
        return Err(wrong(401, "invalid_client", 7_000_215, text));
    }
    Ok(())
}

fn scope(dynamics: &Dynamics, scope: &str) -> Result<(), Wrong> {
    let Some(resource) = scope.strip_suffix("/.default").filter(|rest| rest.contains("://") && !rest.contains(' '))
    else {
        let text = format!(
            "AADSTS70011: The provided request must include a 'scope' input parameter. The provided value for the input \
             parameter 'scope' is not valid. The scope {scope} is not valid."
        );
        return Err(wrong(400, "invalid_scope", 70_011, text));
    };
    if resource.strip_suffix('/').unwrap_or(resource) != dynamics.url() {
        let text = format!("AADSTS500011: The resource principal named {resource} was not found in the tenant.");
        return Err(wrong(400, "invalid_resource", 500_011, text));
    }
    Ok(())
}

fn missing(feature: &str) -> Wrong {
    wrong(501, ENTRA_MISSING_FEATURE, 0, format!("The sandbox does not have this feature: {feature}."))
}

fn refuse(wrong: &Wrong) -> Reply {
    let time = Utc::now().format("%Y-%m-%d %H:%M:%SZ").to_string();
    let mut chance = Chance::of_text(0, &time);
    let (trace, correlation) = (chance.guid(), chance.guid());
    let text = format!("{}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {time}", wrong.text);
    let body = json!({
        "error": wrong.error,
        "error_description": text,
        "error_codes": [wrong.code],
        "timestamp": time,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={}", wrong.code),
    });
    Reply::new(wrong.status, "application/json; charset=utf-8", body.to_string())
}

/// A failure a test ordered, as Entra would word it.
pub(in crate::sandbox) fn fault(fault: Fault) -> Reply {
    let reply = match fault.status {
        401 => refuse(&wrong(401, "invalid_client", 7_000_215, "AADSTS7000215: Invalid client secret provided.")),
        429 => refuse(&wrong(429, "temporarily_unavailable", 90_055, "AADSTS90055: Tenant throttled.")),
        502..=504 => return gateway(fault),
        400 => refuse(&wrong(400, "invalid_request", 900_144, "AADSTS900144: The request is not valid.")),
        status => refuse(&wrong(status, "temporarily_unavailable", 90_006, "AADSTS90006: A transient error occurred.")),
    };
    waiting(reply, fault)
}

fn basic(ask: &Ask) -> Option<(String, String)> {
    let encoded = ask.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(base64(encoded)?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        url::form_urlencoded::parse(format!("x={part}").as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for digit in text.trim_end_matches('=').bytes() {
        held = held << 6 | ALPHABET.iter().position(|letter| *letter == digit)? as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}
