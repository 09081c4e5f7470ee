//! Conversions that a script need not write: between whole numbers and decimals, days and moments, ids and texts.

use super::expression::Typed;
use crate::diagnostic::code::Code;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::model::expression::{Expression, Literal};
use crate::model::fit::common;
use crate::model::value::ValueType;

/// The value as another type that it goes into without loss.
pub(super) fn convert(value: Expression, from: ValueType, to: ValueType) -> Expression {
    let is_alike = from.arrow() == to.arrow() && from != ValueType::Null;
    match value {
        value if from == to || is_alike => value,
        Expression::Literal(Literal::Integer(number)) if to == ValueType::Decimal => {
            Expression::Literal(Literal::Decimal(number.to_string()))
        }
        value => Expression::Cast { operand: Box::new(value), from, to, lenient: false },
    }
}

/// A type with its article: `a TEXT`, `an INTEGER`.
pub(super) fn a(of: ValueType) -> String {
    match of {
        ValueType::Choices | ValueType::Null => of.word().to_owned(),
        ValueType::Integer | ValueType::Interval => format!("an {}", of.word()),
        _ => format!("a {}", of.word()),
    }
}

/// Values as the one type that they have in common; reports the first that has none with those before it.
pub(super) fn unify(
    values: Vec<(Typed, Span)>,
    code: Code,
    why: &str,
    out: &mut Diagnostics,
) -> Option<(Vec<Expression>, ValueType)> {
    let mut of = ValueType::Null;
    for ((_, found), span) in &values {
        let Some(both) = common(of, *found) else {
            let message = format!("this is {}, and the values before it are {}", found.word(), of.word());
            let mut wrong = Diagnostic::error(code, *span, message).label(why);
            if *found == ValueType::Choice || of == ValueType::Choice {
                wrong = wrong.help("LABEL(…) is the text of a choice");
            }
            out.push(wrong);
            return None;
        };
        of = both;
    }
    Some((values.into_iter().map(|((value, found), _)| convert(value, found, of)).collect(), of))
}
