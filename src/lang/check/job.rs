//! `CREATE JOB`: puts the parts together. A job with a mistake yields none, and all its mistakes.

use super::Context;
use super::head::Head;
use super::mapping::Mappings;
use super::scope::{LookupScope, Reached, Scope, table_ref};
use super::{bounds, export, expression, head, key, length, lookup, mapping, policy, rules, target};
use crate::diagnostic::code::{ALIAS, CLAUSE};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{self, Name};
use crate::lang::ast_expression::Step;
use crate::model::connection::Service;
use crate::model::dataset::VERSION_NUMBER;
use crate::model::expression::Expression;
use crate::model::field::FieldKind;
use crate::model::job::{Job, Mapping, Merged, Source};
use crate::model::lookup::Lookup;
use crate::model::moment;
use crate::model::policy::Verb;

/// The checked job.
pub(in crate::lang) fn check(written: &ast::Job, context: &Context<'_>, all: &mut Diagnostics) -> Option<Job> {
    let mut out = Diagnostics::default();
    let job = whole(written, context, &mut out);
    let failed = out.has_errors();
    all.append(out);
    job.filter(|_| !failed)
}

fn whole(written: &ast::Job, context: &Context<'_>, out: &mut Diagnostics) -> Option<Job> {
    let head = head::check(&written.head, context, out);
    bounds::check(written, out)?;
    let targets = target::check(&written.targets, context, out);
    let mut scope = scope(written, &head, context, out);
    let lookups: Vec<Option<Lookup>> =
        (0..written.lookups.len()).map(|index| lookup::check(written, index, &mut scope, out)).collect();
    let mut mappings = Mappings {
        targets: &targets,
        unknown_item: policy::unknown_item(written),
        checked: Vec::new(),
        too_long: Vec::new(),
    };
    for one in &written.mappings {
        mapping::check(one, &mut mappings, &mut scope, out);
    }
    length::report(&mappings.too_long, &scope, out);
    let mappings: Vec<Mapping> = mappings.checked.into_iter().map(|(mapping, _)| mapping).collect();
    let filter = written.filter.as_ref().map(|f| expression::truth(f, &mut scope, out));
    let key = key::check(written, &targets, &mappings, out);
    let duplicate_key = policy::duplicate_key(written.duplicate_key.as_ref(), &mut scope, out);
    let requires = policy::requires(&written.requires, &mut scope, out);
    let late = policy::late(written, &targets, &mut scope, out);
    let source = scope.source?;
    // The primary key names the row in error files and in the identity map; the time of the last change tells which of
    // two rows is newer. Both are always read.
    let id = always(&source.primary_id, written, &mut scope, out)?;
    let modified = source.by_name("modifiedon").and_then(|f| always(&f.name, written, &mut scope, out));
    let merged = late.as_ref().filter(|late| late.on_delete.acts()).and_then(|_| merged(written, &mut scope, out));
    let (unread, from) = (unread(written, &mut scope, out), from(written, &mut scope, out));
    let mut lookups: Vec<Lookup> = lookups.into_iter().collect::<Option<_>>()?;
    for ((lookup, scoped), text) in lookups.iter_mut().zip(&scope.lookups).zip(&written.lookups) {
        lookup.yields.clone_from(&scoped.yields);
        lookup::replacement(text, lookup, out);
    }
    let (filter, late_filter) = filter.map_or(Some((None, None)), |filter| filter.map(split))?;
    let late = late?;
    let job = Job {
        name: written.name.text.clone(),
        comment: head.comment,
        after: head.after,
        schedule: head.schedule,
        notify: head.notify,
        zone: scope.zone.name().to_owned(),
        verb: verb(written.verb),
        source: from?,
        columns: scope.columns,
        relations: scope.relations,
        id,
        modified,
        filter,
        late_filter,
        lookups,
        targets: targets.into_iter().collect::<Option<_>>()?,
        key,
        duplicate_key: duplicate_key?,
        requires: requires?,
        on_error: late.on_error,
        unread,
        merged,
        on_delete: late.on_delete,
        on_leave: late.on_leave,
        unknown_choice: late.unknown_choice,
        unknown_item: late.unknown_item,
        via: late.via,
        load_first: late.load_first,
        mappings,
        place: context.sources.place(written.name.span),
    };
    if !job.key.is_empty() && !out.has_errors() {
        rules::check(written, &job, context, out);
    }
    Some(job)
}

fn verb(written: ast::Verb) -> Verb {
    match written {
        ast::Verb::Upsert => Verb::Upsert,
        ast::Verb::Insert => Verb::Insert,
        ast::Verb::Update => Verb::Update,
    }
}

