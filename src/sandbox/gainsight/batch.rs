//! The body of a write: up to fifty records.
//!
//! Fields are not looked at here. In: the body. Out: the records as sent.

use serde_json::{Map, Value};

use super::super::assumptions::WRITE_LIMIT;
use super::envelope::Refusal;

/// The body as an object.
pub(in crate::sandbox) fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Refusal::invalid()),
    }
}

/// The records of `{"records":[…]}`.
pub(in crate::sandbox) fn records(body: &[u8]) -> Result<Vec<Map<String, Value>>, Refusal> {
    let mut members = object(body)?;
    let records = members.remove("records");
    if let Some(name) = members.keys().next() {
        return Err(Refusal::missing(&format!("{name} in the body of a write")));
    }
    let Some(Value::Array(list)) = records else { return Err(Refusal::invalid()) };
    if list.is_empty() || list.len() > WRITE_LIMIT {
        return Err(Refusal::invalid());
    }
    let record = |value| match value {
        Value::Object(record) => Ok(record),
        _ => Err(Refusal::invalid()),
    };
    list.into_iter().map(record).collect()
}
