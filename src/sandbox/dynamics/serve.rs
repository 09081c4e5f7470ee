//! Which request goes where on the Dynamics port, and the headers every reply carries.
//!
//! In: a request. Out: the reply of the part that knows it, or a refusal.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::super::assumptions::PARALLELISM_HINT;
use super::super::calls::Service;
use super::super::faults::Fault;
use super::super::http::{Answering, Ask, Reply};
use super::super::randomness::Chance;
use super::errors::{self, Refusal};
use super::prefer::Prefer;
use super::service::Dynamics;
use super::{entra, metadata, page, single, token, totals};

/// The address of a request, split.
pub(in crate::sandbox) struct Place {
    /// Absolute, up to and with the slash after the version.
    pub(in crate::sandbox) base: String,
    /// What follows, decoded.
    pub(in crate::sandbox) rest: String,
}

const JSON: &str = "application/json; odata.metadata=minimal";

/// A successful reply with what `Prefer` brings to it.
pub(in crate::sandbox) fn body(text: String, prefer: &Prefer, records: usize) -> Reply {
    let mut reply = Reply::new(200, JSON, text).with("odata-version", "4.0");
    if !prefer.applied.is_empty() {
        reply = reply.with("preference-applied", prefer.applied.join(","));
    }
    reply.records = records;
    reply
}

impl Answering for Dynamics {
    fn service(&self, ask: &Ask) -> Service {
        if entra::endpoint(&ask.path).is_some() { Service::Entra } else { Service::Dynamics }
    }

    fn answer(&self, ask: &Ask) -> Reply {
        if let Some(endpoint) = entra::endpoint(&ask.path) {
            return entra::answer(self, &endpoint, ask);
        }
        let Some(rest) = ask.path.strip_prefix("/api/data/") else {
            return stamp(self, Refusal::segment(&ask.path).reply());
        };
        if !signed_in(self, ask) {
            return challenge(self);
        }
        stamp(self, route(self, ask, rest).unwrap_or_else(|refusal| refusal.reply()))
    }

    fn fail(&self, ask: &Ask, fault: Fault) -> Reply {
        match (entra::endpoint(&ask.path), fault.status) {
            (Some(_), _) => token::fault(fault),
            (None, 401) => challenge(self),
            (None, _) => stamp(self, errors::fault(fault)),
        }
    }
}

fn signed_in(dynamics: &Dynamics, ask: &Ask) -> bool {
    let bearer = ask.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    bearer.is_some_and(|token| dynamics.tokens.is_good(token, dynamics.clock.now_ms()))
}

/// The 401 that tells a client where to sign in.
fn challenge(dynamics: &Dynamics) -> Reply {
    let (url, tenant) = (dynamics.url(), &dynamics.vault.credentials.tenant_id);
    let where_to = format!("Bearer authorization_uri={url}/{tenant}/oauth2/authorize, resource_id={url}/");
    Reply::new(401, "text/plain", "").with("www-authenticate", where_to)
}

fn stamp(dynamics: &Dynamics, reply: Reply) -> Reply {
    let number = dynamics.requests.fetch_add(1, Ordering::SeqCst);
    let id = Chance::of_text(dynamics.seed, &format!("request {number}")).guid();
    reply
        .with("x-ms-service-request-id", id.clone())
        .with("req_id", id)
        .with("x-ms-dop-hint", PARALLELISM_HINT.to_string())
}

