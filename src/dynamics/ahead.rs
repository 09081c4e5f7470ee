//! The next page asked for while the present one is decoded: the service works while we do.
//!
//! The link to it is looked for at the end of the answer, before anything of it is decoded, and held against what decoding finds: an
//! answer to another link is thrown away. In: the bytes of an answer. Out: the next answer, under way.

use bytes::Bytes;
use tokio::task::JoinSet;
use url::Url;

use super::client::Dynamics;
use super::error::Error;
use super::next_link::linked;
use crate::http::client::Answer;

/// A page that was asked for before anybody wanted it. Where it is dropped, the request is too.
pub(super) struct Ahead {
    pub(super) url: Url,
    answer: JoinSet<Result<Answer, Error>>,
}

impl Ahead {
    /// The answer, once it is there; none, if it cannot be told what became of it.
    pub(super) async fn answer(mut self) -> Option<Result<Answer, Error>> {
        self.answer.join_next().await?.ok()
    }
}

impl Dynamics {
    /// Asks for the page behind an answer, if a link to one can be seen in it.
    pub(super) fn ahead(&self, body: &Bytes, from: &Url, prefer: &str) -> Option<Ahead> {
        let url = self.link(&linked(body)?, from).ok()?;
        let (dynamics, asked, prefer) = (self.clone(), url.clone(), prefer.to_owned());
        let mut answer = JoinSet::new();
        answer.spawn(async move { dynamics.answer(asked, Some(prefer)).await });
        Some(Ahead { url, answer })
    }
}
