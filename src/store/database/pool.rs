//! Connections that are at rest, so that whoever looks once a second need not sign in once a second.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use super::failure::Failure;
use super::worker::{Answer, Sent, Worker};

/// Connections at rest that are kept at the most.
const AT_REST_AT_MOST: usize = 4;

/// The connections of one server that are at rest.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<Worker>>);

/// A connection that goes back where it came from, unless it was spoiled.
pub(super) struct Pooled {
    worker: Option<Worker>,
    is_spoiled: Cell<bool>,
    pool: Arc<Pool>,
}

impl Pool {
    /// One at rest that still answers; else one that is made.
    pub(super) fn take(self: &Arc<Self>, make: impl FnOnce() -> Result<Worker, Failure>) -> Result<Pooled, Failure> {
        let at_rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let still_there = |worker: &Worker| worker.ask(vec![Sent::of("SELECT 1", &[])]).is_ok();
        let is_one = at_rest.is_some();
        let found = at_rest.filter(still_there);
        if is_one && found.is_none() {
            // Where one has ended, so have the others: each of them could take long to say nothing.
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        let worker = found.map_or_else(make, Ok)?;
        Ok(Pooled { worker: Some(worker), is_spoiled: Cell::new(false), pool: Arc::clone(self) })
    }
}

impl Pooled {
    pub(super) fn ask(&self, statements: Vec<Sent>) -> Result<Vec<Answer>, Failure> {
        let Some(worker) = &self.worker else { return Ok(Vec::new()) };
        worker.ask(statements)
    }

    /// Has it end with whoever uses it.
    pub(super) fn spoil(&self) {
        self.is_spoiled.set(true);
    }

    pub(super) fn is_spoiled(&self) -> bool {
        self.is_spoiled.get()
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let mut at_rest = self.pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_spoiled.get() && at_rest.len() < AT_REST_AT_MOST {
            at_rest.extend(self.worker.take());
        }
    }
}
