//! The rows of all tables, in the service's key order.
//!
//! Pages seek in it by key, and by a moment of creation or change (`dated`). Another `$orderby` sorts once for as long as the
//! table stays unchanged. Several changes can be made as one, all or none. Each change of the organisation has a version, a
//! deletion too, which is remembered. In: rows of the world and changes by a test or a request. Out: rows by key, by moment
//! or by version, deletions by version, and sorted lists of keys.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::dated::Dated;
use super::guid::Guid;
use super::order::{Order, Sorted, sort};
use super::row::{Row, instant};
use super::schema::{Schema, TableSchema};

/// Sorted lists by what they are sorted by.
type Orders = HashMap<Vec<(usize, bool)>, Arc<Sorted>>;

/// The rows of one table.
pub(in crate::sandbox) struct Table {
    pub(in crate::sandbox) rows: BTreeMap<Guid, Arc<Row>>,
    /// Rows that are found by their key and through lookups, but stand in no list.
    apart: BTreeMap<Guid, Row>,
    sorted: Mutex<Orders>,
    dated: Vec<Dated>,
    by_version: BTreeMap<i64, Guid>,
    /// The keys of deleted rows, by the version of their deletion.
    deleted: BTreeMap<i64, Guid>,
    graves: HashMap<Guid, i64>,
}

impl Table {
    fn new(description: &TableSchema) -> Self {
        Table {
            rows: BTreeMap::new(),
            apart: BTreeMap::new(),
            sorted: Mutex::default(),
            dated: Dated::of(description),
            by_version: BTreeMap::new(),
            deleted: BTreeMap::new(),
            graves: HashMap::new(),
        }
    }

    /// Its rows by their moments.
    pub(in crate::sandbox) fn dated(&self) -> &[Dated] {
        &self.dated
    }

    /// The rows from a version on, by version.
    pub(in crate::sandbox) fn since(&self, version: i64) -> impl Iterator<Item = (Guid, &Row)> {
        self.by_version.range(version..).filter_map(|(_, id)| Some((*id, self.rows.get(id)?.as_ref())))
    }

    /// The deletions from a version on, by version.
    pub(in crate::sandbox) fn deleted_since(&self, version: i64) -> impl Iterator<Item = (i64, Guid)> {
        self.deleted.range(version..).map(|(version, id)| (*version, *id))
    }

    /// Puts a row in its place, or takes it away, and gives what was there.
    fn set(&mut self, id: Guid, row: Option<Arc<Row>>) -> Option<Arc<Row>> {
        if let Some(before) = self.rows.get(&id) {
            self.dated.iter_mut().for_each(|dated| dated.remove(id, before));
        }
        if let Some(row) = &row {
            self.by_version.insert(row.version, id);
            self.dated.iter_mut().for_each(|dated| dated.add(id, row));
        }
        let before = match row {
            Some(row) => self.rows.insert(id, row),
            None => self.rows.remove(&id),
        };
        if let Some(before) = &before {
            self.by_version.remove(&before.version);
        }
        before
    }

    /// Notes at which version a row was deleted, or that it was not.
    fn bury(&mut self, id: Guid, version: Option<i64>) {
        let before = match version {
            Some(version) => self.graves.insert(id, version),
            None => self.graves.remove(&id),
        };
        if let Some(before) = before {
            self.deleted.remove(&before);
        }
        if let Some(version) = version {
            self.deleted.insert(version, id);
        }
    }

    /// The row with that key, listed or not.
    pub(in crate::sandbox) fn find(&self, id: &Guid) -> Option<&Row> {
        self.rows.get(id).map(Arc::as_ref).or_else(|| self.apart.get(id))
    }
}

/// What a row was before a change.
struct Before {
    table: usize,
    id: Guid,
    row: Option<Arc<Row>>,
    grave: Option<i64>,
}

/// The rows of all tables, in the order of the schema.
pub(in crate::sandbox) struct Store {
    pub(in crate::sandbox) tables: Vec<Table>,
    last_version: i64,
    /// What the rows were before the changes under way, oldest first; empty when none are.
    journal: Vec<Before>,
    /// How many groups of changes are open, one inside the other.
    open: usize,
}

impl Store {
    pub(in crate::sandbox) fn new(schema: &Schema, first_version: i64) -> Self {
        let tables = schema.tables.iter().map(Table::new).collect();
        Store { tables, last_version: first_version, journal: Vec::new(), open: 0 }
    }

