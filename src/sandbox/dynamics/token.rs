//! The Entra token endpoint: applications with a secret or a certificate, and people who signed in.
//!
//! In: the form a client posts. Out: a token, or Entra's own error object.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use serde_json::{Value, json};

use super::super::assumptions::{ENTRA_MISSING_FEATURE, TOKEN_LIFE_SECONDS};
use super::super::clock::real_ms;
use super::super::faults::Fault;
use super::super::http::{Ask, Reply};
use super::super::randomness::Chance;
use super::assertion;
use super::entra::is_tenant;
use super::errors::{gateway, waiting};
use super::identity::Person;
use super::people::{self, Grant};
use super::service::Dynamics;

/// Why there is no token.
pub(super) struct Wrong {
    status: u16,
    error: &'static str,
    code: u32,
    text: String,
}

pub(super) fn wrong(status: u16, error: &'static str, code: u32, text: impl Into<String>) -> Wrong {
    Wrong { status, error, code, text: text.into() }
}

/// Whom a token is for.
enum For {
    Application,
    Person(Grant),
}

/// What a client posts.
type Form = HashMap<String, String>;

pub(super) fn answer(dynamics: &Dynamics, tenant: &str, ask: &Ask) -> Reply {
    let mut form: Form = url::form_urlencoded::parse(&ask.body).into_owned().collect();
    if let Some((id, secret)) = basic(ask) {
        form.entry("client_id".to_owned()).or_insert(id);
        form.entry("client_secret".to_owned()).or_insert(secret);
    }
    let granted = check(dynamics, tenant, &form).and_then(|whom| match whom {
        For::Application => Ok(bearer(dynamics, &dynamics.application_user)),
        For::Person(grant) => of_person(dynamics, &form, &grant),
    });
    match granted {
        Ok(body) => {
            Reply::new(200, "application/json; charset=utf-8", body.to_string()).with("cache-control", "no-store")
        }
        Err(wrong) => refuse(&wrong),
    }
}

fn bearer(dynamics: &Dynamics, holder: &str) -> Value {
    let token = dynamics.tokens.give(holder, dynamics.clock.now_ms() + TOKEN_LIFE_SECONDS * 1000);
    json!({"token_type": "Bearer", "expires_in": TOKEN_LIFE_SECONDS, "access_token": token})
}

/// A person's token, with what the scopes that he granted bring along.
fn of_person(dynamics: &Dynamics, form: &Form, grant: &Grant) -> Result<Value, Wrong> {
    let person = Person::of(dynamics);
    let mut body = bearer(dynamics, &person.user);
    body["scope"] = format!("{}/user_impersonation", dynamics.url()).into();
    if grant.has("offline_access") {
        body["refresh_token"] = dynamics.people.refresh_token(grant).into();
    }
    if grant.has("openid") {
        let now = real_ms() / 1000;
        body["id_token"] = person.id_token(dynamics, grant.nonce.as_deref(), now)?.into();
    }
    if form.get("client_info").is_some_and(|wanted| wanted == "1") {
        body["client_info"] = person.client_info(dynamics).into();
    }
    Ok(body)
}

