//! The next page asked for while the present one is decoded: the service works while we do.
//!
//! The link to it is looked for at the end of the answer, before anything of it is decoded, and held against what decoding finds: an
//! answer to another link is thrown away. In: the bytes of an answer. Out: the next answer, under way.

use bytes::Bytes;
use tokio::task::JoinSet;
use url::Url;

use super::client::Dynamics;
use super::error::Error;
use crate::http::client::Answer;

/// How the link begins, where it is a property: within a text its quotes would be escaped.
const PROPERTY: &[u8] = b"\"@odata.nextLink\":";

/// So much of the end of an answer is searched for it.
const BYTES_AT_MOST: usize = 8_192;

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

/// The link at the end of an answer.
fn linked(body: &[u8]) -> Option<String> {
    let end = &body[body.len().saturating_sub(BYTES_AT_MOST)..];
    let at = end.windows(PROPERTY.len()).rposition(|part| part == PROPERTY)?;
    let mut values = serde_json::Deserializer::from_slice(&end[at + PROPERTY.len()..]).into_iter::<String>();
    values.next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::linked;

    #[test]
    fn the_link_is_found_where_it_is_a_property() {
        let found = |text: &str| linked(text.as_bytes());
        assert_eq!(found(r#"{"value":[],"@odata.nextLink":"https:\/\/a\u002fb"}"#).as_deref(), Some("https://a/b"));
        assert_eq!(
            found(r#"{"@odata.nextLink": "one", "value": [{"name": "\"@odata.nextLink\":\"two\""}]}"#).as_deref(),
            Some("one")
        );
        for none in ["", "{", r#"{"value":[]}"#, r#"{"@odata.nextLink":7}"#, r#"{"@odata.nextLink":"cut"#] {
            assert_eq!(found(none), None, "{none}");
        }
    }
}
