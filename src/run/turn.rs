//! A run's turn in its chain: when it may look at the target, and whom it tells how far it is.
//!
//! A job of a chain reads its source while the step before it still loads. What sees the target waits for its turn: until every job of
//! the steps before has ended, and every earlier one of its own step that touches the same objects. In: how far the others have come.
//! Out: the same of this one, or that it is not to be loaded at all.

use futures::future::{join_all, try_join_all};
use tokio::sync::watch::{Receiver, Sender, channel};

use super::error::Error;
use crate::model::outcome::Status;

/// How far a job of a chain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// It has not begun, or it reads.
    Begins,
    /// It has read everything.
    Extracted,
    /// It has come to an end, or to where it cannot go on now.
    Ended(Status),
}

/// A job of a chain, as others wait for it.
#[derive(Debug, Clone)]
pub(super) struct Other {
    job: String,
    stand: Receiver<Stand>,
    /// Whether the chain ends with its failure.
    stops: bool,
}

/// One job's turn.
#[derive(Debug)]
pub(super) struct Turn {
    /// All jobs of the steps before.
    before: Vec<Other>,
    /// Earlier jobs of the same step that touch the same objects.
    beside: Vec<Other>,
    stand: Sender<Stand>,
}

impl Turn {
    /// The turn of a run that has to wait for nobody.
    pub(super) fn at_once() -> Self {
        Self::after(Vec::new(), Vec::new())
    }

    pub(super) fn after(before: Vec<Other>, beside: Vec<Other>) -> Self {
        Self { before, beside, stand: channel(Stand::Begins).0 }
    }

    /// This job, for those that wait for it. `stops` says whether the chain ends if it fails.
    pub(super) fn watched(&self, job: &str, stops: bool) -> Other {
        Other { job: job.to_owned(), stand: self.stand.subscribe(), stops }
    }

    /// Whether there is nobody left to wait for.
    pub(super) fn has_come(&self) -> bool {
        self.before.iter().chain(&self.beside).all(|other| matches!(*other.stand.borrow(), Stand::Ended(_)))
    }

    /// Waits for it.
    ///
    /// # Errors
    /// [`Error::Skipped`], as soon as a job has failed that the chain ends with.
    pub(super) async fn comes(&self) -> Result<(), Error> {
        try_join_all(self.before.iter().map(Other::ended)).await?;
        join_all(self.beside.iter().map(|other| other.is(|stand| matches!(stand, Stand::Ended(_))))).await;
        Ok(())
    }

    /// This job has read everything.
    pub(super) fn extracted(&self) {
        self.stand.send_if_modified(|stand| {
            let is_news = *stand == Stand::Begins;
            if is_news {
                *stand = Stand::Extracted;
            }
            is_news
        });
    }

    /// This job has ended so.
    pub(super) fn ended(&self, status: Status) {
        self.stand.send_replace(Stand::Ended(status));
    }
}

impl Other {
    /// Waits until it has read everything.
    ///
    /// # Errors
    /// [`Error::Skipped`], if the chain ends with it.
    pub(super) async fn extracted(&self) -> Result<(), Error> {
        self.good(self.is(|stand| *stand != Stand::Begins).await)
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// [`Error::Skipped`], if the chain ends with it.
    pub(super) async fn ended(&self) -> Result<(), Error> {
        self.good(self.is(|stand| matches!(stand, Stand::Ended(_))).await)
    }

    async fn is(&self, wanted: impl FnMut(&Stand) -> bool) -> Stand {
        // The sender of a job lives as long as its chain; should it be gone, nobody is left to be waited for.
        self.stand.clone().wait_for(wanted).await.map_or(Stand::Ended(Status::Cancelled), |stand| *stand)
    }

    fn good(&self, stand: Stand) -> Result<(), Error> {
        match stand {
            Stand::Ended(status) if self.stops && !status.is_done() => {
                Err(Error::Skipped { job: self.job.clone(), status })
            }
            _ => Ok(()),
        }
    }
}
