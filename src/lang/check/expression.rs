//! Expressions: names become columns, types are found, and what cannot work is refused at its place.

use super::call::call;
use super::compare::{between, compare, in_list, like};
use super::convert::{convert, unify};
use super::scope::{Reached, Scope};
use super::{arithmetic, literal};
use crate::diagnostic::code::{COMPARISON, LITERAL, TYPE, UNKNOWN_FIELD};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast_expression::{Expression as Written, Node, Step};
use crate::model::expression::{Comparison, Expression, Literal};
use crate::model::field::{Field, FieldKind};
use crate::model::moment;
use crate::model::value::ValueType;

/// An expression with its type.
pub(super) type Typed = (Expression, ValueType);

/// Checks an expression. None if something in it is wrong; that has been reported then.
pub(super) fn check(written: &Written, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Typed> {
    let boolean = |e: Expression| Some((e, ValueType::Boolean));
    match &written.node {
        Node::Literal(constant) => literal::check(constant, written.span, out),
        Node::Wall(at) => {
            Some((Expression::Literal(Literal::DateTime(moment::moment_of(*at, scope.zone)?)), ValueType::DateTime))
        }
        Node::BadLiteral(text, form) => {
            let message = format!("'{text}' is not {} that exists", literal::article(form));
            out.push(Diagnostic::error(LITERAL, written.span, message).help(format!("write it like {form}")));
            None
        }
        Node::Quoted(text) => {
            out.push(quoted(text, written.span));
            None
        }
        Node::Path(path) => reached(path, scope, out),
        Node::Call(written_call) => call(written_call, written.span, scope, out),
        Node::Not(inner) => boolean(Expression::Not(Box::new(truth(inner, scope, out)?))),
        Node::All(list) => boolean(Expression::All(truths(list, scope, out)?)),
        Node::Any(list) => boolean(Expression::Any(truths(list, scope, out)?)),
        Node::IsNull(inner, negated) => {
            let (operand, _) = check(inner, scope, out)?;
            boolean(Expression::IsNull { operand: Box::new(operand), negated: *negated })
        }
        Node::Compare { operator, left, right, doubled } => {
            if *doubled {
                let between = Span { start: left.span.end, end: right.span.start, ..left.span };
                out.push(Diagnostic::error(COMPARISON, between, "there is no `==`").label("write `=`"));
                return None;
            }
            compare(*operator, left, right, scope, out)
        }
        Node::In { operand, list, negated } => in_list(operand, list, *negated, scope, out),
        Node::Between { operand, low, high, negated } => between(operand, low, high, *negated, scope, out),
        Node::Like { operand, pattern, ignore_case, negated } => {
            like(operand, pattern, (*ignore_case, *negated), scope, out)
        }
        Node::Concat(parts) => {
            let parts = parts.iter().map(|x| of_type(x, ValueType::Text, "`||` puts texts together", scope, out));
            let parts: Vec<_> = parts.collect();
            Some((Expression::Concat(parts.into_iter().collect::<Option<_>>()?), ValueType::Text))
        }
        Node::Arithmetic(first, rest) => arithmetic::check(first, rest, scope, out),
        Node::Negative(inner) => arithmetic::negative(inner, scope, out),
        Node::Case { operand, arms, otherwise } => case(operand.as_deref(), arms, otherwise.as_deref(), scope, out),
    }
}

/// An expression that must be true or false.
pub(super) fn truth(written: &Written, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Expression> {
    of_type(written, ValueType::Boolean, "a condition is TRUE or FALSE", scope, out)
}

fn truths(list: &[Written], scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Vec<Expression>> {
    let all: Vec<_> = list.iter().map(|x| truth(x, scope, out)).collect();
    all.into_iter().collect()
}

/// An expression that must be of a type.
pub(super) fn of_type(
    written: &Written,
    wanted: ValueType,
    why: &str,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Expression> {
    let (expression, found) = check(written, scope, out)?;
    let texts = [ValueType::Text, ValueType::Guid, ValueType::Gsid];
    let is_null = found == ValueType::Null && wanted != ValueType::Boolean;
    if found == wanted || is_null || (texts.contains(&wanted) && texts.contains(&found)) {
        return Some(convert(expression, found, wanted));
    }
    let message = format!("this is {}, where {} is needed", found.word(), wanted.word());
    let mut wrong = Diagnostic::error(COMPARISON, written.span, message).label(why);
    let label = choice_of(&expression, scope).and_then(|(_, field)| field.choices.first()).map(|c| c.label.as_str());
    if let (Some(label), ValueType::Boolean) = (label, wanted) {
        wrong = wrong.help(format!("compare it with a label, such as = '{label}'"));
    } else if wanted == ValueType::Text && found == ValueType::Boolean {
        wrong = wrong.help("conditions are joined by OR");
    } else if wanted == ValueType::Text && choice_of(&expression, scope).is_some() {
        wrong = wrong.help("LABEL(…) is the text of a choice");
    } else if wanted == ValueType::Text && crate::model::fit::can_cast(found, wanted) {
        wrong = wrong.help("CAST(… AS TEXT) makes a text of it");
    }
    out.push(wrong);
    None
}

fn quoted(text: &str, span: Span) -> Diagnostic {
    Diagnostic::error(UNKNOWN_FIELD, span, format!("\"{text}\" in double quotes is a name, not a text"))
        .help(format!("for the text write '{text}'; for a column write its alias before it"))
}

fn reached(path: &[Step], scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Typed> {
    if let [Step { name, table: None }] = path {
        match name.text.to_ascii_uppercase().as_str() {
            "NOW" | "CURRENT_TIMESTAMP" => return Some((Expression::Now, ValueType::DateTime)),
            "TODAY" | "CURRENT_DATE" => return Some((Expression::Today, ValueType::Date)),
            _ => {}
        }
    }
    match scope.resolve(path, out)? {
        Reached::Column(index) => Some((Expression::Column(index), scope.columns[index].field.kind.value_type())),
        Reached::Looked { lookup, field } => {
            let kind = scope.lookups[lookup].yields[field].kind;
            Some((Expression::Looked { lookup, field }, kind.value_type()))
        }
    }
}

fn case(
    operand: Option<&Written>,
    arms: &[(Written, Written)],
    otherwise: Option<&Written>,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    let mut conditions = Vec::with_capacity(arms.len());
    let mut values: Vec<Option<(Typed, Span)>> = Vec::with_capacity(arms.len() + 1);
    for (condition, value) in arms {
        conditions.push(match operand {
            Some(operand) => compare(Comparison::Equal, operand, condition, scope, out).map(|(c, _)| c),
            None => truth(condition, scope, out),
        });
        values.push(check(value, scope, out).map(|typed| (typed, value.span)));
    }
    if let Some(value) = otherwise {
        values.push(check(value, scope, out).map(|typed| (typed, value.span)));
    }
    let conditions: Vec<Expression> = conditions.into_iter().collect::<Option<_>>()?;
    let values: Vec<(Typed, Span)> = values.into_iter().collect::<Option<_>>()?;
    let (mut values, of) = unify(values, TYPE, "the values of a CASE are of one type", out)?;
    let otherwise = if otherwise.is_some() { values.pop().map(Box::new) } else { None };
    Some((Expression::Case { arms: conditions.into_iter().zip(values).collect(), otherwise }, of))
}

/// The choice column that an expression is, if it is one, behind the name of its table.
pub(super) fn choice_of<'s>(expression: &Expression, scope: &'s Scope<'_>) -> Option<(&'s str, &'s Field)> {
    let (of, field) = match expression {
        Expression::Column(index) => {
            let column = &scope.columns[*index];
            let related = column.relation.map(|r| scope.relations[r].table.name.as_str());
            (related.or(scope.source.map(|s| s.name.as_str())).unwrap_or_default(), &column.field)
        }
        Expression::Looked { lookup, field } => {
            let of = &scope.lookups[*lookup];
            (of.object.map_or("", |o| o.name.as_str()), &of.yields[*field])
        }
        _ => return None,
    };
    matches!(field.kind, FieldKind::Choice | FieldKind::MultiChoice).then_some((of, field))
}
