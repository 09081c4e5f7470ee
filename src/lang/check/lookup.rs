//! `LOOKUP`: the equalities and the two policies.

use super::compare::coded;
use super::convert::convert;
use super::expression::{self, Typed};
use super::scope::{Scope, field_of, table_ref};
use crate::diagnostic::code::{ALIAS, GSID_FORM, POLICY_MISSING, REPEATED, TARGETS, TYPE};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::{self, Name, WhenMultiple, WhenNone};
use crate::lang::ast_expression::Node;
use crate::model::expression::{Expression, Literal};
use crate::model::field::{Field, FieldKind};
use crate::model::fit::common;
use crate::model::job::{Fold, ObjectRef};
use crate::model::lookup::{Lookup, Match, OnMultiple, OnNone, Order};
use crate::model::value::ValueType;

/// Equalities of one lookup at most, as in the product.
const EQUALITIES_AT_MOST: usize = 6;

/// The checked lookup number `index`, without its yields: mappings decide those.
pub(super) fn check(job: &ast::Job, index: usize, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Lookup> {
    let written = &job.lookups[index];
    let policies = policies(written, &empty(job, &written.alias.text), index, scope, out);
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
            table: scope.lookups[index].is_table.then(|| table_ref(&scope.lookups[index].connection, object)),
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
    own_alias(&written.alias, index, scope, out)?;
    let object = scope.lookups[index].object;
    let value = expression::check(&written.value, scope, out);
    let field = field_of(object?, &written.field, out)?.clone();
    let of = &object?.name;
    let (value, found) = labelled(value?, (of, &field), written.value.span, out)?;
    if value.uses_lookup() {
        let message = "a lookup's equality uses columns of the source, not of another lookup";
        let help = "find both by columns of the source, or let an earlier job write the value into the target";
        out.push(Diagnostic::error(ALIAS, written.value.span, message).help(help));
        return None;
    }
    let wanted = field.kind.value_type();
    let is_day = |t: ValueType| t == ValueType::Date;
    let of = common(found, wanted).filter(|of| is_day(*of) == is_day(wanted) && *of != ValueType::Choices);
    let Some(of) = of.filter(|_| field.kind != FieldKind::Other) else {
        let message = format!("\"{}\" is {}, and this is {}", field.label, field.kind.word(), found.word());
        let mut wrong =
            Diagnostic::error(TYPE, written.span, message).label("the two sides of an equality must be alike");
        if matches!((found, wanted), (ValueType::DateTime | ValueType::Date, ValueType::Date | ValueType::DateTime)) {
            wrong = wrong.help(format!("write CAST(… AS {})", wanted.word()));
        }
        out.push(wrong);
        return None;
    };
    let polymorphic = match value {
        Expression::Column(column) if scope.columns[column].relation.is_none() => {
            Some(column).filter(|c| scope.columns[*c].field.is_polymorphic())
        }
        _ => None,
    };
    let fold = if of == ValueType::Text || of == ValueType::Guid || of == ValueType::Gsid {
        Fold::of(field.kind, found, written.ignore_case)
    } else {
        Fold::Exact
    };
    if written.ignore_case && of != ValueType::Text {
        let message = format!("IGNORE CASE is for texts, and \"{}\" is {}", field.label, field.kind.word());
        out.push(Diagnostic::error(TYPE, written.span, message).help("remove IGNORE CASE"));
        return None;
    }
    Some(Match { field, value: convert(value, found, of), of, fold, polymorphic })
}

/// A label of a choice as its number.
fn labelled((value, found): Typed, (of, field): (&str, &Field), span: Span, out: &mut Diagnostics) -> Option<Typed> {
    if field.kind == FieldKind::Choice && found == ValueType::Text {
        return Some((coded((of, field), &value, span, out)?, ValueType::Choice));
    }
    Some((value, found))
}

/// The left side of an equality is a field of the looked-up record itself.
fn own_alias(written: &Name, index: usize, scope: &Scope<'_>, out: &mut Diagnostics) -> Option<()> {
    let alias = &scope.lookups[index].alias;
    if written.text.eq_ignore_ascii_case(alias) {
        return Some(());
    }
    let message = format!("the left side of a lookup's equality is a field of `{alias}`");
    out.push(
        Diagnostic::error(ALIAS, written.span, message)
            .help(format!("write {alias}.\"Field\" = {}.column", scope.source_alias)),
    );
    None
}

/// Both policies are compulsory; what is missing is shown as the lines to add.
fn policies(
    written: &ast::Lookup,
    empty: &str,
    index: usize,
    scope: &Scope<'_>,
    out: &mut Diagnostics,
) -> Option<(OnMultiple, OnNone)> {
    let alias = &written.alias.text;
    let object = scope.lookups[index].object;
    let noun = object.map_or_else(|| written.object.object.text.to_lowercase(), |o| o.label.to_lowercase());
    twice(&written.multiple, "WHEN MULTIPLE MATCHED", out);
    twice(&written.none, "WHEN NOT MATCHED", out);
    if written.multiple.is_empty() {
        let message = format!("LOOKUP {alias} does not say what to do when several {noun} records match");
        out.push(
            Diagnostic::error(POLICY_MISSING, written.head, message)
                .label("2 matches: ?")
                .help("add one of")
                .help("  WHEN MULTIPLE MATCHED THEN ERROR      the row goes to the error file")
                .help("  WHEN MULTIPLE MATCHED THEN USE ANY    the record with the smallest GSID is taken"),
        );
    }
    if written.none.is_empty() {
        let message = format!("LOOKUP {alias} does not say what to do when no {noun} matches");
        out.push(
            Diagnostic::error(POLICY_MISSING, written.head, message)
                .label("0 matches: ?")
                .help("add one of")
                .help("  WHEN NOT MATCHED THEN REJECT      the row goes to the error file")
                .help(format!("  WHEN NOT MATCHED THEN USE NULL    {empty}")),
        );
    }
    let on_none = match &written.none.first()?.0 {
        WhenNone::Reject => OnNone::Reject,
        WhenNone::Use(literal, _) => OnNone::Use(literal.clone()),
    };
    Some((multiple(&written.multiple.first()?.0, index, scope, out)?, on_none))
}

/// What stays empty where a lookup finds nothing: the fields that its columns go into as they are.
fn empty(job: &ast::Job, alias: &str) -> String {
    let is_own = |m: &&ast::Mapping| matches!(&m.value.node, Node::Path(path) if path.first().is_some_and(|s| s.name.text.eq_ignore_ascii_case(alias)));
    let fields = job.mappings.iter().filter(is_own).map(|m| format!("\"{}\"", m.target.field.text));
    match &fields.collect::<Vec<_>>()[..] {
        [one] => format!("{one} stays empty"),
        [one, two] => format!("{one} and {two} stay empty"),
        _ => format!("what comes from {alias} stays empty"),
    }
}

fn multiple(written: &WhenMultiple, index: usize, scope: &Scope<'_>, out: &mut Diagnostics) -> Option<OnMultiple> {
    let orders = match written {
        WhenMultiple::Error => return Some(OnMultiple::Error),
        WhenMultiple::UseAny => return Some(OnMultiple::UseAny),
        WhenMultiple::UseFirst(orders) => orders,
    };
    let mut checked = Vec::with_capacity(orders.len());
    for (alias, name, descending) in orders {
        if !alias.text.eq_ignore_ascii_case(&scope.lookups[index].alias) {
            let own = &scope.lookups[index].alias;
            let message = format!("USE FIRST BY orders the records of `{own}` by their own fields");
            out.push(
                Diagnostic::error(ALIAS, alias.span, message).help(format!("such as {own}.\"Modified Date\" DESC")),
            );
            return None;
        }
        let field = field_of(scope.lookups[index].object?, name, out)?.clone();
        checked.push(Order { field, descending: *descending });
    }
    Some(OnMultiple::UseFirst(checked))
}

fn twice<T>(written: &[(T, Span)], words: &str, out: &mut Diagnostics) {
    if let [(_, first), (_, second), ..] = written {
        let wrong = Diagnostic::error(REPEATED, *second, format!("{words} is said twice"));
        out.push(wrong.related(*first, "it is said here").help("keep one of the two"));
    }
}

/// What `USE value` gives must go where the looked-up fields go.
pub(super) fn replacement(written: &ast::Lookup, lookup: &Lookup, out: &mut Diagnostics) {
    let Some((WhenNone::Use(_, span), _)) = written.none.first() else { return };
    let OnNone::Use(literal) = &lookup.on_none else { return };
    let found = literal.value_type();
    if let (Literal::Text(text), true) = (literal, lookup.yields.iter().any(|f| f.kind.value_type() == ValueType::Gsid))
        && !is_gsid(text)
    {
        let warning = Diagnostic::warning(GSID_FORM, *span, format!("'{text}' does not look like a GSID"));
        out.push(warning.help("Gainsight would refuse each such record: use NULL, or the GSID of a record"));
    }
    for field in &lookup.yields {
        let wanted = field.kind.value_type();
        let fits = matches!((found, wanted), (ValueType::Text, ValueType::Gsid | ValueType::Guid | ValueType::Text))
            || common(found, wanted) == Some(wanted);
        if !fits {
            let message = format!("{} cannot stand in for \"{}\" ({})", found.word(), field.label, field.kind.word());
            out.push(Diagnostic::error(TYPE, *span, message).help("use NULL, or a lookup of its own for that field"));
        }
    }
}

/// Whether a text could be a Gainsight id: 36 letters and digits as a rule, 19 for some objects of the system. Ids have no form
/// that could be relied on, so this tells words from ids and no more.
fn is_gsid(text: &str) -> bool {
    (19..=36).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}
