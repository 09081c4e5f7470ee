//! `CREATE JOB`: pairs → AST.

use pest::iterators::Pair;

use super::ast::{
    DuplicateKey, From, Job, KeyClause, LateClause, Mapping, Name, ObjectName, Require, SourceAction, Unknown, Verb,
};
use super::parse::Origin;
use super::parse_expression::{concat, expression};
use super::parse_lookup::lookup;
use super::parse_schedule::{head_clause, length};
use super::syntax::Rule;
use crate::diagnostic::source::Span;

pub(super) fn job(origin: Origin, pair: Pair<'_, Rule>) -> Job {
    let mut made = empty(origin.span(&pair));
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::name => made.name = origin.name(&part),
            Rule::job_clause => made.head.extend(part.into_inner().map(|p| head_clause(origin, p))),
            Rule::verb => made.verb = verb(part),
            Rule::objects => made.targets = part.into_inner().map(|p| origin.object(p)).collect(),
            Rule::key => made.key = Some(key(origin, part)),
            Rule::duplicate_key => made.duplicate_key = Some(duplicate_key(origin, part)),
            Rule::select => {
                let mappings = part.into_inner().filter(|p| p.as_rule() == Rule::mapping);
                made.mappings = mappings.map(|p| mapping(origin, p)).collect();
            }
            Rule::from => made.from = from(origin, part),
            Rule::lookup => made.lookups.push(lookup(origin, part)),
            Rule::filter => made.filter = find(part, Rule::expression).map(|p| expression(origin, p)),
            Rule::require => made.requires.push(require(origin, part)),
            Rule::late_clause => made.late.extend(part.into_inner().map(|p| late_clause(origin, p))),
            _ => {}
        }
    }
    made
}

fn empty(span: Span) -> Job {
    let nothing = Name { text: String::new(), span };
    Job {
        name: nothing.clone(),
        head: Vec::new(),
        verb: Verb::Upsert,
        targets: Vec::new(),
        key: None,
        duplicate_key: None,
        mappings: Vec::new(),
        from: From {
            changes: false,
            object: ObjectName { connection: nothing.clone(), object: nothing.clone(), span },
            alias: nothing,
            begins_with: None,
            by: None,
            lag: None,
            full_every: None,
            span,
        },
        lookups: Vec::new(),
        filter: None,
        requires: Vec::new(),
        late: Vec::new(),
        span,
    }
}

fn verb(pair: Pair<'_, Rule>) -> Verb {
    match pair.into_inner().next().map(|p| p.as_rule()) {
        Some(Rule::kw_insert) => Verb::Insert,
        Some(Rule::kw_update) => Verb::Update,
        _ => Verb::Upsert,
    }
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

fn duplicate_key(origin: Origin, pair: Pair<'_, Rule>) -> DuplicateKey {
    let action = pair.into_inner().last().expect("a policy has an action");
    match action.as_rule() {
        Rule::keep_latest => {
            let by = find(action, Rule::concat).expect("KEEP LATEST has an expression");
            DuplicateKey::KeepLatest(concat(origin, by))
        }
        Rule::kw_reject => DuplicateKey::Reject,
        _ => DuplicateKey::Error,
    }
}

fn mapping(origin: Origin, pair: Pair<'_, Rule>) -> Mapping {
    let span = origin.span(&pair);
    let mut inner = pair.into_inner();
    let value = expression(origin, inner.next().expect("a mapping has a value"));
    let target = inner.find(|p| p.as_rule() == Rule::target_field).expect("a mapping has a target");
    Mapping { value, target: origin.target_field(target), span }
}

fn from(origin: Origin, pair: Pair<'_, Rule>) -> From {
    let mut made = empty(origin.span(&pair)).from;
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::changes => made.changes = true,
            Rule::object => made.object = origin.object(part),
            Rule::identifier => made.alias = origin.name(&part),
            Rule::begin_with => made.begins_with = find(part, Rule::object).map(|p| origin.object(p)),
            Rule::by => made.by = origin.names(part.into_inner()).pop(),
            Rule::lag => made.lag = find(part, Rule::length).map(|p| length(origin, p)),
            Rule::full_every => made.full_every = find(part, Rule::length).map(|p| length(origin, p)),
            _ => {}
        }
    }
    made
}

