//! Expressions: pairs → AST.

use pest::iterators::Pair;

use super::ast::Name;
use super::ast_expression::{Argument, Call, Expression, Node, Sign, Step};
use super::parse::{Origin, unquote};
use super::syntax::Rule;
use crate::model::expression::{Comparison, Literal};
use crate::model::moment;

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
    let left = concat(origin, parts.next().expect("a predicate has an operand"));
    let Some(tail) = parts.next() else { return left };
    let left = Box::new(left);
    let negated = tail.clone().into_inner().any(|p| p.as_rule() == Rule::kw_not);
    let node = match tail.as_rule() {
        Rule::is_null => Node::IsNull(left, negated),
        Rule::membership => {
            let test = tail.into_inner().find(|p| p.as_rule() != Rule::kw_not).expect("a membership is one of three");
            membership(origin, left, test, negated)
        }
        _ => {
            let mut inner = tail.into_inner();
            let sign = inner.next().expect("a comparison has an operator").as_str();
            let right = Box::new(concat(origin, inner.next().expect("a comparison has two sides")));
            Node::Compare { operator: comparison(sign), left, right, doubled: sign == "==" }
        }
    };
    Expression { node, span }
}

fn membership(origin: Origin, operand: Box<Expression>, test: Pair<'_, Rule>, negated: bool) -> Node {
    let rule = test.as_rule();
    let ignore_case = test.clone().into_inner().any(|p| p.as_rule() == Rule::kw_ilike);
    let mut values: Vec<Expression> = test
        .into_inner()
        .filter(|p| matches!(p.as_rule(), Rule::expression | Rule::concat))
        .map(|p| if rule == Rule::in_list { expression(origin, p) } else { concat(origin, p) })
        .collect();
    match rule {
        Rule::in_list => Node::In { operand, list: values, negated },
        Rule::like => Node::Like { operand, pattern: Box::new(values.remove(0)), ignore_case, negated },
        _ => {
            let high = Box::new(values.pop().expect("BETWEEN has an upper end"));
            let low = Box::new(values.pop().expect("BETWEEN has a lower end"));
            Node::Between { operand, low, high, negated }
        }
    }
}

/// A `concat` pair: one value, or several joined by `||`.
pub(super) fn concat(origin: Origin, pair: Pair<'_, Rule>) -> Expression {
    let span = origin.span(&pair);
    let mut parts: Vec<Expression> = pair.into_inner().map(|p| arithmetic(origin, p)).collect();
    if parts.len() == 1 { parts.remove(0) } else { Expression { node: Node::Concat(parts), span } }
}

/// A `sum`, a `product` or a `signed` pair.
fn arithmetic(origin: Origin, pair: Pair<'_, Rule>) -> Expression {
    let span = origin.span(&pair);
    if pair.as_rule() == Rule::signed {
        return signed(origin, pair);
    }
    let mut inner = pair.into_inner();
    let first = arithmetic(origin, inner.next().expect("a sum has an operand"));
    let mut rest = Vec::new();
    while let (Some(written), Some(operand)) = (inner.next(), inner.next()) {
        let sign = match written.as_str() {
            "+" => Sign::Plus,
            "-" => Sign::Minus,
            "*" => Sign::Times,
            "/" => Sign::Divide,
            _ => Sign::Modulo,
        };
        rest.push((sign, arithmetic(origin, operand)));
    }
    if rest.is_empty() { first } else { Expression { node: Node::Arithmetic(Box::new(first), rest), span } }
}

fn signed(origin: Origin, pair: Pair<'_, Rule>) -> Expression {
    let span = origin.span(&pair);
    let mut negative = false;
    let mut inner = None;
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::minus => negative = !negative,
            _ => inner = Some(primary(origin, part)),
        }
    }
    let inner = inner.expect("a sign stands before a value");
    if !negative {
        return inner;
    }
    let node = match inner.node {
        Node::Literal(Literal::Integer(number)) if number != i64::MIN => Node::Literal(Literal::Integer(-number)),
        Node::Literal(Literal::Decimal(text)) => Node::Literal(Literal::Decimal(format!("-{text}"))),
        _ => Node::Negative(Box::new(inner)),
    };
    Expression { node, span }
}

fn primary(origin: Origin, pair: Pair<'_, Rule>) -> Expression {
    let span = origin.span(&pair);
    let inner = pair.into_inner().next().expect("a primary has a content");
    let node = match inner.as_rule() {
        Rule::expression => return Expression { span, ..expression(origin, inner) },
        Rule::literal => constant(&inner),
        Rule::quoted => Node::Quoted(unquote(inner.as_str())),
        Rule::case => case(origin, inner),
        _ => call_or_path(origin, inner),
    };
    Expression { node, span }
}

