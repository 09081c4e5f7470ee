//! Calls of DataFusion's functions: with arguments that they have a value for, and results of the types that a job knows.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::{octet_length, round};
use datafusion::logical_expr::{Case, Expr, ScalarUDF, cast, lit, try_cast};

use super::calculate::finite;
use super::functions::function;
use super::lower::null_of;
use super::moment::{Zone, within};
use super::steps::Steps;
use crate::model::expression::Call;
use crate::model::value::ValueType;

/// The greatest decimal that rounding cannot carry beyond 38 digits, in units of its last digit.
const ROUNDED_AT_MOST: i128 = 10_i128.pow(37);

/// The longest text that `REPEAT` makes, in bytes.
const REPEATED_BYTES: i64 = 128 << 10;
/// The longest text that could come of `REPLACE`, if every letter were replaced, in bytes.
const REPLACED_BYTES: i64 = 4 << 20;

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
            arguments[moment] = if call.of_days { try_cast(value, Zone::wall_type()) } else { zone.wall(value, steps) };
            try_cast(function.call(arguments), returns)
        }
        ("date_trunc", ValueType::Date) => {
            arguments[1] = within_nanoseconds(try_cast(arguments[1].clone(), Zone::wall_type()), steps);
            try_cast(function.call(arguments), returns)
        }
        ("date_trunc", _) => truncated(&function, arguments, zone, steps),
        ("round", ValueType::Decimal) => {
            let most = |sign: i128| lit(ScalarValue::Decimal128(Some(sign * ROUNDED_AT_MOST), 38, 10));
            arguments[0] = within(arguments[0].clone(), most(-1), most(1), steps);
            try_cast(round(arguments), returns)
        }
        ("repeat", _) => {
            let length = times(octet_length(arguments[0].clone()), arguments[1].clone());
            arguments[0] = no_longer(arguments[0].clone(), length, REPEATED_BYTES, steps);
            try_cast(function.call(arguments), returns)
        }
        ("replace" | "regexp_replace", _) => {
            let one = |text: &Expr| cast(octet_length(text.clone()), DataType::Int64) + lit(1_i64);
            let length = times(one(&arguments[0]), one(&arguments[2]));
            arguments[0] = no_longer(arguments[0].clone(), length, REPLACED_BYTES, steps);
            try_cast(function.call(arguments), returns)
        }
        // DataFusion makes `IS NOT NULL` of it, which is false for a null, where every other pattern gives null.
        ("regexp_like", _) if arguments[1] == lit(".*") => {
            arguments[1] = lit("");
            try_cast(function.call(arguments), returns)
        }
        ("sqrt", _) => {
            let positive = within(arguments[0].clone(), lit(0.0), lit(f64::MAX), steps);
            finite(try_cast(function.call(vec![positive]), returns), steps)
        }
        // Seconds that are over: DataFusion would count those before 1970 as not yet begun.
        ("to_unixtime", _) => {
            let millis = cast(arguments[0].clone(), DataType::Int64);
            let rest = (millis.clone() % lit(1_000_i64) + lit(1_000_i64)) % lit(1_000_i64);
            (millis - rest) / lit(1_000_i64)
        }
        (_, ValueType::Double) => finite(try_cast(function.call(arguments), returns), steps),
        _ => try_cast(function.call(arguments), returns),
    }
}

/// `DATE_TRUNC` of a moment: on the clock of the zone. What is shorter than a day is taken off the moment itself, as clocks may
/// show the hour twice.
fn truncated(function: &ScalarUDF, mut arguments: Vec<Expr>, zone: &Zone, steps: &mut Steps) -> Expr {
    let is_short = ["hour", "minute", "second"].iter().any(|part| arguments[0] == lit(*part));
    let moment = steps.once(arguments[1].clone());
    let wall = within_nanoseconds(zone.wall(moment.clone(), steps), steps);
    let wall = steps.once(wall);
    arguments[1] = wall.clone();
    let cut = try_cast(function.call(arguments), Zone::wall_type());
    if !is_short {
        return zone.moment(cut, steps);
    }
    let millis = |of: Expr| cast(of, DataType::Int64);
    try_cast(millis(moment) - (millis(wall) - millis(cut)), ValueType::DateTime.arrow())
}

fn times(length: Expr, count: Expr) -> Expr {
    cast(length, DataType::Int64) * cast(count, DataType::Int64)
}

/// A text if so much can come of it and no more, or null: texts of a batch together must fit into two gigabytes.
fn no_longer(text: Expr, length: Expr, most: i64, steps: &mut Steps) -> Expr {
    let fits = steps.once(length).lt_eq(lit(most));
    Expr::Case(Case::new(None, vec![(Box::new(fits), Box::new(text))], None))
}

/// Years and weeks are cut in nanoseconds, which 64 bits hold from 1678 to 2261 only.
fn within_nanoseconds(wall: Expr, steps: &mut Steps) -> Expr {
    let at = |millis: i64| lit(ScalarValue::TimestampMillisecond(Some(millis), None));
    within(wall, at(-9_214_560_000_000), at(9_214_646_400_000), steps)
}
