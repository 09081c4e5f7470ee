//! What a load writes down: that a call is about to be made, and what came of it. And what an earlier process wrote.
//!
//! It binds the ledger to one run, so that sending need not say each time which. In: rows and answers. Out: numbers of calls, and
//! what is known of rows.

use super::error::Error;
use super::item::Item;
use crate::model::sabotage::{self, Bug};
use crate::store::ledger::{Answer, Intent, Ledger, Recorded, Settled};
use crate::store::state::Tenancy;

/// The ledger of one run's load.
pub(super) struct Recorder<'a> {
    pub(super) ledger: &'a dyn Ledger,
    pub(super) run: &'a str,
    pub(super) job: &'a str,
    pub(super) of: &'a Tenancy,
    /// Whether an earlier process has loaded for this run.
    pub(super) is_resumed: bool,
}

impl Recorder<'_> {
    /// What an earlier process did for a row.
    pub(super) fn before(&self, row: i64, step: u8) -> Result<Option<Recorded>, Error> {
        if !self.is_resumed {
            return Ok(None);
        }
        Ok(match self.ledger.outcome(self.run, row, step)? {
            Some(Recorded::Open) if sabotage::has(Bug::OpenForgotten) => None,
            Some(Recorded::Written(_)) if sabotage::has(Bug::AcknowledgedTwice) => None,
            found => found,
        })
    }

    /// Writes down that calls are about to be made, each with its rows; gives each its number.
    pub(super) fn intend<'i>(
        &self,
        step: u8,
        what: &str,
        at_ms: i64,
        calls: impl Iterator<Item = &'i [Item]>,
    ) -> Result<Vec<i64>, Error> {
        let rows = |items: &[Item]| items.iter().map(|i| (i.row, i.id.clone())).collect();
        let calls: Vec<Intent> =
            calls.map(|items| Intent { step, what: what.to_owned(), rows: rows(items), at_ms }).collect();
        if sabotage::has(Bug::NoIntent) {
            return Ok(vec![0; calls.len()]);
        }
        let numbers = self.ledger.intend(self.run, &calls)?;
        // Whoever was stopped right here, and taken over, sends nothing any more.
        self.ledger.is_ours()?;
        Ok(numbers)
    }

    /// Writes down what came of calls and of rows.
    pub(super) fn settle(&self, calls: &[(i64, Answer)], rows: &[Settled]) -> Result<(), Error> {
        sabotage::place("answered");
        Ok(self.ledger.settle(self.run, self.of, self.job, calls, rows)?)
    }

    /// When the last call without an answer was sent, in milliseconds since 1970.
    pub(super) fn last_open(&self) -> Result<Option<i64>, Error> {
        Ok(self.ledger.last_open(self.run)?)
    }
}
