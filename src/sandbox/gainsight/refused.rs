//! The refusal of a call for records that a fault declares bad.
//!
//! It has the form of the rules of the house: one inner list per bad record, and nothing is written. In: the bodies of
//! writes, and places of records in them. Out: the refusal, if the call has one of these records.

use serde_json::{Map, Value};

use super::batch;
use super::envelope::Refusal;
use super::users;
use super::validate::{Dialect, Wrong, refusal};
use super::values::Mistake;

/// Who refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Kind {
    Records,
    NewUsers,
    KnownUsers,
    Person,
}

/// The refusal for the records at these places, counted from 0; a body that cannot be read is left to the service.
pub(in crate::sandbox) fn at(kind: Kind, body: &[u8], places: &[usize]) -> Option<Refusal> {
    let sent = match kind {
        Kind::Person => vec![batch::object(body).ok()?],
        _ => batch::records(body).ok()?,
    };
    let bad = sent.iter().enumerate().filter(|(place, _)| places.contains(place));
    let refused: Vec<Vec<Wrong>> = bad.filter_map(|(_, record)| Some(vec![wrong(record)?])).collect();
    if refused.is_empty() {
        return None;
    }
    Some(match kind {
        Kind::Records => refusal(Dialect::Objects, &refused),
        Kind::Person => refusal(Dialect::People, &refused),
        Kind::NewUsers => users::failed(users::CREATE_FAILED, &refused),
        Kind::KnownUsers => users::failed(users::UPDATE_FAILED, &refused),
    })
}

/// The first value that the record brings; the GSID only finds it.
fn wrong(record: &Map<String, Value>) -> Option<Wrong> {
    let is_plain =
        |(name, value): &(&String, &Value)| *name != "Gsid" && !matches!(value, Value::Null | Value::Array(_));
    let (field, value) = record.iter().find(is_plain).or_else(|| record.iter().next())?;
    Some(Wrong { field: field.clone(), value: value.clone(), mistake: Mistake::Rule })
}
