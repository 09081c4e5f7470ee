//! `CREATE JOB`: pairs → AST.

use pest::iterators::Pair;

use super::ast::{Equality, From, Job, KeyClause, Lookup, Mapping, Name, ObjectName};
use super::parse::Origin;
use super::parse_expression::{expression, sum};
use super::syntax::Rule;
use crate::diagnostic::source::Span;

pub(super) fn job(origin: Origin, pair: Pair<'_, Rule>) -> Job {
    let span = origin.span(&pair);
    let nothing = Name { text: String::new(), span };
    let mut made = Job {
        name: nothing.clone(),
        comments: Vec::new(),
        after: Vec::new(),
        targets: Vec::new(),
        key: None,
        mappings: Vec::new(),
        from: From {
            changes: false,
            object: ObjectName { connection: nothing.clone(), object: nothing.clone(), span },
            alias: nothing,
        },
        lookups: Vec::new(),
        filter: None,
        span,
    };
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::name => made.name = origin.name(&part),
            Rule::job_clause => {
                let clause = part.into_inner().next().expect("a clause is one of two");
                let is_comment = clause.as_rule() == Rule::comment;
                let names = origin.names(clause.into_inner());
                if is_comment { made.comments.extend(names) } else { made.after.extend(names) }
            }
            Rule::objects => made.targets = part.into_inner().map(|p| origin.object(p)).collect(),
            Rule::key => made.key = Some(key(origin, part)),
            Rule::select => {
                let mappings = part.into_inner().filter(|p| p.as_rule() == Rule::mapping);
                made.mappings = mappings.map(|p| mapping(origin, p)).collect();
            }
            Rule::from => made.from = from(origin, part),
            Rule::lookup => made.lookups.push(lookup(origin, part)),
            Rule::filter => made.filter = last(part, Rule::expression).map(|p| expression(origin, p)),
            _ => {}
        }
    }
    made
}

fn key(origin: Origin, pair: Pair<'_, Rule>) -> KeyClause {
    let span = origin.span(&pair);
    let mut fields = Vec::new();
    for field in pair.into_inner().filter(|p| p.as_rule() == Rule::key_field) {
        let mut inner = field.into_inner();
        let target = origin.target_field(inner.next().expect("a key field has a name"));
        fields.push((target, inner.next().is_some()));
    }
    KeyClause { fields, span }
}

fn mapping(origin: Origin, pair: Pair<'_, Rule>) -> Mapping {
    let span = origin.span(&pair);
    let mut inner = pair.into_inner();
    let value = expression(origin, inner.next().expect("a mapping has a value"));
    let target = inner.find(|p| p.as_rule() == Rule::target_field).expect("a mapping has a target");
    Mapping { value, target: origin.target_field(target), span }
}

fn from(origin: Origin, pair: Pair<'_, Rule>) -> From {
    let (mut changes, mut object, mut alias) = (false, None, None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::changes => changes = true,
            Rule::object => object = Some(origin.object(part)),
            Rule::identifier => alias = Some(origin.name(&part)),
            _ => {}
        }
    }
    From {
        changes,
        object: object.expect("the grammar wants a table"),
        alias: alias.expect("the grammar wants an alias"),
    }
}

fn lookup(origin: Origin, pair: Pair<'_, Rule>) -> Lookup {
    let span = origin.span(&pair);
    let (mut object, mut alias) = (None, None);
    let (mut equalities, mut after_load) = (Vec::new(), false);
    let (mut multiple, mut none) = (Vec::new(), Vec::new());
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::object => object = Some(origin.object(part)),
            Rule::identifier => alias = Some(origin.name(&part)),
            Rule::equality => equalities.push(equality(origin, part)),
            Rule::after_load => after_load = true,
            Rule::policy => {
                let place = origin.span(&part);
                let policy = part.into_inner().last().expect("a policy has a case");
                let is_multiple = policy.as_rule() == Rule::when_multiple;
                let uses = policy.into_inner().any(|p| matches!(p.as_rule(), Rule::use_any | Rule::use_null));
                if is_multiple { multiple.push((uses, place)) } else { none.push((uses, place)) }
            }
            _ => {}
        }
    }
    let object: ObjectName = object.expect("the grammar wants an object");
    let alias = alias.expect("the grammar wants an alias");
    let head = Span { end: alias.span.end, ..span };
    Lookup { object, alias, equalities, after_load, multiple, none, head, span }
}

fn equality(origin: Origin, pair: Pair<'_, Rule>) -> Equality {
    let span = origin.span(&pair);
    let mut inner = pair.into_inner();
    let alias = origin.name(&inner.next().expect("an equality begins with an alias"));
    let field = origin.name(&inner.next().expect("an equality has a field"));
    let value = sum(origin, inner.next().expect("an equality has a value"));
    Equality { alias, field, value, ignore_case: inner.next().is_some(), span }
}

fn last(pair: Pair<'_, Rule>, rule: Rule) -> Option<Pair<'_, Rule>> {
    pair.into_inner().filter(|p| p.as_rule() == rule).last()
}
