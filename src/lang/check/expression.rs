//! Expressions: names become columns, types are found, and what cannot work is refused at its place.

use super::scope::{Reached, Scope};
use crate::diagnostic::code::{CHOICE, COMPARISON, FUNCTION, UNKNOWN_FIELD};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::{self, Name, Node};
use crate::lang::suggest::nearest;
use crate::model::expression::{Comparison, Expression, Function, Literal};
use crate::model::field::{Field, FieldKind};
use crate::model::value::ValueType;

/// An expression with its type.
pub(super) type Typed = (Expression, ValueType);

/// Checks an expression. None if something in it is wrong; that has been reported then.
pub(super) fn check(written: &ast::Expression, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Typed> {
    match &written.node {
        Node::Literal(literal) => Some((Expression::Literal(literal.clone()), literal.value_type())),
        Node::Quoted(text) => {
            out.push(
                Diagnostic::error(
                    UNKNOWN_FIELD,
                    written.span,
                    format!("\"{text}\" in double quotes is a name, not a text"),
                )
                .help(format!("for the text write '{text}'; for a column write its alias before it")),
            );
            None
        }
        Node::Path(path) => match scope.resolve(path, out)? {
            Reached::Column(index) => Some((Expression::Column(index), scope.columns[index].field.kind.value_type())),
            Reached::Looked { lookup, field } => {
                let kind = scope.lookups[lookup].yields[field].kind;
                Some((Expression::Looked { lookup, field }, kind.value_type()))
            }
        },
        Node::Call(name, arguments) => call(name, arguments, written.span, scope, out),
        Node::Not(inner) => {
            let inner = truth(inner, scope, out)?;
            Some((Expression::Not(Box::new(inner)), ValueType::Boolean))
        }
        Node::All(list) => {
            let list: Vec<_> = list.iter().map(|x| truth(x, scope, out)).collect();
            Some((Expression::All(list.into_iter().collect::<Option<_>>()?), ValueType::Boolean))
        }
        Node::Any(list) => {
            let list: Vec<_> = list.iter().map(|x| truth(x, scope, out)).collect();
            Some((Expression::Any(list.into_iter().collect::<Option<_>>()?), ValueType::Boolean))
        }
        Node::IsNull(inner, negated) => {
            let (operand, _) = check(inner, scope, out)?;
            Some((Expression::IsNull { operand: Box::new(operand), negated: *negated }, ValueType::Boolean))
        }
        Node::Compare(operator, left, right) => compare(*operator, left, right, scope, out),
        Node::In(operand, list, negated) => in_list(operand, list, *negated, scope, out),
        Node::Concat(parts) => {
            let parts = parts.iter().map(|x| of_type(x, ValueType::Text, "`||` puts texts together", scope, out));
            let parts: Vec<_> = parts.collect();
            Some((Expression::Concat(parts.into_iter().collect::<Option<_>>()?), ValueType::Text))
        }
    }
}

/// An expression that must be true or false.
pub(super) fn truth(written: &ast::Expression, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Expression> {
    of_type(written, ValueType::Boolean, "a condition is TRUE or FALSE", scope, out)
}

fn of_type(
    written: &ast::Expression,
    wanted: ValueType,
    why: &str,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Expression> {
    let (expression, found) = check(written, scope, out)?;
    let texts = [ValueType::Text, ValueType::Guid, ValueType::Gsid];
    let is_null = found == ValueType::Null && wanted != ValueType::Boolean;
    if found == wanted || is_null || (texts.contains(&wanted) && texts.contains(&found)) {
        return Some(expression);
    }
    let message = format!("this is {}, where {} is needed", found.word(), wanted.word());
    out.push(Diagnostic::error(COMPARISON, written.span, message).label(why));
    None
}

fn compare(
    operator: Comparison,
    left: &ast::Expression,
    right: &ast::Expression,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    let (l, r) = (check(left, scope, out), check(right, scope, out));
    let ((l, l_type), (r, r_type)) = (l?, r?);
    let (l, r) = match (choice_of(&l, scope).cloned(), choice_of(&r, scope).cloned()) {
        (Some(field), None) if r_type == ValueType::Text => (l, coded(&field, r, right.span, out)?),
        (None, Some(field)) if l_type == ValueType::Text => (coded(&field, l, left.span, out)?, r),
        _ if l_type.compares_with(r_type) => (as_id(l, r_type), as_id(r, l_type)),
        _ => {
            let span = Span { end: right.span.end, ..left.span };
            let message = format!("{} cannot be compared with {}", l_type.word(), r_type.word());
            out.push(Diagnostic::error(COMPARISON, span, message));
            return None;
        }
    };
    if matches!(l, Expression::Literal(Literal::Null)) || matches!(r, Expression::Literal(Literal::Null)) {
        let span = Span { end: right.span.end, ..left.span };
        out.push(
            Diagnostic::error(COMPARISON, span, "a comparison with NULL is never true")
                .help("write IS NULL or IS NOT NULL"),
        );
        return None;
    }
    Some((Expression::Compare { operator, left: Box::new(l), right: Box::new(r) }, ValueType::Boolean))
}

fn in_list(
    operand: &ast::Expression,
    list: &[(Literal, Span)],
    negated: bool,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    let (inner, found) = check(operand, scope, out)?;
    let choice = choice_of(&inner, scope).cloned();
    let mut literals = Vec::with_capacity(list.len());
    let mut whole = true;
    for (literal, span) in list {
        let literal = match (&choice, literal) {
            (Some(field), Literal::Text(_)) => match coded(field, Expression::Literal(literal.clone()), *span, out) {
                Some(Expression::Literal(code)) => code,
                _ => {
                    whole = false;
                    continue;
                }
            },
            (None, Literal::Text(text)) if found == ValueType::Guid => Literal::Text(id_form(text)),
            _ => literal.clone(),
        };
        if !literal.value_type().compares_with(found) {
            let message = format!("{} cannot be compared with {}", literal.value_type().word(), found.word());
            out.push(Diagnostic::error(COMPARISON, *span, message));
            whole = false;
        }
        literals.push(literal);
    }
    let made = Expression::In { operand: Box::new(inner), list: literals, negated };
    whole.then_some((made, ValueType::Boolean))
}

/// A text that is compared with an id takes the form of ids: they have no case and no braces.
fn as_id(value: Expression, other: ValueType) -> Expression {
    match value {
        Expression::Literal(Literal::Text(text)) if other == ValueType::Guid => {
            Expression::Literal(Literal::Text(id_form(&text)))
        }
        other => other,
    }
}

fn id_form(text: &str) -> String {
    text.trim_matches(['{', '}']).to_ascii_lowercase()
}

/// The choice column that an expression is, if it is one.
fn choice_of<'s>(expression: &Expression, scope: &'s Scope<'_>) -> Option<&'s Field> {
    match expression {
        Expression::Column(index) => Some(&scope.columns[*index].field).filter(|f| f.kind == FieldKind::Choice),
        _ => None,
    }
}

/// A label as the number of its choice; anything but a literal is left as it is.
fn coded(field: &Field, value: Expression, span: Span, out: &mut Diagnostics) -> Option<Expression> {
    let Expression::Literal(Literal::Text(label)) = &value else {
        let message = format!("the choice {} cannot be compared with a text", field.name);
        out.push(Diagnostic::error(COMPARISON, span, message).help("compare LABEL(…) with it"));
        return None;
    };
    let hit = field.choices.iter().find(|c| c.label == *label);
    let hit = hit.or_else(|| field.choices.iter().find(|c| c.label.to_lowercase() == label.to_lowercase()));
    if let Some(code) = hit.and_then(|c| c.code.parse().ok()) {
        return Some(Expression::Literal(Literal::Integer(code)));
    }
    let known: Vec<String> = field.choices.iter().take(12).map(|c| format!("'{}' ({})", c.label, c.code)).collect();
    let message = format!("'{label}' is not a label of {}", field.name);
    out.push(Diagnostic::error(CHOICE, span, message).label(format!("labels are {}", known.join(", "))));
    None
}

fn call(
    name: &Name,
    arguments: &[ast::Expression],
    span: Span,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Typed> {
    let upper = name.text.to_ascii_uppercase();
    let wrong = |message: String| Diagnostic::error(FUNCTION, span, message);
    if upper == "KEEP" {
        out.push(wrong("KEEP stands around a whole mapping only".into()).help("KEEP(expression) AS \"Field\""));
        return None;
    }
    if upper == "LABEL" {
        return label(arguments, span, scope, out);
    }
    let Some((_, function)) = Function::ALL.into_iter().find(|(n, _)| *n == upper) else {
        let known = || Function::ALL.iter().map(|(n, _)| *n).chain(["KEEP", "LABEL"]);
        let wrong = Diagnostic::error(FUNCTION, name.span, format!("there is no function {upper}"));
        out.push(match nearest(&upper, known()) {
            Some(near) => wrong.label(format!("did you mean {near}?")),
            None => wrong.help(format!("functions are {}", known().collect::<Vec<_>>().join(", "))),
        });
        return None;
    };
    if arguments.is_empty() || (function != Function::Coalesce && arguments.len() != 1) {
        let takes = if function == Function::Coalesce { "one value or more" } else { "one text" };
        out.push(wrong(format!("{upper} takes {takes}")));
        return None;
    }
    if function != Function::Coalesce {
        let why = format!("{upper} takes a text");
        let argument = of_type(&arguments[0], ValueType::Text, &why, scope, out)?;
        return Some((Expression::Call { function, arguments: vec![argument] }, ValueType::Text));
    }
    let checked: Vec<_> = arguments.iter().map(|a| check(a, scope, out)).collect();
    let checked: Vec<Typed> = checked.into_iter().collect::<Option<_>>()?;
    let first = checked.iter().map(|(_, t)| *t).find(|t| *t != ValueType::Null).unwrap_or(ValueType::Null);
    if let Some((_, other)) = checked.iter().find(|(_, t)| *t != first && *t != ValueType::Null) {
        out.push(wrong(format!("COALESCE takes values of one type, not {} and {}", first.word(), other.word())));
        return None;
    }
    Some((Expression::Call { function, arguments: checked.into_iter().map(|(e, _)| e).collect() }, first))
}

fn label(arguments: &[ast::Expression], span: Span, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Typed> {
    let [argument] = arguments else {
        out.push(Diagnostic::error(FUNCTION, span, "LABEL takes one choice column"));
        return None;
    };
    let (expression, _) = check(argument, scope, out)?;
    match (&expression, choice_of(&expression, scope)) {
        (Expression::Column(index), Some(_)) => Some((Expression::Label(*index), ValueType::Text)),
        _ => {
            out.push(
                Diagnostic::error(CHOICE, argument.span, "LABEL takes a choice column, and this is none")
                    .help("a choice column of Dynamics holds a number that has a label, such as a.industrycode"),
            );
            None
        }
    }
}
