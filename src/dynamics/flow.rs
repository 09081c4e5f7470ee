//! How many requests are under way to one organisation, and when none may begin.
//!
//! The limits of Dataverse hold for a user on a web server, so every read of a connection passes here. It starts from what
//! the service recommends (`x-ms-dop-hint`), rises to the connection's own limit while all goes well, and halves when the
//! service says 429; what it names as the time to wait holds for all. In: what answers say. Out: permits.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/send-parallel-requests>

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::assumptions::{CALM_SECONDS, PARALLELISM_DEFAULT, SUCCESSES_PER_STEP};
use crate::http::retry::jitter;

/// Lets requests begin.
pub(super) struct Flow {
    most: usize,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    limit: usize,
    under_way: usize,
    is_hinted: bool,
    successes: u32,
    quiet_until: Option<Instant>,
    throttled_at: Option<Instant>,
}

/// The right to have one request under way; given back when it is dropped.
pub(super) struct Permit<'a>(&'a Flow);

impl Flow {
    /// At most this many at once, whatever the service recommends.
    pub(super) fn new(most: u32) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        let state = State {
            limit: PARALLELISM_DEFAULT.min(most),
            under_way: 0,
            is_hinted: false,
            successes: 0,
            quiet_until: None,
            throttled_at: None,
        };
        Self { most, state: Mutex::new(state), changed: Notify::new() }
    }

    /// How many may be under way now.
    pub(super) fn limit(&self) -> usize {
        self.state().limit
    }

    /// Waits until a request may begin; gives how long the service's word kept it waiting.
    pub(super) async fn permit(&self) -> (Permit<'_>, Duration) {
        let mut waited = Duration::ZERO;
        loop {
            let changed = self.changed.notified();
            let quiet_until = {
                let mut state = self.state();
                let quiet = state.quiet_until.filter(|until| *until > Instant::now());
                if quiet.is_none() && state.under_way < state.limit {
                    state.under_way += 1;
                    return (Permit(self), waited);
                }
                quiet
            };
            match quiet_until {
                // Those that were told to wait together do not come back together.
                Some(until) => {
                    let pause = until - Instant::now();
                    let pause = pause + jitter(pause);
                    waited += pause;
                    tokio::time::sleep(pause).await;
                }
                None => changed.await,
            }
        }
    }

    /// What the service recommends; the first word counts.
    pub(super) fn hinted(&self, hint: usize) {
        let mut state = self.state();
        // After a 429 the recommendation is the service's older word.
        if !state.is_hinted && state.throttled_at.is_none() {
            state.limit = hint.clamp(1, self.most);
        }
        state.is_hinted = true;
        drop(state);
        self.changed.notify_waiters();
    }

    /// A request was answered. Until the first 429 each success adds one to the limit, after it every few, once the
    /// service has been calm for a while.
    pub(super) fn succeeded(&self) {
        let mut state = self.state();
        state.successes += 1;
        let is_due = state.throttled_at.is_none_or(|at| {
            at.elapsed() >= Duration::from_secs(CALM_SECONDS) && state.successes.is_multiple_of(SUCCESSES_PER_STEP)
        });
        if is_due && state.limit < self.most {
            state.limit += 1;
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// The service said 429 and how long to wait. Answers to requests that were sent together count once.
    pub(super) fn throttled(&self, pause: Duration) {
        let mut state = self.state();
        let now = Instant::now();
        if state.quiet_until.is_none_or(|until| until <= now) {
            state.limit = (state.limit / 2).max(1);
        }
        let until = now + pause;
        state.quiet_until = Some(state.quiet_until.map_or(until, |known| known.max(until)));
        state.throttled_at = Some(now);
        state.successes = 0;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.changed.notify_waiters();
    }
}
