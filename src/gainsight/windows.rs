//! Call budgets: fixed windows of a minute, an hour and a day, one set for each API.
//!
//! Windows begin at clock boundaries, not at the first call, and are the whole tenant's. A call waits until all windows
//! of its API have room. <https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs/Company_and_Relationship_API/Company_API_Documentation>

use std::time::Duration;

use tokio::sync::Mutex;

use super::assumptions::{WINDOW_SECONDS_AT_MOST, WINDOW_SLACK_MS};
use super::error::Error;
use crate::model::clock::Clock;
use crate::model::connection::Limits;

/// The APIs that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Objects, people, metadata.
    Synchronous,
    /// User management.
    Users,
}

/// The budgets of one tenant.
pub struct Windows {
    clock: Clock,
    buckets: Mutex<[Vec<Window>; 2]>,
}

struct Window {
    words: &'static str,
    length_ms: i64,
    limit: u32,
    /// The window's number since 1970, and the calls in it.
    number: i64,
    used: u32,
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Windows {
    /// Empty windows within these limits.
    #[must_use]
    pub fn new(limits: &Limits, clock: Clock) -> Self {
        let window = |words, length_ms, limit| Window { words, length_ms, limit, number: 0, used: 0 };
        Self {
            clock,
            buckets: Mutex::new([
                vec![
                    window("a minute", MINUTE_MS, limits.calls_per_minute),
                    window("a day", DAY_MS, limits.calls_per_day),
                ],
                vec![window("an hour", HOUR_MS, limits.users_per_hour), window("a day", DAY_MS, limits.users_per_day)],
            ]),
        }
    }

    /// Waits until a call is within all windows of its API, and counts it.
    ///
    /// # Errors
    /// If that would take longer than a call may wait.
    pub async fn enter(&self, bucket: Bucket) -> Result<(), Error> {
        let mut waited = Duration::ZERO;
        loop {
            let wait_ms = {
                let now = self.clock.limits_now_ms();
                let mut buckets = self.buckets.lock().await;
                let windows = &mut buckets[bucket as usize];
                for window in windows.iter_mut() {
                    let number = now.div_euclid(window.length_ms);
                    if number != window.number {
                        (window.number, window.used) = (number, 0);
                    }
                }
                match windows.iter().filter(|w| w.used >= w.limit).max_by_key(|w| w.length_ms) {
                    None => {
                        windows.iter_mut().for_each(|w| w.used += 1);
                        return Ok(());
                    }
                    Some(full) => {
                        let left = full.length_ms - now.rem_euclid(full.length_ms) + WINDOW_SLACK_MS;
                        let real = self.clock.real(left);
                        if (waited + real).as_secs() > WINDOW_SECONDS_AT_MOST {
                            return Err(Error::Budget {
                                bucket: bucket.word(),
                                limit: full.limit,
                                window: full.words,
                                seconds: real.as_secs(),
                            });
                        }
                        left
                    }
                }
            };
            let real = self.clock.real(wait_ms);
            waited += real;
            self.clock.sleep(real).await;
        }
    }

    /// Takes note that the service says a window is full, whatever we counted: others spend from it too. Which one it is
    /// the service does not say; the shortest is the likeliest.
    pub async fn refused(&self, bucket: Bucket) {
        let now = self.clock.limits_now_ms();
        let mut buckets = self.buckets.lock().await;
        if let Some(window) = buckets[bucket as usize].first_mut() {
            window.number = now.div_euclid(window.length_ms);
            window.used = window.limit;
        }
    }
}

impl Bucket {
    fn word(self) -> &'static str {
        match self {
            Self::Synchronous => "object",
            Self::Users => "user management",
        }
    }
}
