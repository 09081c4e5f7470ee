//! One row as a line of an export.

use std::fmt::Write as _;

use super::super::row::Row;
use super::super::schema::{Column, Kind, TableSchema};
use super::Age;

/// The column that was added to every table after most of its rows were exported.
pub(super) const ADDED: &str = "zz_added";

/// The names of the fields, in order, with their types.
pub(super) fn names(table: &TableSchema) -> Vec<(String, &'static str)> {
    let mut names = vec![
        ("Id".to_owned(), "guid"),
        ("SinkCreatedOn".to_owned(), "dateTime"),
        ("SinkModifiedOn".to_owned(), "dateTime"),
    ];
    for column in &table.columns {
        names.push((column.logical.clone(), kind(column)));
        if column.is_lookup() {
            names.push((format!("{}_entitytype", column.logical), "string"));
        }
    }
    names.push((ADDED.to_owned(), "string"));
    names.push(("IsDelete".to_owned(), "boolean"));
    names
}

fn kind(column: &Column) -> &'static str {
    match column.kind {
        Kind::Uniqueidentifier | Kind::Lookup | Kind::Customer | Kind::Owner => "guid",
        Kind::String | Kind::Memo | Kind::MultiSelectPicklist => "string",
        Kind::Integer | Kind::BigInt | Kind::Picklist | Kind::State | Kind::Status => "int64",
        Kind::Decimal | Kind::Money => "decimal",
        Kind::Double => "double",
        Kind::Boolean => "boolean",
        Kind::DateTime if column.logical == "createdon" => "dateTimeOffset",
        Kind::DateTime => "dateTime",
    }
}

/// A row that is there. A narrow one was written before the last column was.
pub(super) fn written(table: &TableSchema, row: &Row, id: &str, version: i64, age: Age, is_narrow: bool) -> String {
    let mut line = format!("{id},\"1/1/2024 0:00:00 PM\",\"1/2/2024 11:59:59 PM\"");
    let mut is_aged = false;
    for (index, column) in table.columns.iter().enumerate() {
        line.push(',');
        let is_stale = age == Age::Stale;
        match row.json(index) {
            _ if column.logical == "versionnumber" => _ = write!(line, "{}", version - i64::from(is_stale)),
            _ if index == 0 => line.push_str(id),
            Some(_) if is_stale && column.is_text() && !is_aged => {
                is_aged = true;
                line.push_str("\"STALE\"");
            }
            Some((json, _)) => value(column, json, &mut line),
            None => {}
        }
        if column.is_lookup() {
            let target = row.json(index).and_then(|(_, target)| column.targets.get(target));
            line.push(',');
            target.iter().for_each(|target| quoted(target, &mut line));
        }
    }
    line.push_str(if is_narrow { ",\n" } else { ",,\n" });
    line
}

/// A row that is gone: of it only the id, the version and when it was created are known, and the last not really.
pub(super) fn deleted(table: &TableSchema, id: &str, version: i64) -> String {
    let mut line = format!("{id},\"1/1/2024 0:00:00 PM\",\"1/3/2024 10:00:00 AM\"");
    for column in &table.columns {
        line.push(',');
        match column.logical.as_str() {
            "versionnumber" => _ = write!(line, "{version}"),
            "createdon" => line.push_str("\"0001-01-03T00:00:00.0000000\""),
            _ => {}
        }
        if column.is_lookup() {
            line.push(',');
        }
    }
    line.push_str(",,True\n");
    line
}

fn value(column: &Column, json: &str, line: &mut String) {
    let plain = || serde_json::from_str::<String>(json).unwrap_or_default();
    match column.kind {
        Kind::String | Kind::Memo => quoted(&plain(), line),
        Kind::MultiSelectPicklist => quoted(&plain().replace(',', ";"), line),
        Kind::DateTime => {
            let text = plain();
            let text = if column.date_only { format!("{text}T00:00:00.0000000Z") } else { text };
            let bare = text.trim_end_matches('Z');
            let text = if column.logical == "createdon" { format!("{bare}.0000000+00:00") } else { text.clone() };
            quoted(&text, line);
        }
        Kind::Boolean => line.push_str(if json == "true" { "True" } else { "False" }),
        _ => line.push_str(json.trim_matches('"')),
    }
}

fn quoted(text: &str, line: &mut String) {
    let _ = write!(line, "\"{}\"", text.replace('"', "\"\""));
}
