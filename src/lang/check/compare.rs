//! Comparisons: two values of one kind, labels of choices as their codes, ids without case.

use super::convert::convert;
use super::expression::{Typed, check, choice_of, of_type};
use super::items::shown;
use super::scope::Scope;
use crate::diagnostic::code::{CHOICE, COMPARISON, TOO_MUCH};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast_expression::Expression as Written;
use crate::lang::suggest::nearest;
use crate::model::expression::{Comparison, Expression, Literal};
use crate::model::field::{Field, FieldKind};
use crate::model::fit::common;
use crate::model::moment;
use crate::model::value::ValueType;

/// Constants in one `IN (…)`.
const TERMS_AT_MOST: usize = 1_000;

/// `left operator right`
pub(super) fn compare(
    operator: Comparison,
    left: &Written,
    right: &Written,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    let (l, r) = (check(left, scope, out), check(right, scope, out));
    let (l, r) = alike((l?, left.span), (r?, right.span), scope, out)?;
    Some((Expression::Compare { operator, left: Box::new(l), right: Box::new(r) }, ValueType::Boolean))
}

/// `operand IN (…)`
pub(super) fn in_list(
    operand: &Written,
    list: &[Written],
    negated: bool,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    if list.len() > TERMS_AT_MOST {
        let message = format!("IN takes {TERMS_AT_MOST} values at most, and this has {}", list.len());
        let help = "put the values into an object of Gainsight and find them with a LOOKUP";
        out.push(Diagnostic::error(TOO_MUCH, operand.span, message).help(help));
        return None;
    }
    let (inner, found) = check(operand, scope, out)?;
    let mut inner_as = None;
    let mut literals = Vec::with_capacity(list.len());
    for one in list {
        let Some(value) = check(one, scope, out) else { continue };
        // The caret stands under the value, as the operand is right for the others.
        let Some((operand, value)) = alike(((inner.clone(), found), one.span), (value, one.span), scope, out) else {
            continue;
        };
        match (value, inner_as.get_or_insert_with(|| operand.clone()) == &operand) {
            (Expression::Literal(literal), true) => literals.push(literal),
            (Expression::Literal(_), false) => {
                let message = "the values of an IN list are of one type";
                out.push(Diagnostic::error(COMPARISON, one.span, message).help("write them all with a point, or none"));
            }
            _ => {
                let message = "an IN list has constants only";
                out.push(Diagnostic::error(COMPARISON, one.span, message).help("compare with `=`, joined by OR"));
            }
        }
    }
    let operand = Box::new(inner_as?);
    (literals.len() == list.len()).then_some((Expression::In { operand, list: literals, negated }, ValueType::Boolean))
}

/// `operand BETWEEN low AND high`: both ends belong to it.
pub(super) fn between(
    operand: &Written,
    low: &Written,
    high: &Written,
    negated: bool,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    let from = compare(Comparison::GreaterOrEqual, operand, low, scope, out);
    let to = compare(Comparison::LessOrEqual, operand, high, scope, out);
    let both = Expression::All(vec![from?.0, to?.0]);
    Some((if negated { Expression::Not(Box::new(both)) } else { both }, ValueType::Boolean))
}

/// `operand [NOT] LIKE 'pattern'`, or `ILIKE`
pub(super) fn like(
    operand: &Written,
    pattern: &Written,
    (ignore_case, negated): (bool, bool),
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    let operand = of_type(operand, ValueType::Text, "LIKE compares a text with a pattern", scope, out);
    let (wanted, _) = check(pattern, scope, out)?;
    let Expression::Literal(Literal::Text(text)) = wanted else {
        let message = "the pattern of LIKE is a constant text";
        out.push(Diagnostic::error(COMPARISON, pattern.span, message).help("such as 'Acme%'"));
        return None;
    };
    let operand = Box::new(operand?);
    Some((Expression::Like { operand, pattern: text, ignore_case, negated }, ValueType::Boolean))
}

/// Two values as one type, so that they can be compared.
fn alike(
    (left, left_span): (Typed, Span),
    (right, right_span): (Typed, Span),
    scope: &Scope<'_>,
    out: &mut Diagnostics,
) -> Option<(Expression, Expression)> {
    let span =
        Span { end: right_span.end.max(left_span.end), start: left_span.start.min(right_span.start), ..left_span };
    let ((l, l_type), (r, r_type)) = (left, right);
    let is_null = |e: &Expression| matches!(e, Expression::Literal(Literal::Null));
    if is_null(&l) || is_null(&r) {
        out.push(
            Diagnostic::error(COMPARISON, span, "a comparison with NULL is never true")
                .help("write IS NULL or IS NOT NULL"),
        );
        return None;
    }
    if let Some(field) = choice_of(&l, scope).filter(|_| r_type == ValueType::Text) {
        let code = coded(field, &r, right_span, out)?;
        return Some((l, code));
    }
    if let Some(field) = choice_of(&r, scope).filter(|_| l_type == ValueType::Text) {
        let code = coded(field, &l, left_span, out)?;
        return Some((code, r));
    }
    let r = table(&l, r, right_span, scope, out)?;
    let l = table(&r, l, left_span, scope, out)?;
    match common(l_type, r_type).filter(|of| !matches!(of, ValueType::Choices | ValueType::Interval)) {
        Some(of) => Some((convert(as_id(l, r_type), l_type, of), convert(as_id(r, l_type), r_type, of))),
        None => {
            let message = format!("{} cannot be compared with {}", l_type.word(), r_type.word());
            let mut wrong = Diagnostic::error(COMPARISON, span, message);
            for (value, other) in [(&l, r_type), (&r, l_type)] {
                if let Some(help) = typed_form(value, other).or_else(|| flag(value, other)) {
                    wrong = wrong.help(help);
                }
            }
            out.push(wrong);
            None
        }
    }
}