fn route(dynamics: &Dynamics, ask: &Ask, rest: &str) -> Result<Reply, Refusal> {
    let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
    if !version.starts_with("v9.") {
        return Err(Refusal::segment(version));
    }
    unsupported_headers(ask)?;
    let pair = format!("p={}", rest.replace('+', "%2B").replace('&', "%26"));
    let rest: String = url::form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value.into_owned()).collect();
    let host = ask.header("host").map_or_else(|| dynamics.url().to_owned(), |host| format!("http://{host}"));
    let place = Place { base: format!("{host}/api/data/{version}/"), rest };
    let segments: Vec<&str> = place.rest.trim_end_matches('/').split('/').collect();
    let first = segments[0];
    if matches!(first, "WhoAmI" | "WhoAmI()") && ask.method != "GET" {
        let text = format!("No HTTP resource was found that matches the request URI '{}'.", ask.path);
        return Err(Refusal::new(404, "", text));
    }
    if first == "$batch" {
        return Err(Refusal::missing("$batch"));
    }
    if ask.method != "GET" {
        let known = dynamics.schema.set(first.split('(').next().unwrap_or(first)).is_some();
        let writes = matches!(ask.method.as_str(), "POST" | "PATCH" | "PUT" | "DELETE");
        return Err(if known && writes { Refusal::missing("writing rows") } else { Refusal::method(&ask.method) });
    }
    match first {
        "" => Ok(service_document(dynamics, &place)),
        "WhoAmI" | "WhoAmI()" if segments.len() == 1 => Ok(who_am_i(dynamics, &place)),
        name if name.starts_with("EntityDefinitions") => metadata::answer(dynamics, &place, ask, &segments),
        name if name.starts_with(totals::NAME) => totals::answer(dynamics, &place, ask),
        name if missing(name) => Err(Refusal::missing(name)),
        name => rows(dynamics, &place, ask, name, &segments[1..]),
    }
}

fn rows(dynamics: &Dynamics, place: &Place, ask: &Ask, name: &str, below: &[&str]) -> Result<Reply, Refusal> {
    let (set, key) = match name.split_once('(') {
        Some((set, key)) => (set, Some(key.strip_suffix(')').ok_or_else(|| Refusal::segment(name))?)),
        None => (name, None),
    };
    let table = dynamics.schema.set(set).ok_or_else(|| Refusal::segment(set))?;
    match (key, below) {
        (None, []) => page::collection(dynamics, place, ask, table),
        (None, ["$count"]) => page::count(dynamics, ask, table),
        (Some(key), []) => single::row(dynamics, place, ask, table, key),
        (Some(_), below) => Err(Refusal::missing(&format!("path below a row: {}", below.join("/")))),
        (None, below) => Err(Refusal::segment(&below.join("/"))),
    }
}

/// Resources the service has and the sandbox lacks.
fn missing(name: &str) -> bool {
    const NAMES: [&str; 5] = [
        "$metadata",
        "RelationshipDefinitions",
        "GlobalOptionSetDefinitions",
        "RetrieveMetadataChanges",
        "RetrieveVersion",
    ];
    NAMES.iter().any(|missing| name.starts_with(missing))
}

fn unsupported_headers(ask: &Ask) -> Result<(), Refusal> {
    for name in ["mscrmcallerid", "callerobjectid", "if-match", "mscrm.sessiontoken"] {
        if ask.headers.contains_key(name) {
            return Err(Refusal::missing(&format!("header {name}")));
        }
    }
    if ask.header("if-none-match").is_some_and(|value| value != "null") {
        return Err(Refusal::missing("header if-none-match"));
    }
    let accept = ask.header("accept").unwrap_or("").to_ascii_lowercase();
    for unsupported in ["odata.metadata=none", "odata.metadata=full", "ieee754compatible=true"] {
        if accept.contains(unsupported) {
            return Err(Refusal::missing(&format!("Accept: {unsupported}")));
        }
    }
    Ok(())
}

fn service_document(dynamics: &Dynamics, place: &Place) -> Reply {
    let sets = dynamics.schema.tables.iter();
    let sets: Vec<_> = sets.map(|table| json!({"name": table.set, "kind": "EntitySet", "url": table.set})).collect();
    let document = json!({"@odata.context": format!("{}$metadata", place.base), "value": sets});
    body(document.to_string(), &Prefer::default(), 0)
}

fn who_am_i(dynamics: &Dynamics, place: &Place) -> Reply {
    let answer = json!({
        "@odata.context": format!("{}$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse", place.base),
        "BusinessUnitId": dynamics.business_unit,
        "UserId": dynamics.caller,
        "OrganizationId": dynamics.organization,
    });
    body(answer.to_string(), &Prefer::default(), 0)
}
