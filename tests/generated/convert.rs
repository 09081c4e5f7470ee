//! Casts, the calendar of a time zone, and numbers brought to so many digits.

use chrono::{DateTime, Days, MappedLocalTime, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::expression::Stretch;
use super::value::{ONE, T, V, decimal, plain};

/// A value, not null, as another type.
pub fn cast(value: &V, to: T, zone: Tz) -> Option<V> {
    Some(match (value, to) {
        (V::Text(text), T::Text) => V::text(text),
        (V::Whole(n), T::Text) => V::Text(n.to_string()),
        (V::Exact(n), T::Text) => V::Text(plain(*n)),
        (V::Flag(truth), T::Text) => V::Text(truth.to_string()),
        (V::Day(day), T::Text) => V::Text(date(*day).to_string()),
        (V::Moment(at), T::Text) => {
            let shown = DateTime::from_timestamp_millis(*at).unwrap().with_timezone(&zone);
            V::Text(shown.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
        }
        (V::Text(text), T::Whole) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
            V::Whole(text.parse().ok().filter(|_| is_number)?)
        }
        (V::Text(text), T::Exact) => V::Exact(decimal(text)?),
        (V::Text(text), T::Flag) => match text.to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => V::Flag(true),
            "false" | "f" | "no" | "n" | "off" | "0" => V::Flag(false),
            _ => return None,
        },
        (V::Text(text), T::Day) => V::Day(written_day(text)?),
        (V::Text(text), T::Moment) => V::Moment(read(text, zone)?),
        (V::Whole(n), T::Whole) => V::Whole(*n),
        (V::Whole(n), T::Exact) => V::Exact(i128::from(*n) * ONE),
        (V::Exact(n), T::Exact) => V::Exact(*n),
        (V::Exact(n), T::Whole) => V::Whole(i64::try_from(rounded(*n, 0) / ONE).ok()?),
        (V::Flag(truth), T::Whole) => V::Whole(i64::from(*truth)),
        (V::Day(d), T::Day) => V::Day(*d),
        (V::Day(d), T::Moment) => V::Moment(midnight(*d, zone)),
        (V::Moment(at), T::Day) => V::Day(day_of(*at, zone)),
        (V::Moment(at), T::Moment) => V::Moment(*at),
        other => panic!("{other:?} is no cast that is made"),
    })
}

fn date(day: i64) -> NaiveDate {
    NaiveDate::from_epoch_days(i32::try_from(day).unwrap()).unwrap()
}

fn day(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}

/// The moment at which clocks show this: the earlier of two; where they skip it, as long after the jump as it is after the
/// beginning of the gap.
fn moment(wall: NaiveDateTime, zone: Tz) -> i64 {
    match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => at.timestamp_millis(),
        MappedLocalTime::None => moment(wall + TimeDelta::hours(1), zone),
    }
}

pub fn midnight(day: i64, zone: Tz) -> i64 {
    moment(date(day).and_hms_opt(0, 0, 0).unwrap(), zone)
}

pub fn day_of(millis: i64, zone: Tz) -> i64 {
    day(DateTime::from_timestamp_millis(millis).unwrap().with_timezone(&zone).date_naive())
}

/// The day that a text begins with; a time may stand behind it.
fn written_day(text: &str) -> Option<i64> {
    let (first, rest) = text.split_at_checked(10)?;
    let is_time = |form: &str| NaiveDateTime::parse_from_str(text, form).is_ok();
    let is_fine = rest.is_empty()
        || DateTime::parse_from_rfc3339(text).is_ok()
        || ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"].into_iter().any(is_time);
    let found = NaiveDate::parse_from_str(first, "%Y-%m-%d").ok().filter(|_| is_fine)?;
    Some(day(found))
}

fn read(text: &str, zone: Tz) -> Option<i64> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.timestamp_millis());
    }
    text.split_at_checked(10).filter(|(first, _)| first.as_bytes()[4] == b'-')?;
    let wall = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S"))
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M"));
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    Some(moment(wall.ok().or_else(day)?, zone))
}

pub fn moved_day(from: i64, by: Stretch) -> Option<i64> {
    let from = date(from);
    let months = Months::new(u32::try_from(by.months.abs()).unwrap());
    let moved = if by.months < 0 { from.checked_sub_months(months)? } else { from.checked_add_months(months)? };
    let days = Days::new(by.days.unsigned_abs());
    let moved = if by.days < 0 { moved.checked_sub_days(days)? } else { moved.checked_add_days(days)? };
    Some(day(moved))
}

/// Months and days by the calendar of the zone, hours by the clock.
pub fn moved_moment(from: i64, by: Stretch, zone: Tz) -> Option<i64> {
    let mut at = from;
    if by.months != 0 || by.days != 0 {
        let wall = DateTime::from_timestamp_millis(from).unwrap().with_timezone(&zone).naive_local();
        at = moment(date(moved_day(day(wall.date()), by)?).and_time(wall.time()), zone);
    }
    Some(at + by.hours * 3_600_000)
}

/// A decimal with so many digits behind the point: halves go away from zero.
pub fn rounded(exact: i128, digits: u32) -> i128 {
    let unit = 10_i128.pow(10 - digits);
    let half = if exact < 0 { -(unit / 2) } else { unit / 2 };
    (exact + half) / unit * unit
}

/// The product, rounded half away from zero. In two parts, as the whole of it may not fit.
pub fn multiplied(a: i128, b: i128) -> i128 {
    let whole = (a / ONE).checked_mul(b).expect("numbers are small enough");
    let rest = (a % ONE).checked_mul(b).expect("numbers are small enough");
    let half = if rest < 0 { -(ONE / 2) } else { ONE / 2 };
    whole + (rest + half) / ONE
}

/// The quotient, rounded half away from zero; none by zero.
pub fn divided(a: i128, b: i128) -> Option<i128> {
    let scaled = a.checked_mul(ONE).expect("numbers are small enough");
    let quotient = scaled.checked_div(b)?;
    let rest = scaled % b;
    let away = if (scaled < 0) == (b < 0) { 1 } else { -1 };
    Some(if 2 * rest.abs() >= b.abs() { quotient + away } else { quotient })
}
