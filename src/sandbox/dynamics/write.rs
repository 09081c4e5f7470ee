//! Writing rows: create, update, upsert and delete.
//!
//! Parts of a row are written in `parts`, many rows at once in `multiple`. What a body may hold is read in `payload`,
//! what the service adds is `derived`. In: a request and the rows, held for writing by the caller. Out: the reply and the
//! row it was about; nothing is changed by a refused write.

use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value};

use super::super::http::{Ask, Reply};
use super::super::randomness::Chance;
use super::derived::{self, Stamp};
use super::errors::Refusal;
use super::guid::Guid;
use super::key::{Located, taken};
use super::merge;
use super::multiple;
use super::options::Options;
use super::payload::{Payload, Scope, object};
use super::place::Place;
use super::precondition::{Precondition, tag};
use super::prefer::Prefer;
use super::route::no_content;
use super::service::Dynamics;
use super::single;
use super::store::Store;
use super::target::{References, RowKey, Target};

/// A write that was done.
pub(in crate::sandbox) struct Written {
    pub(in crate::sandbox) reply: Reply,
    /// The row that a later part of a change set may name.
    pub(in crate::sandbox) row: Option<RowKey>,
}

/// One request that writes.
pub(in crate::sandbox) struct Write<'a> {
    pub(in crate::sandbox) dynamics: &'a Dynamics,
    pub(in crate::sandbox) place: &'a Place,
    pub(in crate::sandbox) ask: &'a Ask,
    pub(in crate::sandbox) references: &'a References,
    /// The user who writes.
    pub(in crate::sandbox) caller: &'a str,
}

/// A write that stands alone.
pub(in crate::sandbox) fn answer(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    caller: &str,
) -> Result<Reply, Refusal> {
    let references = References::default();
    let write = Write { dynamics, place, ask, references: &references, caller };
    let mut store = dynamics.store.write().unwrap_or_else(PoisonError::into_inner);
    Ok(store.atomically(|store| write.apply(store))?.reply)
}

