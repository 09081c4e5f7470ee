//! How long a text can become, as far as metadata tells, and a warning where its field takes less.

use super::scope::Scope;
use crate::diagnostic::code::LENGTH;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast_expression::Expression as Written;
use crate::model::expression::{Expression, Literal};
use crate::model::field::Field;

/// A mapping whose value may be longer than its field takes.
pub(super) struct TooLong {
    span: Span,
    longest: u64,
    label: String,
    most: u32,
}

/// Whether the value may be longer than the field takes.
pub(super) fn check(written: &Written, value: &Expression, field: &Field, scope: &Scope<'_>) -> Option<TooLong> {
    let (most, longest) = (field.length?, longest(value, scope)?);
    let (span, label) = (written.span, field.label.clone());
    (longest > u64::from(most)).then_some(TooLong { span, longest, label, most })
}

/// One warning for all such mappings of a job: they are seldom a mistake, and each would be as loud as one.
pub(super) fn report(all: &[TooLong], scope: &Scope<'_>, out: &mut Diagnostics) {
    let [first, others @ ..] = all else { return };
    let said = |one: &TooLong| format!("up to {} characters; \"{}\" takes {}", one.longest, one.label, one.most);
    let message = if others.is_empty() {
        "this text may be longer than its field takes".to_owned()
    } else {
        format!("{} texts may be longer than their fields take", all.len())
    };
    let text = &scope.context.sources.file(first.span.file).text[first.span.start..first.span.end];
    let mut warning = Diagnostic::warning(LENGTH, first.span, message).label(said(first));
    for other in others {
        warning = warning.related(other.span, said(other));
    }
    out.push(warning.help(format!("a longer one makes its row an error; LEFT({text}, {}) cuts it", first.most)));
}

/// Characters at most; none where nothing tells.
fn longest(value: &Expression, scope: &Scope<'_>) -> Option<u64> {
    let of = |x: &Expression| longest(x, scope);
    let greatest = |all: Vec<Option<u64>>| all.into_iter().collect::<Option<Vec<u64>>>()?.into_iter().max();
    match value {
        Expression::Column(index) => scope.columns[*index].field.length.map(u64::from),
        Expression::Looked { lookup, field } => scope.lookups[*lookup].yields[*field].length.map(u64::from),
        Expression::Literal(Literal::Text(text)) => Some(text.chars().count() as u64),
        Expression::Label(index) => {
            scope.columns[*index].field.choices.iter().map(|c| c.label.chars().count() as u64).max()
        }
        Expression::Concat(parts) => parts.iter().map(of).sum(),
        Expression::Case { arms, otherwise } => {
            greatest(arms.iter().map(|(_, v)| v).chain(otherwise.as_deref()).map(of).collect())
        }
        Expression::Call { function, arguments } => match (function.name.as_str(), &arguments[..]) {
            ("TRIM" | "BTRIM" | "LTRIM" | "RTRIM" | "LOWER" | "UPPER" | "REVERSE" | "INITCAP", [text, ..]) => of(text),
            ("LEFT" | "RIGHT" | "LPAD" | "RPAD", [_, Expression::Literal(Literal::Integer(n))]) => {
                u64::try_from(*n).ok()
            }
            ("COALESCE" | "NVL" | "IFNULL", all) => greatest(all.iter().map(of).collect()),
            ("NULLIF", [text, _]) => of(text),
            _ => None,
        },
        _ => None,
    }
}
