//! The state of the Dynamics side: its address, schema, rows, tokens and the page links it gave out.
//!
//! Requests are answered in `serve`. In: rows of the world and of tests. Out: rows as they are now.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::SecondsFormat;
use serde_json::{Map, Value, json};

use super::super::assumptions::{APPLICATION_USER_NAME, DELTA_TOKEN_LIFE_DAYS, FIRST_VERSION, TOKENS_MARK_FIRST_PAGE};
use super::super::clock::Clock;
use super::super::credentials::Vault;
use super::super::drift::Drift;
use super::super::faults::Touch;
use super::super::options::Error;
use super::super::randomness::{Chance, hash};
use super::super::tokens::Tokens;
use super::super::writer::Writer;
use super::delta::Token;
use super::drift::drifted;
use super::guid::Guid;
use super::merge::Merge;
use super::people::People;
use super::privileges::Granted;
use super::row::Row;
use super::schema::Schema;
use super::store::Store;

const DAY_MS: i64 = 86_400_000;

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
    pub(in crate::sandbox) writer: Writer,
    pub(super) schema: Schema,
    /// The schema as metadata shows it: that above, and what a test changed of it.
    described: RwLock<Arc<Schema>>,
    pub(super) store: RwLock<Store>,
    requests: AtomicU64,
    links: Mutex<HashSet<u64>>,
    /// Whether a delta token names the version of a read's first page.
    pub(super) tokens_mark_first: AtomicBool,
    delta_token_life_ms: AtomicI64,
    /// The version since which the metadata of a table is what it is.
    described_since: Mutex<HashMap<String, i64>>,
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
            writer: Writer::default(),
            described: RwLock::new(Arc::new(schema.clone())),
            schema,
            store: RwLock::new(store),
            requests: AtomicU64::new(0),
            links: Mutex::default(),
            tokens_mark_first: AtomicBool::new(TOKENS_MARK_FIRST_PAGE),
            delta_token_life_ms: AtomicI64::new(DELTA_TOKEN_LIFE_DAYS * DAY_MS),
            described_since: Mutex::default(),
        })
    }

    /// The schema as metadata shows it now.
    pub(super) fn described(&self) -> Arc<Schema> {
        Arc::clone(&self.described.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what metadata shows, and says whether there was such a thing to change.
    pub(in crate::sandbox) fn drift(&self, place: &str, drift: &Drift<'_>) -> bool {
        let mut described = self.described.write().unwrap_or_else(PoisonError::into_inner);
        let Some(changed) = drifted(&described, place, drift) else { return false };
        *described = Arc::new(changed);
        let version = self.store.write().unwrap_or_else(PoisonError::into_inner).next_version();
        let table = place.split('.').next().unwrap_or(place).to_owned();
        self.described_since.lock().unwrap_or_else(PoisonError::into_inner).insert(table, version);
        true
    }

    /// Switches change tracking of a table on or off, and says whether there is such a table.
    pub(in crate::sandbox) fn track(&self, table: &str, on: bool) -> bool {
        let mut described = self.described.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = (**described).clone();
        let found = changed.tables.iter_mut().find(|known| known.logical == table).map(|table| table.tracked = on);
        *described = Arc::new(changed);
        found.is_some()
    }

    /// Whether change tracking of a table is on.
    pub(super) fn tracks(&self, table: &str) -> bool {
        self.described().tables.iter().any(|known| known.logical == table && known.tracked)
    }

    /// From now on the token of a read names the version of its first page, or of its last.
    pub(in crate::sandbox) fn mark_first_page(&self, first: bool) {
        self.tokens_mark_first.store(first, Ordering::SeqCst);
    }

    /// How long delta tokens live, those that were given too.
    pub(in crate::sandbox) fn keep_delta_tokens(&self, days: i64) {
        self.delta_token_life_ms.store(days.saturating_mul(DAY_MS), Ordering::SeqCst);
    }

    /// Whether a token is too old, or older than what its table looks like.
    pub(super) fn is_expired(&self, table: &str, token: &Token) -> bool {
        let life_ms = self.delta_token_life_ms.load(Ordering::SeqCst);
        let since = self.described_since.lock().unwrap_or_else(PoisonError::into_inner).get(table).copied();
        self.clock.now_ms() > token.given_ms.saturating_add(life_ms) || since.is_some_and(|since| token.version < since)
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
        self.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    pub(in crate::sandbox) fn delete_row(&self, logical: &str, id: &str) -> bool {
        let (Some(table), Some(id)) = (self.schema.table(logical), Guid::parse(id)) else { return false };
        self.store.write().unwrap_or_else(PoisonError::into_inner).remove(table, id)
    }

    /// Merges two rows as the action does, for a test.
    pub(in crate::sandbox) fn merge_rows(&self, logical: &str, master: &str, subordinate: &str) -> bool {
        let Some(table) = self.schema.table(logical) else { return false };
        let (Some(master), Some(subordinate)) = (Guid::parse(master), Guid::parse(subordinate)) else { return false };
        let merge = Merge { table, master, subordinate };
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        store.atomically(|store| merge.apply(self, store, Map::new(), &self.application_user)).is_ok()
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
