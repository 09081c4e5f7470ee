//! Rate limits in fixed windows that are aligned to the clock.
//!
//! A refused call does not count. In: the bucket of a call. Out: whether it may pass.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::super::clock::Clock;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What shares one allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::sandbox) enum Bucket {
    Synchronous,
    Users,
    Bulk,
}

impl Bucket {
    /// Lengths of windows and the calls each allows.
    fn limits(self) -> [(u64, u64); 2] {
        match self {
            Bucket::Synchronous => [(MINUTE, 100), (DAY, 50_000)],
            Bucket::Users => [(HOUR, 100), (DAY, 1_000)],
            Bucket::Bulk => [(HOUR, 10), (DAY, 100)],
        }
    }
}

/// The counters of the open windows.
pub(in crate::sandbox) struct Windows {
    clock: Clock,
    counters: Mutex<HashMap<(Bucket, u64), (u64, u64)>>,
}

impl Windows {
    pub(in crate::sandbox) fn new(clock: Clock) -> Self {
        Windows { clock, counters: Mutex::default() }
    }

    /// Counts the call if every window of its bucket has room.
    pub(in crate::sandbox) fn admit(&self, bucket: Bucket) -> bool {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let limits = bucket.limits();
        for (length, limit) in limits {
            let window = self.clock.window(length);
            let counter = counters.entry((bucket, length)).or_insert((window, 0));
            if counter.0 != window {
                *counter = (window, 0);
            }
            if counter.1 >= limit {
                return false;
            }
        }
        for (length, _) in limits {
            if let Some(counter) = counters.get_mut(&(bucket, length)) {
                counter.1 += 1;
            }
        }
        true
    }
}
