//! The body of a write: which columns it sets, and to what.
//!
//! Rows inside rows (deep insert) answer 501. Columns that cannot be written are left out, as the service does. In: a
//! JSON object. Out: values under stored names, or the refusal of the first that does not fit.

use serde_json::{Map, Value};

use super::errors::Refusal;
use super::guid::Guid;
use super::relationships;
use super::row::TARGET;
use super::schema::{Column, Schema, TableSchema};
use super::store::Store;
use super::target::References;
use super::values::fit;

/// What a body is read against.
pub(in crate::sandbox) struct Scope<'a> {
    pub(in crate::sandbox) schema: &'a Schema,
    pub(in crate::sandbox) store: &'a Store,
    pub(in crate::sandbox) references: &'a References,
    pub(in crate::sandbox) table: usize,
}

/// What a body says.
#[derive(Default)]
pub(in crate::sandbox) struct Payload {
    pub(in crate::sandbox) key: Option<Guid>,
    /// Values by stored name; a lookup with several targets has its target beside it.
    pub(in crate::sandbox) values: Map<String, Value>,
}

/// Reads a body that must be one JSON object.
pub(in crate::sandbox) fn object(set: &str, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(invalid(set, "A node of another type was found where a 'StartObject' node was expected.")),
        Err(error) => Err(invalid(set, &format!("The JSON text is not valid: {error}."))),
    }
}

fn invalid(set: &str, text: &str) -> Refusal {
    Refusal::payload(set, &format!("Microsoft.OData.ODataException: {text}"))
}

impl Scope<'_> {
    fn description(&self) -> &TableSchema {
        &self.schema.tables[self.table]
    }

    pub(in crate::sandbox) fn read(&self, members: &Map<String, Value>) -> Result<Payload, Refusal> {
        let mut payload = Payload::default();
        for (name, value) in members {
            match name.split_once('@') {
                Some(("", annotation)) => self.instance_annotation(annotation, value)?,
                Some((navigation, "odata.bind")) => self.bind(navigation, value, &mut payload)?,
                Some((property, _)) if members.contains_key(property) => {}
                Some((property, _)) => return Err(self.undeclared(property)),
                None => self.property(name, value, &mut payload)?,
            }
        }
        Ok(payload)
    }

    fn instance_annotation(&self, name: &str, value: &Value) -> Result<(), Refusal> {
        let table = self.description();
        if name == "odata.type" {
            let named = value.as_str().unwrap_or("").trim_start_matches('#');
            let known = named == format!("Microsoft.Dynamics.CRM.{}", table.logical);
            let text = format!("The type '{named}' is not that of the set '{}'.", table.set);
            return if known { Ok(()) } else { Err(invalid(&table.set, &text)) };
        }
        if !name.trim_matches('.').contains('.') {
            let text = format!(
                "System.ArgumentException: '{name}' is an invalid instance annotation name. An instance annotation name \
                 must contain a period that is not at the start or end of the name."
            );
            return Err(Refusal::payload(&table.set, &text));
        }
        Ok(())
    }

    fn property(&self, name: &str, value: &Value, payload: &mut Payload) -> Result<(), Refusal> {
        let table = self.description();
        let Some(index) = table.column(name) else { return self.navigation(name, value, payload) };
        let column = &table.columns[index];
        if column.is_lookup() {
            let text = "CRM do not support direct update of Entity Reference properties, Use Navigation properties \
                        instead.";
            return Err(Refusal::payload(&table.set, &format!("Microsoft.Crm.CrmException: {text}")));
        }
        if value.is_null() {
            return self.clear(column, payload);
        }
        let stored = fit(table, column, value)?;
        if index == 0 {
            payload.key = stored.as_str().and_then(Guid::parse);
        } else if !column.read_only {
            payload.values.insert(column.property.clone(), stored);
        }
        Ok(())
    }

    fn clear(&self, column: &Column, payload: &mut Payload) -> Result<(), Refusal> {
        if column.read_only {
            return Ok(());
        }
        if column.required == "SystemRequired" {
            return Err(Refusal::missing(&format!("null for the required column {}", column.logical)));
        }
        payload.values.insert(column.property.clone(), Value::Null);
        Ok(())
    }

    /// A name that is no property: a navigation property with a value of its own, or nothing we know.
    fn navigation(&self, name: &str, value: &Value, payload: &mut Payload) -> Result<(), Refusal> {
        let table = self.description();
        let single = table.navigation(name).map(|(index, _)| &table.columns[index]);
        let many = relationships::all(self.schema).iter().any(|one| one.schema_name == name && one.leads_to(table));
        match (single, value) {
            (Some(column), Value::Null) => self.clear(column, payload),
            (Some(_), Value::Object(_)) => Err(Refusal::missing(&format!("deep insert through {name}"))),
            (None, _) if many => Err(Refusal::missing(&format!("deep insert through {name}"))),
            (Some(_), _) => {
                let text = format!(
                    "A 'PrimitiveValue' node with non-null value was found when trying to read the value of the \
                     property '{name}'; however, a 'StartObject' node or a null value was expected."
                );
                Err(invalid(&table.set, &text))
            }
            (None, _) => {
                let kind = format!("Microsoft.Dynamics.CRM.{}", table.logical);
                let text =
                    format!("Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity '{kind}'.");
                Err(Refusal::payload(&table.set, &text))
            }
        }
    }

    /// Sets a lookup to the row that an address names, or to nothing.
    pub(in crate::sandbox) fn bind(
        &self,
        navigation: &str,
        value: &Value,
        payload: &mut Payload,
    ) -> Result<(), Refusal> {
        let table = self.description();
        let (index, targets) = table.navigation(navigation).ok_or_else(|| self.undeclared(navigation))?;
        let column = &table.columns[index];
        let address = match value {
            Value::Null => return self.clear(column, payload),
            Value::String(address) => address,
            _ => return Err(invalid(&table.set, &format!("The value of '{navigation}@odata.bind' is not a text."))),
        };
        let (place, id) = self.references.find(self.schema, self.store, address)?;
        let found = &self.schema.tables[place];
        if !targets.contains(&found.logical) {
            let text = format!("'{}' is not a target of the navigation property '{navigation}'.", found.logical);
            return Err(invalid(&table.set, &text));
        }
        if self.store.tables[place].find(&id).is_none() {
            return Err(Refusal::absent(&found.logical, &id.text()));
        }
        if !column.read_only {
            payload.values.insert(column.property.clone(), id.text().into());
            if column.targets.len() > 1 {
                payload.values.insert(format!("{}{TARGET}", column.property), found.logical.clone().into());
            }
        }
        Ok(())
    }

    pub(in crate::sandbox) fn undeclared(&self, name: &str) -> Refusal {
        let text = format!(
            "An undeclared property '{name}' which only has property annotations in the payload but no property value \
             was found in the payload. In OData, only declared navigation properties and declared named streams can be \
             represented as properties without values."
        );
        invalid(&self.description().set, &text)
    }
}