fn require(origin: Origin, pair: Pair<'_, Rule>) -> Require {
    let span = origin.span(&pair);
    let mut message = Name { text: String::new(), span };
    let mut condition = None;
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::expression => condition = Some(expression(origin, part)),
            Rule::text => message = origin.name(&part),
            _ => {}
        }
    }
    Require { condition: condition.expect("the grammar wants a condition"), message, span }
}

fn late_clause(origin: Origin, pair: Pair<'_, Rule>) -> LateClause {
    let span = origin.span(&pair);
    let has = |pair: &Pair<'_, Rule>, rule| pair.clone().into_inner().any(|p| p.as_rule() == rule);
    if pair.as_rule() == Rule::load_first {
        let descending = has(&pair, Rule::kw_desc);
        let by = find(pair, Rule::concat).expect("LOAD FIRST BY has an expression");
        return LateClause::LoadFirst { by: concat(origin, by), descending, span };
    }
    if pair.as_rule() == Rule::load_via {
        let way = if has(&pair, Rule::kw_bulk) {
            "BULK"
        } else if has(&pair, Rule::kw_auto) {
            "AUTO"
        } else if has(&pair, Rule::kw_files) {
            "FILES"
        } else {
            "API"
        };
        let place = origin.names(pair.clone().into_inner()).pop();
        let setting = find(pair, Rule::via_job).map(|job| {
            let mut both = origin.names(job.into_inner()).into_iter();
            let name = both.next().expect("a setting has a name");
            (name, both.next().expect("a setting has a value"))
        });
        return LateClause::LoadVia { way: way.to_owned(), setting, place, span };
    }
    let body = pair.into_inner().last().expect("an ON clause has a case");
    match body.as_rule() {
        Rule::on_error => {
            let stop = has(&body, Rule::kw_stop);
            let up_to = find(body, Rule::up_to).map(|limit| {
                let is_share = has(&limit, Rule::kw_percent);
                (origin.names(limit.into_inner()).pop().expect("a limit has a number"), is_share)
            });
            LateClause::OnError { stop, up_to, span }
        }
        Rule::on_source => {
            let leaves = has(&body, Rule::kw_leave);
            let action = find(body, Rule::source_action).and_then(|p| p.into_inner().next());
            let action = action.expect("ON SOURCE has an action");
            let action = match action.as_rule() {
                Rule::kw_ignore => SourceAction::Ignore,
                Rule::kw_delete => SourceAction::Delete,
                _ => SourceAction::Set(assignments(origin, action)),
            };
            LateClause::OnSource { delete: !leaves, action, span }
        }
        _ => {
            let what = body.into_inner().last().expect("ON UNKNOWN has a case");
            let becomes = match what.clone().into_inner().last().map(|p| p.as_rule()) {
                Some(Rule::kw_null) => Unknown::Null,
                Some(Rule::kw_text) => Unknown::Text,
                _ => Unknown::Error,
            };
            if what.as_rule() == Rule::unknown_choice {
                LateClause::OnUnknownChoice { becomes, span }
            } else {
                LateClause::OnUnknownItem { becomes, span }
            }
        }
    }
}

fn assignments(
    origin: Origin,
    pair: Pair<'_, Rule>,
) -> Vec<(super::ast::TargetField, super::ast_expression::Expression)> {
    let each = pair.into_inner().filter(|p| p.as_rule() == Rule::assignment);
    each.map(|assignment| {
        let mut inner = assignment.into_inner();
        let field = origin.target_field(inner.next().expect("an assignment has a field"));
        (field, concat(origin, inner.next().expect("an assignment has a value")))
    })
    .collect()
}

/// The last part of a pair that came from this rule.
pub(super) fn find(pair: Pair<'_, Rule>, rule: Rule) -> Option<Pair<'_, Rule>> {
    pair.into_inner().filter(|p| p.as_rule() == rule).last()
}
