//! `+ - * / %`: numbers with numbers, days and moments with intervals.

use super::convert::convert;
use super::expression::{Typed, check as value};
use super::scope::Scope;
use crate::diagnostic::code::{COMPARISON, TOO_MUCH};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast_expression::{Expression as Written, Sign};
use crate::model::expression::{Arithmetic, Expression, Literal};
use crate::model::fit::common;
use crate::model::literal::Interval;
use crate::model::value::ValueType;

/// Signs in one chain: each is a level of the tree.
const SIGNS_AT_MOST: usize = 20;

/// A chain of operands, from left to right.
pub(super) fn check(
    first: &Written,
    rest: &[(Sign, Written)],
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    if rest.len() > SIGNS_AT_MOST {
        let message = format!("a calculation has {SIGNS_AT_MOST} signs at most, and this one has {}", rest.len());
        out.push(Diagnostic::error(TOO_MUCH, first.span, message));
        return None;
    }
    let mut made = value(first, scope, out);
    for (sign, operand) in rest {
        let next = value(operand, scope, out);
        let span = Span { end: operand.span.end, ..first.span };
        made = match (made, next) {
            (Some(left), Some(right)) => joined(*sign, left, right, span, out),
            _ => None,
        };
    }
    made
}

/// `-x`
pub(super) fn negative(inner: &Written, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Typed> {
    let operand = value(inner, scope, out)?;
    if operand.1 != ValueType::Null && operand.1 != ValueType::Choice && !operand.1.is_number() {
        let message = format!("`-` stands before a number, and this is {}", operand.1.word());
        out.push(Diagnostic::error(COMPARISON, inner.span, message));
        return None;
    }
    let zero = (Expression::Literal(Literal::Integer(0)), ValueType::Integer);
    joined(Sign::Minus, zero, operand, inner.span, out)
}

fn joined(sign: Sign, left: Typed, right: Typed, span: Span, out: &mut Diagnostics) -> Option<Typed> {
    let (l, r) = (number(left), number(right));
    if l.1.is_number() && r.1.is_number() {
        return Some(calculated(sign, l, r));
    }
    match (sign, &l, &r) {
        (
            Sign::Plus | Sign::Minus,
            (_, ValueType::Date | ValueType::DateTime),
            (Expression::Literal(Literal::Interval(by)), _),
        ) => {
            let by = if sign == Sign::Minus { by.back() } else { *by };
            return Some(shifted(l, by));
        }
        (Sign::Plus, (Expression::Literal(Literal::Interval(by)), _), (_, ValueType::Date | ValueType::DateTime)) => {
            let by = *by;
            return Some(shifted(r, by));
        }
        (Sign::Minus, (_, ValueType::Date), (_, ValueType::Date)) => {
            let (to, from) = (Box::new(l.0), Box::new(r.0));
            return Some((Expression::DaysBetween { from, to }, ValueType::Integer));
        }
        _ => {}
    }
    let word = match sign {
        Sign::Plus => "added to",
        Sign::Minus => "subtracted from",
        _ => "multiplied with",
    };
    let message = match sign {
        Sign::Divide => format!("{} cannot be divided by {}", l.1.word(), r.1.word()),
        Sign::Modulo => format!("{} has no remainder by {}", l.1.word(), r.1.word()),
        _ => format!("{} cannot be {word} {}", r.1.word(), l.1.word()),
    };
    let mut wrong = Diagnostic::error(COMPARISON, span, message);
    let is_moment = |t: ValueType| matches!(t, ValueType::Date | ValueType::DateTime);
    if is_moment(l.1) && is_moment(r.1) {
        wrong = wrong.help("CAST(… AS DATE) - CAST(… AS DATE) is a number of days");
    } else if is_moment(l.1) || is_moment(r.1) {
        wrong = wrong.help("dates move by intervals: TODAY - INTERVAL '7 days'");
    } else if l.1 == ValueType::Text || r.1 == ValueType::Text {
        wrong = wrong.help("`||` puts texts together; CAST(… AS DECIMAL) makes a number of a text");
    }
    out.push(wrong);
    None
}

/// A choice counts with its code, a bare null as a number.
fn number((value, of): Typed) -> Typed {
    match of {
        ValueType::Choice => (value, ValueType::Integer),
        ValueType::Null => (convert(value, of, ValueType::Integer), ValueType::Integer),
        _ => (value, of),
    }
}

fn calculated(sign: Sign, left: Typed, right: Typed) -> Typed {
    let of = common(left.1, right.1).unwrap_or(ValueType::Double);
    let (operator, result) = match sign {
        Sign::Plus => (Arithmetic::Add, of),
        Sign::Minus => (Arithmetic::Subtract, of),
        Sign::Times => (Arithmetic::Multiply, of),
        // A quotient of whole numbers is rarely whole, and a silent loss would be a trap.
        Sign::Divide if of == ValueType::Integer => (Arithmetic::Divide, ValueType::Decimal),
        Sign::Divide => (Arithmetic::Divide, of),
        Sign::Modulo => (Arithmetic::Modulo, of),
    };
    let side = |(value, found)| Box::new(convert(value, found, result));
    (Expression::Arithmetic { operator, left: side(left), right: side(right), of: result }, result)
}

fn shifted((operand, of): Typed, by: Interval) -> Typed {
    let (operand, of) = if of == ValueType::Date && !by.is_whole_days() {
        (convert(operand, of, ValueType::DateTime), ValueType::DateTime)
    } else {
        (operand, of)
    };
    (Expression::Shift { operand: Box::new(operand), by, of }, of)
}
