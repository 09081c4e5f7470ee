//! Values as another type: null where one cannot be the other.

use arrow::datatypes::DataType;
use datafusion::functions::expr_fn::{regexp_replace, round, rtrim};
use datafusion::logical_expr::{Expr, lit, try_cast};

use super::calculate::finite;
use super::lower::null_of;
use super::moment::{Zone, within_calendar};
use super::steps::Steps;
use crate::model::value::ValueType;

/// A day with a time behind it: the day that is written counts, in whatever zone it was written.
const DAY_AND_TIME: &str =
    r"^(\d{4}-\d\d?-\d\d?)[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?\s?([Zz]|[+-]\d\d(:?\d\d)?|[A-Za-z]+/[A-Za-z_/]+)?$";
/// Whatever else is longer than a day is none: Arrow would read some of it, as a day in UTC.
const LONGER_THAN_A_DAY: &str = r"(?s)^.{11,}$";

/// A value as another type; null where it cannot be one.
pub(super) fn converted(value: Expr, from: ValueType, to: ValueType, zone: &Zone, steps: &mut Steps) -> Expr {
    match (from, to) {
        (ValueType::Null, _) => null_of(to),
        (a, b) if a == b => value,
        (ValueType::Date, ValueType::DateTime) => {
            zone.moment(try_cast(within_calendar(value, steps), Zone::wall_type()), steps)
        }
        (ValueType::DateTime, ValueType::Date) => try_cast(zone.wall(value, steps), to.arrow()),
        (ValueType::DateTime, ValueType::Text) => try_cast(zone.shown(value, steps), to.arrow()),
        (ValueType::Text, ValueType::DateTime) => zone.read(value, steps),
        // Arrow reads years of any length, and then cannot write them.
        (ValueType::Text, ValueType::Date) => {
            let day = regexp_replace(value, lit(DAY_AND_TIME), lit("\\1"), None);
            let day = regexp_replace(day, lit(LONGER_THAN_A_DAY), lit(""), None);
            within_calendar(try_cast(day, to.arrow()), steps)
        }
        // Halves go away from zero, as in a number field; Arrow would cut them. By way of 256 bits, which DataFusion does not look
        // through: of `CAST(x AS INTEGER) = 1` it would make `x = 1.0`, as if nothing were rounded.
        (ValueType::Decimal, ValueType::Integer) => {
            let rounded = try_cast(try_cast(value, DataType::Decimal256(38, 0)), DataType::Decimal128(38, 0));
            try_cast(rounded, to.arrow())
        }
        (ValueType::Text, ValueType::Double) => finite(try_cast(value, to.arrow()), steps),
        (ValueType::Double, ValueType::Integer) => try_cast(round(vec![value]), to.arrow()),
        // 12.5000000000 is 12.5, and 12.0000000000 is 12.
        (ValueType::Decimal, ValueType::Text) => {
            let text = try_cast(value, to.arrow());
            rtrim(vec![rtrim(vec![text, lit("0")]), lit(".")])
        }
        _ => try_cast(value, to.arrow()),
    }
}
