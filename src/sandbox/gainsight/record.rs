//! One record: its values by field, nothing for null.
//!
//! In: values already checked, or raw ones of the world and of tests. Out: values, and their JSON text.

use serde_json::{Map, Value};

use super::schema::{Kind, Object};

/// One stored value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) enum Cell {
    /// Texts, GSIDs, and picklists as GSIDs.
    Text(Box<str>),
    Number(f64),
    Flag(bool),
    /// Milliseconds since 1970.
    Time(i64),
}

/// One stored record.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox) struct Record(Vec<(u16, Cell)>);

impl Record {
    pub(in crate::sandbox) fn get(&self, field: usize) -> Option<&Cell> {
        let place = self.0.binary_search_by_key(&field, |(field, _)| usize::from(*field)).ok()?;
        Some(&self.0[place].1)
    }

    pub(in crate::sandbox) fn text(&self, field: usize) -> Option<&str> {
        match self.get(field) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(in crate::sandbox) fn set(&mut self, field: usize, cell: Option<Cell>) {
        match (self.0.binary_search_by_key(&field, |(field, _)| usize::from(*field)), cell) {
            (Ok(place), Some(cell)) => self.0[place].1 = cell,
            (Ok(place), None) => {
                self.0.remove(place);
            }
            (Err(place), Some(cell)) => self.0.insert(place, (field as u16, cell)),
            (Err(_), None) => {}
        }
    }

    /// The record with every field of its object.
    pub(in crate::sandbox) fn map(&self, object: &Object) -> Map<String, Value> {
        let fields = object.fields.iter().enumerate();
        fields.map(|(index, field)| (field.name.clone(), self.get(index).map_or(Value::Null, json))).collect()
    }

    /// Takes values as they are; what the object does not have is dropped.
    pub(in crate::sandbox) fn raw(object: &Object, values: &Map<String, Value>) -> Record {
        let mut record = Record::default();
        for (name, value) in values {
            if let Some(index) = object.field(name) {
                record.set(index, raw_cell(object.fields[index].kind, value));
            }
        }
        record
    }
}

fn raw_cell(kind: Kind, value: &Value) -> Option<Cell> {
    match value {
        Value::Null => None,
        Value::Bool(flag) => Some(Cell::Flag(*flag)),
        Value::Number(number) if matches!(kind, Kind::Date | Kind::DateTime) => number.as_i64().map(Cell::Time),
        Value::Number(number) => number.as_f64().map(Cell::Number),
        Value::String(text) => Some(Cell::Text(text.as_str().into())),
        other => Some(Cell::Text(other.to_string().into())),
    }
}

/// A value for a reply; whole numbers lose their fraction.
pub(in crate::sandbox) fn json(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => Value::from(text.as_ref()),
        Cell::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Value::from(*number as i64),
        Cell::Number(number) => Value::from(*number),
        Cell::Flag(flag) => Value::from(*flag),
        Cell::Time(time) => Value::from(*time),
    }
}
