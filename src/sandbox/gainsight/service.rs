//! The state of the Gainsight side: schema, records, rate windows.
//!
//! Requests are answered in `serve`. In: records of the world and of tests. Out: records as stored now.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::{Map, Value};

use super::super::clock::Clock;
use super::super::credentials::Vault;
use super::super::drift::Drift;
use super::super::options::Error;
use super::super::randomness::Chance;
use super::super::tokens::Tokens;
use super::bulk::{Imports, Oddity};
use super::delete_log;
use super::drift::drifted;
use super::record::{Cell, Record};
use super::schema::{Item, Schema};
use super::shape::Shape;
use super::stale::Stale;
use super::store::Store;
use super::windows::Windows;

/// The places of the fields that every object begins with.
const CREATED_DATE: usize = 1;
const CREATED_BY: usize = 2;
const MODIFIED_DATE: usize = 3;
const MODIFIED_BY: usize = 4;

/// When everything that was there before the start was created: 2024-01-01.
const SEEDED_AT: i64 = 1_704_067_200_000;

/// The Gainsight side of a sandbox.
pub(in crate::sandbox) struct Gainsight {
    seed: u64,
    pub(super) vault: Arc<Vault>,
    pub(super) schema: Schema,
    /// The schema as metadata shows it: that above, and what a test changed of it.
    described: RwLock<Arc<Schema>>,
    store: Mutex<Store>,
    pub(super) windows: Windows,
    pub(super) clock: Clock,
    pub(super) tokens: Tokens,
    pub(super) stale: Stale,
    pub(super) imports: Imports,
    requests: AtomicUsize,
    address_refused: AtomicBool,
    shape: Mutex<Shape>,
    admin: String,
}

impl Gainsight {
    /// Every token that was given to an application.
    pub(in crate::sandbox) fn tokens(&self) -> Vec<String> {
        self.tokens.all()
    }

    /// A tenant with nobody in it but its administrator.
    pub(in crate::sandbox) fn new(seed: u64, suffix: &str, vault: Arc<Vault>, clock: Clock) -> Result<Self, Error> {
        let schema = Schema::shipped(seed, suffix)?;
        let store = Mutex::new(Store::new(&schema, seed));
        let (windows, requests) = (Windows::new(clock.clone()), AtomicUsize::new(0));
        let mut gainsight = Gainsight {
            seed,
            vault,
            described: RwLock::new(Arc::new(schema.described())),
            schema,
            store,
            windows,
            clock,
            tokens: Tokens::new(seed),
            stale: Stale::default(),
            imports: Imports::default(),
            requests,
            address_refused: AtomicBool::new(false),
            shape: Mutex::default(),
            admin: String::new(),
        };
        let admin = serde_json::json!({
            "Name": "Ada Admin",
            "FirstName": "Ada",
            "LastName": "Admin",
            "Email": "ada.admin@gainsight123.example",
            "SFDCUserName": "ada.admin@gainsight123.example",
            "IsActiveUser": true,
            "IsSuperAdmin": true,
            "LicenseType": "Full",
            "SystemType": "Internal",
        });
        gainsight.admin = gainsight.seed_record("gsuser", admin.as_object().unwrap_or(&Map::new()));
        Ok(gainsight)
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

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::sandbox) fn refuse_address(&self, refused: bool) {
        self.address_refused.store(refused, Ordering::SeqCst);
    }

    pub(super) fn refuses_address(&self) -> bool {
        self.address_refused.load(Ordering::SeqCst)
    }

    pub(in crate::sandbox) fn import_oddly(&self, oddity: Oddity) {
        *self.imports.oddity.lock().unwrap_or_else(PoisonError::into_inner) = oddity;
    }

    pub(in crate::sandbox) fn answer_queries_in(&self, shape: Shape) {
        *self.shape.lock().unwrap_or_else(PoisonError::into_inner) = shape;
    }

    pub(super) fn shape(&self) -> Shape {
        *self.shape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        Chance::of_text(self.seed, &format!("gainsight request {number}")).guid()
    }

