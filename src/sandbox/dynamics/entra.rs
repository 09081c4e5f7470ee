//! Which request goes where on the sign-in side: tokens, device codes, the page a browser is sent to, discovery.
//!
//! The address is split here; the parts answer. In: a request for a path of Entra. Out: a reply.

use serde_json::json;

use super::super::http::{Ask, Reply};
use super::service::Dynamics;
use super::{identity, people, token};

/// A request to Entra, by its endpoint.
pub(in crate::sandbox) enum Endpoint<'a> {
    /// `/{tenant}/oauth2/v2.0/token`.
    Token(&'a str),
    /// `/{tenant}/oauth2/v2.0/devicecode`.
    DeviceCode(&'a str),
    /// `/{tenant}/oauth2/v2.0/authorize`.
    Authorize(&'a str),
    /// `/{tenant}/v2.0/.well-known/openid-configuration`.
    Discovery(&'a str),
    /// `/{tenant}/discovery/v2.0/keys`.
    Keys(&'a str),
    /// `/common/discovery/instance`, by which clients tell known authorities.
    Instances,
    /// The page where a person enters a code.
    EnterCode,
}

/// The endpoint of a path, if it is one of Entra's.
pub(in crate::sandbox) fn endpoint(path: &str) -> Option<Endpoint<'_>> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments.as_slice() {
        [tenant, "oauth2", "v2.0", "token"] => Some(Endpoint::Token(tenant)),
        [tenant, "oauth2", "v2.0", "devicecode"] => Some(Endpoint::DeviceCode(tenant)),
        [tenant, "oauth2", "v2.0", "authorize"] => Some(Endpoint::Authorize(tenant)),
        [tenant, "v2.0", ".well-known", "openid-configuration"] => Some(Endpoint::Discovery(tenant)),
        [tenant, "discovery", "v2.0", "keys"] => Some(Endpoint::Keys(tenant)),
        ["common", "discovery", "instance"] => Some(Endpoint::Instances),
        ["devicelogin"] => Some(Endpoint::EnterCode),
        _ => None,
    }
}

pub(in crate::sandbox) fn answer(dynamics: &Dynamics, endpoint: &Endpoint, ask: &Ask) -> Reply {
    match (endpoint, ask.method.as_str()) {
        (Endpoint::Token(tenant), "POST") => token::answer(dynamics, tenant, ask),
        (Endpoint::DeviceCode(tenant), "POST") => people::device_code(dynamics, tenant, ask),
        (Endpoint::Authorize(tenant), "GET") => people::authorize(dynamics, tenant, ask),
        (Endpoint::EnterCode, "GET") => people::enter_code(dynamics, ask),
        (Endpoint::Discovery(tenant) | Endpoint::Keys(tenant), "GET")
            if !is_tenant(dynamics, tenant) && !people::is_alias(tenant) =>
        {
            token::refuse(&token::unknown_tenant(tenant))
        }
        (Endpoint::Discovery(tenant), "GET") => discovery(dynamics, tenant),
        (Endpoint::Keys(_), "GET") => identity::keys(dynamics),
        (Endpoint::Instances, "GET") => instances(dynamics),
        _ => Reply::new(405, "text/plain", "Method Not Allowed"),
    }
}

/// The names under which a tenant may be addressed by an application that acts for people.
pub(in crate::sandbox) fn is_tenant(dynamics: &Dynamics, tenant: &str) -> bool {
    tenant.eq_ignore_ascii_case(&dynamics.vault.credentials.tenant_id)
}

fn discovery(dynamics: &Dynamics, tenant: &str) -> Reply {
    let url = dynamics.url();
    let base = format!("{url}/{tenant}/oauth2/v2.0");
    let document = json!({
        "token_endpoint": format!("{base}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_modes_supported": ["query"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "jwks_uri": format!("{url}/{tenant}/discovery/v2.0/keys"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": identity::issuer(dynamics),
        "authorization_endpoint": format!("{base}/authorize"),
        "device_authorization_endpoint": format!("{base}/devicecode"),
        "tenant_region_scope": "NA",
        "cloud_instance_name": "microsoftonline.com",
    });
    Reply::new(200, "application/json; charset=utf-8", document.to_string())
}

fn instances(dynamics: &Dynamics) -> Reply {
    let (url, tenant) = (dynamics.url(), &dynamics.vault.credentials.tenant_id);
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let document = json!({
        "tenant_discovery_endpoint": format!("{url}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    });
    Reply::new(200, "application/json; charset=utf-8", document.to_string())
}
