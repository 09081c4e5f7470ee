//! When a job or a chain is due by itself, and who is told how it ended. Declared and checked here; nothing runs them yet.

use chrono::{NaiveDate, NaiveTime, Weekday};

/// `SCHEDULE …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The days or the pace.
    pub every: Every,
    /// The times of day; midnight where there are none.
    pub at: Vec<NaiveTime>,
    /// The time zone, an IANA name.
    pub zone: String,
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// What becomes of times that were missed.
    pub catch_up: CatchUp,
}

/// The days or the pace of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Every {
    /// A cron line of five fields.
    Cron(String),
    /// A pace, in seconds.
    Seconds(u64),
    /// Every day.
    Day,
    /// Monday to Friday.
    Weekday,
    /// These days of the week.
    Days(Vec<Weekday>),
    /// This day of each month; the last day of shorter months.
    DayOfMonth(u32),
}

/// What becomes of times that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// They are made up for once.
    One,
    /// Each is made up for.
    All,
    /// They are skipped.
    None,
}

/// `NOTIFY 'address' ON PARTIAL, FAILURE`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// The addresses.
    pub to: Vec<String>,
    /// After a success.
    pub on_success: bool,
    /// After a partial success.
    pub on_partial: bool,
    /// After a failure.
    pub on_failure: bool,
}
