//! What is due and has not begun: in order of time, and never two that are in each other's way.
//!
//! In: activations, and whether two of them collide. Out: the next that may begin. It asks nobody and waits for nothing.

use super::activation::Activation;

/// Activations that are due.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Vec<Activation>,
}

impl Queue {
    /// Takes one in.
    pub fn push(&mut self, one: Activation) {
        self.waiting.push(one);
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether one of that name waits.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.waiting.iter().any(|one| one.name == name)
    }

    /// The names of all that wait.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.waiting.iter().map(|one| one.name.clone()).collect()
    }

    /// Whether a run waits to be gone on with.
    #[must_use]
    pub fn has_run(&self, run: &str) -> bool {
        self.waiting.iter().any(|one| one.run() == Some(run))
    }

    /// Takes out the first that collides neither with what is under way nor with one that waits longer: nobody is passed by
    /// for ever.
    pub fn next(
        &mut self,
        under_way: &[Activation],
        collide: impl Fn(&Activation, &Activation) -> bool,
    ) -> Option<Activation> {
        let may = |at: usize| {
            let one = &self.waiting[at];
            !under_way.iter().chain(&self.waiting[..at]).any(|other| one.name == other.name || collide(one, other))
        };
        let at = (0..self.waiting.len()).find(|at| may(*at))?;
        Some(self.waiting.remove(at))
    }
}
