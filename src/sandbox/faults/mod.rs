//! Failures of both services: those a test orders, and those that the rules of a file bring about.
//!
//! How a service words a failure is its own and lives with it, and so do the changes of its rows. `file`, `line` and
//! `effect` read rules, `schedule` draws them (from `catalogue`, at the places of `label`), `rule` decides when one strikes, `wire` spoils replies. In:
//! orders, rules, requests. Out: at most one strike per request.

mod catalogue;
mod effect;
mod file;
mod label;
mod line;
mod rule;
mod schedule;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};

use super::calls::Service;
use super::http::Ask;
pub(in crate::sandbox) use file::{given_rules, read_rules};
pub(in crate::sandbox) use rule::{Close, Effect, Rule, Strike, Touch};
pub use schedule::{FaultSchedule, fault_schedule};
pub(in crate::sandbox) use wire::{breaking, gateway_page, spoil};

/// A failure that the service words itself.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox) struct Fault {
    pub(in crate::sandbox) status: u16,
    /// The header `Retry-After` as it is sent.
    pub(in crate::sandbox) retry_after: Option<Arc<str>>,
    /// The code in the body, where the status has several.
    pub(in crate::sandbox) code: Option<Arc<str>>,
}

struct Order {
    service: Service,
    left: usize,
    fault: Fault,
}

/// The orders still to be carried out, oldest first, and the rules.
pub(in crate::sandbox) struct Faults {
    orders: Mutex<Vec<Order>>,
    rules: Mutex<Vec<Rule>>,
    seed: u64,
}

impl Faults {
    pub(in crate::sandbox) fn new(rules: Vec<Rule>, seed: u64) -> Self {
        Faults { orders: Mutex::default(), rules: Mutex::new(rules), seed }
    }

    pub(in crate::sandbox) fn order(&self, service: Service, times: usize, fault: Fault) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.push(Order { service, left: times, fault });
    }

    /// What strikes this request: an order before any rule, and of the rules the first in the file that is due.
    pub(in crate::sandbox) fn next(&self, service: Service, ask: &Ask) -> Option<Strike> {
        if let Some(fault) = self.ordered(service) {
            return Some(Strike::of(Effect::Fail(fault)));
        }
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let mut strike = None;
        for (place, rule) in rules.iter_mut().enumerate().filter(|(_, rule)| rule.is_about(service, ask)) {
            // Every rule counts every request that it is about, so that one rule does not move what another does.
            let is_due = rule.count(self.seed, place);
            if is_due && strike.is_none() && rule.spend() {
                strike = Some(rule.strike(self.seed, place));
            }
        }
        strike
    }

    /// Puts other rules in the place of those that there are; they count from their first request.
    pub(in crate::sandbox) fn replace(&self, rules: Vec<Rule>) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// How many requests each rule has struck.
    pub(in crate::sandbox) fn struck(&self) -> Vec<usize> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|rule| rule.struck).collect()
    }

    fn ordered(&self, service: Service) -> Option<Fault> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.retain(|order| order.left > 0);
        let order = orders.iter_mut().find(|order| order.service == service)?;
        order.left -= 1;
        Some(order.fault.clone())
    }
}
