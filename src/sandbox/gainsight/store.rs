//! The records of all objects, by GSID, with the keys people and users are found by.
//!
//! Nothing is checked here. In: records. Out: records by GSID, in GSID order, or by a key without case.

use std::collections::{BTreeMap, HashMap};

use super::gsid::gsid;
use super::record::{Cell, Record};
use super::schema::{Object, Schema};

/// Records by GSID.
pub(in crate::sandbox) type Records = BTreeMap<String, Record>;

/// The records of one object.
pub(in crate::sandbox) struct Shelf {
    pub(in crate::sandbox) records: Records,
    /// The fields that find a record quickly; none for most objects.
    key: Vec<usize>,
    by_key: HashMap<String, Vec<String>>,
    created: usize,
}

/// The records of all objects, in the order of the schema.
pub(in crate::sandbox) struct Store {
    seed: u64,
    pub(in crate::sandbox) shelves: Vec<Shelf>,
}

impl Store {
    pub(in crate::sandbox) fn new(schema: &Schema, seed: u64) -> Self {
        Store { seed, shelves: schema.objects.iter().map(shelf).collect() }
    }

    pub(in crate::sandbox) fn new_gsid(&mut self, schema: &Schema, object: usize) -> String {
        self.shelves[object].created += 1;
        gsid(self.seed, &schema.objects[object].prefix, self.shelves[object].created)
    }

    /// Stores a record under the GSID, in place of the one there.
    pub(in crate::sandbox) fn put(&mut self, object: usize, gsid: &str, mut record: Record) {
        record.set(0, Some(Cell::Text(gsid.into())));
        let shelf = &mut self.shelves[object];
        shelf.remove(gsid);
        if let Some(key) = shelf.key_of(&record) {
            shelf.by_key.entry(key).or_default().push(gsid.to_owned());
        }
        shelf.records.insert(gsid.to_owned(), record);
    }

    pub(in crate::sandbox) fn remove(&mut self, object: usize, gsid: &str) -> bool {
        self.shelves[object].remove(gsid)
    }

    pub(in crate::sandbox) fn holds(&self, object: usize, gsid: &str) -> bool {
        self.shelves[object].records.contains_key(gsid)
    }

    /// The GSIDs of the records with these key values.
    pub(in crate::sandbox) fn find(&self, object: usize, values: &[&str]) -> &[String] {
        self.shelves[object].by_key.get(&fold(values)).map_or(&[], Vec::as_slice)
    }
}

impl Shelf {
    fn key_of(&self, record: &Record) -> Option<String> {
        let values: Option<Vec<&str>> = self.key.iter().map(|field| record.text(*field)).collect();
        values.filter(|values| !values.is_empty()).map(|values| fold(&values))
    }

    fn remove(&mut self, gsid: &str) -> bool {
        let Some(old) = self.records.remove(gsid) else { return false };
        if let Some(key) = self.key_of(&old)
            && let Some(list) = self.by_key.get_mut(&key)
        {
            list.retain(|other| other != gsid);
        }
        true
    }
}

fn shelf(object: &Object) -> Shelf {
    let names: &[&str] = match object.name.as_str() {
        "person" => &["Email"],
        "company_person" => &["Person_ID", "Company_ID"],
        "gsuser" => &["SFDCUserName"],
        _ => &[],
    };
    let key = names.iter().filter_map(|name| object.field(name)).collect();
    Shelf { records: Records::new(), key, by_key: HashMap::new(), created: 0 }
}

fn fold(values: &[&str]) -> String {
    values.join("\u{1f}").to_lowercase()
}
