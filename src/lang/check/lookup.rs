//! `LOOKUP`: the equalities and the two policies.

use super::expression;
use super::scope::{Scope, field_of};
use crate::diagnostic::code::{ALIAS, POLICY_MISSING, REPEATED, TARGETS, TYPE};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast;
use crate::model::expression::Expression;
use crate::model::job::{Fold, ObjectRef};
use crate::model::lookup::{Lookup, Match, OnMultiple, OnNone};

/// Equalities of one lookup at most, as in the product.
const EQUALITIES_AT_MOST: usize = 6;

/// The checked lookup number `index`, without its yields: mappings decide those.
pub(super) fn check(
    written: &ast::Lookup,
    index: usize,
    scope: &mut Scope<'_>,
    out: &mut Diagnostics,
) -> Option<Lookup> {
    let policies = policies(written, scope, out);
    let object = scope.lookups[index].object;
    if written.equalities.len() > EQUALITIES_AT_MOST {
        out.push(Diagnostic::error(TARGETS, written.head, "a lookup has six equalities at most"));
    }
    let matches: Vec<Option<Match>> = written.equalities.iter().map(|e| equality(e, index, scope, out)).collect();
    let object = object?;
    let (on_multiple, on_none) = policies?;
    Some(Lookup {
        alias: written.alias.text.clone(),
        object: ObjectRef {
            connection: scope.lookups[index].connection.clone(),
            name: object.name.clone(),
            label: object.label.clone(),
        },
        matches: matches.into_iter().collect::<Option<_>>()?,
        yields: Vec::new(),
        after_load: written.after_load,
        on_multiple,
        on_none,
        place: scope.context.sources.place(written.head),
    })
}

fn equality(written: &ast::Equality, index: usize, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Match> {
    let alias = scope.lookups[index].alias.clone();
    if !written.alias.text.eq_ignore_ascii_case(&alias) {
        let message = format!("the left side of a lookup's equality is a field of `{alias}`");
        out.push(
            Diagnostic::error(ALIAS, written.alias.span, message)
                .help(format!("write {alias}.\"Field\" = {}.column", scope.source_alias)),
        );
        return None;
    }
    let object = scope.lookups[index].object;
    let value = expression::check(&written.value, scope, out);
    let field = field_of(object?, &written.field, out)?.clone();
    let (value, found) = value?;
    if value.uses_lookup() {
        let message = "a lookup's equality uses columns of the source, not of another lookup";
        out.push(Diagnostic::error(ALIAS, written.value.span, message));
        return None;
    }
    let wanted = field.kind.value_type();
    if !found.compares_with(wanted) {
        let message = format!("\"{}\" is {}, and this is {}", field.label, field.kind.word(), found.word());
        out.push(Diagnostic::error(TYPE, written.span, message).label("the two sides of an equality must be alike"));
        return None;
    }
    let polymorphic = match value {
        Expression::Column(column) if scope.columns[column].relation.is_none() => {
            Some(column).filter(|c| scope.columns[*c].field.is_polymorphic())
        }
        _ => None,
    };
    let fold = Fold::of(field.kind, found, written.ignore_case);
    Some(Match { field, value, fold, polymorphic })
}

/// Both policies are compulsory; what is missing is shown as the lines to add.
fn policies(written: &ast::Lookup, scope: &Scope<'_>, out: &mut Diagnostics) -> Option<(OnMultiple, OnNone)> {
    let alias = &written.alias.text;
    let noun = scope
        .lookups
        .iter()
        .find(|l| l.alias == *alias)
        .and_then(|l| l.object)
        .map_or_else(|| written.object.object.text.to_lowercase(), |o| o.label.to_lowercase());
    let multiple = single(&written.multiple, "WHEN MULTIPLE MATCHED", out);
    let none = single(&written.none, "WHEN NOT MATCHED", out);
    if multiple.is_none() {
        let message = format!("LOOKUP {alias} does not say what to do when several {noun} records match");
        out.push(
            Diagnostic::error(POLICY_MISSING, written.head, message)
                .label("2 matches: ?")
                .help("add one of")
                .help("  WHEN MULTIPLE MATCHED THEN ERROR      the row goes to the error file")
                .help("  WHEN MULTIPLE MATCHED THEN USE ANY    the record with the smallest GSID is taken"),
        );
    }
    if none.is_none() {
        let message = format!("LOOKUP {alias} does not say what to do when no {noun} matches");
        out.push(
            Diagnostic::error(POLICY_MISSING, written.head, message)
                .label("0 matches: ?")
                .help("add one of")
                .help("  WHEN NOT MATCHED THEN REJECT      the row goes to the error file")
                .help(format!("  WHEN NOT MATCHED THEN USE NULL    what comes from {alias} stays empty")),
        );
    }
    let multiple = if multiple? { OnMultiple::UseAny } else { OnMultiple::Error };
    Some((multiple, if none? { OnNone::UseNull } else { OnNone::Reject }))
}

fn single(written: &[(bool, Span)], words: &str, out: &mut Diagnostics) -> Option<bool> {
    if let [_, (_, span), ..] = written {
        out.push(Diagnostic::error(REPEATED, *span, format!("{words} is said twice")).help("keep one of the two"));
    }
    written.first().map(|(uses, _)| *uses)
}
