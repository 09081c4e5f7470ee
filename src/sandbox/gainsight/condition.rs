//! One condition of a query: read once, asked of many records.
//!
//! Texts are compared without case; picklists by label or by item. In: a field, an operator and its values. Out: whether
//! a record satisfies it.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::assumptions::NOT_EQUAL_KEEPS_NULLS;
use super::dates::moment;
use super::envelope::Refusal;
use super::record::{Cell, Record};
use super::schema::{Field, Kind, Object};

enum Probe {
    /// One of these, or none of these.
    Among(HashSet<String>, bool),
    /// Bounds, each with whether it belongs to the range.
    Range(Option<(Cell, bool)>, Option<(Cell, bool)>),
    Null(bool),
    Text(fn(&str, &str) -> bool, String, bool),
    /// The items of a multiple choice.
    Holds(HashSet<String>, bool),
}

/// One condition.
pub(in crate::sandbox) struct Condition {
    field: usize,
    probe: Probe,
}

/// Reads a condition as sent, and its alias.
pub(in crate::sandbox) fn read(object: &Object, sent: &Value) -> Result<(String, Condition), Refusal> {
    let members: &Map<String, Value> = sent.as_object().ok_or_else(Refusal::invalid)?;
    let text = |name: &str| members.get(name).and_then(Value::as_str).ok_or_else(Refusal::invalid);
    let (name, alias, operator) = (text("name")?, text("alias")?, text("operator")?);
    if name.contains("__gr.") {
        return Err(Refusal::missing(&format!("lookup path {name}")));
    }
    let field = object.field(name).ok_or_else(Refusal::invalid)?;
    let values = match members.get("value") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(values)) => values.clone(),
        Some(_) => return Err(Refusal::invalid()),
    };
    let description = &object.fields[field];
    if !allowed(description.kind, operator) {
        return Err(Refusal::invalid());
    }
    let probe = probe(description, operator, &values).ok_or_else(Refusal::invalid)?;
    Ok((alias.to_owned(), Condition { field, probe }))
}

fn allowed(kind: Kind, operator: &str) -> bool {
    const TEXT: [&str; 7] =
        ["CONTAINS", "DOES_NOT_CONTAIN", "DOES_NOT_CONTAINS", "STARTS_WITH", "ENDS_WITH", "IS_NULL", "IS_NOT_NULL"];
    let null = matches!(operator, "IS_NULL" | "IS_NOT_NULL");
    let equal = matches!(operator, "EQ" | "NE");
    let order = matches!(operator, "LT" | "LTE" | "GT" | "GTE");
    let list = matches!(operator, "INCLUDES" | "EXCLUDES");
    match kind {
        Kind::Text | Kind::Gsid | Kind::Email | Kind::Url | Kind::Lookup => {
            equal || TEXT.contains(&operator) || matches!(operator, "GT" | "LT" | "IN")
        }
        Kind::Number => equal || order || null || matches!(operator, "IN" | "NOT_IN"),
        Kind::Currency | Kind::Percentage => equal || order || null,
        Kind::Boolean => equal,
        Kind::Date | Kind::DateTime => equal || order || null || operator == "BTW",
        Kind::Picklist => equal || list || TEXT.contains(&operator) || operator == "IN",
        Kind::MultiPicklist => list || null,
        Kind::RichText => false,
    }
}

fn probe(field: &Field, operator: &str, values: &[Value]) -> Option<Probe> {
    let one = || if let [value] = values { cell(field, value) } else { None };
    let text = || if let [Value::String(text)] = values { Some(text.to_lowercase()) } else { None };
    Some(match operator {
        "EQ" => Probe::Among(among(field, values, Some(1))?, true),
        "NE" => Probe::Among(among(field, values, Some(1))?, false),
        "IN" => Probe::Among(among(field, values, None)?, true),
        "NOT_IN" => Probe::Among(among(field, values, None)?, false),
        "INCLUDES" => Probe::Holds(among(field, values, None)?, true),
        "EXCLUDES" => Probe::Holds(among(field, values, None)?, false),
        "GT" => Probe::Range(Some((one()?, false)), None),
        "GTE" => Probe::Range(Some((one()?, true)), None),
        "LT" => Probe::Range(None, Some((one()?, false))),
        "LTE" => Probe::Range(None, Some((one()?, true))),
        "BTW" => match values {
            [low, high] => Probe::Range(Some((cell(field, low)?, true)), Some((cell(field, high)?, true))),
            _ => return None,
        },
        "IS_NULL" | "IS_NOT_NULL" if values.is_empty() => Probe::Null(operator == "IS_NULL"),
        "CONTAINS" => Probe::Text(|text, part| text.contains(part), text()?, true),
        "DOES_NOT_CONTAIN" | "DOES_NOT_CONTAINS" => Probe::Text(|text, part| text.contains(part), text()?, false),
        "STARTS_WITH" => Probe::Text(|text, part| text.starts_with(part), text()?, true),
        "ENDS_WITH" => Probe::Text(|text, part| text.ends_with(part), text()?, true),
        _ => return None,
    })
}

