//! The access tokens that were given out and still live.
//!
//! They are opaque: only this list knows them. In: the end of a life. Out: whether a token is good.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::super::randomness::Chance;

/// The list of living tokens.
pub(in crate::sandbox) struct Tokens {
    seed: u64,
    given: Mutex<HashMap<String, i64>>,
}

impl Tokens {
    pub(in crate::sandbox) fn new(seed: u64) -> Self {
        Tokens { seed, given: Mutex::default() }
    }

    pub(in crate::sandbox) fn give(&self, until_ms: i64) -> String {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let token = Chance::of_text(self.seed, &format!("token {}", given.len())).letters(120, ALPHABET);
        given.insert(token.clone(), until_ms);
        token
    }

    pub(in crate::sandbox) fn is_good(&self, token: &str, now_ms: i64) -> bool {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.get(token).is_some_and(|until| now_ms < *until)
    }
}
