//! Days and moments in a time zone: what `TODAY`, `NOW` and intervals mean.
//!
//! In: the moment at which a run began, the zone of its job. Out: constants. Moments are milliseconds since 1970-01-01,
//! UTC; days are counted from the same date.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::expression::{Expression, Literal};
use super::literal::Interval;
use super::value::ValueType;

/// The years that dates may lie in.
const YEARS: RangeInclusive<i32> = 1..=9999;

/// The zone of an IANA name, such as `Europe/Berlin`.
#[must_use]
pub fn zone(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// The IANA names, for "did you mean".
pub fn zone_names() -> impl Iterator<Item = &'static str> {
    chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())
}

/// The day that it is in a zone at a moment.
#[must_use]
pub fn day_of(millis: i64, zone: Tz) -> Option<i32> {
    let moment = DateTime::<Utc>::from_timestamp_millis(millis)?;
    Some(days(moment.with_timezone(&zone).date_naive()))
}

/// The hours that clocks have been known to jump: by one in spring, by more where a country changed its zone.
pub const JUMPS: [i64; 4] = [1, 2, 3, 24];

/// The moment at which a clock in the zone shows this time. Of two, the earlier; for a time that clocks leave out, as long after
/// the jump as it is after the jump's beginning.
#[must_use]
pub fn moment_of(wall: NaiveDateTime, zone: Tz) -> Option<i64> {
    let shown = |wall: NaiveDateTime| zone.from_local_datetime(&wall).single();
    let after = |hours: &i64| {
        let jump = TimeDelta::hours(*hours);
        shown(wall.checked_sub_signed(jump)?)?.checked_add_signed(jump)
    };
    let moment = shown(wall).or_else(|| JUMPS.iter().find_map(after))?;
    Some(moment.timestamp_millis())
}

/// A day, moved.
#[must_use]
pub fn shift_day(day: i32, by: Interval) -> Option<i32> {
    shift_date(date(day)?, by).filter(|date| YEARS.contains(&date.year())).map(days)
}

/// A moment, moved: months and days by the calendar of the zone, the rest by the clock.
#[must_use]
pub fn shift_moment(millis: i64, by: Interval, zone: Tz) -> Option<i64> {
    let moment = DateTime::<Utc>::from_timestamp_millis(millis)?;
    let moved = if by.months == 0 && by.days == 0 {
        millis
    } else {
        let wall = moment.with_timezone(&zone).naive_local();
        moment_of(shift_date(wall.date(), by)?.and_time(wall.time()), zone)?
    };
    let moved = moved.checked_add(by.millis)?;
    let year = DateTime::<Utc>::from_timestamp_millis(moved)?.year();
    YEARS.contains(&year).then_some(moved)
}

/// One node of an expression, with `NOW`, `TODAY` and what follows from them calculated.
#[must_use]
pub fn settled(node: Expression, now_millis: i64, zone: Tz) -> Expression {
    let made = match &node {
        Expression::Now => Some(Literal::DateTime(now_millis)),
        Expression::Today => day_of(now_millis, zone).map(Literal::Date),
        Expression::Shift { operand, by, of } => match (operand.as_ref(), of) {
            (Expression::Literal(Literal::Date(day)), ValueType::Date) => shift_day(*day, *by).map(Literal::Date),
            (Expression::Literal(Literal::DateTime(at)), _) => shift_moment(*at, *by, zone).map(Literal::DateTime),
            _ => None,
        },
        Expression::Cast { operand, from: ValueType::Date, to: ValueType::DateTime, .. } => match operand.as_ref() {
            Expression::Literal(Literal::Date(day)) => {
                date(*day).and_then(|d| moment_of(d.and_hms_opt(0, 0, 0)?, zone)).map(Literal::DateTime)
            }
            _ => None,
        },
        _ => None,
    };
    made.map_or(node, Expression::Literal)
}

/// The date of a day.
#[must_use]
pub fn date(day: i32) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(day)
}

/// The day of a date.
#[must_use]
pub fn days(date: NaiveDate) -> i32 {
    date.to_epoch_days()
}

/// What `DATE '…'` says: year, month and day, of the years that dates of both services lie in.
#[must_use]
pub fn read_date(text: &str) -> Option<i32> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().filter(|date| YEARS.contains(&date.year())).map(days)
}

/// What `TIMESTAMP '…'` says: a time on a wall, or a moment if it names its distance from UTC.
#[must_use]
pub fn read_moment(text: &str) -> Option<Result<i64, NaiveDateTime>> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return YEARS.contains(&moment.to_utc().year()).then(|| Ok(moment.timestamp_millis()));
    }
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let wall = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let wall = wall.or_else(|| date(read_date(text)?)?.and_hms_opt(0, 0, 0)).filter(|w| YEARS.contains(&w.year()))?;
    Some(Err(wall))
}

/// The units of intervals: what one of each is in months, days and milliseconds.
const UNITS: [(&str, i64, i64, i64); 7] = [
    ("year", 12, 0, 0),
    ("month", 1, 0, 0),
    ("week", 0, 7, 0),
    ("day", 0, 1, 0),
    ("hour", 0, 0, 3_600_000),
    ("minute", 0, 0, 60_000),
    ("second", 0, 0, 1_000),
];

/// The longest stretch of hours, minutes and seconds: some 290 years.
const MILLIS_AT_MOST: i64 = 106_000 * 86_400_000;

/// What `INTERVAL '…'` says: numbers with their units, such as `1 month 7 days`. None if it says nothing, or a stretch
/// beyond [`Interval::DAYS_AT_MOST`].
#[must_use]
pub fn read_interval(text: &str) -> Option<Interval> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return None;
    }
    let (mut months, mut days, mut millis) = (0_i64, 0_i64, 0_i64);
    for pair in words.chunks(2) {
        let count: i64 = pair[0].parse().ok()?;
        let written = pair[1].to_ascii_lowercase();
        let singular = written.strip_suffix('s').unwrap_or(&written);
        let (_, of_months, of_days, of_millis) = UNITS.iter().find(|(name, ..)| *name == singular)?;
        months = months.checked_add(count.checked_mul(*of_months)?)?;
        days = days.checked_add(count.checked_mul(*of_days)?)?;
        millis = millis.checked_add(count.checked_mul(*of_millis)?)?;
        let length = months
            .checked_abs()?
            .checked_mul(31)?
            .checked_add(days.checked_abs()?)?
            .checked_add(millis.checked_abs()? / 86_400_000)?;
        if length > Interval::DAYS_AT_MOST {
            return None;
        }
    }
    // Engines count the part without a calendar in nanoseconds.
    if millis.checked_abs()? > MILLIS_AT_MOST {
        return None;
    }
    Some(Interval { months: months.try_into().ok()?, days: days.try_into().ok()?, millis })
}

fn shift_date(from: NaiveDate, by: Interval) -> Option<NaiveDate> {
    let months = Months::new(by.months.unsigned_abs());
    let moved = if by.months < 0 { from.checked_sub_months(months)? } else { from.checked_add_months(months)? };
    let days = Days::new(u64::from(by.days.unsigned_abs()));
    if by.days < 0 { moved.checked_sub_days(days) } else { moved.checked_add_days(days) }
}
