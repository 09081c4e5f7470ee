//! The times of a schedule, one after the other.

use chrono::{DateTime, Utc};

use super::plan::Plan;
use crate::model::schedule::Schedule;

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
