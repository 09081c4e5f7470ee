//! When a job or a chain is due by itself, what became of those times, and who is told how it ended.
//!
//! Declared here; `schedule` says which times a schedule means and which of them are due.

use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc, Weekday};

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

/// As it may be written in a script, without `SCHEDULE`.
impl Display for Schedule {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.every)?;
        for (number, time) in self.at.iter().enumerate() {
            write!(f, "{} '{}'", if number == 0 { " AT" } else { "," }, time.format("%H:%M"))?;
        }
        write!(f, " IN '{}'", self.zone)?;
        for (word, day) in [("FROM", self.from), ("UNTIL", self.until)] {
            day.map_or(Ok(()), |day| write!(f, " {word} '{day}'"))?;
        }
        match self.catch_up {
            CatchUp::One => Ok(()),
            CatchUp::All => f.write_str(" CATCH UP ALL"),
            CatchUp::None => f.write_str(" CATCH UP NONE"),
        }
    }
}

impl Display for Every {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cron(line) => write!(f, "CRON '{line}'"),
            Self::Seconds(seconds) => {
                let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
                let (length, unit) = units.into_iter().find(|(n, _)| seconds.is_multiple_of(*n)).unwrap_or((1, "s"));
                write!(f, "EVERY {}{unit}", seconds / length)
            }
            Self::Day => f.write_str("EVERY DAY"),
            Self::Weekday => f.write_str("EVERY WEEKDAY"),
            Self::Days(days) => {
                let names: Vec<&str> = days.iter().map(|day| name_of(*day)).collect();
                write!(f, "EVERY {}", names.join(", "))
            }
            Self::DayOfMonth(day) => write!(f, "EVERY MONTH ON DAY {day}"),
        }
    }
}

fn name_of(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "MONDAY",
        Weekday::Tue => "TUESDAY",
        Weekday::Wed => "WEDNESDAY",
        Weekday::Thu => "THURSDAY",
        Weekday::Fri => "FRIDAY",
        Weekday::Sat => "SATURDAY",
        Weekday::Sun => "SUNDAY",
    }
}

/// One time of a schedule that was decided: each is decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The time that the schedule gives.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub verdict: Verdict,
    /// How many times before it had the same fate and are not kept one by one.
    pub more: u64,
}

/// What becomes of a time of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is begun at its time.
    Begun,
    /// It is begun later, as nobody was there at its time.
    MadeUp,
    /// Nobody was there at its time, and it is skipped.
    Missed,
    /// It is skipped, as the one before it was still under way.
    Overlapped,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Begun, Self::MadeUp, Self::Missed, Self::Overlapped];

    /// The word that the state keeps and programs read.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::MadeUp => "made_up",
            Self::Missed => "missed",
            Self::Overlapped => "overlapped",
        }
    }

    /// The verdict of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Whether something is run.
    #[must_use]
    pub fn is_run(self) -> bool {
        matches!(self, Self::Begun | Self::MadeUp)
    }
}

/// What is remembered of a name that follows a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Everything up to this moment is decided: when the name was first seen with this schedule, or later.
    pub decided_until: DateTime<Utc>,
    /// The times that are decided around and after it.
    pub decided: BTreeSet<DateTime<Utc>>,
}

/// `NOTIFY 'address' ON PARTIAL, FAILURE`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Who is told.
    pub to: Vec<Address>,
    /// After a success.
    pub on_success: bool,
    /// After a partial success.
    pub on_partial: bool,
    /// After a failure.
    pub on_failure: bool,
}

/// Whom a notice goes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// A person: an e-mail address.
    Mail(String),
    /// A program: a URL that is sent a signed message.
    Webhook(String),
}

impl Address {
    /// The address as a script or the outbox writes it. It was checked where it came from.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.contains("://") { Self::Webhook(text.to_owned()) } else { Self::Mail(text.to_owned()) }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Mail(text) | Self::Webhook(text) => text,
        }
    }
}
