//! Something that happens in a world, the same way in each.
//!
//! Gainsight's ids differ between two worlds, so a record is named by a field that tells it apart.

use ferry::sandbox::{Change, Sandbox};
use serde_json::{Map, Value};

/// What tells a record from others: an object, a field, its value.
#[derive(Debug, Clone)]
pub struct Named {
    pub object: &'static str,
    pub field: &'static str,
    pub value: String,
}

#[derive(Debug, Clone)]
pub enum Deed {
    /// A row of Dynamics is made or changed.
    Put(&'static str, Value),
    /// A row of Dynamics is deleted.
    Delete(&'static str, String),
    /// The second row is merged into the first.
    Merge(&'static str, String, String),
    /// A user of Gainsight changes a record.
    Edit(Named, Value),
    /// A user of Gainsight points a field of a record at another record.
    Point(Named, &'static str, Named),
    /// A user of Gainsight deletes a record.
    Remove(Named),
    /// A user of Gainsight makes a record.
    Make(&'static str, Value),
}

impl Deed {
    pub fn happen(&self, sandbox: &Sandbox) {
        match self {
            Deed::Put(table, row) => assert!(sandbox.put_row(table, object(row)), "{self:?}"),
            Deed::Delete(table, id) => assert!(sandbox.delete_row(table, id), "{self:?}"),
            Deed::Merge(table, master, other) => assert!(sandbox.merge_rows(table, master, other), "{self:?}"),
            Deed::Edit(named, fields) => {
                if let Some(gsid) = named.gsid(sandbox) {
                    assert!(sandbox.edit_record(named.object, &gsid, object(fields)), "{self:?}");
                }
            }
            Deed::Point(named, field, at) => {
                if let (Some(gsid), Some(at)) = (named.gsid(sandbox), at.gsid(sandbox)) {
                    let fields = Map::from_iter([((*field).to_owned(), at.into())]);
                    assert!(sandbox.edit_record(named.object, &gsid, fields), "{self:?}");
                }
            }
            Deed::Remove(named) => {
                if let Some(gsid) = named.gsid(sandbox) {
                    assert!(sandbox.delete_record(named.object, &gsid), "{self:?}");
                }
            }
            Deed::Make(name, record) => assert_ne!(sandbox.put_record(name, object(record)), "", "{self:?}"),
        }
    }
}

impl Deed {
    /// The key of the row of Dynamics that it is about; nothing if it is done in Gainsight.
    pub fn row(&self) -> &str {
        match self {
            Deed::Put(table, row) => row[format!("{table}id")].as_str().unwrap_or(""),
            Deed::Delete(_, id) | Deed::Merge(_, id, _) => id,
            _ => "",
        }
    }

    /// The same as somebody does it while rows are read; nothing if it is done in Gainsight.
    pub fn change(&self) -> Option<Change> {
        match self {
            Deed::Put(table, row) => Some(Change::Put((*table).to_owned(), object(row))),
            Deed::Delete(table, id) => Some(Change::Delete((*table).to_owned(), id.clone())),
            Deed::Merge(table, master, other) => {
                Some(Change::Merge((*table).to_owned(), master.clone(), other.clone()))
            }
            _ => None,
        }
    }
}

impl Named {
    /// The record's id here; nothing if none or several are called so.
    fn gsid(&self, sandbox: &Sandbox) -> Option<String> {
        let records = sandbox.records(self.object);
        let mut found = records.iter().filter(|record| record[self.field] == self.value.as_str());
        let gsid = found.next()?["Gsid"].as_str()?.to_owned();
        found.next().is_none().then_some(gsid)
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}