impl Write<'_> {
    pub(in crate::sandbox) fn apply(&self, store: &mut Store) -> Result<Written, Refusal> {
        if merge::is_asked(self) {
            return merge::answer(self, store);
        }
        match (self.ask.method.as_str(), Target::read(&self.dynamics.schema, store, &self.place.segments())?) {
            ("POST", Target::Set(table)) => self.create(store, table),
            ("POST", Target::Action(table, name)) => multiple::apply(self, store, table, &name),
            ("PATCH", Target::Row(table, located)) => self.patch(store, table, located),
            ("DELETE", Target::Row(table, located)) => {
                let id = located.existing(&self.dynamics.schema.tables[table])?;
                self.delete(store, (table, id))
            }
            ("DELETE", Target::Part(part)) if part.reference && self.collection(&part).is_some() => {
                self.member_of(store, &part)
            }
            ("PUT" | "DELETE", Target::Part(part)) => self.part(store, &part),
            ("PUT", Target::Row(..)) => Err(Refusal::missing("PUT of a whole row")),
            ("POST", Target::Part(part)) if part.reference => self.member_of(store, &part),
            (method, _) => Err(Refusal::method(method)),
        }
    }

    pub(in crate::sandbox) fn scope<'a>(&'a self, store: &'a Store, table: usize) -> Scope<'a> {
        Scope { schema: &self.dynamics.schema, store, references: self.references, table }
    }

    /// Stores what a body gives, and what follows from it.
    pub(in crate::sandbox) fn save(
        &self,
        store: &mut Store,
        (table, id): RowKey,
        values: Map<String, Value>,
    ) -> Result<(), Refusal> {
        save(self.dynamics, store, (table, id), values, self.caller)
    }

    /// Adds a row and says under which key.
    pub(in crate::sandbox) fn add(&self, store: &mut Store, table: usize, payload: Payload) -> Result<Guid, Refusal> {
        let id = payload.key.unwrap_or_else(|| self.fresh(store, table));
        if store.tables[table].rows.contains_key(&id) {
            return Err(Refusal::duplicate());
        }
        self.save(store, (table, id), payload.values)?;
        Ok(id)
    }

    /// A key no row of the table has, the same in every run of the same requests.
    fn fresh(&self, store: &Store, table: usize) -> Guid {
        let mut chance = Chance::of_text(self.dynamics.seed, &format!("new row {}", store.last_version()));
        loop {
            let id = Guid::parse(&chance.guid());
            if let Some(id) = id.filter(|id| !store.tables[table].rows.contains_key(id)) {
                return id;
            }
        }
    }

    fn create(&self, store: &mut Store, table: usize) -> Result<Written, Refusal> {
        if Precondition::read(&self.ask.headers)? != Precondition::default() {
            return Err(Refusal::missing("a condition on POST"));
        }
        let members = object(&self.dynamics.schema.tables[table].set, &self.ask.body)?;
        let payload = self.scope(store, table).read(&members)?;
        let id = self.add(store, table, payload)?;
        self.reply(store, (table, id), true)
    }

    fn patch(&self, store: &mut Store, table: usize, located: Located) -> Result<Written, Refusal> {
        let description = &self.dynamics.schema.tables[table];
        let condition = Precondition::read(&self.ask.headers)?;
        if condition.must_exist {
            located.existing(description)?;
        }
        let payload = self.scope(store, table).read(&object(&description.set, &self.ask.body)?)?;
        if payload.key.is_some() && located.id.is_some() && payload.key != located.id {
            return Err(Refusal::missing("a key in the body that is not the one of the address"));
        }
        let id = located.id.or(payload.key).unwrap_or_else(|| self.fresh(store, table));
        let stored = store.tables[table].rows.get(&id).map(Arc::as_ref);
        let is_new = stored.is_none();
        condition.check(&description.logical, &id.text(), stored)?;
        let mut values = located.given;
        values.extend(payload.values);
        self.save(store, (table, id), values)?;
        self.reply(store, (table, id), is_new)
    }

    fn delete(&self, store: &mut Store, (table, id): RowKey) -> Result<Written, Refusal> {
        let description = &self.dynamics.schema.tables[table];
        let stored = store.tables[table].rows.get(&id).map(Arc::as_ref);
        Precondition::read(&self.ask.headers)?.check(&description.logical, &id.text(), stored)?;
        if !store.remove(table, id) {
            return Err(Refusal::absent(&description.logical, &id.text()));
        }
        Ok(Written { reply: no_content().writing(1), row: None })
    }

    /// No content, or the row where the client prefers it.
    fn reply(&self, store: &Store, row: RowKey, is_new: bool) -> Result<Written, Refusal> {
        let (table, id) = row;
        let (schema, mut prefer) = (&self.dynamics.schema, Prefer::read(&self.ask.headers)?);
        let address = format!("{}{}({})", self.place.base, schema.tables[table].set, id.text());
        if !prefer.representation {
            let reply = no_content().with("location", address.clone()).with("odata-entityid", address);
            return Ok(Written { reply: reply.writing(1), row: Some(row) });
        }
        let options = Options::read(self.dynamics, &self.ask.query, table)?;
        let stored = store.tables[table].rows.get(&id).ok_or_else(|| Refusal::absent("row", &id.text()))?;
        prefer.applied.push("return=representation".to_owned());
        let mut reply = single::entity(self.place, store, schema, table, &options, &prefer, stored)?;
        reply = reply.with("etag", tag(stored.version));
        if is_new {
            reply.status = 201;
            reply = reply.with("location", address.clone()).with("odata-entityid", address);
        }
        Ok(Written { reply: reply.writing(1), row: Some(row) })
    }
}

/// Stores values of a row that is there or not, and what follows from them.
pub(in crate::sandbox) fn save(
    dynamics: &Dynamics,
    store: &mut Store,
    (table, id): RowKey,
    values: Map<String, Value>,
    caller: &str,
) -> Result<(), Refusal> {
    let schema = &dynamics.schema;
    let now = dynamics.now();
    let stamp = Stamp { caller, business_unit: &dynamics.business_unit, now: &now };
    let row = derived::row(store, schema, &schema.tables[table], id, values, &stamp)?;
    if let Some(key) = taken(&schema.tables[table], &store.tables[table], id, &row) {
        let text = format!(
            "Entity Key {0} violated. A record with the same value for {0} already exists. A duplicate record cannot \
             be created. Select one or more unique values and try again.",
            key.label
        );
        return Err(Refusal::new(412, "0x80060892", text));
    }
    store.put(schema, table, &row).map_err(|reason| Refusal::new(400, "0x80040203", reason))
}
