//! Cron lines of five fields. The sole home of the crate that reads them.
//!
//! In: minute, hour, day of the month, month, day of the week, as in cron: `*`, lists, ranges, steps, `MON-FRI`, `JAN`; also `?` for a day,
//! `L` for the last one, `15W` for the weekday next to it, `5#2` for the second Friday. Where both days are restricted, a day needs to be one of them.
//! Out: times on the wall, or what is wrong with the line. What is read here is what will run: a line that never comes is refused.

use chrono::{NaiveDate, NaiveDateTime};
use croner::parser::{CronParser, Seconds, Year};

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Each field: least, most, what it is, and the words that may stand in it.
const FIELDS: [(u32, u32, &str, &[&str]); 5] = [
    (0, 59, "minute", &[]),
    (0, 23, "hour", &[]),
    (1, 31, "day of the month", &["L", "W", "LW"]),
    (1, 12, "month", &MONTHS),
    (0, 7, "day of the week", &DAYS),
];

/// A line that was read.
#[derive(Debug, Clone)]
pub struct Cron {
    line: croner::Cron,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What.
    pub message: String,
    /// What to do about it.
    pub help: Option<&'static str>,
}

impl Cron {
    /// Reads a line.
    ///
    /// # Errors
    /// If it has not five fields, one of them cannot be read, or no day has all that it asks for.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(Wrong {
                message: format!("a cron line has five fields, and this has {}", fields.len()),
                help: Some("minute, hour, day of the month, month, day of the week: '0 2 * * 1-5'"),
            });
        }
        for (at, (field, (least, most, what, words))) in fields.iter().zip(FIELDS).enumerate() {
            let mut alone = ["*"; 5];
            alone[at] = field;
            if !has_only(field, words) || parsed(&alone.join(" ")).is_none() {
                let message = format!("`{field}` is no {what} ({least} to {most})");
                return Err(Wrong { message, help: help_with(field, at) });
            }
        }
        let never = || Wrong {
            message: format!("`{}` never comes: no month has such a day", fields.join(" ")),
            help: Some("L is the last day of each month: '0 2 L * *'"),
        };
        let read = parsed(&fields.join(" ")).map(|line| Self { line }).ok_or_else(never)?;
        // The calendar repeats itself after 400 years; what has not come after 40 is of no use to anybody.
        let start = NaiveDate::from_ymd_opt(2000, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0));
        let first = start.and_then(|start| read.next(start, true));
        if first.is_some_and(|first| Some(first.date()) < NaiveDate::from_ymd_opt(2040, 1, 1)) {
            Ok(read)
        } else {
            Err(never())
        }
    }

    /// The first time on the wall after another, or at it.
    pub(super) fn next(&self, after: NaiveDateTime, is_at_it: bool) -> Option<NaiveDateTime> {
        self.line.find_next_occurrence(&after, is_at_it).ok()
    }

    /// Whether it runs in each hour of its days.
    pub(super) fn is_every_hour(&self) -> bool {
        self.line.pattern.hours.values().len() == 24
    }
}

fn parsed(line: &str) -> Option<croner::Cron> {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build().parse(line).ok()
}

/// Whether a field has parts, of which each has numbers, signs and words of its own kind only: the crate would take `MON` for the first month.
fn has_only(field: &str, words: &[&str]) -> bool {
    let has_days = words.contains(&"SUN") || words.contains(&"L");
    if field == "?" {
        return has_days;
    }
    let is_right = |part: &str| {
        let part = part.to_ascii_uppercase();
        let is_sign = |c: char| c.is_ascii_digit() || "*/-".contains(c) || (c == '#' && words.contains(&"SUN"));
        let last = |word: &str| word == "L" || word.strip_suffix('L').is_some_and(|day| words.contains(&day));
        let mut parts = part.split(is_sign).filter(|word| !word.is_empty());
        !part.is_empty() && parts.all(|word| words.contains(&word) || (words.contains(&"SUN") && last(word)))
    };
    field.split(',').all(is_right)
}

fn help_with(field: &str, at: usize) -> Option<&'static str> {
    let has_start = field.split_once('/').is_some_and(|(start, _)| start.chars().all(|c| c.is_ascii_digit()));
    match at {
        _ if has_start => Some("a step needs a range or a star: '*/15', '5-59/15'"),
        3 => Some("or JAN to DEC"),
        4 => Some("0 and 7 are Sunday, 1 is Monday; or SUN to SAT"),
        _ => None,
    }
}
