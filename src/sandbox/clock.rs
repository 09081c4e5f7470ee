//! The one place that reads the time.
//!
//! Rate windows pass `limits_scale` times faster than real time; time stamps of rows and lives of tokens do not.
//! In: the scale. Out: milliseconds since 1970.

use chrono::Utc;

/// Real and scaled time.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct Clock {
    scale: f64,
}

impl Clock {
    pub(in crate::sandbox) fn new(scale: f64) -> Self {
        Clock { scale: if scale.is_finite() && scale > 0.0 { scale } else { 1.0 } }
    }

    /// Real time, for time stamps.
    pub(in crate::sandbox) fn now_ms(self) -> i64 {
        Utc::now().timestamp_millis()
    }

    /// The index of the fixed window that is open now, for a window of that length.
    pub(in crate::sandbox) fn window(self, length_ms: u64) -> u64 {
        (self.now_ms() as f64 * self.scale / length_ms as f64).floor() as u64
    }
}
