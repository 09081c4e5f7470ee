//! `ON SOURCE DELETE` and `ON SOURCE LEAVE`: what becomes of records whose row the source lost.
//!
//! In: the clause as it is written, and the job's targets. Out: what happens, with constants that fit into their fields; mistakes.

use super::expression::check as checked;
use super::items;
use super::mapping::{misfit, target_field};
use super::scope::Scope;
use crate::diagnostic::code::{CLAUSE, MAPPED_TWICE, NOT_WRITABLE};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::{self, LateClause, SourceAction, TargetField};
use crate::lang::ast_expression::Expression as Written;
use crate::model::expression::{Expression, Literal};
use crate::model::field::Field;
use crate::model::fit::{Fit, fit};
use crate::model::job::{Job, Mapping, Route, Target};
use crate::model::moment;
use crate::model::policy::{OnSource, Unknown};

/// The action of one clause.
pub(super) fn check(
    delete: bool,
    action: &SourceAction,
    span: Span,
    targets: &[Option<Target>],
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<OnSource> {
    let place = scope.context.sources.place(span);
    match action {
        SourceAction::Ignore => Some(OnSource::Ignore),
        SourceAction::Delete => deletes(span, targets, out).then_some(OnSource::Delete(place)),
        SourceAction::Set(list) => {
            let when = if delete { "ON SOURCE DELETE" } else { "ON SOURCE LEAVE" };
            let mut set: Vec<(Mapping, Span)> = Vec::new();
            let mut is_whole = true;
            for (field, value) in list {
                let Some(one) = assignment(field, value, when, targets, scope, out) else {
                    is_whole = false;
                    continue;
                };
                let same = |m: &Mapping| m.target == one.target && m.field.name == one.field.name;
                if let Some((_, first)) = set.iter().find(|(m, _)| same(m)) {
                    let message = format!("\"{}\" is set twice", one.field.label);
                    let wrong = Diagnostic::error(MAPPED_TWICE, field.span, message);
                    out.push(wrong.related(*first, "it is set here").help("keep one of the two"));
                }
                set.push((one, field.span));
            }
            is_whole.then(|| OnSource::Set(set.into_iter().map(|(one, _)| one).collect(), place))
        }
    }
}

/// What a record is recognised by stays as it is: it would not be found again.
pub(super) fn keys(written: &ast::Job, job: &Job, out: &mut Diagnostics) {
    for (clause, action) in written.late.iter().filter_map(set_clause) {
        let of = if clause { &job.on_delete } else { &job.on_leave };
        for (one, (field, _)) in of.assigned().iter().zip(action) {
            let target = &job.targets[one.target];
            let is_key = job.key.iter().any(|key| {
                let mapping = &job.mappings[key.mapping];
                mapping.target == one.target && mapping.field.name == one.field.name
            });
            let is_place =
                target.route == Route::CompanyPerson && ["Company_ID", "Person_ID"].contains(&&*one.field.name);
            let is_identity = target.route == Route::Avatar && one.field.name == target.object.primary_id;
            if is_key || is_place || is_identity {
                let label = &one.field.label;
                let message = format!("a record is recognised by \"{label}\", so it cannot be set");
                out.push(
                    Diagnostic::error(CLAUSE, field.span, message)
                        .help("set a field that says what became of the row, such as a status"),
                );
            }
        }
    }
}

fn set_clause(clause: &LateClause) -> Option<(bool, &[(TargetField, Written)])> {
    match clause {
        LateClause::OnSource { delete, action: SourceAction::Set(list), .. } => Some((*delete, list)),
        _ => None,
    }
}

/// Whether there is a call that deletes what the job writes.
fn deletes(span: Span, targets: &[Option<Target>], out: &mut Diagnostics) -> bool {
    let bound = targets.iter().flatten().find(|t| matches!(t.route, Route::User | Route::Person));
    let Some(target) = bound else { return true };
    let label = &target.object.label;
    let wrong = Diagnostic::error(CLAUSE, span, format!("Gainsight has no public call that deletes a {label}"));
    out.push(if target.route == Route::User {
        wrong.help("deactivate the user: SET User.\"Is Active User\" = FALSE")
    } else {
        wrong.help("say IGNORE, or mark the record: SET \"Company Person\".\"Active\" = FALSE")
    });
    false
}

fn assignment(
    field: &TargetField,
    value: &Written,
    when: &str,
    targets: &[Option<Target>],
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Mapping> {
    let found = target_field(field, targets, out);
    let (value_checked, of) = checked(value, scope, out)?;
    let mut is_constant = true;
    value_checked.walk(&mut |e| {
        is_constant &= !matches!(
            e,
            Expression::Column(_) | Expression::Looked { .. } | Expression::Label(_) | Expression::TypeOf(_)
        );
    });
    if !is_constant {
        let message = format!("{when} … SET takes constants");
        out.push(Diagnostic::error(CLAUSE, value.span, message).label("the row is not there any more"));
        return None;
    }
    let (target, found) = found?;
    if !found.writable {
        let message = format!("\"{}\" is set by Gainsight and cannot be written", found.label);
        out.push(Diagnostic::error(NOT_WRITABLE, field.span, message));
        return None;
    }
    let fits = fit(of, found.kind);
    if fits != Fit::Fine {
        out.push(misfit(value, &found, of, fits, scope));
        return None;
    }
    items::check(value, &value_checked, &found, Unknown::Error, scope, out);
    if !can_be(&value_checked, &found, value, scope, out) {
        return None;
    }
    let place = scope.context.sources.place(field.span);
    Some(Mapping { target, field: found, value: value_checked, value_type: of, keep: false, place })
}

/// Whether the constant is a value at all, and one that the field takes.
fn can_be(value: &Expression, field: &Field, written: &Written, scope: &Scope<'_>, out: &mut Diagnostics) -> bool {
    // Whatever the moment is: from it comes a day like any other.
    let settled = value.replaced(&|e| moment::settled(e, 0, scope.zone));
    if settled.may_fail() {
        let message = "this may have no value, and no row says so";
        out.push(Diagnostic::error(CLAUSE, written.span, message).help("write the value itself, or TRY_CAST"));
        return false;
    }
    match (&settled, field.length) {
        (Expression::Literal(Literal::Null), _) if field.required => {
            let message = format!("\"{}\" cannot be empty", field.label);
            out.push(Diagnostic::error(CLAUSE, written.span, message).help("set it to a value"));
            false
        }
        (Expression::Literal(Literal::Text(text)), Some(most)) if text.chars().count() > most as usize => {
            let message = format!("the text is longer than the {most} characters of \"{}\"", field.label);
            out.push(Diagnostic::error(CLAUSE, written.span, message).help("write a shorter one"));
            false
        }
        _ => true,
    }
}
