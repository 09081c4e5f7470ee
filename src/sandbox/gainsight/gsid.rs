//! GSIDs: 36 characters, the first half the same for all records of an object.
//!
//! In: the seed, an object and a running number. Out: the same GSID every time.

use super::super::randomness::Chance;

const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The first half: the code of the object and what belongs to this tenant.
pub(in crate::sandbox) fn prefix(seed: u64, code: &str, object: &str) -> String {
    format!("{code}{}", Chance::of_text(seed, &format!("prefix of {object}")).letters(14, ALPHABET))
}

pub(in crate::sandbox) fn gsid(seed: u64, prefix: &str, number: usize) -> String {
    format!("{prefix}{}", Chance::of_text(seed, &format!("{prefix} {number}")).letters(18, ALPHABET))
}

/// Whether a text has the form of a GSID.
pub(in crate::sandbox) fn is_gsid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|letter| letter.is_ascii_digit() || letter.is_ascii_uppercase())
}