fn case(origin: Origin, pair: Pair<'_, Rule>) -> Node {
    let (mut operand, mut arms, mut otherwise) = (None, Vec::new(), None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::expression => operand = Some(Box::new(expression(origin, part))),
            Rule::arm => {
                let mut sides = part.into_inner().filter(|p| p.as_rule() == Rule::expression);
                let condition = expression(origin, sides.next().expect("an arm has a condition"));
                arms.push((condition, expression(origin, sides.next().expect("an arm has a value"))));
            }
            Rule::otherwise => {
                let value = part.into_inner().find(|p| p.as_rule() == Rule::expression);
                otherwise = value.map(|p| Box::new(expression(origin, p)));
            }
            _ => {}
        }
    }
    Node::Case { operand, arms, otherwise }
}

fn call_or_path(origin: Origin, pair: Pair<'_, Rule>) -> Node {
    let mut parts = pair.into_inner();
    let head = origin.name(&parts.next().expect("it begins with a word"));
    let mut call = None;
    let mut steps = Vec::new();
    for part in parts {
        if part.as_rule() == Rule::arguments {
            call = Some(part.into_inner().map(|p| argument(origin, p)).collect::<Vec<_>>());
        } else {
            steps.extend(origin.names(part.into_inner()).into_iter().map(|name| Step { name, table: None }));
        }
    }
    let Some(arguments) = call else {
        let mut path = vec![Step { name: head, table: None }];
        path.extend(steps);
        return Node::Path(path);
    };
    treated(&head, &arguments, &steps).unwrap_or(Node::Call(Call { name: head, arguments, tail: steps }))
}

/// `TREAT(o.ownerid AS systemuser).lastname` as a path.
fn treated(head: &Name, arguments: &[Argument], steps: &[Step]) -> Option<Node> {
    let [Argument::Value(Expression { node: Node::Path(path), .. }, Some(table))] = arguments else { return None };
    if !head.text.eq_ignore_ascii_case("TREAT") || steps.is_empty() {
        return None;
    }
    let mut path = path.clone();
    path.last_mut()?.table = Some(table.clone());
    path.extend(steps.iter().cloned());
    Some(Node::Path(path))
}

fn argument(origin: Origin, pair: Pair<'_, Rule>) -> Argument {
    let span = origin.span(&pair);
    let (mut value, mut of) = (None, None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::expression => value = Some(expression(origin, part)),
            Rule::type_name => of = Some(origin.name(&part)),
            _ => {}
        }
    }
    value.map_or(Argument::Star(span), |value| Argument::Value(value, of))
}

fn constant(pair: &Pair<'_, Rule>) -> Node {
    match typed(pair) {
        Some(node) => node,
        None => Node::Literal(literal(pair)),
    }
}

/// A constant whose word says what it is: `DATE '2026-01-31'`.
fn typed(pair: &Pair<'_, Rule>) -> Option<Node> {
    let inner = pair.clone().into_inner().next().filter(|p| p.as_rule() == Rule::typed)?;
    let mut parts = inner.into_inner();
    let word = parts.next()?.as_rule();
    let text = unquote(parts.next()?.as_str());
    let (found, form) = match word {
        Rule::kw_date => (moment::read_date(&text).map(|d| Node::Literal(Literal::Date(d))), "DATE '2026-01-31'"),
        Rule::kw_interval => {
            let found = moment::read_interval(&text).map(|i| Node::Literal(Literal::Interval(i)));
            (found, "INTERVAL '7 days'")
        }
        _ => {
            let node = |m: Result<i64, _>| m.map_or_else(Node::Wall, |at| Node::Literal(Literal::DateTime(at)));
            (moment::read_moment(&text).map(node), "TIMESTAMP '2026-01-31 10:00:00'")
        }
    };
    Some(found.unwrap_or(Node::BadLiteral(text, form)))
}

/// A constant outside expressions: in rows of tests, behind `USE`. A time on a wall is UTC there.
pub(super) fn literal(pair: &Pair<'_, Rule>) -> Literal {
    let written = pair.as_str().trim_end();
    match pair.clone().into_inner().next().map(|p| p.as_rule()) {
        Some(Rule::text) => Literal::Text(unquote(written)),
        Some(Rule::kw_true) => Literal::Boolean(true),
        Some(Rule::kw_false) => Literal::Boolean(false),
        Some(Rule::kw_null) => Literal::Null,
        Some(Rule::typed) => match typed(pair) {
            Some(Node::Literal(found)) => found,
            Some(Node::Wall(at)) => Literal::DateTime(at.and_utc().timestamp_millis()),
            Some(Node::BadLiteral(text, _)) => Literal::Text(text),
            _ => Literal::Null,
        },
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
