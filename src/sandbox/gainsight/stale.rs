//! Reads that lag behind: what queries see while a fault hides a write.
//!
//! Writes and the test's own look see everything. In: an object's records as they were, and until when. Out: for a query,
//! the views that still hold.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::store::Records;

/// An object as it was before a write.
pub(in crate::sandbox) struct View {
    pub(in crate::sandbox) object: usize,
    pub(in crate::sandbox) records: Records,
    /// Milliseconds since 1970.
    until_ms: i64,
}

/// The views, oldest first.
#[derive(Default)]
pub(in crate::sandbox) struct Stale(Mutex<Vec<View>>);

impl Stale {
    pub(in crate::sandbox) fn keep(&self, object: usize, records: Records, until_ms: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(View { object, records, until_ms });
    }

    /// The views that hold at a moment; the first of an object is the one to show.
    pub(in crate::sandbox) fn open(&self, now_ms: i64) -> MutexGuard<'_, Vec<View>> {
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        views.retain(|view| view.until_ms > now_ms);
        views
    }
}
