//! `LOOKUP`: pairs → AST.

use pest::iterators::Pair;

use super::ast::{Equality, Lookup, ObjectName, WhenMultiple, WhenNone};
use super::parse::Origin;
use super::parse_expression::{concat, literal};
use super::syntax::Rule;
use crate::diagnostic::source::Span;

pub(super) fn lookup(origin: Origin, pair: Pair<'_, Rule>) -> Lookup {
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
                if policy.as_rule() == Rule::when_multiple {
                    multiple.push((when_multiple(origin, policy), place));
                } else {
                    none.push((when_none(origin, policy), place));
                }
            }
            _ => {}
        }
    }
    let object: ObjectName = object.expect("the grammar wants an object");
    let alias = alias.expect("the grammar wants an alias");
    let head = Span { end: alias.span.end, ..span };
    Lookup { object, alias, equalities, after_load, multiple, none, head, span }
}

fn when_multiple(origin: Origin, pair: Pair<'_, Rule>) -> WhenMultiple {
    let Some(uses) = pair.into_inner().find(|p| p.as_rule() == Rule::use_multiple) else { return WhenMultiple::Error };
    let Some(first_by) = uses.into_inner().find(|p| p.as_rule() == Rule::first_by) else { return WhenMultiple::UseAny };
    let orders = first_by.into_inner().filter(|p| p.as_rule() == Rule::order).map(|order| {
        let descending = order.clone().into_inner().any(|p| p.as_rule() == Rule::kw_desc);
        let mut names = origin.names(order.into_inner());
        let field = names.pop().expect("an order has a field");
        (names.pop().expect("an order has an alias"), field, descending)
    });
    WhenMultiple::UseFirst(orders.collect())
}

fn when_none(origin: Origin, pair: Pair<'_, Rule>) -> WhenNone {
    let uses = pair.into_inner().find(|p| p.as_rule() == Rule::use_value);
    let value = uses.and_then(|p| p.into_inner().find(|p| p.as_rule() == Rule::literal));
    value.map_or(WhenNone::Reject, |p| WhenNone::Use(literal(&p), origin.span(&p)))
}

fn equality(origin: Origin, pair: Pair<'_, Rule>) -> Equality {
    let span = origin.span(&pair);
    let mut inner = pair.into_inner();
    let alias = origin.name(&inner.next().expect("an equality begins with an alias"));
    let field = origin.name(&inner.next().expect("an equality has a field"));
    let value = concat(origin, inner.next().expect("an equality has a value"));
    Equality { alias, field, value, ignore_case: inner.next().is_some(), span }
}
