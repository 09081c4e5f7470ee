//! The one place that reads the time.
//!
//! A test may set the clock of both services: time stamps of rows and records, lives of access tokens and of delta tokens, and
//! the `Date` of replies follow it. Rate windows, signing in and reads that lag behind go by real time, as the client's own
//! waiting does; windows pass `limits_scale` times faster. In: the scale, what a test sets. Out: milliseconds since 1970.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// Real, set and scaled time; clones show the same.
#[derive(Debug, Clone)]
pub(in crate::sandbox) struct Clock {
    scale: f64,
    set: Arc<Mutex<Setting>>,
}

/// How the clock goes.
#[derive(Debug, Clone, Copy)]
enum Setting {
    /// It goes, so much ahead of real time.
    Ahead(i64),
    /// It stands.
    Still(i64),
}

impl Clock {
    pub(in crate::sandbox) fn new(scale: f64) -> Self {
        let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
        Clock { scale, set: Arc::new(Mutex::new(Setting::Ahead(0))) }
    }

    /// The time of the services.
    pub(in crate::sandbox) fn now_ms(&self) -> i64 {
        match *self.set.lock().unwrap_or_else(PoisonError::into_inner) {
            Setting::Ahead(ahead) => real_ms().saturating_add(ahead),
            Setting::Still(moment) => moment,
        }
    }

    /// The same as a value to format.
    pub(in crate::sandbox) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now_ms()).unwrap_or_default()
    }

    /// Stops the clock at a moment.
    pub(in crate::sandbox) fn set(&self, moment_ms: i64) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = Setting::Still(moment_ms);
    }

    /// Moves the clock on, whether it stands or goes.
    pub(in crate::sandbox) fn advance(&self, by_ms: i64) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        *set = match *set {
            Setting::Ahead(ahead) => Setting::Ahead(ahead.saturating_add(by_ms)),
            Setting::Still(moment) => Setting::Still(moment.saturating_add(by_ms)),
        };
    }

    /// The index of the fixed window that is open now, for a window of that length.
    pub(in crate::sandbox) fn window(&self, length_ms: u64) -> u64 {
        (real_ms() as f64 * self.scale / length_ms as f64).floor() as u64
    }
}

/// Real time, for what a client waits out.
pub(in crate::sandbox) fn real_ms() -> i64 {
    Utc::now().timestamp_millis()
}