    pub(in crate::sandbox) fn records(&self, object: &str) -> Vec<Map<String, Value>> {
        let Some(object) = self.schema.object(object) else { return Vec::new() };
        self.store().shelves[object].records.values().map(|record| record.map(&self.schema.objects[object])).collect()
    }

    /// Stores a record of a world, or says what is wrong with it.
    pub(in crate::sandbox) fn load(&self, name: &str, values: &Map<String, Value>) -> Result<(), String> {
        let object = self.schema.object(name).ok_or_else(|| format!("there is no object '{name}'"))?;
        let description = &self.schema.objects[object];
        match values.keys().find(|field| description.field(field).is_none()) {
            Some(unknown) => Err(format!("unknown field '{unknown}'")),
            None => {
                self.seed_record(name, values);
                Ok(())
            }
        }
    }

    /// Stores a record as it is, for a test.
    pub(in crate::sandbox) fn put_record(&self, object: &str, values: &Map<String, Value>) -> String {
        self.put(object, values, self.clock.now_ms())
    }

    /// Stores a record that was there before the start.
    pub(in crate::sandbox) fn seed_record(&self, object: &str, values: &Map<String, Value>) -> String {
        self.put(object, values, SEEDED_AT)
    }

    /// Changes fields of a record, as a user does in the product, and says whether it is there.
    pub(in crate::sandbox) fn edit_record(&self, name: &str, gsid: &str, values: &Map<String, Value>) -> bool {
        let Some(object) = self.schema.object(name) else { return false };
        let changes = self.raw(object, values);
        let mut store = self.store();
        let Some(mut record) = store.shelves[object].records.get(gsid).cloned() else { return false };
        for name in values.keys() {
            if let Some(field) = self.schema.objects[object].field(name) {
                record.set(field, changes.get(field).cloned());
            }
        }
        self.stamp(&mut record, false);
        store.put(object, gsid, record);
        true
    }

    /// Deletes a record, as a user does in the product, and says whether it was there.
    pub(in crate::sandbox) fn delete_record(&self, name: &str, gsid: &str) -> bool {
        self.schema.object(name).is_some_and(|object| delete_log::delete(self, object, gsid))
    }

    /// Values as they are stored.
    fn raw(&self, object: usize, values: &Map<String, Value>) -> Record {
        let mut record = Record::raw(&self.schema.objects[object], values);
        for (index, field) in self.schema.objects[object].fields.iter().enumerate() {
            let by_label = |text: &str| field.items.iter().find(|item: &&Item| item.label == text);
            if let Some(item) = record.text(index).and_then(by_label) {
                record.set(index, Some(Cell::Text(item.gsid.as_str().into())));
            }
        }
        record
    }

    fn put(&self, name: &str, values: &Map<String, Value>, now: i64) -> String {
        let Some(object) = self.schema.object(name) else { return String::new() };
        let mut record = self.raw(object, values);
        for field in [CREATED_DATE, MODIFIED_DATE] {
            if record.get(field).is_none() {
                record.set(field, Some(Cell::Time(now)));
            }
        }
        let mut store = self.store();
        let gsid = match record.text(0) {
            Some(gsid) => gsid.to_owned(),
            None => store.new_gsid(&self.schema, object),
        };
        // Whoever edits a record that was read before does not set its time of change.
        let before = store.shelves[object].records.get(&gsid);
        if before.is_some_and(|before| before.get(MODIFIED_DATE) == record.get(MODIFIED_DATE)) {
            record.set(MODIFIED_DATE, Some(Cell::Time(now)));
        }
        store.put(object, &gsid, record);
        gsid
    }

    /// Marks a record as written by the caller now.
    pub(super) fn stamp(&self, record: &mut Record, new: bool) {
        let (now, who) = (Cell::Time(self.clock.now_ms()), Cell::Text(self.admin.as_str().into()));
        if new {
            record.set(CREATED_DATE, Some(now.clone()));
            record.set(CREATED_BY, Some(who.clone()));
        }
        record.set(MODIFIED_DATE, Some(now));
        record.set(MODIFIED_BY, Some(who));
    }
}
