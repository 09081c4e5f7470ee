//! Calls of DataFusion's functions: with arguments that they have a value for, and results of the types that a job knows.

use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::round;
use datafusion::logical_expr::{Expr, lit, try_cast};

use super::functions::function;
use super::lower::null_of;
use super::moment::{Zone, within};
use super::steps::Steps;
use crate::model::expression::Call;
use crate::model::value::ValueType;

/// The greatest decimal that rounding cannot carry beyond 38 digits, in units of its last digit.
const ROUNDED_AT_MOST: i128 = 10_i128.pow(37);

/// The call of a function with its lowered arguments.
pub(super) fn called(call: &Call, arguments: Vec<Expr>, zone: &Zone, steps: &mut Steps) -> Expr {
    let limited = arguments.into_iter().enumerate().map(|(n, value)| match call.bounds.get(n).copied().flatten() {
        Some((least, most)) => within(value, lit(least), lit(most), steps),
        None => value,
    });
    let mut arguments: Vec<Expr> = limited.collect();
    let returns = call.returns.arrow();
    let Some(function) = function(&call.name) else { return null_of(call.returns) };
    match (function.name(), call.returns) {
        // On the clock of the job's zone, not on that of UTC.
        ("date_part" | "to_char", _) => {
            let moment = usize::from(function.name() == "date_part");
            let value = arguments[moment].clone();
            arguments[moment] = if call.of_days { try_cast(value, Zone::wall_type()) } else { zone.wall(value) };
            try_cast(function.call(arguments), returns)
        }
        ("date_trunc", ValueType::Date) => {
            arguments[1] = within_nanoseconds(try_cast(arguments[1].clone(), Zone::wall_type()), steps);
            try_cast(function.call(arguments), returns)
        }
        ("date_trunc", _) => {
            arguments[1] = within_nanoseconds(zone.wall(arguments[1].clone()), steps);
            zone.moment(try_cast(function.call(arguments), Zone::wall_type()), steps)
        }
        ("round", ValueType::Decimal) => {
            let most = |sign: i128| lit(ScalarValue::Decimal128(Some(sign * ROUNDED_AT_MOST), 38, 10));
            arguments[0] = within(arguments[0].clone(), most(-1), most(1), steps);
            try_cast(round(arguments), returns)
        }
        _ => try_cast(function.call(arguments), returns),
    }
}

/// Years and weeks are cut in nanoseconds, which 64 bits hold from 1678 to 2261 only.
fn within_nanoseconds(wall: Expr, steps: &mut Steps) -> Expr {
    let at = |millis: i64| lit(ScalarValue::TimestampMillisecond(Some(millis), None));
    within(wall, at(-9_214_560_000_000), at(9_214_646_400_000), steps)
}
