//! The log of deleted records, which queries read like an object that no metadata shows.
//!
//! Only the log of low-volume objects is there; the other answers as for a tenant without it. In: a deleted record. Out:
//! entries with `RecordId`, `DeletedOn` and `ObjectName`, for as long as the service keeps them.

use super::super::assumptions::{DELETE_LOG_DAYS, logged_name};
use super::record::{Cell, Record};
use super::schema::{Object, Schema};
use super::service::Gainsight;
use super::store::Store;

const OBJECT: &str = "record_delete_log";
const DAY_MS: i64 = 86_400_000;
/// The places of the log's fields.
const DELETED_ON: usize = 1;
const OBJECT_NAME: usize = 2;

/// Whether an object is the log.
pub(in crate::sandbox) fn is_log(object: &Object) -> bool {
    object.name == OBJECT
}

/// Deletes a record, notes it, and says whether it was there.
pub(in crate::sandbox) fn delete(gainsight: &Gainsight, object: usize, gsid: &str) -> bool {
    let mut store = gainsight.store();
    let was_there = store.remove(object, gsid);
    if let (true, Some(log)) = (was_there, gainsight.schema.object(OBJECT)) {
        let deleted = &gainsight.schema.objects[object];
        let mut entry = Record::default();
        entry.set(DELETED_ON, Some(Cell::Time(gainsight.clock.now_ms())));
        entry.set(OBJECT_NAME, Some(Cell::Text(logged_name(&deleted.origin, &deleted.label, &deleted.name).into())));
        store.put(log, gsid, entry);
    }
    was_there
}

/// Takes entries out that are older than the service keeps them.
pub(in crate::sandbox) fn forget(schema: &Schema, store: &mut Store, now_ms: i64) {
    let Some(log) = schema.object(OBJECT) else { return };
    let earliest = now_ms.saturating_sub(DELETE_LOG_DAYS * DAY_MS);
    let is_old = |entry: &Record| matches!(entry.get(DELETED_ON), Some(Cell::Time(at)) if *at < earliest);
    store.shelves[log].records.retain(|_, entry| !is_old(entry));
}