    /// Makes all changes of the work, or none of them when it fails.
    pub(in crate::sandbox) fn atomically<T, E>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let mark = self.journal.len();
        self.open += 1;
        let result = work(self);
        self.open -= 1;
        if result.is_err() {
            self.roll_back(mark);
        }
        if self.open == 0 {
            self.journal.clear();
        }
        result
    }

    /// The version the last change got.
    pub(in crate::sandbox) fn last_version(&self) -> i64 {
        self.last_version
    }

    fn roll_back(&mut self, mark: usize) {
        for before in self.journal.drain(mark..).rev() {
            let table = &mut self.tables[before.table];
            table.set(before.id, before.row);
            table.bury(before.id, before.grave);
        }
        self.forget_orders();
    }

    /// A version that no change had before.
    pub(in crate::sandbox) fn next_version(&mut self) -> i64 {
        self.last_version += 1;
        self.last_version
    }

    /// Puts a row in its place, or deletes it, and says whether there was one.
    fn replace(&mut self, table: usize, id: Guid, row: Option<Row>) -> bool {
        let is_deletion = row.is_none() && self.tables[table].rows.contains_key(&id);
        let is_change = row.is_some();
        let grave = self.tables[table].graves.get(&id).copied();
        let before = self.tables[table].set(id, row.map(Arc::new));
        let was_there = before.is_some();
        if is_deletion || is_change {
            let version = is_deletion.then(|| self.next_version());
            self.tables[table].bury(id, version);
        }
        if self.open > 0 {
            self.journal.push(Before { table, id, row: before, grave });
        }
        self.forget_orders();
        was_there
    }

    /// Stores a row that must have its key; the error names the column.
    pub(in crate::sandbox) fn put(
        &mut self,
        schema: &Schema,
        table: usize,
        row: &Map<String, Value>,
    ) -> Result<(), String> {
        let description = &schema.tables[table];
        let id = key_of(description, row)?;
        let built = Row::build(description, row, self.last_version + 1)?;
        self.last_version += 1;
        self.replace(table, id, Some(built));
        Ok(())
    }

    /// Stores a row that no list shows, with the version before all others.
    pub(in crate::sandbox) fn put_apart(
        &mut self,
        schema: &Schema,
        table: usize,
        row: &Map<String, Value>,
    ) -> Result<(), String> {
        let description = &schema.tables[table];
        let id = key_of(description, row)?;
        self.tables[table].apart.insert(id, Row::build(description, row, self.last_version)?);
        Ok(())
    }

    /// Merges a row into the stored one and moves its time of change, which never goes back.
    pub(in crate::sandbox) fn change(
        &mut self,
        schema: &Schema,
        table: usize,
        row: &Map<String, Value>,
        now: &str,
    ) -> Result<(), String> {
        let description = &schema.tables[table];
        let id = row.get(description.key()).and_then(Value::as_str).and_then(Guid::parse);
        let before = id.and_then(|id| self.tables[table].rows.get(&id)).map(|stored| stored.map(description));
        let is_new = before.is_none();
        let mut merged = before.unwrap_or_default();
        let earlier = merged.get("modifiedon").and_then(Value::as_str).unwrap_or(now).to_owned();
        merged.extend(row.clone());
        if !row.contains_key("modifiedon") {
            let latest = if instant(&earlier) > instant(now) { earlier.as_str() } else { now };
            merged.insert("modifiedon".to_owned(), latest.into());
        }
        if is_new && merged.get("createdon").is_none_or(Value::is_null) {
            merged.insert("createdon".to_owned(), now.into());
        }
        self.put(schema, table, &merged)
    }

    pub(in crate::sandbox) fn remove(&mut self, table: usize, id: Guid) -> bool {
        self.replace(table, id, None)
    }

    /// The keys of a table in an order, sorted now or kept from an earlier page.
    pub(in crate::sandbox) fn sorted(&self, schema: &Schema, table: usize, order: &Order) -> Arc<Sorted> {
        let mut kept = self.tables[table].sorted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sorted) = kept.get(&order.by) {
            return Arc::clone(sorted);
        }
        let sorted = Arc::new(sort(self, schema, table, order));
        kept.insert(order.by.clone(), Arc::clone(&sorted));
        sorted
    }

    /// The primary name of the row a lookup leads to, if the sandbox has that row.
    pub(in crate::sandbox) fn name_of(&self, schema: &Schema, target: &str, id: Guid) -> Option<String> {
        let table = schema.table(target)?;
        let description: &TableSchema = &schema.tables[table];
        self.tables[table].find(&id)?.plain(description.primary_name)
    }

    /// An order may look at names in other tables, so a change anywhere outdates them all.
    fn forget_orders(&mut self) {
        for table in &mut self.tables {
            table.sorted.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

/// The key that a row must have.
fn key_of(table: &TableSchema, row: &Map<String, Value>) -> Result<Guid, String> {
    let id = row.get(table.key()).and_then(Value::as_str).and_then(Guid::parse);
    id.ok_or_else(|| format!("column '{}': not a GUID", table.key()))
}
