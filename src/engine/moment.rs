//! Days and moments inside a plan: on the clock of the job's time zone, without a row that could make them fail.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::{coalesce, regexp_replace, to_local_time};
use datafusion::logical_expr::{Case, Expr, cast, lit, try_cast};

use super::steps::Steps;
use crate::model::job::Job;
use crate::model::literal::Interval;
use crate::model::moment::JUMPS;
use crate::model::value::ValueType;

/// The days from 0001-01-01 to 9999-12-31, as counted from 1970: what dates of both services lie in.
const DAYS: (i32, i32) = (-719_162, 2_932_896);
/// A time of hours and minutes, which Arrow does not read.
const WITHOUT_SECONDS: &str = r"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(Z|[+-]\d\d:?\d\d)?$";
const MILLIS_OF_A_DAY: i64 = 86_400_000;

/// The time zone of a job.
pub(super) struct Zone(String);

impl Zone {
    pub(super) fn of(job: &Job) -> Self {
        Self(job.zone.clone())
    }

    /// The type of a time on a wall.
    pub(super) fn wall_type() -> DataType {
        DataType::Timestamp(TimeUnit::Millisecond, None)
    }

    fn zoned(&self) -> DataType {
        DataType::Timestamp(TimeUnit::Millisecond, Some(self.0.as_str().into()))
    }

    /// What a clock in the zone shows at a moment.
    pub(super) fn wall(&self, moment: Expr, steps: &mut Steps) -> Expr {
        if self.0 == "UTC" {
            return cast(moment, Self::wall_type());
        }
        to_local_time(vec![cast(moments_within_calendar(moment, steps), self.zoned())])
    }

    /// The moment at which a clock in the zone shows a time: of two the earlier; for a time that clocks leave out, as long after
    /// the jump as it is after the jump's beginning. `model::moment` says the same.
    pub(super) fn moment(&self, wall: Expr, steps: &mut Steps) -> Expr {
        let utc = |zoned: Expr| cast(zoned, ValueType::DateTime.arrow());
        if self.0 == "UTC" {
            return utc(wall);
        }
        let at = |day: i32| {
            let millis = i64::from(day) * MILLIS_OF_A_DAY;
            lit(ScalarValue::TimestampMillisecond(Some(millis), None))
        };
        let wall = within(wall, at(DAYS.0), at(DAYS.1), steps);
        let wall = steps.once(wall);
        let mut read = vec![utc(try_cast(wall.clone(), self.zoned()))];
        for jump in JUMPS {
            read.push(utc(try_cast(wall.clone() - hours(jump), self.zoned())) + hours(jump));
        }
        coalesce(read)
    }

    /// A moment with its distance from UTC in the zone, ready to be made a text.
    pub(super) fn shown(&self, moment: Expr, steps: &mut Steps) -> Expr {
        cast(moments_within_calendar(moment, steps), self.zoned())
    }

    /// The moment that a text names: by its own distance from UTC if it has one, else on the clock of the zone.
    pub(super) fn read(&self, text: Expr, steps: &mut Steps) -> Expr {
        let text = steps.once(regexp_replace(text, lit(WITHOUT_SECONDS), lit("\\1:00\\2"), None));
        let direct = cast(try_cast(text.clone(), self.zoned()), ValueType::DateTime.arrow());
        if self.0 == "UTC" {
            return moments_within_calendar(direct, steps);
        }
        // A time that the zone's clocks skip or show twice is read as one on a wall.
        let wall = self.moment(try_cast(text, Self::wall_type()), steps);
        moments_within_calendar(coalesce(vec![direct, wall]), steps)
    }
}

/// A day or a moment, moved: months and days by the calendar, the rest by the clock. Null beyond the calendar.
pub(super) fn shifted(operand: Expr, by: Interval, of: ValueType, zone: &Zone, steps: &mut Steps) -> Expr {
    if of == ValueType::Date {
        let moved = cast(within_calendar(operand, steps) + interval(by.months, by.days, 0), of.arrow());
        return within_calendar(moved, steps);
    }
    let mut moved = moments_within_calendar(operand, steps);
    if by.months != 0 || by.days != 0 {
        moved = zone.moment(zone.wall(moved, steps) + interval(by.months, by.days, 0), steps);
    }
    if by.millis != 0 {
        moved = moved + interval(0, 0, by.millis);
    }
    moments_within_calendar(moved, steps)
}

/// A day of the years 1 to 9999, or null.
pub(super) fn within_calendar(day: Expr, steps: &mut Steps) -> Expr {
    let at = |day: i32| lit(ScalarValue::Date32(Some(day)));
    within(day, at(DAYS.0), at(DAYS.1), steps)
}

/// A moment of the years 1 to 9999, or null.
fn moments_within_calendar(moment: Expr, steps: &mut Steps) -> Expr {
    let at = |day: i32| {
        let millis = i64::from(day) * MILLIS_OF_A_DAY;
        lit(ScalarValue::TimestampMillisecond(Some(millis), Some("UTC".into())))
    };
    within(moment, at(DAYS.0), at(DAYS.1), steps)
}

/// A value between two others, or null.
pub(super) fn within(value: Expr, least: Expr, most: Expr, steps: &mut Steps) -> Expr {
    let value = steps.once(value);
    let inside = value.clone().between(least, most);
    Expr::Case(Case::new(None, vec![(Box::new(inside), Box::new(value))], None))
}

fn hours(count: i64) -> Expr {
    interval(0, 0, count * 3_600_000)
}

fn interval(months: i32, days: i32, millis: i64) -> Expr {
    let nanos = millis.saturating_mul(1_000_000);
    lit(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(months, days, nanos))))
}
