//! Sending a batch while what came of the one before it is written down: the service and the ledger need not wait for each other.
//!
//! One call is under way at a time, as without it: a batch is sent when the one before it is answered, and only if nothing is left to be
//! done about that one but to write down that it was carried out. That a call is made is written down right before it, as ever. So a
//! process that ends in between leaves the rows of two calls open in place of one. In: rows. Out: as of `sending`.

use tokio::task::JoinSet;

use super::error::Error;
use super::item::Item;
use super::load::Load;
use super::sending::{Intended, made};
use crate::gainsight::error::Error as CallError;
use crate::gainsight::write::Judged;
use crate::store::error::Error as StoreError;
use crate::store::ledger::Answer;

/// A call that was begun and is not heard yet. Where it is dropped, it is given up.
pub(super) struct UnderWay(JoinSet<(Intended, Result<Judged, CallError>)>);

impl Load<'_> {
    /// Sends rows as new records, or as changes of those with their GSIDs, once the call before is answered; does not wait for the
    /// answer. Who says which rows are the most valuable waits for each answer, as the next batch may be another one by then.
    pub(super) async fn send_beside(&mut self, items: Vec<Item>, is_insert: bool) -> Result<(), Error> {
        if items.is_empty() || self.job.load_first.is_some() {
            return self.send(items, is_insert).await;
        }
        match self.answered().await? {
            Some((call, answer @ Ok(Judged::Written(_)))) => {
                let begun = self.begin(items, is_insert);
                self.deal_with(call, answer).await.and(begun)
            }
            Some((call, answer)) => {
                self.deal_with(call, answer).await?;
                self.begin(items, is_insert)
            }
            None => self.begin(items, is_insert),
        }
    }

    /// Waits for the call that is under way, if there is one, and deals with its answer.
    pub(super) async fn hear(&mut self) -> Result<(), Error> {
        match self.answered().await? {
            Some((call, answer)) => self.deal_with(call, answer).await,
            None => Ok(()),
        }
    }

    /// Hears the call that is under way where nothing more is to be sent: what it refused is sent again by whoever goes on. Of whoever
    /// was taken over it is not even waited for: it may not have been let in yet.
    pub(super) async fn hear_out(&mut self, stopped: &Error) -> Result<(), Error> {
        if matches!(stopped, Error::Store(StoreError::OwnershipLost)) {
            self.under_way = None;
        }
        match self.answered().await? {
            Some((call, answer @ Ok(Judged::Written(_)))) => self.deal_with(call, answer).await,
            Some((call, Ok(_))) => self.recorder.settle(&[(call.number, Answer::Refused)], &[]),
            Some((call, Err(error))) => self.recorder.settle(&[(call.number, self.answer(&error))], &[]),
            None => Ok(()),
        }
    }

    async fn answered(&mut self) -> Result<Option<(Intended, Result<Judged, CallError>)>, Error> {
        let Some(UnderWay(mut calls)) = self.under_way.take() else { return Ok(None) };
        match calls.join_next().await.transpose() {
            Ok(heard) => Ok(heard),
            Err(error) => Err(Error::Books(format!("a call was not heard to its end: {error}"))),
        }
    }

    fn begin(&mut self, items: Vec<Item>, is_insert: bool) -> Result<(), Error> {
        self.still_bearable()?;
        let next = self.intended(items, is_insert)?;
        let (gainsight, way) = (self.gainsight.clone(), self.way(is_insert));
        let mut calls = JoinSet::new();
        calls.spawn(async move {
            let answer = made(&gainsight, &way, &next).await;
            (next, answer)
        });
        self.under_way = Some(UnderWay(calls));
        Ok(())
    }
}
