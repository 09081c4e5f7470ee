//! The times of a schedule, one after the other.

use chrono::{DateTime, TimeDelta, Utc};

use super::plan::Plan;
use crate::model::schedule::Schedule;

/// Times that are looked at for the longest gap: more than a week of each minute of working hours.
const GAPS_LOOKED_AT: usize = 10_000;
/// How far ahead they are looked at: two months have one of 31 days.
const GAPS_WITHIN: TimeDelta = TimeDelta::days(62);

/// The first time after a moment; none if the schedule has ended.
#[must_use]
pub fn next_after(schedule: &Schedule, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    times(schedule, after).next()
}

/// All times after a moment, in order, each once. Without an `UNTIL` there is no end to them.
#[must_use]
pub fn times(schedule: &Schedule, after: DateTime<Utc>) -> Times {
    Times { plan: Plan::of(schedule), after }
}

/// The times after one moment, up to another and at it.
pub fn between(schedule: &Schedule, after: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    times(schedule, after).take_while(move |at| *at <= until)
}

/// The longest time between two times of a schedule that follow each other, as far as [`GAPS_LOOKED_AT`] and [`GAPS_WITHIN`] go; none if
/// fewer than two are to come.
#[must_use]
pub fn longest_gap(schedule: &Schedule, after: DateTime<Utc>) -> Option<TimeDelta> {
    let mut times = times(schedule, after).take(GAPS_LOOKED_AT);
    let mut last = times.next()?;
    let until = last.checked_add_signed(GAPS_WITHIN).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let mut longest = None;
    for at in times {
        longest = longest.max(Some(at - last));
        last = at;
        if at > until {
            break;
        }
    }
    longest
}

/// See [`times`].
#[derive(Debug, Clone)]
pub struct Times {
    plan: Option<Plan>,
    after: DateTime<Utc>,
}

impl Iterator for Times {
    type Item = DateTime<Utc>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.plan.as_ref()?.next_after(self.after);
        match next {
            Some(at) => self.after = at,
            None => self.plan = None,
        }
        next
    }
}
