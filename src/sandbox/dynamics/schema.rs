//! The tables and columns of the sandbox's Dynamics, read from `schema.txt`.
//!
//! It describes; it holds no rows. In: the text that ships with the code. Out: [`Schema`], used by rows, queries and
//! metadata alike, so that they cannot disagree.

use std::collections::HashMap;

use super::super::assumptions::TRACKED_TABLES;
use super::super::options::Error;

/// The type of a column, under the name the metadata gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Kind {
    Uniqueidentifier,
    String,
    Memo,
    Integer,
    BigInt,
    Decimal,
    Money,
    Double,
    Boolean,
    DateTime,
    Lookup,
    Customer,
    Owner,
    Picklist,
    /// Several options of one list.
    MultiSelectPicklist,
    State,
    Status,
}

/// One option of a choice.
#[derive(Clone)]
pub(in crate::sandbox) struct Choice {
    pub(in crate::sandbox) value: i64,
    pub(in crate::sandbox) label: String,
    /// The state a status reason belongs to.
    pub(in crate::sandbox) state: Option<i64>,
}

/// One column.
#[derive(Clone)]
pub(in crate::sandbox) struct Column {
    pub(in crate::sandbox) logical: String,
    /// The Web API's name: `_x_value` for a lookup.
    pub(in crate::sandbox) property: String,
    pub(in crate::sandbox) label: String,
    pub(in crate::sandbox) kind: Kind,
    pub(in crate::sandbox) required: String,
    pub(in crate::sandbox) read_only: bool,
    pub(in crate::sandbox) max_length: Option<usize>,
    pub(in crate::sandbox) precision: i64,
    pub(in crate::sandbox) bounds: (i64, i64),
    pub(in crate::sandbox) date_only: bool,
    /// What the service does to a date and time on the way in and out.
    pub(in crate::sandbox) behavior: String,
    pub(in crate::sandbox) targets: Vec<String>,
    pub(in crate::sandbox) choices: Vec<Choice>,
}

/// Columns whose values together belong to one row at most.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct AlternateKey {
    pub(in crate::sandbox) logical: String,
    pub(in crate::sandbox) label: String,
    /// Web API names.
    pub(in crate::sandbox) columns: Vec<String>,
}

/// One table.
#[derive(Clone)]
pub(in crate::sandbox) struct TableSchema {
    pub(in crate::sandbox) logical: String,
    pub(in crate::sandbox) set: String,
    primary_name_column: String,
    pub(in crate::sandbox) primary_name: usize,
    pub(in crate::sandbox) type_code: i64,
    pub(in crate::sandbox) ownership: String,
    pub(in crate::sandbox) label: String,
    pub(in crate::sandbox) schema_name: String,
    /// Whether change tracking is on.
    pub(in crate::sandbox) tracked: bool,
    /// The first column is the key.
    pub(in crate::sandbox) columns: Vec<Column>,
    pub(in crate::sandbox) keys: Vec<AlternateKey>,
    by_property: HashMap<String, usize>,
}

/// All tables.
#[derive(Clone)]
pub(in crate::sandbox) struct Schema {
    pub(in crate::sandbox) tables: Vec<TableSchema>,
}

impl Column {
    pub(in crate::sandbox) fn is_lookup(&self) -> bool {
        matches!(self.kind, Kind::Lookup | Kind::Customer | Kind::Owner)
    }

    pub(in crate::sandbox) fn is_text(&self) -> bool {
        matches!(self.kind, Kind::String | Kind::Memo)
    }

    pub(in crate::sandbox) fn choice_label(&self, value: i64) -> Option<&str> {
        self.choices.iter().find(|choice| choice.value == value).map(|choice| choice.label.as_str())
    }

    /// The single-valued navigation property that leads to a target.
    pub(in crate::sandbox) fn navigation(&self, target: &str) -> String {
        if self.kind == Kind::Customer { format!("{}_{target}", self.logical) } else { self.logical.clone() }
    }
}

impl TableSchema {
    pub(in crate::sandbox) fn key(&self) -> &str {
        &self.columns[0].logical
    }

    pub(in crate::sandbox) fn column(&self, property: &str) -> Option<usize> {
        self.by_property.get(property).copied()
    }

    /// The column with that logical name.
    pub(in crate::sandbox) fn logical_column(&self, logical: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.logical == logical)
    }

    /// The lookup that a single-valued navigation property belongs to, and the tables that property may lead to.
    pub(in crate::sandbox) fn navigation(&self, name: &str) -> Option<(usize, &[String])> {
        self.columns.iter().enumerate().filter(|(_, column)| column.is_lookup()).find_map(|(index, column)| {
            let place = column.targets.iter().position(|target| column.navigation(target) == name)?;
            let one_each = column.kind == Kind::Customer;
            Some((index, if one_each { &column.targets[place..=place] } else { &column.targets[..] }))
        })
    }
}

