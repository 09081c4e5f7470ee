//! What stands below a row's address: a property, the row of a lookup, or the rows of a collection.
//!
//! Longer paths and `/$ref` on a read answer 501. In: the row's key and the rest of the path. Out: a value, a row, a page,
//! or nothing where there is none.

use std::sync::PoisonError;

use serde_json::{Value, json};

use super::super::http::{Ask, Reply};
use super::errors::Refusal;
use super::expand::{Leads, leads};
use super::filter::Condition;
use super::key::locate;
use super::options::Options;
use super::place::Place;
use super::prefer::Prefer;
use super::route::{body, no_content};
use super::service::Dynamics;
use super::{page, single};

pub(in crate::sandbox) fn read(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    table: usize,
    key: &str,
    below: &[&str],
) -> Result<Reply, Refusal> {
    let (schema, description) = (&dynamics.schema, &dynamics.schema.tables[table]);
    let (name, rest) = below.split_first().ok_or_else(|| Refusal::segment(""))?;
    let missing = || Refusal::missing(&format!("path below a row: {}", below.join("/")));
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let id = locate(description, &store.tables[table], key)?.existing(description)?;
    let row = store.tables[table].find(&id).ok_or_else(|| Refusal::absent(&description.logical, &id.text()))?;
    if let Some(index) = description.column(name) {
        let value = row.json(index).and_then(|(json, _)| serde_json::from_str::<Value>(json).ok());
        return match (value, rest) {
            (None, [] | ["$value"]) => Ok(no_content()),
            (Some(value), []) => {
                let context = format!("{}$metadata#{}({})/{name}", place.base, description.set, id.text());
                let reply = json!({"@odata.context": context, "value": value}).to_string();
                Ok(body(reply, &Prefer::default(), 1))
            }
            (Some(value), ["$value"]) => {
                Ok(Reply::new(200, "text/plain", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            }
            _ => Err(missing()),
        };
    }
    let (leads, related) = leads(name, schema, table).map_err(|refusal| match refusal.status {
        400 => Refusal::segment(name),
        _ => refusal,
    })?;
    match (leads, rest) {
        (Leads::One { column, target }, []) => {
            let named = row.json(column).is_some_and(|(_, found)| found == target);
            let id = row.guid(column).filter(|_| named);
            let Some(found) = id.and_then(|id| store.tables[related].find(&id)) else { return Ok(no_content()) };
            let (options, prefer) = (Options::read(dynamics, &ask.query, related)?, Prefer::read(&ask.headers)?);
            single::entity(place, &store, schema, related, &options, &prefer, found)
        }
        (Leads::Many { column, target }, [] | ["$count"]) => {
            // The page takes the rows anew, so they must be free.
            drop(store);
            let only = Some(Condition::Leads(column, target, id));
            match rest {
                [] => page::collection(dynamics, place, ask, related, only),
                _ => page::count(dynamics, ask, related, only),
            }
        }
        _ => Err(missing()),
    }
}
