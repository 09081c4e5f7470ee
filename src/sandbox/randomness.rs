//! Everything that looks random, all of it from one seeded generator.
//!
//! Nothing here reads the system's entropy. In: a seed and the stream (so that two parts never draw from one sequence).
//! Out: numbers, choices, GUIDs and keys that are the same for the same seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Independent sequences of one seed.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) enum Stream {
    World = 0,
    Credentials = 1,
    Names = 2,
    OpportunityCorners = 3,
    Sales = 4,
}

/// A sequence of seeded choices.
pub(in crate::sandbox) struct Chance(ChaCha8Rng);

impl Chance {
    pub(in crate::sandbox) fn new(seed: u64, stream: Stream) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream as u64);
        Chance(generator)
    }

    /// A sequence that belongs to a text, for ids that must not depend on what was drawn before.
    pub(in crate::sandbox) fn of_text(seed: u64, text: &str) -> Self {
        Chance::new(seed ^ hash(text), Stream::Names)
    }

    pub(in crate::sandbox) fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound.max(1) as u64) as usize
    }

    pub(in crate::sandbox) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub(in crate::sandbox) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list.get(self.below(list.len())).copied().unwrap_or("")
    }

    /// A lower-case GUID of version 4.
    pub(in crate::sandbox) fn guid(&mut self) -> String {
        let mut bytes = [0u8; 16];
        self.0.fill_bytes(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let number = u128::from_be_bytes(bytes);
        let part = |shift: u32, mask: u128| number >> shift & mask;
        let (a, b, c) = (part(96, 0xffff_ffff), part(80, 0xffff), part(64, 0xffff));
        format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", part(48, 0xffff), part(0, 0xffff_ffff_ffff))
    }

    /// Characters drawn from an alphabet of ASCII letters and digits.
    pub(in crate::sandbox) fn letters(&mut self, count: usize, alphabet: &str) -> String {
        let alphabet = alphabet.as_bytes();
        (0..count).map(|_| alphabet[self.below(alphabet.len())] as char).collect()
    }
}

/// FNV-1a: a fixed, unkeyed hash, because the standard library's may change between versions.
pub(in crate::sandbox) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
