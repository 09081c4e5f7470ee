//! Which request goes where below the version.
//!
//! Signing in is `serve`'s. In: a request, and the user who asks. Out: the reply of the part that knows it, or a refusal.

use serde_json::json;

use super::super::http::{Ask, Reply};
use super::errors::Refusal;
use super::place::Place;
use super::precondition::Precondition;
use super::prefer::Prefer;
use super::service::Dynamics;
use super::{apply, batch, below, csdl, fetch_page, functions, metadata, page, privileges, single, tracking, write};

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

/// A reply without a body.
pub(in crate::sandbox) fn no_content() -> Reply {
    let mut reply = Reply::new(204, "", Vec::new()).with("odata-version", "4.0");
    reply.headers.retain(|(name, _)| *name != "content-type");
    reply
}

pub(in crate::sandbox) fn answer(dynamics: &Dynamics, ask: &Ask, caller: &str) -> Result<Reply, Refusal> {
    let place = Place::read(dynamics, ask)?;
    unsupported_headers(ask)?;
    let segments = place.segments();
    let first = segments.first().copied().unwrap_or("");
    if first == "$batch" {
        return batch::answer(dynamics, ask, caller);
    }
    if functions::knows(first) {
        return functions::answer(dynamics, &place, ask, &segments, caller);
    }
    match ask.method.as_str() {
        "GET" if privileges::is_asked(&segments) => privileges::held(dynamics, &place, &segments, caller),
        "GET" => read(dynamics, &place, ask, &segments),
        "POST" | "PATCH" | "PUT" | "DELETE" => change(dynamics, &place, ask, (first, caller)),
        other => Err(Refusal::method(other)),
    }
}

fn read(dynamics: &Dynamics, place: &Place, ask: &Ask, segments: &[&str]) -> Result<Reply, Refusal> {
    let one_row = matches!(segments, [one] if one.contains('(') && !metadata::knows(one));
    if !one_row && Precondition::read(&ask.headers)? != Precondition::default() {
        return Err(Refusal::missing("If-Match or If-None-Match on what is not one row"));
    }
    match segments.first().copied().unwrap_or("") {
        "" => Ok(service_document(dynamics, place)),
        "$metadata" if segments.len() == 1 => csdl::answer(dynamics, ask),
        name if metadata::knows(name) => metadata::answer(dynamics, place, ask, segments),
        name => rows(dynamics, place, ask, name, &segments[1..]),
    }
}

fn rows(dynamics: &Dynamics, place: &Place, ask: &Ask, name: &str, below: &[&str]) -> Result<Reply, Refusal> {
    let (set, key) = match name.split_once('(') {
        Some((set, key)) => (set, Some(key.strip_suffix(')').ok_or_else(|| Refusal::segment(name))?)),
        None => (name, None),
    };
    let table = dynamics.schema.set(set).ok_or_else(|| lacks(set).unwrap_or_else(|| Refusal::segment(set)))?;
    match (key, below) {
        (None, []) if apply::is_asked(ask) => apply::answer(dynamics, place, ask, table),
        (None, []) if fetch_page::is_asked(ask) => fetch_page::answer(dynamics, place, ask, table),
        (None, []) if tracking::is_asked(ask) => tracking::answer(dynamics, place, ask, table),
        (None, []) => page::collection(dynamics, place, ask, table, None),
        (None, ["$count"]) if ask.parameter("$deltatoken").is_some() => tracking::count(dynamics, ask, table),
        (None, ["$count"]) => page::count(dynamics, ask, table, None),
        (Some(key), []) => single::row(dynamics, place, ask, table, key),
        (Some(key), below) => below::read(dynamics, place, ask, table, key, below),
        (None, below) => Err(Refusal::segment(&below.join("/"))),
    }
}

fn change(dynamics: &Dynamics, place: &Place, ask: &Ask, (first, caller): (&str, &str)) -> Result<Reply, Refusal> {
    let name = first.split('(').next().unwrap_or(first);
    if dynamics.schema.set(name).is_some() || (first, ask.method.as_str()) == ("Merge", "POST") {
        return write::answer(dynamics, place, ask, caller);
    }
    if metadata::knows(first) {
        return Err(Refusal::missing("changing metadata"));
    }
    // An action's name is in capitals, a set's is not; a set in capitals is the wrong name of a set.
    let is_action = name.starts_with(|letter: char| letter.is_ascii_uppercase());
    if ask.method == "POST" && is_action && dynamics.schema.set(&name.to_lowercase()).is_none() {
        return Err(Refusal::missing(&format!("action {name}")));
    }
    Err(Refusal::segment(name))
}

/// Resources the service has and the sandbox lacks.
fn lacks(name: &str) -> Option<Refusal> {
    const NAMES: [&str; 4] =
        ["RetrieveMetadataChanges", "RetrieveCurrentOrganization", "RetrieveAllEntities", "$entity"];
    NAMES.contains(&name).then(|| Refusal::missing(name))
}

/// Refuses headers that change what a request means in ways the sandbox lacks.
pub(in crate::sandbox) fn unsupported_headers(ask: &Ask) -> Result<(), Refusal> {
    for name in ["mscrmcallerid", "callerobjectid", "mscrm.sessiontoken"] {
        if ask.headers.contains_key(name) {
            return Err(Refusal::missing(&format!("header {name}")));
        }
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
