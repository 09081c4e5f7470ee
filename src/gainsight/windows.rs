//! Call budgets: fixed windows of a minute, an hour and a day, one set for each API.
//!
//! Windows begin at clock boundaries, not at the first call, and are the whole tenant's. A call waits until all windows
//! of its API have room; a part of each is left to other integrations of the tenant. A clock that is set back opens no window: what
//! was counted stays counted until the window that it shows now has ended. <https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs/Company_and_Relationship_API/Company_API_Documentation>

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::Mutex;

use super::assumptions::WINDOW_SLACK_MS;
use super::error::Error;
use crate::model::clock::Clock;
use crate::model::connection::Limits;
use crate::model::spent::Spent;

/// The APIs that are counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Objects, people, metadata.
    Synchronous,
    /// User management.
    Users,
    /// Bulk imports.
    Bulk,
}

/// The budgets of one tenant.
pub struct Windows {
    clock: Clock,
    /// How long a call waits for its turn, in real time.
    max_wait: Duration,
    buckets: Mutex<[Vec<Window>; 3]>,
    /// Where calls are remembered beyond this process, once that is known.
    kept: OnceLock<Arc<dyn Spent>>,
}

struct Window {
    words: &'static str,
    length_ms: i64,
    limit: u32,
    /// The window's number since 1970, and the calls in it.
    number: i64,
    used: u32,
    /// The calls in it that are remembered already: some more than were made, so that not each is written down by itself.
    claimed: u32,
    /// The calls in it of this process.
    made: u32,
}

/// What is left of a day's calls of one API, beyond what others of the tenant are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Calls that may still be made today.
    pub left: u32,
    /// Calls that may be made in a day.
    pub of: u32,
}

/// In how many parts the calls of a window are claimed at least. A process that ends early has claimed one part too many at most, and no
/// more than it made: a day of many short ones is not used up by what none of them spent.
const CLAIMS_A_WINDOW: u32 = 50;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

impl Windows {
    /// Empty windows within these limits.
    #[must_use]
    pub fn new(limits: &Limits, clock: Clock, max_wait: Duration) -> Self {
        let window = |words, length_ms, calls| {
            let limit = limits.spendable(calls);
            Window { words, length_ms, limit, number: 0, used: 0, claimed: 0, made: 0 }
        };
        Self {
            clock,
            max_wait,
            buckets: Mutex::new([
                vec![
                    window("a minute", MINUTE_MS, limits.calls_per_minute),
                    window("a day", DAY_MS, limits.calls_per_day),
                ],
                vec![window("an hour", HOUR_MS, limits.users_per_hour), window("a day", DAY_MS, limits.users_per_day)],
                vec![window("an hour", HOUR_MS, limits.bulk_per_hour), window("a day", DAY_MS, limits.bulk_per_day)],
            ]),
            kept: OnceLock::new(),
        }
    }

    /// Goes on from what is remembered of the tenant, and remembers calls there from now on.
    ///
    /// # Errors
    /// If they cannot be kept.
    pub async fn remember(&self, kept: Arc<dyn Spent>) -> Result<(), Error> {
        let now = self.clock.limits_now_ms();
        let mut buckets = self.buckets.lock().await;
        if self.kept.set(Arc::clone(&kept)).is_err() {
            return Ok(());
        }
        for (bucket, windows) in [Bucket::Synchronous, Bucket::Users, Bucket::Bulk].into_iter().zip(buckets.iter_mut())
        {
            for window in windows {
                window.move_to(now);
                let (number, so_far) = (window.number, window.used);
                let all = kept.add(bucket.word(), window.length_ms, number, so_far).map_err(Error::Spent)?;
                (window.used, window.claimed) = (all, all);
            }
        }
        Ok(())
    }

    /// Calls that the fullest window of an API has left.
    pub async fn left(&self, bucket: Bucket) -> u32 {
        let now = self.clock.limits_now_ms();
        let mut buckets = self.buckets.lock().await;
        let left = buckets[bucket as usize].iter_mut().map(|window| {
            window.move_to(now);
            window.limit.saturating_sub(window.used)
        });
        left.min().unwrap_or(0)
    }

    /// What is left of today's calls of an API.
    pub async fn today(&self, bucket: Bucket) -> Day {
        let now = self.clock.limits_now_ms();
        let mut buckets = self.buckets.lock().await;
        let windows = buckets[bucket as usize].iter_mut().filter(|window| window.length_ms == DAY_MS);
        let days = windows.map(|window| {
            window.move_to(now);
            Day { left: window.limit.saturating_sub(window.used), of: window.limit }
        });
        days.min_by_key(|day| day.left).unwrap_or(Day { left: 0, of: 0 })
    }

    /// Counts a call, and claims some more where all that is remembered was made.
    fn count(&self, bucket: Bucket, windows: &mut [Window]) -> Result<(), Error> {
        for window in windows {
            window.used += 1;
            window.made += 1;
            if let Some(kept) = self.kept.get().filter(|_| window.used > window.claimed) {
                let more = window.made.min(window.limit / CLAIMS_A_WINDOW).max(1);
                let all = kept.add(bucket.word(), window.length_ms, window.number, more).map_err(Error::Spent)?;
                // Others may have claimed too: what they hold is spent for us.
                window.claimed = all;
                window.used = window.used.max(all.saturating_sub(more) + 1);
            }
        }
        Ok(())
    }

    /// Waits until a call is within all windows of its API, and counts it; gives how long it waited.
    ///
    /// # Errors
    /// If that would take longer than a call waits.
    pub async fn enter(&self, bucket: Bucket) -> Result<Duration, Error> {
        let mut waited = Duration::ZERO;
        loop {
            let wait_ms = {
                let now = self.clock.limits_now_ms();
                let mut buckets = self.buckets.lock().await;
                let windows = &mut buckets[bucket as usize];
                windows.iter_mut().for_each(|window| window.move_to(now));
                match windows.iter().filter(|w| w.used >= w.limit).max_by_key(|w| w.length_ms) {
                    None => {
                        return self.count(bucket, windows).map(|()| waited);
                    }
                    Some(full) => {
                        let left = full.length_ms - now.rem_euclid(full.length_ms) + WINDOW_SLACK_MS;
                        let real = self.clock.real(left);
                        if waited + real > self.max_wait {
                            return Err(Error::Budget {
                                bucket: bucket.word(),
                                limit: full.limit,
                                window: full.words,
                                seconds: real.as_secs(),
                                opens: shown(self.clock, real),
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

/// When it is that time later, as people read it.
fn shown(clock: Clock, later: Duration) -> String {
    let at = TimeDelta::from_std(later).ok().and_then(|later| clock.now().checked_add_signed(later));
    at.map_or_else(|| "later".to_owned(), |at| at.format("%H:%M UTC").to_string())
}

impl Window {
    /// Makes it the window of a moment, in milliseconds of the services' clock. A later window begins with no call; an earlier one is
    /// the same one by another clock, so its calls stay with it. However far the clock was set, it ends within its length.
    fn move_to(&mut self, now_ms: i64) {
        let number = now_ms.div_euclid(self.length_ms);
        if number > self.number {
            (self.used, self.claimed, self.made) = (0, 0, 0);
        }
        self.number = number;
    }
}

impl Bucket {
    /// What messages and the state call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Synchronous => "object",
            Self::Users => "user management",
            Self::Bulk => "bulk import",
        }
    }
}
