//! Ranges of the moment of creation: what they ask for, and how what is left of one is cut into parts.
//!
//! Pure. The moment of creation never changes, so ranges that do not overlap have no row in common, and ranges without a
//! gap miss none, whatever happens to the table meanwhile. Nothing is assumed about how rows are spread: the first page of
//! a range says how dense it begins, and a part that turns out too dense is cut again.

use chrono::{DateTime, SecondsFormat};

use super::assumptions::{CREATED, PARTS_AT_MOST};

/// Rows of one table by when they were created, in whole seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// Rows that do not say when.
    Unknown,
    /// From a second on, up to but not including another; open where there is none.
    Between(Option<i64>, Option<i64>),
}

/// A range to be read, and how many rows it may hold at the most, as far as is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) range: Range,
    pub(super) rows_expected: u64,
}

/// What is left of a range after a page of it.
pub(super) struct Left {
    /// The second from which rows were not read.
    pub(super) from: i64,
    /// Where the range ends.
    pub(super) until: Option<i64>,
    /// The second of the newest row of the table.
    pub(super) newest: i64,
    /// Seconds that the page spanned.
    pub(super) page_seconds: i64,
    /// Rows in a full page.
    pub(super) page_rows: u64,
    /// Rows that the range holds at the most.
    pub(super) rows_expected: u64,
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

impl Left {
    /// Parts of about a page each, one after the other, without a gap.
    pub(super) fn parts(&self) -> Vec<Part> {
        let end = self.until.unwrap_or(self.newest.max(self.from) + 1);
        let seconds = (end - self.from).max(1);
        let known = i64::try_from(self.rows_expected.saturating_sub(self.page_rows)).unwrap_or(i64::MAX);
        let page = i64::try_from(self.page_rows).unwrap_or(i64::MAX).max(1);
        let dense = page.saturating_mul(seconds) / self.page_seconds.max(1);
        // A tenth less than a page, so that an even spread leaves most parts with one page and no rest.
        let rows = known.min(dense).max(page);
        let count = (rows.saturating_mul(10) / page.saturating_mul(9) + 1).clamp(2, PARTS_AT_MOST).min(seconds);
        let edge = |number: i64| {
            self.from + i64::try_from(i128::from(seconds) * i128::from(number) / i128::from(count)).unwrap_or(0)
        };
        let each = u64::try_from(known.max(page) / count).unwrap_or(0).max(1);
        (0..count)
            .map(|number| {
                let until = if number + 1 == count { self.until } else { Some(edge(number + 1)) };
                Part { range: Range::Between(Some(edge(number)), until), rows_expected: each }
            })
            .collect()
    }
}
