//! Constants: a number that no column holds is refused where it is written.

use super::expression::Typed;
use crate::diagnostic::code::LITERAL;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::model::expression::{Expression, Literal};

/// Digits before the point that a decimal keeps.
const WHOLE_DIGITS_AT_MOST: usize = 28;
/// Digits after the point that a decimal keeps.
const FRACTION_DIGITS_AT_MOST: usize = 10;

/// The constant with its type.
pub(super) fn check(constant: &Literal, span: Span, out: &mut Diagnostics) -> Option<Typed> {
    if let Literal::Decimal(written) = constant {
        let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
        if whole.trim_start_matches('-').len() > WHOLE_DIGITS_AT_MOST || fraction.len() > FRACTION_DIGITS_AT_MOST {
            let message = "a number has 28 digits before the point and 10 behind it at most";
            out.push(Diagnostic::error(LITERAL, span, message));
            return None;
        }
    }
    Some((Expression::Literal(constant.clone()), constant.value_type()))
}

/// What a typed constant is, by its form: `a date`, `a moment`, `an interval`.
pub(super) fn article(form: &str) -> &'static str {
    match form.split(' ').next() {
        Some("DATE") => "a date",
        Some("INTERVAL") => "an interval",
        _ => "a moment",
    }
}
