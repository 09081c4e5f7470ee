//! What the path of a write leads to: a set, an action on it, a row, or a part of a row.
//!
//! Keys are read in `key`. In: the decoded path, and the rows. Out: a target with its table, or the refusal of a name or
//! key.

use std::collections::HashMap;

use super::errors::Refusal;
use super::guid::Guid;
use super::key::{Located, locate};
use super::place::below_version;
use super::schema::Schema;
use super::store::Store;

/// One table's row.
pub(in crate::sandbox) type RowKey = (usize, Guid);

/// A part of a row: a property, or the reference a lookup holds.
pub(in crate::sandbox) struct Part {
    pub(in crate::sandbox) row: RowKey,
    pub(in crate::sandbox) name: String,
    pub(in crate::sandbox) reference: bool,
    /// The row of a collection that is meant, by its key's text.
    pub(in crate::sandbox) member: Option<String>,
}

/// What a write is sent to.
pub(in crate::sandbox) enum Target {
    Set(usize),
    Action(usize, String),
    Row(usize, Located),
    Part(Part),
}

/// Rows that earlier parts of a change set wrote, by their `Content-ID`.
#[derive(Default)]
pub(in crate::sandbox) struct References(pub(in crate::sandbox) HashMap<String, RowKey>);

impl Target {
    pub(in crate::sandbox) fn read(schema: &Schema, store: &Store, segments: &[&str]) -> Result<Self, Refusal> {
        let (first, below) = segments.split_first().ok_or_else(|| Refusal::segment(""))?;
        let Some((set, key)) = first.split_once('(') else {
            let table = schema.set(first).ok_or_else(|| Refusal::segment(first))?;
            return match below {
                [] => Ok(Target::Set(table)),
                [name] if name.starts_with("Microsoft.Dynamics.CRM.") => Ok(Target::Action(table, (*name).to_owned())),
                below => Err(Refusal::segment(&below.join("/"))),
            };
        };
        let table = schema.set(set).ok_or_else(|| Refusal::segment(set))?;
        let key = key.strip_suffix(')').ok_or_else(|| Refusal::segment(first))?;
        let located = locate(&schema.tables[table], &store.tables[table], key)?;
        if below.is_empty() {
            return Ok(Target::Row(table, located));
        }
        let row = (table, located.existing(&schema.tables[table])?);
        match below {
            [name] => Ok(Target::Part(Part { row, name: (*name).to_owned(), reference: false, member: None })),
            [name, "$ref"] => {
                let (name, member) = match name.split_once('(') {
                    Some((name, member)) => (name, Some(member.strip_suffix(')').unwrap_or(member).to_owned())),
                    None => (*name, None),
                };
                Ok(Target::Part(Part { row, name: name.to_owned(), reference: true, member }))
            }
            below => Err(Refusal::missing(&format!("path below a row: {}", below.join("/")))),
        }
    }
}

impl References {
    /// The row an address or an earlier `$1` names.
    pub(in crate::sandbox) fn find(&self, schema: &Schema, store: &Store, address: &str) -> Result<RowKey, Refusal> {
        if let Some(name) = address.strip_prefix('$') {
            return self.0.get(name).copied().ok_or_else(|| undeclared(name));
        }
        let below = below_version(address);
        let (set, key) = below.split_once('(').ok_or_else(|| Refusal::segment(below))?;
        let table = schema.set(set).ok_or_else(|| Refusal::segment(set))?;
        let key = key.strip_suffix(')').ok_or_else(|| Refusal::segment(below))?;
        let description = &schema.tables[table];
        Ok((table, locate(description, &store.tables[table], key)?.existing(description)?))
    }
}

/// The refusal of a `$1` that no earlier part declared.
pub(in crate::sandbox) fn undeclared(name: &str) -> Refusal {
    Refusal::option(format!("Content-ID Reference: '${name}' does not exist in the batch context."))
}
