//! The clock on the wall of a zone: which moment is it when it shows a time, and when is it changed.
//!
//! In: times on the wall, and a zone. Out: moments.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// The first moment at which the clock shows a time; for a time that it skips, the first moment after the gap.
///
/// It never goes back: of two times on the wall, the later has no earlier moment.
pub(super) fn first(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let shown = zone.from_local_datetime(&wall).earliest();
    let moment = shown.or_else(|| GapInfo::new(&wall, &zone)?.end);
    Some(moment?.to_utc())
}

/// The first moment of a day.
pub(super) fn start_of_day(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    first(day.and_time(NaiveTime::MIN), zone)
}

/// The first moment of the day after.
pub(super) fn end_of_day(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    start_of_day(day.checked_add_days(Days::new(1))?, zone)
}

/// What the clock shows.
pub(super) fn shown(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

/// By how much the clock is ahead of UTC.
pub(super) fn ahead(at: DateTime<Utc>, zone: Tz) -> TimeDelta {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    TimeDelta::seconds(i64::from(offset.local_minus_utc()))
}

/// The first moment after `after`, up to `until`, from which on the clock is ahead of UTC by something else. Zones change at whole seconds.
pub(super) fn next_change(after: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let before = ahead(after, zone);
    let mut known = after;
    // No zone has changed its clock twice within a day.
    while known < until {
        let next = known.checked_add_signed(TimeDelta::days(1))?.min(until);
        if ahead(next, zone) != before {
            return Some(between(known, next, before, zone));
        }
        known = next;
    }
    None
}

/// Where the clock changes between a moment before and one after.
fn between(before: DateTime<Utc>, after: DateTime<Utc>, was: TimeDelta, zone: Tz) -> DateTime<Utc> {
    let (mut low, mut high) = (before.timestamp(), after.timestamp());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let is_before = DateTime::from_timestamp(middle, 0).is_some_and(|at| ahead(at, zone) == was);
        if is_before { low = middle } else { high = middle }
    }
    DateTime::from_timestamp(high, 0).unwrap_or(after)
}
