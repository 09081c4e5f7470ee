//! A job chain: jobs in sequence, those of one step side by side.

use super::place::Place;
use super::schedule::{Notify, Schedule};

/// One checked chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its name: `Dynamics_Company Person Sync`.
    pub name: String,
    /// Its steps; the jobs of a step do not depend on each other.
    pub steps: Vec<Vec<String>>,
    /// What its author says of it.
    pub comment: Option<String>,
    /// When it is due.
    pub schedule: Option<Schedule>,
    /// Who is told how a run ended.
    pub notify: Vec<Notify>,
    /// Whether a failed job ends the chain.
    pub stop_on_failure: bool,
    /// Where the statement stands.
    pub place: Place,
}

impl Chain {
    /// All jobs, in order.
    pub fn jobs(&self) -> impl Iterator<Item = &String> {
        self.steps.iter().flatten()
    }
}