/// The index of a column of the source table that is read whether the script names it or not.
fn always(column: &str, written: &ast::Job, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<usize> {
    let name = Name { text: column.to_owned(), span: written.from.object.span };
    let path = [written.from.alias.clone(), name].map(|name| Step { name, table: None });
    match scope.resolve(&path, out)? {
        Reached::Column(index) => Some(index),
        Reached::Looked { .. } => None,
    }
}

/// The columns by which the source table says that a row was merged into another one, if it has them.
fn merged(written: &ast::Job, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Merged> {
    let source = scope.source?;
    let is_flag = source.by_name("merged").is_some_and(|field| field.kind == FieldKind::Boolean);
    let is_told = source.by_name("masterid").is_some_and(|field| field.kind == FieldKind::Reference);
    if !is_flag || !is_told {
        return None;
    }
    let flag = always("merged", written, scope, out)?;
    Some(Merged { flag, into: always("masterid", written, scope, out)? })
}

/// The columns that are read of every table of files: why a row cannot be read, and by which the newest version of a row of an export is
/// known, also in a later run. Gives the first.
fn unread(written: &ast::Job, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<usize> {
    let source = scope.source?;
    let is_versioned = source.is_of_files || written.from.begins_with.is_some();
    if is_versioned && source.by_name(VERSION_NUMBER).is_some() {
        always(VERSION_NUMBER, written, scope, out)?;
    }
    source.is_of_files.then(|| scope.unread())
}

/// `FROM …`, with what it says of changes.
fn from(written: &ast::Job, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<Source> {
    let clause = &written.from;
    let is_of_files = scope.source.is_some_and(|source| source.is_of_files);
    if let (true, Some(span)) = (is_of_files, clause.by.as_ref().map(|n| n.span).or(clause.lag.map(|l| l.span))) {
        let message = "what changed of files is told by the files themselves, so BY and LAG have no place here";
        out.push(Diagnostic::error(CLAUSE, span, message).help("remove it"));
    }
    let parts = [clause.by.as_ref().map(|n| n.span), clause.lag.map(|l| l.span), clause.full_every.map(|l| l.span)];
    if !clause.changes
        && let Some(span) = parts.into_iter().flatten().next()
    {
        let message = "plain FROM reads everything, so it takes neither BY, LAG nor FULL EVERY";
        out.push(Diagnostic::error(CLAUSE, span, message).help("write FROM CHANGES OF …"));
    }
    for length in [clause.lag, clause.full_every].into_iter().flatten().filter(|l| l.seconds.is_none()) {
        let message = "this is not a length of time that can be counted in seconds";
        out.push(Diagnostic::error(CLAUSE, length.span, message).help("such as 5m, 4h, 7d or 7 DAYS"));
    }
    let by = match &clause.by {
        Some(name) => {
            let path = [clause.alias.clone(), name.clone()].map(|name| Step { name, table: None });
            let Reached::Column(column) = scope.resolve(&path, out)? else { return None };
            let field = &scope.columns[column].field;
            if field.kind != FieldKind::DateTime {
                let message = format!("CHANGES … BY takes a moment, and `{}` is {}", field.name, field.kind.word());
                out.push(Diagnostic::error(CLAUSE, name.span, message).help("such as BY modifiedon"));
                return None;
            }
            Some(field.name.clone())
        }
        None => None,
    };
    Some(Source {
        connection: scope.source_connection.clone(),
        table: table_ref(&scope.source_connection, scope.source?),
        changes: clause.changes,
        begins_with: clause.begins_with.as_ref().and_then(|export| export::check(export, clause, scope, out)),
        by,
        lag_seconds: clause.lag.and_then(|l| l.seconds),
        full_every_seconds: clause.full_every.and_then(|l| l.seconds),
    })
}

fn scope<'a>(written: &ast::Job, head: &Head, context: &'a Context<'a>, out: &mut Diagnostics) -> Scope<'a> {
    let from = &written.from;
    let connection = target::connection(&from.object.connection, target::Side::Source, context, out);
    let source = connection.as_ref().and_then(|c| target::object(c, &from.object, context, out));
    let mut aliases = vec![(from.alias.text.to_lowercase(), from.alias.span)];
    let mut lookups = Vec::new();
    for one in &written.lookups {
        let lower = one.alias.text.to_lowercase();
        if let Some((_, first)) = aliases.iter().find(|(alias, _)| *alias == lower) {
            let message = format!("two things here are called `{}`", one.alias.text);
            let wrong = Diagnostic::error(ALIAS, one.alias.span, message).related(*first, "it is declared here");
            out.push(wrong.help("give each its own alias"));
        }
        aliases.push((lower, one.alias.span));
        let searched = target::searched(&one.object.connection, written, context, out);
        let object = searched.as_ref().and_then(|(c, _)| target::object(c, &one.object, context, out));
        let (connection, service) = searched.unwrap_or_default();
        let is_table = service.is_some_and(Service::has_tables);
        lookups.push(LookupScope { alias: one.alias.text.clone(), connection, object, is_table, yields: Vec::new() });
    }
    let zone = head.zone.as_ref().unwrap_or(&context.settings.time_zone);
    Scope {
        context,
        zone: moment::zone(zone).unwrap_or(chrono_tz::UTC),
        source_alias: from.alias.text.clone(),
        source_connection: connection.unwrap_or_default(),
        source,
        lookups,
        columns: Vec::new(),
        relations: Vec::new(),
    }
}

/// Splits a filter into what the source alone decides and what lookups decide. The second part waits until policies
/// have spoken: a filter on a looked-up column must not make rows vanish before their policy sees them. A condition that can fail
/// and stands behind such a one waits with it, as the one before may decide that it is not looked at.
fn split(filter: Expression) -> (Option<Expression>, Option<Expression>) {
    let parts = match filter {
        Expression::All(parts) => parts,
        other => vec![other],
    };
    let (mut late, mut early) = (Vec::new(), Vec::new());
    for part in parts {
        let waits = part.uses_lookup() || (!late.is_empty() && part.may_fail());
        if waits { late.push(part) } else { early.push(part) }
    }
    let join = |mut parts: Vec<Expression>| match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Expression::All(parts)),
    };
    (join(early), join(late))
}