fn check(dynamics: &Dynamics, tenant: &str, form: &Form) -> Result<For, Wrong> {
    let needed = |name: &str| {
        let text = format!("AADSTS900144: The request body must contain the following parameter: '{name}'.");
        form.get(name).filter(|value| !value.is_empty()).ok_or_else(|| wrong(400, "invalid_request", 900_144, text))
    };
    let grant = needed("grant_type")?;
    let is_application = grant == "client_credentials";
    if is_application && (people::is_alias(tenant) || tenant == "consumers") {
        let text = "AADSTS9001023: The grant type is not supported over the /common or /consumers endpoints. Please use \
                    the /organizations or tenant-specific endpoint.";
        return Err(wrong(400, "invalid_request", 9_001_023, text));
    }
    if !is_tenant(dynamics, tenant) && (is_application || !people::is_alias(tenant)) {
        return Err(unknown_tenant(tenant));
    }
    let client = needed("client_id")?;
    if !client.eq_ignore_ascii_case(&dynamics.vault.credentials.client_id) {
        return Err(unknown_application(client));
    }
    let now_ms = real_ms();
    let granted = match grant.as_str() {
        "client_credentials" => {
            scope(dynamics, needed("scope")?)?;
            if form.contains_key("client_assertion") {
                let pem = &dynamics.vault.credentials.certificate;
                let endpoint = format!("{}/{tenant}/oauth2/v2.0/token", dynamics.url());
                assertion::check(needed("client_assertion")?, pem, client, &endpoint, now_ms / 1000)?;
            } else if !dynamics.vault.opens_entra(needed("client_secret")?) {
                return Err(wrong_secret());
            }
            return Ok(For::Application);
        }
        "refresh_token" => {
            form.get("scope").map_or(Ok(()), |scope| personal_scope(dynamics, scope))?;
            dynamics.people.check_refresh_token(needed("refresh_token")?)?
        }
        "authorization_code" => {
            let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
            dynamics.people.check_code(needed("code")?, needed("redirect_uri")?, verifier, now_ms)?
        }
        "urn:ietf:params:oauth:grant-type:device_code" => {
            dynamics.people.check_device(needed("device_code")?, now_ms)?
        }
        _ => {
            let text = format!("AADSTS70003: The app requested an unsupported grant type '{grant}'.");
            return Err(wrong(400, "unsupported_grant_type", 70_003, text));
        }
    };
    // The sandbox's application is public for people; a secret that comes along has to be right all the same.
    if form.get("client_secret").is_some_and(|secret| !dynamics.vault.opens_entra(secret)) {
        return Err(wrong_secret());
    }
    Ok(For::Person(granted))
}

fn wrong_secret() -> Wrong {
    let text = "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client \
                secret value, not the client secret ID, for a secret added to app.";
    wrong(401, "invalid_client", 7_000_215, text)
}

pub(super) fn unknown_tenant(tenant: &str) -> Wrong {
    let text = format!("AADSTS90002: Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
    wrong(400, "invalid_request", 90_002, text)
}

pub(super) fn unknown_application(client: &str) -> Wrong {
    let text = format!("AADSTS700016: Application with identifier '{client}' was not found in the directory.");
    wrong(400, "unauthorized_client", 700_016, text)
}

/// What a person may let an application do: a scope of the organisation, and OpenID's own.
pub(super) fn personal_scope(dynamics: &Dynamics, scopes: &str) -> Result<(), Wrong> {
    let mut of_resource = scopes.split(' ').filter(|one| one.contains("://")).peekable();
    let resource = of_resource.peek().and_then(|one| one.rsplit_once('/')).map(|(resource, _)| resource.to_owned());
    match resource {
        Some(resource) if resource.trim_end_matches('/') == dynamics.url() => Ok(()),
        Some(resource) => Err(unknown_resource(&resource)),
        None => {
            let text =
                format!("AADSTS70011: The provided value for the input parameter 'scope' is not valid: {scopes}.");
            Err(wrong(400, "invalid_scope", 70_011, text))
        }
    }
}

fn unknown_resource(resource: &str) -> Wrong {
    let text = format!("AADSTS500011: The resource principal named {resource} was not found in the tenant.");
    wrong(400, "invalid_resource", 500_011, text)
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
        return Err(unknown_resource(resource));
    }
    Ok(())
}

pub(super) fn missing(feature: &str) -> Wrong {
    wrong(501, ENTRA_MISSING_FEATURE, 0, format!("The sandbox does not have this feature: {feature}."))
}

pub(super) fn refuse(wrong: &Wrong) -> Reply {
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
pub(in crate::sandbox) fn fault(fault: &Fault) -> Reply {
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
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        url::form_urlencoded::parse(format!("x={part}").as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}
