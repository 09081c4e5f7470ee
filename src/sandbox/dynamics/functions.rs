//! The unbound functions: `WhoAmI`, `RetrieveVersion` and `RetrieveTotalRecordCount`.
//!
//! In: a call, its parameters written out or as aliases. Out: what the function answers.

use std::collections::HashMap;
use std::sync::PoisonError;

use serde_json::{Map, Value, json};

use super::super::assumptions::{PRODUCT_VERSION, UNKNOWN_TABLE};
use super::super::http::{Ask, Reply};
use super::errors::Refusal;
use super::options::{Aliases, aliases, unknown};
use super::place::Place;
use super::precondition::Precondition;
use super::prefer::Prefer;
use super::route::body;
use super::service::Dynamics;

/// The functions there are, with their parameters.
pub(in crate::sandbox) const FUNCTIONS: [(&str, &[&str]); 3] =
    [("WhoAmI", &[]), ("RetrieveVersion", &[]), ("RetrieveTotalRecordCount", &["EntityNames"])];

pub(in crate::sandbox) fn knows(segment: &str) -> bool {
    let name = segment.split('(').next().unwrap_or(segment);
    FUNCTIONS.iter().any(|(known, _)| *known == name)
}

pub(in crate::sandbox) fn answer(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    segments: &[&str],
    caller: &str,
) -> Result<Reply, Refusal> {
    let [call] = segments else { return Err(Refusal::missing(&format!("path below a function: {}", place.rest))) };
    if ask.method != "GET" {
        let text = format!("No HTTP resource was found that matches the request URI '{}'.", ask.path);
        return Err(Refusal::new(404, "", text));
    }
    if Precondition::read(&ask.headers)? != Precondition::default() {
        return Err(Refusal::missing("If-Match or If-None-Match on a function"));
    }
    if let Some((name, _)) = url::form_urlencoded::parse(ask.query.as_bytes()).find(|(name, _)| !name.starts_with('@'))
    {
        return Err(unknown(&name));
    }
    let name = call.split('(').next().unwrap_or(call);
    let given = parameters(call, &aliases(&ask.query))?;
    let wanted = FUNCTIONS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, wanted)| wanted);
    if wanted.len() != given.len() || !wanted.iter().all(|name| given.contains_key(*name)) {
        return Err(Refusal::segment(call));
    }
    let members = match name {
        "WhoAmI" => json!({
            "BusinessUnitId": dynamics.business_unit,
            "UserId": caller,
            "OrganizationId": dynamics.organization,
        }),
        "RetrieveVersion" => json!({"Version": PRODUCT_VERSION}),
        _ => json!({"EntityRecordCountCollection": counts(dynamics, given.get("EntityNames"))?}),
    };
    let mut answer = Map::new();
    answer.insert("@odata.context".to_owned(), context(place, name).into());
    if let Value::Object(members) = members {
        answer.extend(members);
    }
    Ok(body(Value::Object(answer).to_string(), &Prefer::default(), 0))
}

fn context(place: &Place, name: &str) -> String {
    format!("{}$metadata#Microsoft.Dynamics.CRM.{name}Response", place.base)
}

/// The parameters between the parentheses; none without parentheses.
fn parameters(call: &str, aliases: &Aliases) -> Result<HashMap<String, String>, Refusal> {
    let Some((_, inner)) = call.split_once('(') else { return Ok(HashMap::new()) };
    let inner = inner.strip_suffix(')').ok_or_else(|| Refusal::segment(call))?;
    if inner.trim().is_empty() {
        return Ok(HashMap::new());
    }
    // No function has two parameters, so a comma can only stand inside a value.
    let (name, value) = inner.split_once('=').ok_or_else(|| Refusal::segment(call))?;
    let value =
        if value.trim().starts_with('@') { aliases.get(value.trim()).map_or("null", String::as_str) } else { value };
    Ok(HashMap::from([(name.trim().to_owned(), value.to_owned())]))
}

fn counts(dynamics: &Dynamics, names: Option<&String>) -> Result<Value, Refusal> {
    let text = names.map_or("null", String::as_str);
    let parsed = serde_json::from_str(text).or_else(|_| serde_json::from_str(&text.replace('\'', "\"")));
    let Ok(Value::Array(names)) = parsed else {
        return Err(Refusal::syntax(format!("'{text}' is not a collection of texts.")));
    };
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    for name in names {
        let name = name.as_str().unwrap_or("").to_owned();
        let (status, code) = UNKNOWN_TABLE;
        let text = format!("The entity with a name = '{name}' was not found in the MetadataCache.");
        let table = dynamics.schema.table(&name).ok_or_else(|| Refusal::new(status, code, text))?;
        values.push(store.tables[table].rows.len());
        keys.push(name);
    }
    Ok(json!({"Count": keys.len(), "IsReadOnly": false, "Keys": keys, "Values": values}))
}
