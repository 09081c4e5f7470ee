//! `CREATE JOB`: puts the parts together. A job with a mistake yields none, and all its mistakes.

use super::Context;
use super::scope::{LookupScope, Reached, Scope, table_ref};
use super::{chain, expression, key, lookup, mapping, rules, target};
use crate::diagnostic::code::{ALIAS, REPEATED};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast;
use crate::model::connection::Service;
use crate::model::expression::Expression;
use crate::model::job::{Job, Mapping, Source};
use crate::model::lookup::Lookup;

/// The checked job.
pub(in crate::lang) fn check(written: &ast::Job, context: &Context<'_>, all: &mut Diagnostics) -> Option<Job> {
    let mut out = Diagnostics::default();
    let job = whole(written, context, &mut out);
    let failed = out.has_errors();
    all.append(out);
    job.filter(|_| !failed)
}

fn whole(written: &ast::Job, context: &Context<'_>, out: &mut Diagnostics) -> Option<Job> {
    header(written, context, out);
    let targets = target::check(&written.targets, context, out);
    let mut scope = scope(written, context, out);
    let lookups: Vec<Option<Lookup>> =
        written.lookups.iter().enumerate().map(|(i, l)| lookup::check(l, i, &mut scope, out)).collect();
    let mut mappings: Vec<Mapping> = Vec::new();
    for one in &written.mappings {
        mappings.extend(mapping::check(one, &targets, &mappings, &mut scope, out));
    }
    let filter = written.filter.as_ref().map(|f| expression::truth(f, &mut scope, out));
    let key = key::check(written, &targets, &mappings, out);
    let source = scope.source?;
    // The primary key names the row in error files and in the identity map; the time of the last change tells which of
    // two rows is newer. Both are always read.
    let id = always(&source.primary_id, written, &mut scope, out)?;
    let modified = source.by_name("modifiedon").and_then(|f| always(&f.name, written, &mut scope, out));
    let mut lookups: Vec<Lookup> = lookups.into_iter().collect::<Option<_>>()?;
    for (lookup, scoped) in lookups.iter_mut().zip(&scope.lookups) {
        lookup.yields.clone_from(&scoped.yields);
    }
    let (filter, late_filter) = match filter {
        Some(filter) => split(filter?),
        None => (None, None),
    };
    let job = Job {
        name: written.name.text.clone(),
        comment: written.comments.first().map(|c| c.text.clone()),
        after: written.after.iter().map(|n| n.text.clone()).collect(),
        source: Source {
            connection: scope.source_connection.clone(),
            table: table_ref(source),
            changes: written.from.changes,
        },
        columns: scope.columns,
        relations: scope.relations,
        id,
        modified,
        filter,
        late_filter,
        lookups,
        targets: targets.into_iter().collect::<Option<_>>()?,
        key,
        mappings,
        place: context.sources.place(written.name.span),
    };
    if !job.key.is_empty() && !out.has_errors() {
        rules::check(written, &job, context, out);
    }
    Some(job)
}

/// The index of a column of the source table that is read whether the script names it or not.
fn always(column: &str, written: &ast::Job, scope: &mut Scope<'_>, out: &mut Diagnostics) -> Option<usize> {
    let name = ast::Name { text: column.to_owned(), span: written.from.object.span };
    match scope.resolve(&[written.from.alias.clone(), name], out)? {
        Reached::Column(index) => Some(index),
        Reached::Looked { .. } => None,
    }
}

fn header(written: &ast::Job, context: &Context<'_>, out: &mut Diagnostics) {
    if let [_, second, ..] = &written.comments[..] {
        out.push(Diagnostic::error(REPEATED, second.span, "COMMENT is said twice").help("keep one of the two"));
    }
    for name in &written.after {
        if !context.jobs.contains(name.text.as_str()) {
            out.push(chain::unknown_job(name, context.jobs));
        }
    }
}

fn scope<'a>(written: &ast::Job, context: &'a Context<'a>, out: &mut Diagnostics) -> Scope<'a> {
    let from = &written.from;
    let connection = target::connection(&from.object.connection, Service::Dynamics, context, out);
    let source = connection.as_ref().and_then(|c| target::object(c, &from.object, context, out));
    let mut aliases = vec![from.alias.text.to_lowercase()];
    let mut lookups = Vec::new();
    for one in &written.lookups {
        let lower = one.alias.text.to_lowercase();
        if aliases.contains(&lower) {
            let message = format!("two things here are called `{}`", one.alias.text);
            out.push(Diagnostic::error(ALIAS, one.alias.span, message).help("give each its own alias"));
        }
        aliases.push(lower);
        let connection = target::connection(&one.object.connection, Service::Gainsight, context, out);
        let object = connection.as_ref().and_then(|c| target::object(c, &one.object, context, out));
        let connection = connection.unwrap_or_default();
        lookups.push(LookupScope { alias: one.alias.text.clone(), connection, object, yields: Vec::new() });
    }
    Scope {
        context,
        source_alias: from.alias.text.clone(),
        source_connection: connection.unwrap_or_default(),
        source,
        lookups,
        columns: Vec::new(),
        relations: Vec::new(),
    }
}

/// Splits a filter into what the source alone decides and what lookups decide. The second part waits until policies
/// have spoken: a filter on a looked-up column must not make rows vanish before their policy sees them.
fn split(filter: Expression) -> (Option<Expression>, Option<Expression>) {
    let parts = match filter {
        Expression::All(parts) => parts,
        other => vec![other],
    };
    let (late, early): (Vec<_>, Vec<_>) = parts.into_iter().partition(Expression::uses_lookup);
    let join = |mut parts: Vec<Expression>| match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Expression::All(parts)),
    };
    (join(early), join(late))
}