/// The folded values of a list; a label of a picklist stands for its item.
fn among(field: &Field, values: &[Value], length: Option<usize>) -> Option<HashSet<String>> {
    if values.is_empty() || length.is_some_and(|length| values.len() != length) {
        return None;
    }
    let mut set = HashSet::with_capacity(values.len());
    for value in values {
        let cell = cell(field, value)?;
        if let (Cell::Text(text), false) = (&cell, field.items.is_empty()) {
            let same = |label: &str| label.to_lowercase() == text.to_lowercase();
            set.extend(field.items.iter().filter(|item| same(&item.label)).map(|item| item.gsid.to_lowercase()));
        }
        set.insert(key(&cell));
    }
    Some(set)
}

/// A value to compare with; nothing when it is not of the field's kind.
fn cell(field: &Field, value: &Value) -> Option<Cell> {
    match field.kind {
        Kind::Number | Kind::Currency | Kind::Percentage => match value {
            Value::String(text) => text.parse().ok().map(Cell::Number),
            other => other.as_f64().map(Cell::Number),
        },
        Kind::Boolean => value.as_bool().map(Cell::Flag),
        Kind::Date | Kind::DateTime => moment(value).map(Cell::Time),
        _ => value.as_str().map(|text| Cell::Text(text.into())),
    }
}

fn key(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.to_lowercase(),
        other => format!("{other:?}"),
    }
}

/// Compares two values of one field.
pub(in crate::sandbox) fn compare(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Cell::Text(a), Cell::Text(b)) if a.is_ascii() && b.is_ascii() => {
            let folded = |byte: u8| byte.to_ascii_lowercase();
            a.bytes().map(folded).cmp(b.bytes().map(folded))
        }
        (Cell::Text(a), Cell::Text(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
        (Cell::Number(a), Cell::Number(b)) => a.total_cmp(b),
        (Cell::Flag(a), Cell::Flag(b)) => a.cmp(b),
        (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

impl Condition {
    pub(in crate::sandbox) fn holds(&self, object: &Object, record: &Record) -> bool {
        let found = record.get(self.field);
        match (&self.probe, found) {
            (Probe::Null(wanted), found) => found.is_none() == *wanted,
            (Probe::Among(_, wanted) | Probe::Text(_, _, wanted) | Probe::Holds(_, wanted), None) => {
                !wanted && NOT_EQUAL_KEEPS_NULLS
            }
            (Probe::Range(..), None) => false,
            (Probe::Among(set, wanted), Some(cell)) => set.contains(&key(cell)) == *wanted,
            (Probe::Holds(set, wanted), Some(cell)) => {
                let text = key(cell);
                text.split(';').any(|item| set.contains(item)) == *wanted
            }
            (Probe::Text(test, part, wanted), Some(cell)) => {
                let items = &object.fields[self.field].items;
                let stored = key(cell);
                let label = items.iter().find(|item| item.gsid.to_lowercase() == stored);
                test(&label.map_or(stored, |item| item.label.to_lowercase()), part) == *wanted
            }
            (Probe::Range(low, high), Some(cell)) => {
                let above = |(bound, inside): &(Cell, bool)| match compare(cell, bound) {
                    Ordering::Greater => true,
                    order => order == Ordering::Equal && *inside,
                };
                let below = |(bound, inside): &(Cell, bool)| match compare(cell, bound) {
                    Ordering::Less => true,
                    order => order == Ordering::Equal && *inside,
                };
                low.as_ref().is_none_or(above) && high.as_ref().is_none_or(below)
            }
        }
    }

    /// The GSID that every match must lie after, if this condition says so.
    pub(in crate::sandbox) fn after_gsid(&self) -> Option<String> {
        match &self.probe {
            Probe::Range(Some((Cell::Text(text), false)), None) if self.field == 0 => Some(text.to_uppercase()),
            _ => None,
        }
    }
}
