//! Arithmetic that never fails a batch: a result that no column holds, or a division by zero, is null.
//!
//! Whole numbers and decimals are calculated exactly, in 76 digits, and then brought back to what a column holds: decimals are
//! rounded half away from zero to ten digits behind the point.

use arrow::datatypes::DataType;
use datafusion::functions::expr_fn::nullif;
use datafusion::logical_expr::{Expr, Operator, binary_expr, cast, lit, try_cast};

use super::moment::within;
use super::steps::Steps;
use crate::model::expression::Arithmetic;
use crate::model::value::ValueType;

/// Two numbers of the type `of`.
pub(super) fn arithmetic(operator: Arithmetic, left: Expr, right: Expr, of: ValueType, steps: &mut Steps) -> Expr {
    let sign = match operator {
        Arithmetic::Add => Operator::Plus,
        Arithmetic::Subtract => Operator::Minus,
        Arithmetic::Multiply => Operator::Multiply,
        Arithmetic::Divide => Operator::Divide,
        Arithmetic::Modulo => Operator::Modulo,
    };
    if of == ValueType::Double {
        return finite(binary_expr(left, sign, right), steps);
    }
    let wide = if of == ValueType::Integer { DataType::Decimal256(40, 0) } else { DataType::Decimal256(48, 10) };
    let right = cast(right, wide.clone());
    let divides = matches!(operator, Arithmetic::Divide | Arithmetic::Modulo);
    let right = if divides { nullif(right, cast(lit(0_i64), wide.clone())) } else { right };
    let exact = binary_expr(cast(left, wide), sign, right);
    if of == ValueType::Integer {
        // By way of 38 digits: Arrow takes the low bits of a wider number for a whole one, whatever stands above them.
        return try_cast(try_cast(exact, DataType::Decimal128(38, 0)), of.arrow());
    }
    try_cast(exact, of.arrow())
}

/// A binary number that is one: neither infinite nor undefined; null otherwise.
pub(super) fn finite(value: Expr, steps: &mut Steps) -> Expr {
    within(value, lit(f64::MIN), lit(f64::MAX), steps)
}

/// The days from one date to another.
pub(super) fn days_between(from: Expr, to: Expr) -> Expr {
    let count = |day: Expr| cast(cast(day, DataType::Int32), DataType::Int64);
    count(to) - count(from)
}
