//! The access tokens that were given out and still live.
//!
//! They are opaque: only this list knows them. In: the end of a life. Out: whether a token is good.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::randomness::Chance;

/// The list of living tokens.
pub(in crate::sandbox) struct Tokens {
    seed: u64,
    given: Mutex<HashMap<String, Life>>,
    /// How many requests a token opens, if a test wants them to end in the middle of something.
    uses: AtomicUsize,
}

/// When a token ends, and how often it was used.
struct Life {
    until_ms: i64,
    used: usize,
}

impl Tokens {
    pub(in crate::sandbox) fn new(seed: u64) -> Self {
        Tokens { seed, given: Mutex::default(), uses: AtomicUsize::new(usize::MAX) }
    }

    pub(in crate::sandbox) fn give(&self, until_ms: i64) -> String {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let token = Chance::of_text(self.seed, &format!("token {}", given.len())).letters(120, ALPHABET);
        given.insert(token.clone(), Life { until_ms, used: 0 });
        token
    }

    pub(in crate::sandbox) fn is_good(&self, token: &str, now_ms: i64) -> bool {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(life) = given.get_mut(token) else { return false };
        life.used += 1;
        now_ms < life.until_ms && life.used <= self.uses.load(Ordering::SeqCst)
    }

    pub(in crate::sandbox) fn limit_uses(&self, most: usize) {
        self.uses.store(most, Ordering::SeqCst);
    }
}