/// What to write in place of a text that stands for a date or a number.
pub(super) fn typed_form(value: &Expression, other: ValueType) -> Option<String> {
    let Expression::Literal(Literal::Text(text)) = value else { return None };
    match other {
        ValueType::Date | ValueType::DateTime => match (moment::read_date(text), moment::read_moment(text)) {
            (Some(_), _) => Some(format!("write DATE '{text}'")),
            (_, Some(_)) => Some(format!("write TIMESTAMP '{text}'")),
            _ => Some("a day is written DATE '2026-01-31', a moment TIMESTAMP '2026-01-31 10:00'".to_owned()),
        },
        ValueType::Integer | ValueType::Decimal | ValueType::Double if text.parse::<f64>().is_ok() => {
            Some(format!("write {text} without quotes"))
        }
        ValueType::Boolean => Some("write TRUE or FALSE without quotes".to_owned()),
        _ => None,
    }
}

/// What to write in place of the number that stands for a flag.
pub(super) fn flag(value: &Expression, other: ValueType) -> Option<String> {
    match (value, other) {
        (Expression::Literal(Literal::Integer(0)), ValueType::Boolean) => Some("write FALSE for 0".to_owned()),
        (Expression::Literal(Literal::Integer(1)), ValueType::Boolean) => Some("write TRUE for 1".to_owned()),
        _ => None,
    }
}

/// A text that is compared with `TYPE_OF` must name a table that the column can lead to.
fn table(
    other: &Expression,
    value: Expression,
    span: Span,
    scope: &Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Expression> {
    let (Expression::TypeOf(column), Expression::Literal(Literal::Text(text))) = (other, &value) else {
        return Some(value);
    };
    let field = &scope.columns[*column].field;
    let lower = text.to_lowercase();
    if field.targets.contains(&lower) {
        return Some(Expression::Literal(Literal::Text(lower)));
    }
    let message = format!("{} does not lead to '{text}'", field.name);
    out.push(Diagnostic::error(CHOICE, span, message).label(format!("it leads to {}", field.targets.join(", "))));
    None
}

/// A text that is compared with an id takes the form of ids: they have no case and no braces.
fn as_id(value: Expression, other: ValueType) -> Expression {
    match value {
        Expression::Literal(Literal::Text(text)) if other == ValueType::Guid => {
            Expression::Literal(Literal::Text(text.trim_matches(['{', '}']).to_ascii_lowercase()))
        }
        other => other,
    }
}

/// A label as the number of its choice.
pub(super) fn coded(
    (of, field): (&str, &Field),
    value: &Expression,
    span: Span,
    out: &mut Diagnostics,
) -> Option<Expression> {
    if field.kind == FieldKind::MultiChoice {
        let message = format!("{} holds several choices, which have no order and no equality", field.name);
        out.push(
            Diagnostic::error(COMPARISON, span, message).help("CONTAINS(LABEL(…), 'label') is true for each of them"),
        );
        return None;
    }
    let Expression::Literal(Literal::Text(label)) = value else {
        let message = format!("the choice {} cannot be compared with a text", field.name);
        out.push(Diagnostic::error(COMPARISON, span, message).help("compare LABEL(…) with it"));
        return None;
    };
    let hit = field.choices.iter().find(|c| c.label == *label);
    let hit = hit.or_else(|| field.choices.iter().find(|c| c.label.to_lowercase() == label.to_lowercase()));
    if let Some(code) = hit.and_then(|c| c.code.parse().ok()) {
        return Some(Expression::Literal(Literal::Integer(code)));
    }
    let known = shown(field.choices.iter().map(|c| format!("'{}' ({})", c.label, c.code)));
    let wrong = Diagnostic::error(CHOICE, span, format!("'{label}' is not a label of {of}.{}", field.name));
    out.push(match nearest(label, field.choices.iter().map(|c| c.label.as_str())) {
        Some(near) if field.choices.len() > 6 => wrong.label(format!("did you mean '{near}'?")),
        Some(near) => wrong.label(format!("labels are {known}")).help(format!("did you mean '{near}'?")),
        None => wrong.label(format!("labels are {known}")),
    });
    None
}