impl Schema {
    pub(in crate::sandbox) fn shipped() -> Result<Self, Error> {
        let mut tables: Vec<TableSchema> = Vec::new();
        for (number, line) in include_str!("schema.txt").lines().enumerate() {
            let wrong = |reason: &str| Error::Schema { line: number + 1, reason: reason.to_owned() };
            if line.is_empty() || line.starts_with('#') {
            } else if let Some(rest) = line.strip_prefix("table ") {
                tables.push(table(rest).ok_or_else(|| wrong("not a table line"))?);
            } else if let Some(rest) = line.strip_prefix("key ") {
                let key = alternate_key(rest).ok_or_else(|| wrong("not a key line"))?;
                tables.last_mut().ok_or_else(|| wrong("a key before the first table"))?.keys.push(key);
            } else {
                let column = column(line).ok_or_else(|| wrong("not a column line"))?;
                tables.last_mut().ok_or_else(|| wrong("a column before the first table"))?.columns.push(column);
            }
        }
        for table in &mut tables {
            let names = table.columns.iter().enumerate();
            table.by_property = names.map(|(index, column)| (column.property.clone(), index)).collect();
            table.primary_name = table.column(&table.primary_name_column).unwrap_or(0);
        }
        Ok(Schema { tables })
    }

    pub(in crate::sandbox) fn table(&self, logical: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.logical == logical)
    }

    pub(in crate::sandbox) fn set(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.set == name)
    }
}

fn table(line: &str) -> Option<TableSchema> {
    let parts: Vec<&str> = line.split(" | ").collect();
    let &[logical, set, _key, primary_name, type_code, ownership, label, schema_name] = parts.as_slice() else {
        return None;
    };
    Some(TableSchema {
        logical: logical.to_owned(),
        set: set.to_owned(),
        primary_name_column: primary_name.to_owned(),
        primary_name: 0,
        type_code: type_code.parse().ok()?,
        ownership: ownership.to_owned(),
        label: label.to_owned(),
        schema_name: schema_name.to_owned(),
        tracked: TRACKED_TABLES.contains(&logical),
        columns: Vec::new(),
        keys: Vec::new(),
        by_property: HashMap::new(),
    })
}

fn alternate_key(line: &str) -> Option<AlternateKey> {
    let parts: Vec<&str> = line.split(" | ").collect();
    let &[logical, label, columns] = parts.as_slice() else { return None };
    let columns = columns.split(',').map(str::to_owned).collect();
    Some(AlternateKey { logical: logical.to_owned(), label: label.to_owned(), columns })
}

fn column(line: &str) -> Option<Column> {
    let mut parts = line.split(" | ");
    let (logical, label, kind) = (parts.next()?, parts.next()?, kind(parts.next()?)?);
    let (detail, required, flag) = (parts.next()?, parts.next()?, parts.next().unwrap_or(""));
    let mut column = Column {
        logical: logical.to_owned(),
        property: logical.to_owned(),
        label: label.to_owned(),
        kind,
        required: required.to_owned(),
        read_only: flag == "ro",
        max_length: None,
        precision: 0,
        bounds: (i64::MIN, i64::MAX),
        date_only: detail == "DateOnly",
        behavior: String::new(),
        targets: Vec::new(),
        choices: Vec::new(),
    };
    match kind {
        Kind::String | Kind::Memo => column.max_length = Some(detail.parse().ok()?),
        Kind::Integer => {
            let (low, high) = detail.split_once("..")?;
            column.bounds = (low.parse().ok()?, high.parse().ok()?);
        }
        Kind::Decimal | Kind::Money | Kind::Double => column.precision = detail.parse().ok()?,
        Kind::Lookup | Kind::Customer | Kind::Owner => {
            column.property = format!("_{logical}_value");
            column.targets = detail.split(',').map(str::to_owned).collect();
        }
        Kind::Boolean | Kind::Picklist | Kind::MultiSelectPicklist | Kind::State | Kind::Status => {
            column.choices = detail.split(';').map(|option| choice(option, kind)).collect::<Option<_>>()?;
        }
        Kind::DateTime => {
            let known = ["UserLocal", "DateOnly", "TimeZoneIndependent"].contains(&detail);
            column.behavior = known.then(|| detail.to_owned())?;
        }
        Kind::Uniqueidentifier | Kind::BigInt => {}
    }
    Some(column)
}

fn choice(text: &str, kind: Kind) -> Option<Choice> {
    let (value, label) = text.split_once('=')?;
    let value = value.parse().ok()?;
    match label.split_once('/') {
        Some((label, state)) if kind == Kind::Status => {
            Some(Choice { value, label: label.to_owned(), state: Some(state.parse().ok()?) })
        }
        _ => Some(Choice { value, label: label.to_owned(), state: None }),
    }
}

pub(in crate::sandbox) fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "Uniqueidentifier" => Kind::Uniqueidentifier,
        "String" => Kind::String,
        "Memo" => Kind::Memo,
        "Integer" => Kind::Integer,
        "BigInt" => Kind::BigInt,
        "Decimal" => Kind::Decimal,
        "Money" => Kind::Money,
        "Double" => Kind::Double,
        "Boolean" => Kind::Boolean,
        "DateTime" => Kind::DateTime,
        "Lookup" => Kind::Lookup,
        "Customer" => Kind::Customer,
        "Owner" => Kind::Owner,
        "Picklist" => Kind::Picklist,
        "MultiSelectPicklist" => Kind::MultiSelectPicklist,
        "State" => Kind::State,
        "Status" => Kind::Status,
        _ => return None,
    })
}
