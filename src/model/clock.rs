//! The one owner of time: what now is, and how long to wait.
//!
//! The limits of the services are stated in minutes, hours and days. A clock may run those faster by a factor, so that a
//! demo or a test lives through days in seconds, with the sandbox running by the same factor.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// A clock. `Copy`, because it holds no state but its factor.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    limits_scale: f64,
    /// By how many milliseconds somebody has set it, where a test does that.
    set: Option<&'static AtomicI64>,
}

/// A moment by both of the machine's clocks. The steady one stands still while the machine sleeps, and the other may be set:
/// what neither has seen has not passed.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    steady: Instant,
    shown: DateTime<Utc>,
}

impl Clock {
    /// The machine's clock, with the time limits of the services running faster by `limits_scale`.
    #[must_use]
    pub fn system(limits_scale: f64) -> Self {
        Self { limits_scale: if limits_scale > 0.0 { limits_scale } else { 1.0 }, set: None }
    }

    /// The same clock as somebody sets it: ahead by the milliseconds that `by` holds, or behind.
    #[must_use]
    pub fn set_by(self, by: &'static AtomicI64) -> Self {
        Self { set: Some(by), ..self }
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let set = self.set.map_or(0, |by| by.load(Ordering::SeqCst));
        let now = Utc::now();
        now.checked_add_signed(TimeDelta::milliseconds(set)).unwrap_or(now)
    }

    /// The current moment, to ask later how long ago it was.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { steady: Instant::now(), shown: self.now() }
    }

    /// Whether as long as this may have passed since a moment.
    #[must_use]
    pub fn may_have_passed(&self, since: Mark, long: Duration) -> bool {
        let shown = (self.now() - since.shown).to_std().unwrap_or_default();
        since.steady.elapsed().max(shown) >= long
    }

    /// Milliseconds since 1970 on the services' scaled clock.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    pub fn limits_now_ms(&self) -> i64 {
        let micros = self.now().timestamp_micros();
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
