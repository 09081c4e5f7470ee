//! The state of the Dynamics side: its address, schema, rows, tokens and the page links it gave out.
//!
//! Requests are answered in `serve`. In: rows of the world and of tests. Out: rows as they are now.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

use super::super::assumptions::{APPLICATION_USER_NAME, FIRST_VERSION};
use super::super::clock::Clock;
use super::super::credentials::Vault;
use super::super::drift::Drift;
use super::super::faults::Touch;
use super::super::options::Error;
use super::super::randomness::{Chance, hash};
use super::super::tokens::Tokens;
use super::drift::drifted;
use super::guid::Guid;
use super::people::People;
use super::privileges::Granted;
use super::row::Row;
use super::schema::Schema;
use super::store::Store;

/// The Dynamics side of a sandbox.
pub(in crate::sandbox) struct Dynamics {
    url: String,
    pub(super) seed: u64,
    pub(super) organization: String,
    pub(super) business_unit: String,
    /// The user that the application is.
    pub(super) application_user: String,
    pub(super) vault: Arc<Vault>,
    pub(super) clock: Clock,
    pub(in crate::sandbox) tokens: Tokens,
    pub(in crate::sandbox) people: People,
    pub(in crate::sandbox) granted: Granted,
    pub(super) schema: Schema,
    /// The schema as metadata shows it: that above, and what a test changed of it.
    described: RwLock<Arc<Schema>>,
    pub(super) store: RwLock<Store>,
    requests: AtomicU64,
    links: Mutex<HashSet<u64>>,
}

impl Dynamics {
    pub(in crate::sandbox) fn new(seed: u64, url: String, vault: Arc<Vault>, clock: Clock) -> Result<Self, Error> {
        let schema = Schema::shipped()?;
        let mut store = Store::new(&schema, FIRST_VERSION);
        let business_unit = Chance::of_text(seed, "business unit").guid();
        let application_user = Chance::of_text(seed, "application user").guid();
        let user = application(&application_user, &business_unit, &vault.credentials.client_id);
        let table = schema.table("systemuser").ok_or(Error::Schema { line: 0, reason: "no users".to_owned() })?;
        store.put_apart(&schema, table, &user).map_err(|reason| Error::Schema { line: 0, reason })?;
        Ok(Dynamics {
            url,
            seed,
            organization: Chance::of_text(seed, "organization").guid(),
            business_unit,
            application_user,
            vault,
            clock,
            tokens: Tokens::new(seed),
            people: People::new(seed),
            granted: Granted::default(),
            described: RwLock::new(Arc::new(schema.clone())),
            schema,
            store: RwLock::new(store),
            requests: AtomicU64::new(0),
            links: Mutex::default(),
        })
    }

    /// The schema as metadata shows it now.
    pub(super) fn described(&self) -> Arc<Schema> {
        Arc::clone(&self.described.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what metadata shows, and says whether there was such a thing to change.
    pub(in crate::sandbox) fn drift(&self, place: &str, drift: &Drift<'_>) -> bool {
        let mut described = self.described.write().unwrap_or_else(PoisonError::into_inner);
        drifted(&described, place, drift).map(|changed| *described = Arc::new(changed)).is_some()
    }

    pub(in crate::sandbox) fn url(&self) -> &str {
        &self.url
    }

    pub(in crate::sandbox) fn organization_id(&self) -> &str {
        &self.organization
    }

    /// The Entra object of a user who has none of his own.
    pub(super) fn object_id(&self, user: &str) -> String {
        Chance::of_text(self.seed, &format!("object {user}")).guid()
    }

    /// The root business unit; every seeded row belongs to it.
    pub(in crate::sandbox) fn business_unit(&self) -> &str {
        &self.business_unit
    }

    pub(in crate::sandbox) fn rows(&self, logical: &str) -> Vec<Map<String, Value>> {
        let Some(table) = self.schema.table(logical) else { return Vec::new() };
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        store.tables[table].rows.values().map(|row| row.map(&self.schema.tables[table])).collect()
    }

    /// One row with every column.
    pub(in crate::sandbox) fn row(&self, logical: &str, id: &str) -> Option<Map<String, Value>> {
        let table = self.schema.table(logical)?;
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        Some(store.tables[table].rows.get(&Guid::parse(id)?)?.map(&self.schema.tables[table]))
    }

    /// Stores a row as it is, for the world.
    pub(in crate::sandbox) fn load(&self, logical: &str, row: &Map<String, Value>) -> Result<(), String> {
        let table = self.schema.table(logical).ok_or_else(|| format!("unknown table '{logical}'"))?;
        self.store.write().unwrap_or_else(PoisonError::into_inner).put(&self.schema, table, row)
    }

    /// Adds or changes a row, for a test.
    pub(in crate::sandbox) fn put_row(&self, logical: &str, row: &Map<String, Value>) -> Result<(), String> {
        let table = self.schema.table(logical).ok_or_else(|| format!("unknown table '{logical}'"))?;
        let now = self.now();
        self.store.write().unwrap_or_else(PoisonError::into_inner).change(&self.schema, table, row, &now)
    }

    /// Whether rows can be changed like that; the error says why not.
    pub(in crate::sandbox) fn fits(&self, touch: &Touch) -> Result<(), String> {
        let unknown = || format!("unknown table '{}'", touch.table);
        let table = &self.schema.tables[self.schema.table(&touch.table).ok_or_else(unknown)?];
        Row::build(table, &Map::from_iter([(touch.column.clone(), touch.value.clone())]), 0).map(|_| ())
    }

    /// An id that no other request or part of one has.
    pub(super) fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        Chance::of_text(self.seed, &format!("request {number}")).guid()
    }

    /// The moment, as a time stamp of a row.
    pub(super) fn now(&self) -> String {
        let now = DateTime::from_timestamp_millis(self.clock.now_ms()).unwrap_or_default();
        now.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    pub(in crate::sandbox) fn delete_row(&self, logical: &str, id: &str) -> bool {
        let (Some(table), Some(id)) = (self.schema.table(logical), Guid::parse(id)) else { return false };
        self.store.write().unwrap_or_else(PoisonError::into_inner).remove(table, id)
    }

    /// Remembers a page link, so that an altered one can be told from ours.
    pub(super) fn remember_link(&self, token: &str) {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).insert(hash(token));
    }

    pub(super) fn knows_link(&self, token: &str) -> bool {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).contains(&hash(token))
    }
}

/// The application's own user, which a tenant's administrator made before the world began.
fn application(id: &str, business_unit: &str, client: &str) -> Map<String, Value> {
    let made = "2021-12-31T00:00:00Z";
    let row = json!({
        "systemuserid": id,
        "fullname": APPLICATION_USER_NAME,
        "lastname": APPLICATION_USER_NAME,
        "applicationid": client,
        "isdisabled": false,
        "accessmode": 4,
        "islicensed": false,
        "setupuser": false,
        "_businessunitid_value": business_unit,
        "createdon": made,
        "modifiedon": made,
    });
    if let Value::Object(row) = row { row } else { Map::new() }
}
