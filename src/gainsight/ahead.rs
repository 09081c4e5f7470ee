//! The next pages asked for while the present one is decoded: the service works while we do.
//!
//! Where the next one begins is looked for in the answer before anything of it is decoded, and held against what decoding finds: an answer to
//! another question is thrown away. Of a large object the one behind is asked for as well, by how many records come before it. That
//! would lose a record if one went meanwhile, so it begins with the last record of the page before it, and is thrown away if it
//! does not. Nothing is asked for behind a page that is not full. In: the bytes of an answer. Out: the next answers, under way.

use std::collections::VecDeque;
use std::pin::pin;

use bytes::Bytes;
use futures::future::{Either, LocalBoxFuture, select};
use futures::stream::FuturesOrdered;
use futures::{FutureExt, StreamExt};
use memchr::memmem;

use super::client::{Call, Gainsight};
use super::error::Error;
use crate::http::client::Answer;
use crate::model::connection::Limits;

/// How a record's GSID begins: within a text its quotes would be escaped.
const PROPERTY: &[u8] = b"\"Gsid\":\"";

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The GSID that comes before it.
    pub(super) after: String,
    /// Records behind that one that it leaves out. If it leaves out any, its first record is the last one of the page before.
    pub(super) skipped: usize,
}

impl Place {
    /// The page behind a GSID.
    pub(super) fn behind(after: &str) -> Self {
        Self { after: after.to_owned(), skipped: 0 }
    }

    /// The page behind the one that begins here, which is not known but for its place. `last` is the GSID before that one.
    pub(super) fn next(&self, last: &str) -> Self {
        let new = if self.skipped == 0 { Limits::READ_ROWS } else { Limits::READ_ROWS - 1 };
        Self { after: last.to_owned(), skipped: new - 1 }
    }
}

/// What became of a page that was asked for.
pub(super) struct Asked {
    pub(super) place: Place,
    pub(super) answer: Result<Answer, Error>,
}

/// Pages that were asked for before anybody wanted them, in the order of the object. Where they are dropped, the requests are too.
#[derive(Default)]
pub(super) struct Ahead {
    places: VecDeque<Place>,
    answers: FuturesOrdered<LocalBoxFuture<'static, Result<Answer, Error>>>,
    /// Answers that are there.
    there: VecDeque<Result<Answer, Error>>,
}

impl Ahead {
    /// Asks for a page, as soon as somebody waits for something beside it.
    pub(super) fn ask(&mut self, gainsight: &Gainsight, call: Call, place: Place) {
        let gainsight = gainsight.clone();
        let answer = async move { gainsight.call_judged(&call, async |answer| Ok(answer)).await };
        self.places.push_back(place);
        self.answers.push_back(answer.boxed_local());
    }

    /// The place of the next page that was asked for.
    pub(super) fn first(&self) -> Option<&Place> {
        self.places.front()
    }

    /// Waits for something else, and gets on with the answers meanwhile.
    pub(super) async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        while !self.answers.is_empty() {
            match select(other, self.answers.next()).await {
                Either::Left((other, _)) => return other,
                Either::Right((answer, unfinished)) => {
                    self.there.extend(answer);
                    other = unfinished;
                }
            }
        }
        other.await
    }

    /// The next answer, once it is there; none, if none was asked for.
    pub(super) async fn next(&mut self) -> Option<Asked> {
        let place = self.places.pop_front()?;
        let answer = match self.there.pop_front() {
            Some(answer) => answer,
            None => self.answers.next().await?,
        };
        Some(Asked { place, answer })
    }
}

/// The GSID of the last record of an answer, if it is a full page.
pub(super) fn last_of_full(body: &Bytes) -> Option<String> {
    let (mut records, mut last) = (0, 0);
    for at in memmem::find_iter(body, PROPERTY) {
        (records, last) = (records + 1, at + PROPERTY.len());
    }
    if records != Limits::READ_ROWS {
        return None;
    }
    let gsid = &body[last..];
    let end = gsid.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    (gsid[end] == b'"').then(|| String::from_utf8_lossy(&gsid[..end]).into_owned())
}
