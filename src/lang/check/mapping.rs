//! `expression AS Target."Field"`: the field exists, may be written, and takes such a value.

use super::compare::{flag, typed_form};
use super::convert::a;
use super::expression;
use super::scope::{Scope, field_of};
use super::{items, length};
use crate::diagnostic::code::{MAPPED_TWICE, NOT_WRITABLE, TYPE, UNKNOWN_OBJECT};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::{self, TargetField};
use crate::lang::ast_expression::{Argument, Expression as Written, Node};
use crate::model::expression::Expression;
use crate::model::field::{Field, FieldKind};
use crate::model::fit::{Fit, fit};
use crate::model::job::{Mapping, Target};
use crate::model::policy::Unknown;
use crate::model::value::ValueType;

/// The mappings of a job, and what they are checked with.
pub(super) struct Mappings<'a> {
    pub(super) targets: &'a [Option<Target>],
    pub(super) unknown_item: Unknown,
    /// Those that are right, with their places.
    pub(super) checked: Vec<(Mapping, Span)>,
    /// Those whose texts may be too long.
    pub(super) too_long: Vec<length::TooLong>,
}

/// Checks one mapping and adds it.
pub(super) fn check(written: &ast::Mapping, all: &mut Mappings<'_>, scope: &mut Scope<'_>, out: &mut Diagnostics) {
    let (keep, inner) = kept(&written.value);
    let value = expression::check(inner, scope, out);
    let Some((target, field)) = target_field(&written.target, all.targets, out) else { return };
    if !field.writable {
        let message = format!("\"{}\" is set by Gainsight and cannot be written", field.label);
        out.push(Diagnostic::error(NOT_WRITABLE, written.target.span, message).help("remove this mapping"));
        return;
    }
    if let Some((_, first)) = all.checked.iter().find(|(m, _)| m.target == target && m.field.name == field.name) {
        let message = format!("\"{}\" is mapped twice", field.label);
        let wrong = Diagnostic::error(MAPPED_TWICE, written.target.span, message);
        out.push(wrong.related(*first, "it is mapped here").help("keep one of the two mappings"));
    }
    let Some((value, found)) = value else { return };
    let fits = fit(found, field.kind);
    if fits != Fit::Fine {
        out.push(misfit(inner, &field, found, fits, scope));
        return;
    }
    items::check(inner, &value, &field, all.unknown_item, scope, out);
    all.too_long.extend(length::check(inner, &value, &field, scope));
    let place = scope.context.sources.place(written.span);
    all.checked.push((Mapping { target, field, value, value_type: found, keep, place }, written.span));
}

/// Whether the whole value stands in `KEEP(…)`, and what stands in it.
fn kept(value: &Written) -> (bool, &Written) {
    if let Node::Call(call) = &value.node
        && call.name.text.eq_ignore_ascii_case("KEEP")
        && let [Argument::Value(inner, None)] = &call.arguments[..]
    {
        return (true, inner);
    }
    (false, value)
}

/// The field that a target name means, and which target has it.
pub(super) fn target_field(
    written: &TargetField,
    targets: &[Option<Target>],
    out: &mut Diagnostics,
) -> Option<(usize, Field)> {
    let Some(object) = &written.object else {
        // Without a name of an object it is the first target's; with several targets the object has to be named.
        if targets.len() > 1 {
            let labels: Vec<&str> = targets.iter().flatten().map(|t| t.object.label.as_str()).collect();
            let message = format!("say which object has \"{}\"", written.field.text);
            out.push(
                Diagnostic::error(UNKNOWN_OBJECT, written.span, message).help(format!("one of {}", labels.join(", "))),
            );
            return None;
        }
        let target = targets.first()?.as_ref()?;
        return field_of(&target.object, &written.field, out).map(|f| (0, f.clone()));
    };
    let named = |t: &Target| {
        t.object.label.eq_ignore_ascii_case(&object.text) || t.object.name.eq_ignore_ascii_case(&object.text)
    };
    let Some(index) = targets.iter().position(|t| t.as_ref().is_some_and(named)) else {
        if targets.iter().all(Option::is_some) {
            let labels: Vec<&str> = targets.iter().flatten().map(|t| t.object.label.as_str()).collect();
            let message = format!("this job does not write \"{}\"", object.text);
            out.push(
                Diagnostic::error(UNKNOWN_OBJECT, object.span, message)
                    .help(format!("it writes {}", labels.join(", "))),
            );
        }
        return None;
    };
    let target = targets[index].as_ref()?;
    field_of(&target.object, &written.field, out).map(|f| (index, f.clone()))
}

pub(super) fn misfit(written: &Written, field: &Field, found: ValueType, fits: Fit, scope: &Scope<'_>) -> Diagnostic {
    let message = format!("{} cannot go into \"{}\" ({})", a(found), field.label, field.kind.word());
    let wrong = Diagnostic::error(TYPE, written.span, message);
    let text = &scope.context.sources.file(written.span.file).text[written.span.start..written.span.end];
    match fits {
        Fit::Refused("") if found == ValueType::Interval => {
            wrong.help("an interval moves a date: TODAY + INTERVAL '7 days'")
        }
        Fit::Refused("") if let (Node::Literal(literal), FieldKind::Boolean) = (&written.node, field.kind) => {
            let form = flag(&Expression::Literal(literal.clone()), ValueType::Boolean);
            form.into_iter().fold(wrong, Diagnostic::help)
        }
        Fit::Refused("") | Fit::Fine => wrong,
        Fit::Refused(instead) => wrong.help(instead),
        Fit::Cast(ValueType::Date) if found == ValueType::DateTime => {
            wrong.help(format!("CAST({text} AS DATE) is its day in the job's time zone"))
        }
        Fit::Cast(to) if let Node::Literal(literal) = &written.node => {
            let form = typed_form(&Expression::Literal(literal.clone()), to);
            wrong.help(form.unwrap_or_else(|| format!("write a constant of type {}", to.word())))
        }
        Fit::Cast(to) if found == ValueType::Text => {
            let what = match to {
                ValueType::Date | ValueType::DateTime => "unreadable dates",
                ValueType::Boolean => "what is neither true nor false",
                _ => "unreadable numbers",
            };
            let to = to.word();
            wrong.help(format!("TRY_CAST({text} AS {to}) makes {what} NULL; CAST makes the row an error"))
        }
        Fit::Cast(to) => wrong.help(format!("write CAST({text} AS {})", to.word())),
    }
}
