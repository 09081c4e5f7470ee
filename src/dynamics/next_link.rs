//! The link to the next page, as it can be seen at the end of an answer before anything of it is decoded.
//!
//! In: the bytes of an answer. Out: the text of the link, which decoding has to find too.

/// How the link begins, where it is a property: within a text its quotes would be escaped.
const PROPERTY: &[u8] = b"\"@odata.nextLink\":";

/// So much of the end of an answer is searched for it.
const BYTES_AT_MOST: usize = 8_192;

/// The link at the end of an answer.
pub(super) fn linked(body: &[u8]) -> Option<String> {
    let end = &body[body.len().saturating_sub(BYTES_AT_MOST)..];
    let at = end.windows(PROPERTY.len()).rposition(|part| part == PROPERTY)?;
    let mut values = serde_json::Deserializer::from_slice(&end[at + PROPERTY.len()..]).into_iter::<String>();
    values.next()?.ok()
}
