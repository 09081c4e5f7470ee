//! A record as it is sent: its fields as JSON, and what they say, where somebody has to know it again.
//!
//! Most records are written once and never looked at: refusals are narrowed down by values, and after a lost answer what is there is
//! held against what was sent. Numbers are read again exactly as they were before they were written. In: fields. Out: the body of a
//! call, or a map.

use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::stored_text::text;
use super::write::Record;

/// What stands before the records of a body, and behind them.
pub(super) const AROUND: (&[u8], &[u8]) = (b"{\"records\":[", b"]}");

/// The fields of a record as they are sent: a JSON object without its braces. Empty, if nothing is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub(super) Bytes);

impl Fields {
    /// The fields of a map.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let whole = Bytes::from(serde_json::to_vec(record).unwrap_or_default());
        Self(if whole.len() < 2 { Bytes::new() } else { whole.slice(1..whole.len() - 1) })
    }

    /// Whether nothing is sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What they say.
    #[must_use]
    pub fn record(&self) -> Record {
        match value(&[b"{", self.0.as_ref(), b"}"].concat()) {
            Value::Object(record) => record,
            _ => Record::new(),
        }
    }
}

/// The body of a call with these records, each with its GSID where it has one.
#[must_use]
pub fn body(records: &[(&Fields, Option<&str>)]) -> Bytes {
    let bytes = records.iter().map(|(fields, _)| fields.0.len() + 64).sum::<usize>();
    let mut body = Vec::with_capacity(bytes + AROUND.0.len() + AROUND.1.len());
    body.extend_from_slice(AROUND.0);
    for (fields, gsid) in records {
        begin_record(&mut body);
        body.extend_from_slice(&fields.0);
        if let Some(gsid) = gsid {
            body.extend_from_slice(if fields.is_empty() { b"\"Gsid\":" } else { b",\"Gsid\":" });
            text(gsid, &mut body);
        }
        body.push(b'}');
    }
    body.extend_from_slice(AROUND.1);
    Bytes::from(body)
}

/// Begins the next record of a body.
pub(super) fn begin_record(body: &mut Vec<u8>) {
    body.extend_from_slice(if body.len() == AROUND.0.len() { b"{" } else { b",{" });
}

/// What was sent, read again: a number is the one that was written, to its last digit.
pub(super) fn value(sent: &[u8]) -> Value {
    serde_json::from_slice::<&RawValue>(sent).map_or(Value::Null, exact)
}

fn exact(raw: &RawValue) -> Value {
    let text = raw.get();
    let read = match text.as_bytes().first() {
        Some(b'{') => serde_json::from_str::<Pairs>(text)
            .map(|Pairs(pairs)| pairs.into_iter().map(|(name, value)| (name, exact(value))).collect()),
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text).map(|all| all.into_iter().map(exact).collect()),
        // Read by serde, a number of many digits may differ in the last one.
        Some(b'0'..=b'9' | b'-') if text.contains(['.', 'e', 'E']) => {
            return text.parse::<f64>().map_or(Value::Null, Value::from);
        }
        _ => serde_json::from_str(text),
    };
    read.unwrap_or(Value::Null)
}

/// The members of an object, in their order.
struct Pairs<'r>(Vec<(String, &'r RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs<'de>;

            fn expecting(&self, words: &mut fmt::Formatter<'_>) -> fmt::Result {
                words.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(0));
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
