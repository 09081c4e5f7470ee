//! The one owner of time: what now is, and how long to wait.
//!
//! The limits of the services are stated in minutes, hours and days. A clock may run those faster by a factor, so that a
//! demo or a test lives through days in seconds, with the sandbox running by the same factor.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// A clock. `Copy`, because it holds no state but its factor.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    limits_scale: f64,
}

impl Clock {
    /// The machine's clock, with the time limits of the services running faster by `limits_scale`.
    #[must_use]
    pub fn system(limits_scale: f64) -> Self {
        Self { limits_scale: if limits_scale > 0.0 { limits_scale } else { 1.0 } }
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    /// Milliseconds since 1970 on the services' scaled clock.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    pub fn limits_now_ms(&self) -> i64 {
        let micros = Utc::now().timestamp_micros();
        (micros as f64 / 1_000.0 * self.limits_scale) as i64
    }

    /// How long to really wait for that many milliseconds of the services' clock.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn real(&self, limits_ms: i64) -> Duration {
        Duration::from_secs_f64((limits_ms.max(0) as f64 / 1_000.0 / self.limits_scale).max(0.0))
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
