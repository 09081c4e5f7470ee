//! The key between the parentheses of a row's address: the primary one, or an alternate one by its values.
//!
//! It also tells when a row would take the alternate key of another. In: the text, and the rows. Out: the row's key if
//! there is one, and the values an upsert starts from if there is none.

use serde_json::{Map, Value};

use super::errors::Refusal;
use super::guid::Guid;
use super::row::{Comparable, comparable};
use super::schema::{AlternateKey, TableSchema};
use super::store::Table;
use super::values::fit;
use super::words::{Word, words};

/// Where an address leads.
#[derive(Debug)]
pub(in crate::sandbox) struct Located {
    /// The primary key; nothing when no row has the values of the alternate one.
    pub(in crate::sandbox) id: Option<Guid>,
    /// The values of the alternate key.
    pub(in crate::sandbox) given: Map<String, Value>,
}

impl Located {
    /// The primary key of a row that must be there by its alternate one.
    pub(in crate::sandbox) fn existing(&self, table: &TableSchema) -> Result<Guid, Refusal> {
        self.id.ok_or_else(|| {
            let text = format!("A record with the specified key values does not exist in {} entity", table.logical);
            Refusal::new(404, "0x80060891", text)
        })
    }
}

pub(in crate::sandbox) fn locate(table: &TableSchema, rows: &Table, text: &str) -> Result<Located, Refusal> {
    if !text.contains('=') {
        return Ok(Located { id: Some(guid(table, text, text)?), given: Map::new() });
    }
    let parts = parts(table, text)?;
    if let [(name, Word::Bare(value))] = parts.as_slice()
        && name == table.key()
    {
        return Ok(Located { id: Some(guid(table, text, value)?), given: Map::new() });
    }
    let names: Vec<&String> = parts.iter().map(|(name, _)| name).collect();
    let is_named = |key: &&AlternateKey| {
        key.columns.len() == names.len() && key.columns.iter().all(|column| names.contains(&column))
    };
    let key = table.keys.iter().find(is_named).ok_or_else(|| unknown(table))?;
    let mut given = Map::new();
    for (name, word) in parts {
        let value = match word {
            Word::Text(text) => Value::from(text),
            Word::Bare(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            _ => return Err(wrong(table, text)),
        };
        let index = table.column(&name).ok_or_else(|| unknown(table))?;
        given.insert(name, fit(table, &table.columns[index], &value)?);
    }
    Ok(Located { id: find(table, rows, key, &given, None), given })
}

/// The alternate key by which a row would be taken for another one.
pub(in crate::sandbox) fn taken<'a>(
    table: &'a TableSchema,
    rows: &Table,
    id: Guid,
    row: &Map<String, Value>,
) -> Option<&'a AlternateKey> {
    table.keys.iter().find(|key| find(table, rows, key, row, Some(id)).is_some())
}

/// A row with the values of a key, other than the one left out; rows with a null in it have no such key.
fn find(
    table: &TableSchema,
    rows: &Table,
    key: &AlternateKey,
    values: &Map<String, Value>,
    except: Option<Guid>,
) -> Option<Guid> {
    let mut wanted = Vec::with_capacity(key.columns.len());
    for name in &key.columns {
        let index = table.column(name)?;
        let value = values.get(name)?;
        let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = comparable(table.columns[index].kind, &plain).filter(|_| !value.is_null())?;
        wanted.push((index, value));
    }
    let same = |(index, value): &(usize, Comparable), row: &super::row::Row| {
        row.comparable(&table.columns[*index], *index) == *value
    };
    let mut others = rows.rows.iter().filter(|(id, _)| Some(**id) != except);
    others.find(|(_, row)| wanted.iter().all(|one| same(one, row))).map(|(id, _)| *id)
}

fn guid(table: &TableSchema, whole: &str, text: &str) -> Result<Guid, Refusal> {
    Guid::parse(text).ok_or_else(|| wrong(table, whole))
}

/// Names with the word after each equals sign.
fn parts(table: &TableSchema, text: &str) -> Result<Vec<(String, Word)>, Refusal> {
    let mut parts = Vec::new();
    let mut words = words(text)?.into_iter().map(|(_, word)| word);
    loop {
        let Some(Word::Bare(first)) = words.next() else { return Err(wrong(table, text)) };
        let (name, rest) = first.split_once('=').ok_or_else(|| wrong(table, text))?;
        let value = match rest {
            "" => words.next().ok_or_else(|| wrong(table, text))?,
            rest => Word::Bare(rest.to_owned()),
        };
        parts.push((name.to_owned(), value));
        match words.next() {
            None => return Ok(parts),
            Some(Word::Comma) => {}
            Some(_) => return Err(wrong(table, text)),
        }
    }
}

fn wrong(table: &TableSchema, text: &str) -> Refusal {
    Refusal::syntax(format!("Error in query syntax: '{text}' is not a key of '{}'.", table.set))
}

fn unknown(table: &TableSchema) -> Refusal {
    let kind = format!("Microsoft.Dynamics.CRM.{}", table.logical);
    Refusal::option(format!(
        "The key in the request URI is not valid for resource '{kind}'. Ensure that the names and number of key \
         properties match the declared or alternate key properties for the resource '{kind}'."
    ))
}
