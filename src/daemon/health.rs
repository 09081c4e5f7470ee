//! Whether the daemon is alive and whether it is ready: what an orchestrator asks.
//!
//! In: what it tells. Out: two answers, each with its reason.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::told::Told;
use crate::model::clock::{Clock, Mark};

/// A loop that has not turned for so long hangs: it turns each second, and a plan may take it a few.
pub const HANGS_AFTER: Duration = Duration::from_secs(120);

/// See [`self`].
pub struct Health {
    clock: Clock,
    turned: Mutex<Mark>,
    has_definitions: AtomicBool,
    is_stopping: AtomicBool,
    stands_by: AtomicBool,
}

impl Health {
    /// Alive, and not ready yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            turned: Mutex::new(clock.mark()),
            has_definitions: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
            stands_by: AtomicBool::new(false),
        }
    }

    /// Hears what happened.
    pub fn hear(&self, told: &Told) {
        match told {
            Told::Started(_) => {
                self.has_definitions.store(true, Ordering::Relaxed);
                self.stands_by.store(false, Ordering::Relaxed);
            }
            Told::StandsBy { .. } => self.stands_by.store(true, Ordering::Relaxed),
            Told::Stopping { .. } => self.is_stopping.store(true, Ordering::Relaxed),
            Told::Turned { .. } => *self.turned.lock().unwrap_or_else(PoisonError::into_inner) = self.clock.mark(),
            _ => {}
        }
    }

    /// Nothing if the loop turns, else why not.
    #[must_use]
    pub fn hangs(&self) -> Option<&'static str> {
        let turned = *self.turned.lock().unwrap_or_else(PoisonError::into_inner);
        self.clock.may_have_passed(turned, HANGS_AFTER).then_some("the loop has not turned for two minutes")
    }

    /// Nothing if it takes work, as far as it says itself; else why not.
    #[must_use]
    pub fn is_not_ready(&self) -> Option<&'static str> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Some("it is stopping");
        }
        if self.stands_by.load(Ordering::Relaxed) {
            return Some("it stands by: another ferry serve follows the schedules");
        }
        if !self.has_definitions.load(Ordering::Relaxed) {
            return Some("it has no definitions yet");
        }
        self.hangs()
    }
}
