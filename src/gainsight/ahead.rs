//! The next page asked for while the present one is decoded: the service works while we do.
//!
//! Where it begins is looked for in the answer before anything of it is decoded, and held against what decoding finds: an answer to
//! another question is thrown away. Nothing is asked for behind a page that is not full. In: the bytes of an answer. Out: the next
//! answer, under way.

use std::pin::{Pin, pin};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{Either, LocalBoxFuture, MaybeDone, maybe_done, select};
use memchr::memmem;

use super::client::{Call, Gainsight};
use super::error::Error;
use crate::http::client::Answer;
use crate::model::connection::Limits;

/// How a record's GSID begins: within a text its quotes would be escaped.
const PROPERTY: &[u8] = b"\"Gsid\":\"";

/// A page that was asked for before anybody wanted it. Where it is dropped, the request is too.
pub(super) struct Ahead {
    /// The GSID that it begins behind.
    pub(super) after: String,
    answer: MaybeDone<LocalBoxFuture<'static, Result<Answer, Error>>>,
}

impl Ahead {
    /// Asks for what comes behind a GSID, as soon as somebody waits for something beside it.
    pub(super) fn ask(gainsight: &Gainsight, call: Call, after: String) -> Self {
        let gainsight = gainsight.clone();
        let answer = async move { gainsight.call_judged(&call, async |answer| Ok(answer)).await };
        Self { after, answer: maybe_done(answer.boxed_local()) }
    }

    /// Waits for something else, and gets on with the answer meanwhile.
    pub(super) async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        match select(pin!(other), &mut self.answer).await {
            Either::Left((other, _)) => other,
            Either::Right(((), other)) => other.await,
        }
    }

    /// The answer, once it is there.
    pub(super) async fn answer(mut self) -> Option<Result<Answer, Error>> {
        (&mut self.answer).await;
        Pin::new(&mut self.answer).take_output()
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
