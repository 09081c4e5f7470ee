//! Chance from a seed: the same seed throws the same dice.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number from 0 to `most - 1`.
    pub fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(most).unwrap()).unwrap()
    }

    pub fn maybe(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<X: Clone>(&mut self, list: &[X]) -> X {
        list[self.below(list.len())].clone()
    }
}
