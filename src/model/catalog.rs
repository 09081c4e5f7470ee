//! What both services say of themselves: their objects and fields, as far as a project uses them.
//!
//! In: answers of metadata calls. Out: look-ups by either of the two names that a field has, its API name and its
//! label. Not a cache: `app` decides how old a catalog may be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::field::Field;

/// The schemas that a project refers to, by connection identifier.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Objects by connection, then by API name.
    pub connections: BTreeMap<String, BTreeMap<String, Object>>,
    /// Every object name and label of a connection, whether it was described or not: what "did you mean" draws on.
    pub names: BTreeMap<String, Vec<ObjectName>>,
}

/// The two names of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectName {
    /// API name: `gsuser`, `account`.
    pub name: String,
    /// Label: `User`, `Account`.
    pub label: String,
}

/// A Dataverse table or a Gainsight object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// API name, in the service's own spelling.
    pub name: String,
    /// What its users call it.
    pub label: String,
    /// Dataverse: the name to put into a URL (`systemusers`). Gainsight: the API name again.
    pub set_name: String,
    /// The field that identifies a record: `accountid`, or `Gsid`.
    pub primary_id: String,
    /// Dataverse: whether the table says what changed since a link ("change tracking").
    #[serde(default)]
    pub tracks: bool,
    /// Whether it is a table of files.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_files: bool,
    /// All fields, in the service's order.
    pub fields: Vec<Field>,
}

/// How looking for a field ended.
#[derive(Debug)]
pub enum Found<'a> {
    /// Exactly one field answers to the name.
    One(&'a Field),
    /// A label that several fields carry.
    Ambiguous(Vec<&'a Field>),
    /// None does.
    None,
}

impl Catalog {
    /// The object that `name` stands for, by API name or label: exactly first, then ignoring case.
    #[must_use]
    pub fn object(&self, connection: &str, name: &str) -> Option<&Object> {
        let objects = self.connections.get(connection)?;
        objects
            .get(name)
            .or_else(|| objects.values().find(|o| o.label == name))
            .or_else(|| objects.values().find(|o| o.name.eq_ignore_ascii_case(name) || same(&o.label, name)))
    }
}

impl Object {
    /// The field that `name` stands for: its API name, then its label exactly, then either ignoring case.
    #[must_use]
    pub fn field(&self, name: &str) -> Found<'_> {
        if let Some(field) = self.fields.iter().find(|f| f.name == name) {
            return Found::One(field);
        }
        let tests: [fn(&Field, &str) -> bool; 3] =
            [|f, n| f.label == n, |f, n| f.name.eq_ignore_ascii_case(n), |f, n| same(&f.label, n)];
        for test in tests {
            let mut hits: Vec<&Field> = self.fields.iter().filter(|f| test(f, name)).collect();
            match hits.len() {
                0 => {}
                1 => return Found::One(hits.remove(0)),
                _ => return Found::Ambiguous(hits),
            }
        }
        Found::None
    }

    /// The field with exactly this API name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
