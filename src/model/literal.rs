//! Constants of a script.

use super::value::ValueType;

/// A constant in a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `'text'`.
    Text(String),
    /// `42`.
    Integer(i64),
    /// `4.2`, as written.
    Decimal(String),
    /// `TRUE`, `FALSE`.
    Boolean(bool),
    /// `DATE '2026-01-31'`: days since 1970-01-01.
    Date(i32),
    /// `TIMESTAMP '2026-01-31 10:00'`: milliseconds since 1970-01-01, UTC.
    DateTime(i64),
    /// `INTERVAL '7 days'`.
    Interval(Interval),
    /// `NULL`.
    Null,
}

/// A stretch of the calendar: months and days have no fixed length, the rest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    /// Months, twelve to the year.
    pub months: i32,
    /// Days, seven to the week.
    pub days: i32,
    /// Milliseconds.
    pub millis: i64,
}

impl Literal {
    /// The type of the constant.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Integer(_) => ValueType::Integer,
            Self::Decimal(_) => ValueType::Decimal,
            Self::Boolean(_) => ValueType::Boolean,
            Self::Date(_) => ValueType::Date,
            Self::DateTime(_) => ValueType::DateTime,
            Self::Interval(_) => ValueType::Interval,
            Self::Null => ValueType::Null,
        }
    }
}

impl Interval {
    /// The longest stretch that a script may name, in days: some 1,000 years.
    pub const DAYS_AT_MOST: i64 = 366_000;

    /// The same stretch backwards.
    #[must_use]
    pub fn back(self) -> Self {
        Self { months: -self.months, days: -self.days, millis: -self.millis }
    }

    /// Whether it moves a day to a day.
    #[must_use]
    pub fn is_whole_days(self) -> bool {
        self.millis == 0
    }
}
