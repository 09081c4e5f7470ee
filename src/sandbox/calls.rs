//! The log of every request the sandbox answered, so that a test can count calls.
//!
//! It keeps no bodies and no secrets. In: one entry per request, from the HTTP loop. Out: a copy of the list, and how many
//! requests were under way at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Which service a request went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// The Dataverse Web API.
    Dynamics,
    /// The token endpoint that guards it.
    Entra,
    /// Gainsight NXT.
    Gainsight,
}

/// One answered request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service it went to.
    pub service: Service,
    /// The HTTP method.
    pub method: String,
    /// The path with its query, as sent.
    pub path: String,
    /// The status it was answered with; 0 where a fault closed the connection without an answer.
    pub status: u16,
    /// Whether it asks for a change of data.
    pub write: bool,
    /// Rows returned, or records written; nothing for a refused call.
    pub records: usize,
}

/// The log itself.
#[derive(Default)]
pub(in crate::sandbox) struct CallLog {
    calls: Mutex<Vec<Call>>,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// A request under way, also one whose client goes away.
pub(in crate::sandbox) struct UnderWay<'a>(&'a CallLog);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl CallLog {
    pub(in crate::sandbox) fn begin(&self) -> UnderWay<'_> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        UnderWay(self)
    }

    pub(in crate::sandbox) fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }

    /// Adds a call and gives its place.
    pub(in crate::sandbox) fn add(&self, call: Call) -> usize {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(call);
        calls.len() - 1
    }

    /// Notes what a call did that was carried out after its connection was closed.
    pub(in crate::sandbox) fn carried_out(&self, place: usize, records: usize) {
        if let Some(call) = self.calls.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
            call.records = records;
        }
    }

    pub(in crate::sandbox) fn all(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
