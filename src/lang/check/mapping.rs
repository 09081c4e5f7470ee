//! `expression AS Target."Field"`: the field exists, may be written, and takes such a value.

use super::expression;
use super::scope::{Scope, field_of};
use crate::diagnostic::code::{MAPPED_TWICE, NOT_WRITABLE, TYPE, UNKNOWN_OBJECT};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{self, Node, TargetField};
use crate::model::expression::Expression;
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Mapping, Target};
use crate::model::value::ValueType;

/// The checked mapping.
pub(super) fn check(
    written: &ast::Mapping,
    targets: &[Option<Target>],
    before: &[Mapping],
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Mapping> {
    let (keep, inner) = match &written.value.node {
        Node::Call(name, arguments) if name.text.eq_ignore_ascii_case("KEEP") && arguments.len() == 1 => {
            (true, &arguments[0])
        }
        _ => (false, &written.value),
    };
    let value = expression::check(inner, scope, out);
    let (target, field) = target_field(&written.target, targets, out)?;
    if !field.writable {
        let message = format!("\"{}\" is set by Gainsight and cannot be written", field.label);
        out.push(Diagnostic::error(NOT_WRITABLE, written.target.span, message));
    }
    if before.iter().any(|m| m.target == target && m.field.name == field.name) {
        let message = format!("\"{}\" is mapped twice", field.label);
        out.push(Diagnostic::error(MAPPED_TWICE, written.target.span, message).help("keep one of the two mappings"));
    }
    let (value, found) = value?;
    if !found.fits(field.kind) {
        out.push(misfit(written, &field, &value, found));
        return None;
    }
    Some(Mapping { target, field, value, value_type: found, keep, place: scope.context.sources.place(written.span) })
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

fn misfit(written: &ast::Mapping, field: &Field, value: &Expression, found: ValueType) -> Diagnostic {
    let article = if matches!(found, ValueType::Integer) { "an" } else { "a" };
    let message = format!("{article} {} cannot go into \"{}\" ({})", found.word(), field.label, field.kind.word());
    let wrong = Diagnostic::error(TYPE, written.value.span, message);
    match (field.kind, found) {
        (FieldKind::Gsid | FieldKind::Lookup, _) => {
            wrong.help("only a GSID goes there: find the record with a LOOKUP and map its \"GSID\"")
        }
        (_, ValueType::Choice) if matches!(value, Expression::Column(_)) => {
            wrong.help("a choice is a number; LABEL(…) is its text")
        }
        (FieldKind::String, ValueType::Gsid) => wrong.help("a GSID goes into a field of type GSID only"),
        _ => wrong,
    }
}
