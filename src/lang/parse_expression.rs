//! Expressions: pairs → AST.

use pest::iterators::Pair;

use super::ast::{Expression, Node};
use super::parse::{Origin, unquote};
use super::syntax::Rule;
use crate::model::expression::{Comparison, Literal};

/// An `expression` pair, of any depth that `split` let through.
pub(super) fn expression(origin: Origin, pair: Pair<'_, Rule>) -> Expression {
    let span = origin.span(&pair);
    let rule = pair.as_rule();
    let mut parts: Vec<Expression> = pair
        .into_inner()
        .filter(|p| matches!(p.as_rule(), Rule::and_chain | Rule::negation))
        .map(|p| if rule == Rule::expression { expression(origin, p) } else { negation(origin, p) })
        .collect();
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let node = if rule == Rule::expression { Node::Any(parts) } else { Node::All(parts) };
    Expression { node, span }
}

fn negation(origin: Origin, pair: Pair<'_, Rule>) -> Expression {
    let span = origin.span(&pair);
    let mut negated = false;
    let mut inner = None;
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::kw_not => negated = !negated,
            _ => inner = Some(predicate(origin, part)),
        }
    }
    let inner = inner.expect("a negation has an operand");
    if negated { Expression { node: Node::Not(Box::new(inner)), span } } else { inner }
}

fn predicate(origin: Origin, pair: Pair<'_, Rule>) -> Expression {
    let span = origin.span(&pair);
    let mut parts = pair.into_inner();
    let left = sum(origin, parts.next().expect("a predicate has an operand"));
    let Some(tail) = parts.next() else { return left };
    let left = Box::new(left);
    let negated = tail.clone().into_inner().any(|p| p.as_rule() == Rule::kw_not);
    let node = match tail.as_rule() {
        Rule::is_null => Node::IsNull(left, negated),
        Rule::in_list => {
            let list = tail.into_inner().filter(|p| p.as_rule() == Rule::literal);
            Node::In(left, list.map(|p| (literal(&p), origin.span(&p))).collect(), negated)
        }
        _ => {
            let mut inner = tail.into_inner();
            let operator = comparison(inner.next().expect("a comparison has an operator").as_str());
            Node::Compare(operator, left, Box::new(sum(origin, inner.next().expect("a comparison has two sides"))))
        }
    };
    Expression { node, span }
}

/// A `sum` pair: one value, or several joined by `||`.
pub(super) fn sum(origin: Origin, pair: Pair<'_, Rule>) -> Expression {
    let span = origin.span(&pair);
    let mut parts: Vec<Expression> = pair.into_inner().map(|p| primary(origin, p)).collect();
    if parts.len() == 1 { parts.remove(0) } else { Expression { node: Node::Concat(parts), span } }
}

fn primary(origin: Origin, pair: Pair<'_, Rule>) -> Expression {
    let span = origin.span(&pair);
    let inner = pair.into_inner().next().expect("a primary has a content");
    let node = match inner.as_rule() {
        Rule::expression => return Expression { span, ..expression(origin, inner) },
        Rule::literal => Node::Literal(literal(&inner)),
        Rule::quoted => Node::Quoted(unquote(inner.as_str())),
        _ => {
            let mut parts = inner.into_inner();
            let head = origin.name(&parts.next().expect("it begins with a word"));
            let tail = parts.next().expect("arguments or a path follow, if only an empty one");
            if tail.as_rule() == Rule::arguments {
                Node::Call(head, tail.into_inner().map(|p| expression(origin, p)).collect())
            } else {
                let mut path = vec![head];
                path.extend(origin.names(tail.into_inner()));
                Node::Path(path)
            }
        }
    };
    Expression { node, span }
}

fn literal(pair: &Pair<'_, Rule>) -> Literal {
    let written = pair.as_str().trim_end();
    match pair.clone().into_inner().next().map(|p| p.as_rule()) {
        Some(Rule::text) => Literal::Text(unquote(written)),
        Some(Rule::kw_true) => Literal::Boolean(true),
        Some(Rule::kw_false) => Literal::Boolean(false),
        Some(Rule::kw_null) => Literal::Null,
        // A whole number that 64 bits do not hold is kept as a decimal.
        _ => written.parse().map_or_else(|_| Literal::Decimal(written.to_owned()), Literal::Integer),
    }
}

fn comparison(sign: &str) -> Comparison {
    match sign {
        "<>" | "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => Comparison::Equal,
    }
}
