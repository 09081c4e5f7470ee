//! Ranges of the moment of creation: what they ask for, and how what is left of one is cut into parts.
//!
//! Pure. The moment of creation never changes, so ranges that do not overlap have no row in common, and ranges without a
//! gap miss none, whatever happens to the table meanwhile. Nothing is assumed about how rows are spread: the first page of
//! a range says how dense it begins, and a part that turns out too dense is cut again.

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

use super::assumptions::CREATED;

/// Rows of one table by when they were created, in whole seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Range {
    /// Rows that do not say when.
    Unknown,
    /// From a second on, up to but not including another; open where there is none.
    Between(Option<i64>, Option<i64>),
}

/// A range to be read, and how many rows it may hold at the most, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) range: Range,
    pub(super) rows_expected: u64,
}

/// A stretch of time to be cut into parts, and what is known of the rows in it.
pub(super) struct Span {
    /// The second of its first row.
    pub(super) from: i64,
    /// Where it ends, if it does.
    pub(super) until: Option<i64>,
    /// The second of the newest row of the table.
    pub(super) newest: i64,
    /// Rows that it holds at the most.
    pub(super) rows: u64,
    /// Rows in a full page.
    pub(super) page_rows: u64,
    /// Seconds that such a page spanned just before.
    pub(super) page_seconds: Option<i64>,
}

impl Range {
    /// The condition that holds for its rows alone.
    pub(super) fn filter(self) -> String {
        let at =
            |second: i64| DateTime::from_timestamp(second, 0).map(|t| t.to_rfc3339_opts(SecondsFormat::Secs, true));
        match self {
            Range::Unknown => format!("{CREATED} eq null"),
            Range::Between(from, until) => {
                let from = from.and_then(at).map(|from| format!("{CREATED} ge {from}"));
                let until = until.and_then(at).map(|until| format!("{CREATED} lt {until}"));
                let bounds: Vec<String> = from.into_iter().chain(until).collect();
                if bounds.is_empty() { format!("{CREATED} ne null") } else { bounds.join(" and ") }
            }
        }
    }
}

impl Span {
    /// All that a table holds, before a page of it is read.
    pub(super) fn whole((oldest, newest): (i64, i64), rows: u64, page_rows: u64) -> Self {
        Span { from: oldest, until: None, newest, rows, page_rows, page_seconds: None }
    }

    /// Parts of about a page each, one after the other, without a gap: two or more where there is more than a second.
    pub(super) fn parts(&self, most: i64) -> Vec<Part> {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX).max(1);
        let end = self.until.unwrap_or(self.newest.max(self.from) + 1);
        let seconds = (end - self.from).max(1);
        let (page, known) = (whole(self.page_rows), whole(self.rows.max(self.page_rows)));
        // A table may be counted without the job's filter, so the page just read has a word too.
        let dense = self.page_seconds.map_or(known, |span| page.saturating_mul(seconds) / span.max(1));
        let rows = known.min(dense);
        // A tenth less than a page, so that an even spread leaves most parts with one page and no rest.
        let count = (rows.saturating_mul(10) / page.saturating_mul(9) + 1).clamp(2, most.max(2)).min(seconds);
        let rows_expected = self.rows.div_ceil(whole_unsigned(count));
        // The first part of a table and the last one are open, so that nothing lies outside of all of them.
        let edge = |number: i64| match number {
            0 => self.page_seconds.map(|_| self.from),
            last if last == count => self.until,
            between => Some(self.from + scaled(seconds, between, count)),
        };
        let part = |number| Part { range: Range::Between(edge(number), edge(number + 1)), rows_expected };
        (0..count).map(part).collect()
    }
}

/// `seconds * number / count`, which fits as `number` is not above `count`.
fn scaled(seconds: i64, number: i64, count: i64) -> i64 {
    i64::try_from(i128::from(seconds) * i128::from(number) / i128::from(count)).unwrap_or(seconds)
}

fn whole_unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(1).max(1)
}
