//! The access tokens that were given out and still live.
//!
//! They are opaque: only this list knows them. In: a holder, and the end of a life. Out: who holds a token that is good.

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

/// Whose a token is, when it ends, and how often it was used.
struct Life {
    holder: String,
    until_ms: i64,
    used: usize,
}

impl Tokens {
    pub(in crate::sandbox) fn new(seed: u64) -> Self {
        Tokens { seed, given: Mutex::default(), uses: AtomicUsize::new(usize::MAX) }
    }

    pub(in crate::sandbox) fn give(&self, holder: &str, until_ms: i64) -> String {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let token = Chance::of_text(self.seed, &format!("token {}", given.len())).letters(120, ALPHABET);
        given.insert(token.clone(), Life { holder: holder.to_owned(), until_ms, used: 0 });
        token
    }

    /// Uses a token once: whose it is, if it still lives.
    pub(in crate::sandbox) fn holder(&self, token: &str, now_ms: i64) -> Option<String> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let life = given.get_mut(token)?;
        life.used += 1;
        let is_good = now_ms < life.until_ms && life.used <= self.uses.load(Ordering::SeqCst);
        is_good.then(|| life.holder.clone())
    }

    /// Every token that was given.
    pub(in crate::sandbox) fn all(&self) -> Vec<String> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub(in crate::sandbox) fn limit_uses(&self, most: usize) {
        self.uses.store(most, Ordering::SeqCst);
    }
}
