//! Writing a part of a row: one property, the reference a lookup holds, or the members of a collection.
//!
//! In: a part that a path names. Out: nothing but that it is done, or a refusal.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::errors::Refusal;
use super::payload::{Payload, object};
use super::precondition::Precondition;
use super::relationships;
use super::route::no_content;
use super::store::Store;
use super::target::Part;
use super::write::{Write, Written};

impl Write<'_> {
    /// Sets or clears one property, or the one reference a lookup holds.
    pub(in crate::sandbox) fn part(&self, store: &mut Store, part: &Part) -> Result<Written, Refusal> {
        let (table, id) = part.row;
        let description = &self.dynamics.schema.tables[table];
        let stored = store.tables[table].rows.get(&id).map(Arc::as_ref);
        Precondition::read(&self.ask.headers)?.check(&description.logical, &id.text(), stored)?;
        if stored.is_none() {
            return Err(Refusal::absent(&description.logical, &id.text()));
        }
        let value = match (self.ask.method.as_str(), part.reference) {
            ("DELETE", _) => Value::Null,
            (_, true) => self.member("@odata.id", &description.set)?,
            (_, false) => self.member("value", &description.set)?,
        };
        let scope = self.scope(store, table);
        let mut payload = Payload::default();
        if part.reference {
            scope.bind(&part.name, &value, &mut payload)?;
        } else if description.column(&part.name).is_none() {
            return Err(Refusal::segment(&part.name));
        } else {
            payload = scope.read(&Map::from_iter([(part.name.clone(), value)]))?;
        }
        self.save(store, part.row, payload.values)?;
        Ok(Written { reply: no_content().writing(1), row: None })
    }

    /// The table and the navigation property of the lookup that makes a collection.
    pub(in crate::sandbox) fn collection(&self, part: &Part) -> Option<(usize, String)> {
        let (schema, table) = (&self.dynamics.schema, &self.dynamics.schema.tables[part.row.0]);
        let all = relationships::all(schema);
        let found = all.iter().find(|one| one.schema_name == part.name && one.leads_to(table))?;
        Some((schema.table(&found.referencing.logical)?, found.navigation.clone()))
    }

    /// Puts a row into a collection, or takes it out: either way its own lookup is what changes.
    pub(in crate::sandbox) fn member_of(&self, store: &mut Store, part: &Part) -> Result<Written, Refusal> {
        let (schema, (table, id)) = (&self.dynamics.schema, part.row);
        let (related, navigation) = self.collection(part).ok_or_else(|| Refusal::segment(&part.name))?;
        let own = format!("{}({})", schema.tables[table].set, id.text());
        let named = match &part.member {
            Some(key) => format!("{}({key})", schema.tables[related].set),
            None if self.ask.method == "DELETE" => {
                self.ask.parameter("$id").ok_or_else(|| Refusal::missing("DELETE of all references of a collection"))?
            }
            None => self.member("@odata.id", &schema.tables[table].set)?.as_str().unwrap_or("").to_owned(),
        };
        let (found, member) = self.references.find(schema, store, &named)?;
        if found != related {
            return Err(Refusal::payload(
                &schema.tables[table].set,
                &format!("'{named}' is not of the collection's type."),
            ));
        }
        let row = store.tables[related].rows.get(&member);
        let row = row.ok_or_else(|| Refusal::absent(&schema.tables[related].logical, &member.text()))?;
        let column = schema.tables[related].navigation(&navigation).map_or(0, |(column, _)| column);
        let is_member = row.guid(column) == Some(id);
        let mut payload = Payload::default();
        let value = if self.ask.method == "DELETE" { Value::Null } else { own.into() };
        if value.is_null() && !is_member {
            return Err(Refusal::absent(&schema.tables[related].logical, &member.text()));
        }
        self.scope(store, related).bind(&navigation, &value, &mut payload)?;
        self.save(store, (related, member), payload.values)?;
        Ok(Written { reply: no_content().writing(1), row: None })
    }

    fn member(&self, name: &str, set: &str) -> Result<Value, Refusal> {
        let missing = || Refusal::payload(set, &format!("Microsoft.OData.ODataException: The body has no '{name}'."));
        object(set, &self.ask.body)?.remove(name).ok_or_else(missing)
    }
}
