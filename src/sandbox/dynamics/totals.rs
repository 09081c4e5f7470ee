//! `RetrieveTotalRecordCount`: how many rows tables have, from a snapshot that is always fresh here.
//!
//! It counts no filtered set; that is `$count`. In: the function with its names, literal or as an alias. Out: keys and
//! values side by side, as the service gives them.

use std::sync::PoisonError;

use serde_json::json;

use super::super::http::{Ask, Reply};
use super::errors::Refusal;
use super::prefer::Prefer;
use super::serve::{Place, body};
use super::service::Dynamics;

/// The function's name, before its parenthesis.
pub(in crate::sandbox) const NAME: &str = "RetrieveTotalRecordCount";

pub(in crate::sandbox) fn answer(dynamics: &Dynamics, place: &Place, ask: &Ask) -> Result<Reply, Refusal> {
    let wrong = || Refusal::syntax(format!("Error in query syntax: '{}'.", place.rest));
    let argument = place.rest.strip_prefix(NAME).and_then(|rest| rest.strip_prefix("(EntityNames="));
    let argument = argument.and_then(|rest| rest.strip_suffix(')')).ok_or_else(wrong)?;
    let list = if argument.starts_with('@') { ask.parameter(argument).ok_or_else(wrong)? } else { argument.to_owned() };
    let names: Vec<String> = serde_json::from_str(&list).map_err(|_| wrong())?;
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let mut values = Vec::with_capacity(names.len());
    for name in &names {
        let unknown = || Refusal::new(404, "0x80060888", format!("Could not find an entity with name {name}."));
        let table = dynamics.schema.table(name).ok_or_else(unknown)?;
        values.push(store.tables[table].rows.len());
    }
    let answer = json!({
        "@odata.context": format!("{}$metadata#Microsoft.Dynamics.CRM.{NAME}Response", place.base),
        "EntityRecordCountCollection":
            {"Count": names.len(), "IsReadOnly": false, "Keys": names, "Values": values},
    });
    Ok(body(answer.to_string(), &Prefer::default(), 0))
}
