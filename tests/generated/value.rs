//! Values and types as the oracle has them: its own, so that nothing of what it judges is in them.

use std::cmp::Ordering;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum T {
    Text,
    Whole,
    Exact,
    Flag,
    Day,
    Moment,
    Id,
    Gsid,
    Choice,
}

/// A value. Ids are texts, choices are their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum V {
    Null,
    Text(String),
    Whole(i64),
    /// A decimal, in units of its tenth digit behind the point.
    Exact(i128),
    Flag(bool),
    /// Days since 1970-01-01.
    Day(i64),
    /// Milliseconds since 1970-01-01, UTC.
    Moment(i64),
}

/// What `V::Exact` counts in: one.
pub const ONE: i128 = 10_000_000_000;

impl V {
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// Which of two values of one kind comes first; whole numbers and decimals are of one kind.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Whole(a), Self::Whole(b)) | (Self::Day(a), Self::Day(b)) | (Self::Moment(a), Self::Moment(b)) => {
                a.cmp(b)
            }
            (Self::Exact(a), Self::Exact(b)) => a.cmp(b),
            (Self::Whole(a), Self::Exact(b)) => (i128::from(*a) * ONE).cmp(b),
            (Self::Exact(a), Self::Whole(b)) => a.cmp(&(i128::from(*b) * ONE)),
            (Self::Flag(a), Self::Flag(b)) => a.cmp(b),
            _ => panic!("{self:?} and {other:?} have no order"),
        }
    }
}

/// A decimal as people write it: no zeros at its end.
pub fn plain(exact: i128) -> String {
    let sign = if exact < 0 { "-" } else { "" };
    let digits = format!("{:011}", exact.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - 10);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Digits with a point, as a decimal; none if it is something else.
pub fn decimal(text: &str) -> Option<i128> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let digits = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 10 {
        return None;
    }
    format!("{whole}{fraction:0<10}").parse::<i128>().ok().map(|n| sign * n)
}
