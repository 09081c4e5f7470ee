//! Failures a test has ordered: the next requests to a service are answered with a status of the test's choice.
//!
//! The error bodies are the services' own and live with them. In: orders. Out: at most one fault per request.

use std::sync::{Mutex, PoisonError};

use super::calls::Service;

/// One ordered failure.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct Fault {
    pub(in crate::sandbox) status: u16,
    pub(in crate::sandbox) retry_after: Option<u64>,
    /// The code in the body, where the status has several.
    pub(in crate::sandbox) code: Option<&'static str>,
}

struct Order {
    service: Service,
    left: usize,
    fault: Fault,
}

/// The orders still to be carried out, oldest first.
#[derive(Default)]
pub(in crate::sandbox) struct Faults(Mutex<Vec<Order>>);

impl Faults {
    pub(in crate::sandbox) fn order(&self, service: Service, times: usize, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Order { service, left: times, fault });
    }

    pub(in crate::sandbox) fn next(&self, service: Service) -> Option<Fault> {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        orders.retain(|order| order.left > 0);
        let order = orders.iter_mut().find(|order| order.service == service)?;
        order.left -= 1;
        Some(order.fault)
    }
}
