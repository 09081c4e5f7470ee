//! `CreateMultiple`, `UpdateMultiple` and `UpsertMultiple`: many rows of one table, all or none.
//!
//! `DeleteMultiple` is for elastic tables only, which the sandbox has none of. In: the action's name and its targets.
//! Out: the keys of created rows, or nothing.

use serde_json::{Map, Value, json};

use super::errors::Refusal;
use super::key::{Located, locate};
use super::payload::object;
use super::prefer::Prefer;
use super::route::{body, no_content};
use super::store::Store;
use super::write::{Write, Written};

pub(in crate::sandbox) fn apply(
    write: &Write<'_>,
    store: &mut Store,
    table: usize,
    name: &str,
) -> Result<Written, Refusal> {
    let description = &write.dynamics.schema.tables[table];
    let mut members = object(&description.set, &write.ask.body)?;
    let action = name.strip_prefix("Microsoft.Dynamics.CRM.").unwrap_or(name);
    if !matches!(action, "CreateMultiple" | "UpdateMultiple" | "UpsertMultiple") {
        return Err(Refusal::missing(&format!("action {action}")));
    }
    let targets = match members.shift_remove("Targets") {
        Some(Value::Array(targets)) if !targets.is_empty() && members.is_empty() => targets,
        _ => return Err(wrong(&description.set, "The parameter 'Targets' must be the only one and hold rows.")),
    };
    let mut ids = Vec::with_capacity(targets.len());
    for target in &targets {
        let target = target.as_object().ok_or_else(|| wrong(&description.set, "A target is not an object."))?;
        ids.push(one(write, store, table, target, action)?);
    }
    let reply = if action == "CreateMultiple" {
        let context = format!("{}$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse", write.place.base);
        let text = json!({"@odata.context": context, "Ids": ids}).to_string();
        body(text, &Prefer::default(), 0)
    } else {
        no_content()
    };
    Ok(Written { reply: reply.writing(targets.len()), row: None })
}

fn one(
    write: &Write<'_>,
    store: &mut Store,
    table: usize,
    target: &Map<String, Value>,
    action: &str,
) -> Result<String, Refusal> {
    let description = &write.dynamics.schema.tables[table];
    if !target.contains_key("@odata.type") {
        return Err(wrong(&description.set, "Each target must name its type in '@odata.type'."));
    }
    let named = match target.get("@odata.id").and_then(Value::as_str) {
        Some(address) if action == "UpsertMultiple" => {
            let key = address.split_once('(').and_then(|(_, key)| key.strip_suffix(')')).unwrap_or(address);
            locate(description, &store.tables[table], key)?
        }
        _ => Located { id: None, given: Map::new() },
    };
    let mut payload = write.scope(store, table).read(target)?;
    payload.key = named.id.or(payload.key);
    let body = std::mem::replace(&mut payload.values, named.given);
    payload.values.extend(body);
    let stored = payload.key.filter(|id| store.tables[table].rows.contains_key(id));
    match (action, payload.key, stored) {
        ("CreateMultiple", _, _) | ("UpsertMultiple", _, None) => write.add(store, table, payload).map(|id| id.text()),
        (_, _, Some(id)) => {
            write.save(store, (table, id), payload.values)?;
            Ok(id.text())
        }
        (_, Some(id), None) => Err(Refusal::absent(&description.logical, &id.text())),
        (_, None, None) => Err(wrong(&description.set, "A target to update has no key.")),
    }
}

fn wrong(set: &str, text: &str) -> Refusal {
    Refusal::payload(set, &format!("Microsoft.OData.ODataException: {text}"))
}
