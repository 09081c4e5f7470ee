//! `$orderby`: which columns, which way, and the rows sorted by it.
//!
//! A lookup sorts by the name of the row it leads to, a choice by its number, a text without case, and the key decides
//! last. In: the option's text. Out: an order, and sorted keys with what they were sorted by.

use std::cmp::Ordering;
use std::sync::Arc;

use super::errors::Refusal;
use super::guid::Guid;
use super::row::{Comparable, Row, comparable};
use super::schema::{Column, Kind, Schema, TableSchema};
use super::store::Store;

/// One order, without the key that ends it.
pub(in crate::sandbox) struct Order {
    /// Columns, and whether they descend.
    pub(in crate::sandbox) by: Vec<(usize, bool)>,
}

/// Keys with what they were sorted by, in the order.
pub(in crate::sandbox) type Sorted = Vec<(Vec<Comparable>, Guid)>;

impl Order {
    pub(in crate::sandbox) fn read(text: &str, table: &TableSchema) -> Result<Self, Refusal> {
        let mut by = Vec::new();
        for part in text.split(',') {
            let words: Vec<&str> = part.split_whitespace().collect();
            let (name, descending) = match words.as_slice() {
                [name] | [name, "asc"] => (*name, false),
                [name, "desc"] => (*name, true),
                _ => return Err(Refusal::syntax(format!("Syntax error at position 0 in '{part}'."))),
            };
            if name.contains('/') {
                return Err(Refusal::missing(&format!("$orderby path {name}")));
            }
            by.push((table.column(name).ok_or_else(|| Refusal::property(name, &table.logical))?, descending));
        }
        // The key ends every order, so a list that is sorted without it serves for both.
        if by.len() > 1 && by.last() == Some(&(0, false)) {
            by.pop();
        }
        Ok(Order { by })
    }

    /// Compares two places in this order; the key is always the last word.
    pub(in crate::sandbox) fn compare(&self, a: &(Vec<Comparable>, Guid), b: &(Vec<Comparable>, Guid)) -> Ordering {
        for ((left, right), (_, descending)) in a.0.iter().zip(&b.0).zip(&self.by) {
            let order = left.order(right);
            if order != Ordering::Equal {
                return if *descending { order.reverse() } else { order };
            }
        }
        a.1.cmp(&b.1)
    }
}

pub(in crate::sandbox) fn sort(store: &Store, schema: &Schema, table: usize, order: &Order) -> Sorted {
    let columns = &schema.tables[table].columns;
    let place = |(id, row): (&Guid, &Arc<Row>)| {
        let value = |(index, _): &(usize, bool)| {
            if !columns[*index].is_lookup() {
                return row.comparable(&columns[*index], *index);
            }
            let text = value_text(store, schema, row, &columns[*index], *index);
            text.map_or(Comparable::Null, |text| read_value(&columns[*index], &text))
        };
        (order.by.iter().map(value).collect::<Vec<_>>(), *id)
    };
    let mut sorted: Sorted = store.tables[table].rows.iter().map(place).collect();
    sorted.sort_by(|a, b| order.compare(a, b));
    sorted
}

/// What a row is sorted by, as text; a page cookie carries the same text.
pub(in crate::sandbox) fn value_text(
    store: &Store,
    schema: &Schema,
    row: &Row,
    column: &Column,
    index: usize,
) -> Option<String> {
    if column.is_lookup() {
        let (_, target) = row.json(index)?;
        return store.name_of(schema, &column.targets[target], row.guid(index)?);
    }
    let plain = row.plain(index)?;
    Some(match column.kind {
        Kind::Uniqueidentifier => format!("{{{}}}", plain.to_uppercase()),
        Kind::Boolean => if plain == "true" { "1" } else { "0" }.to_owned(),
        _ => plain,
    })
}

/// Reads such a text back.
pub(in crate::sandbox) fn read_value(column: &Column, text: &str) -> Comparable {
    let kind = if column.is_lookup() { Kind::String } else { column.kind };
    let bare = if kind == Kind::Uniqueidentifier { text.trim_matches(['{', '}']) } else { text };
    comparable(kind, bare).unwrap_or(Comparable::Null)
}
