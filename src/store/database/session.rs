//! A connection to a server as the state uses it: changes that wait until an answer is needed, and reads that know whose they are.
//!
//! What only changes something is kept back until something is asked, or until the change is committed, and goes with that: a call of
//! fifty rows costs three ways there and back. In: statements. Out: answers.

use std::cell::{Cell, RefCell};

use super::super::error::{Error, Result};
use super::bound::Bound;
use super::failure::{Failure, Why};
use super::pool::Pooled;
use super::worker::{Answer, Sent};

/// Statements that are sent together at the most.
const TOGETHER_AT_MOST: usize = 512;

/// One connection.
pub(super) struct Session {
    connection: Pooled,
    /// Which server, for whoever is told of a failure.
    place: String,
    waiting: RefCell<Vec<Sent>>,
    is_changing: Cell<bool>,
    /// Whether a part of the change has failed: nothing of it is kept then, and the connection is as good as before.
    is_broken: Cell<bool>,
    /// The lease and its epoch, where whoever reads has to hold it.
    owner: RefCell<Option<(&'static str, i64)>>,
}

impl Session {
    pub(super) fn of(connection: Pooled, place: String) -> Self {
        Self {
            connection,
            place,
            waiting: RefCell::default(),
            is_changing: Cell::new(false),
            is_broken: Cell::new(false),
            owner: RefCell::new(None),
        }
    }

    /// From now on everything that is read outside of a change holds only if the lease still has this epoch.
    pub(super) fn belong_to(&self, lease: &'static str, epoch: i64) {
        *self.owner.borrow_mut() = Some((lease, epoch));
    }

    pub(super) fn begin(&self) {
        self.waiting.borrow_mut().push(Sent::of("BEGIN", &[]));
        self.is_changing.set(true);
        self.is_broken.set(false);
    }

    /// Keeps a change back until something is asked. What it says no with shows then.
    pub(super) fn later(&self, statement: &str, params: &[Bound<'_>]) -> Result<()> {
        self.waiting.borrow_mut().push(Sent::of(statement, params));
        if self.waiting.borrow().len() >= TOGETHER_AT_MOST {
            self.send()?;
        }
        Ok(())
    }

    /// The answer of a statement.
    pub(super) fn ask(&self, statement: &str, params: &[Bound<'_>]) -> Result<Answer> {
        self.waiting.borrow_mut().push(Sent::of(statement, params));
        let owner = *self.owner.borrow();
        let Some((lease, epoch)) = owner.filter(|_| !self.is_changing.get()) else { return last(self.send()?) };
        // Looked at behind what was read: what was read was read before it was anybody else's.
        self.waiting.borrow_mut().push(Sent::of("SELECT epoch FROM lease WHERE name = ?1", &[bound(lease)]));
        let mut answers = self.send()?;
        let found = last(answers.split_off(answers.len().saturating_sub(1)))?;
        let held: Option<i64> = found.rows.first().and_then(|row| row.try_get(0).ok());
        if held == Some(epoch) { last(answers) } else { Err(Error::OwnershipLost) }
    }

    pub(super) fn commit(&self) -> Result<()> {
        self.is_changing.set(false);
        // The server takes a change back of which a part has failed, whoever looked over it, and calls that a commit all the same.
        if self.is_broken.get() || self.connection.is_spoiled() {
            self.roll_back();
            return Err(Failure::of(Why::Other, "a part of the change has failed, so nothing of it was kept").into());
        }
        self.waiting.borrow_mut().push(Sent::of("COMMIT", &[]));
        // What failed behind what was kept back may have left the change open.
        self.send().map(drop).inspect_err(|_| self.roll_back())
    }

    /// Takes a change back, as far as it has begun.
    pub(super) fn roll_back(&self) {
        self.is_changing.set(false);
        self.is_broken.set(false);
        self.waiting.borrow_mut().clear();
        // A connection that cannot even do that is used no more, and the server takes the change back when it ends.
        if self.connection.ask(vec![Sent::of("ROLLBACK", &[])]).is_err() {
            self.connection.spoil();
        }
    }

    fn send(&self) -> Result<Vec<Answer>> {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        self.connection.ask(waiting).map_err(|source| {
            self.is_broken.set(true);
            // What the server refuses it has understood: only what ended, or does not answer, is used no more.
            if matches!(source, Failure::Server { why: Why::Lost, .. }) {
                self.connection.spoil();
            }
            Error::State { place: Some(self.place.clone()), source }
        })
    }
}

fn bound(text: &str) -> Bound<'_> {
    Bound(super::bound::Held::Text(text))
}

fn last(mut answers: Vec<Answer>) -> Result<Answer> {
    answers.pop().ok_or_else(|| Failure::of(Why::NoRow, "the server has not answered").into())
}
