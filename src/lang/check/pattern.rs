//! Constant arguments that have a form of their own: regular expressions, formats and parts of dates.
//!
//! They are held against it here, so that no row can make them fail. Regular expressions are of the kind that cannot run
//! away (no back-references), and small.

use std::fmt::Write;

use chrono::format::{Fixed, Item, StrftimeItems};
use regex::RegexBuilder;

use crate::diagnostic::code::FUNCTION;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::suggest::nearest;
use crate::model::expression::{Expression, Literal};
use crate::model::function::{DATE_PARTS, Parameter, TRUNCATE_PARTS};

/// The longest regular expression, in bytes.
const PATTERN_BYTES: usize = 1 << 10;
/// The largest one after compilation, in bytes.
const COMPILED_BYTES: usize = 1 << 20;

/// The constant, if it has the form that the parameter wants.
pub(super) fn constant(
    parameter: Parameter,
    value: Expression,
    span: Span,
    out: &mut Diagnostics,
) -> Option<Expression> {
    let Expression::Literal(Literal::Text(text)) = &value else { return None };
    let wrong = match parameter {
        Parameter::Pattern => pattern(text),
        Parameter::Format => format(text),
        Parameter::DatePart => part(text, &DATE_PARTS),
        _ => part(text, &TRUNCATE_PARTS),
    };
    match wrong {
        None if matches!(parameter, Parameter::Pattern | Parameter::Format) => Some(value),
        None => Some(Expression::Literal(Literal::Text(text.to_lowercase()))),
        Some((message, help)) => {
            out.push(Diagnostic::error(FUNCTION, span, message).help(help));
            None
        }
    }
}

fn pattern(text: &str) -> Option<(String, String)> {
    if text.len() > PATTERN_BYTES {
        return Some(("this regular expression is too long".to_owned(), "1 KiB is the most".to_owned()));
    }
    let made = RegexBuilder::new(text).size_limit(COMPILED_BYTES).build();
    made.err().map(|error| {
        let said = error.to_string();
        let last = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        ("this is not a regular expression that can be used".to_owned(), last)
    })
}

fn format(text: &str) -> Option<(String, String)> {
    let mut tried = String::new();
    let is_unusable = write!(tried, "{}", chrono::NaiveDateTime::default().format(text)).is_err();
    let is_wrong = is_unusable
        || StrftimeItems::new(text).any(|item| match item {
            Item::Error => true,
            // A moment is shown on the clock of the job's zone, which has no name there.
            Item::Fixed(fixed) => matches!(
                fixed,
                Fixed::TimezoneName
                    | Fixed::TimezoneOffset
                    | Fixed::TimezoneOffsetColon
                    | Fixed::RFC2822
                    | Fixed::RFC3339
            ),
            _ => false,
        });
    if !text.contains('%') {
        let help = "a part begins with `%`: YYYY-MM-DD is '%Y-%m-%d', HH:MM is '%H:%M'".to_owned();
        return Some(("this format shows nothing of a date".to_owned(), help));
    }
    is_wrong.then(|| ("this is not a format of dates".to_owned(), "such as '%Y-%m-%d' or '%d.%m.%Y %H:%M'".to_owned()))
}

fn part(text: &str, known: &[&str]) -> Option<(String, String)> {
    let lower = text.to_lowercase();
    if known.contains(&lower.as_str()) {
        return None;
    }
    let help = match nearest(&lower, known.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("parts are {}", known.join(", ")),
    };
    Some((format!("a date has no part '{text}'"), help))
}
