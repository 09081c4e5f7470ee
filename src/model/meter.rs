//! Calls as they are made, counted apart for each run: several share one client.
//!
//! A run's own handle of a client counts into a meter of its own, and with it into that of the connection. In: what happens. Out: sums.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What was spent since it was made.
#[derive(Debug, Default)]
pub struct Meter {
    sent: AtomicU64,
    writes: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
    waited_ms: AtomicU64,
    /// The meter of the connection, which counts for all.
    above: Option<Arc<Meter>>,
}

impl Meter {
    /// A meter that counts into another one too.
    #[must_use]
    pub fn below(above: &Arc<Meter>) -> Arc<Self> {
        Arc::new(Self { above: Some(Arc::clone(above)), ..Self::default() })
    }

    /// A request is sent.
    pub fn send(&self) {
        self.add(&|meter| &meter.sent, 1);
    }

    /// A call is made that writes.
    pub fn write(&self) {
        self.add(&|meter| &meter.writes, 1);
    }

    /// A request is to be sent again, as its answer failed.
    pub fn retry(&self) {
        self.add(&|meter| &meter.retries, 1);
    }

    /// A request was refused because there were too many.
    pub fn throttle(&self) {
        self.add(&|meter| &meter.throttled, 1);
    }

    /// A call waits before it may be made, or made again. Calls that wait side by side are added up.
    pub fn wait(&self, long: Duration) {
        self.add(&|meter| &meter.waited_ms, u64::try_from(long.as_millis()).unwrap_or(u64::MAX));
    }

    /// Requests that were sent, repeated ones included.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Calls that write.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Requests that were sent again.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Requests that were refused because there were too many.
    #[must_use]
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Milliseconds that calls waited.
    #[must_use]
    pub fn waited_ms(&self) -> u64 {
        self.waited_ms.load(Ordering::Relaxed)
    }

    fn add(&self, which: &dyn Fn(&Self) -> &AtomicU64, more: u64) {
        which(self).fetch_add(more, Ordering::Relaxed);
        if let Some(above) = &self.above {
            above.add(which, more);
        }
    }
}
