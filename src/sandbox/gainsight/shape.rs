//! The shapes that a query may answer in: the documents and the recordings show more than one of each.
//!
//! Which records are found is decided in `query`. In: a test's choice. Out: values, and the data of an answer, in that shape.

use chrono::{DateTime, SecondsFormat};
use serde_json::Value;

use super::super::assumptions::NO_DATA;
use super::super::http::Reply;
use super::envelope::{Refusal, succeeded, success_with};
use super::record::{Cell, json};
use super::schema::Kind;

/// A choice of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Where the records stand.
    pub rows: Rows,
    /// What is answered where there are none.
    pub none: NoRows,
    /// How moments and days are written.
    pub times: Times,
    /// How the items of a multi-select are written.
    pub items: Items,
}

/// Where the records stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rows {
    /// In `data.records`.
    #[default]
    Records,
    /// `data` is their list.
    List,
}

/// What is answered where there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoRows {
    /// An empty list.
    #[default]
    Empty,
    /// `result: false` and "No data found for given criteria".
    NoData,
    /// HTTP 400 and `GSOBJ_1011`.
    NoEntity,
}

/// How moments and days are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// Milliseconds since 1970.
    #[default]
    Millis,
    /// ISO 8601 with `Z`; days as `yyyy-MM-dd`.
    Iso,
    /// ISO 8601 with milliseconds and an offset without a colon; days as `yyyy-MM-dd`.
    IsoOffset,
}

/// How the items of a multi-select are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Items {
    /// In one text, with `;` between them.
    #[default]
    Joined,
    /// As a list.
    List,
}

impl Shape {
    /// A stored value of a field of that kind.
    pub(super) fn value(self, kind: Kind, cell: &Cell) -> Value {
        match (kind, cell) {
            (Kind::MultiPicklist, Cell::Text(text)) if self.items == Items::List => text.split(';').collect(),
            (Kind::Date, Cell::Time(time)) if self.times != Times::Millis => {
                written(*time, |at| at.format("%F").to_string())
            }
            (_, Cell::Time(time)) if self.times == Times::Iso => {
                written(*time, |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            (_, Cell::Time(time)) if self.times == Times::IsoOffset => {
                written(*time, |at| at.format("%FT%T%.3f%z").to_string())
            }
            _ => json(cell),
        }
    }

    /// Writes such a value as JSON.
    pub(super) fn write(self, out: &mut String, kind: Kind, cell: &Cell) {
        match cell {
            Cell::Text(text) if kind != Kind::MultiPicklist && is_plain(text) => {
                out.push('"');
                out.push_str(text);
                out.push('"');
            }
            _ => out.push_str(&self.value(kind, cell).to_string()),
        }
    }

    /// The beginning of an answer with records, whose list is written behind it.
    pub(super) fn begun(self, request: &str) -> String {
        success_with(request, if self.rows == Rows::Records { "{\"records\":" } else { "" })
    }

    /// The answer that was begun so, with so many records.
    pub(super) fn answer(self, begun: String, count: usize) -> Result<Reply, Refusal> {
        let mut reply = match (count, self.none, self.rows) {
            (0, NoRows::NoData, _) => return Err(Refusal::new(NO_DATA.0, NO_DATA.1, NO_DATA.2)),
            (0, NoRows::NoEntity, _) => return Err(Refusal { data: Box::default(), ..Refusal::no_match() }),
            (_, _, Rows::Records) => succeeded(begun, "}"),
            (_, _, Rows::List) => succeeded(begun, ""),
        };
        reply.records = count;
        Ok(reply)
    }
}

/// Whether a text stands in JSON as it is, as most do.
fn is_plain(text: &str) -> bool {
    // No early end: so it is looked at in many bytes at once.
    text.bytes().fold(true, |plain, byte| plain & (byte >= 0x20) & (byte != b'"') & (byte != b'\\'))
}

fn written(millis: i64, write: impl Fn(DateTime<chrono::Utc>) -> String) -> Value {
    DateTime::from_timestamp_millis(millis).map_or(Value::Null, |at| write(at).into())
}
