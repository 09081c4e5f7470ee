//! The filters of FetchXML.
//!
//! What the operators mean is `operator`'s. Conditions on other entities and on other columns answer 501. In: a `filter`
//! element. Out: the same condition as a `$filter` gives.

use roxmltree::Node;

use super::super::assumptions::FILTER_DEPTH;
use super::errors::Refusal;
use super::fetch::{attribute, invalid, named};
use super::filter::{Condition, Test};
use super::operator::Operator;
use super::schema::TableSchema;

pub(in crate::sandbox) fn read(filter: Node<'_, '_>, table: &TableSchema, now: i64) -> Result<Condition, Refusal> {
    group(filter, table, now, FILTER_DEPTH)
}

fn group(filter: Node<'_, '_>, table: &TableSchema, now: i64, depth: usize) -> Result<Condition, Refusal> {
    let depth = depth.checked_sub(1).ok_or_else(|| invalid("Its filters nest too deep."))?;
    let [kind] = named(filter, ["type"])?;
    let mut list = Vec::new();
    for child in filter.children().filter(Node::is_element) {
        list.push(match child.tag_name().name() {
            "condition" => condition(child, table, now)?,
            "filter" => group(child, table, now, depth)?,
            other => return Err(invalid(format!("'{other}' cannot stand in 'filter'."))),
        });
    }
    match kind.unwrap_or("and") {
        "or" if !list.is_empty() => Ok(Condition::Any(list)),
        "and" | "or" => Ok(Condition::All(list)),
        other => Err(invalid(format!("'{other}' is no type of a filter."))),
    }
}

fn condition(node: Node<'_, '_>, table: &TableSchema, now: i64) -> Result<Condition, Refusal> {
    // The names for people that an editor leaves there have no meaning.
    let known = ["attribute", "operator", "value", "uiname", "uitype", "uihidden"];
    let [column, operator, value, ..] = named(node, known)?;
    let mut values: Vec<String> = value.map(str::to_owned).into_iter().collect();
    for child in node.children().filter(Node::is_element) {
        if child.tag_name().name() != "value" || value.is_some() {
            return Err(invalid("A condition has a value, or elements 'value'."));
        }
        named(child, ["uiname", "uitype"])?;
        values.push(child.text().unwrap_or_default().to_owned());
    }
    let column = attribute(table, column.unwrap_or_default())?;
    let (operator, negated) = self::operator(operator.unwrap_or_default())?;
    let condition = operator.condition(table, column, &values, now)?;
    Ok(if negated { Operator::negated(condition) } else { condition })
}

/// The operator of a name, and whether the name negates it.
fn operator(name: &str) -> Result<(Operator, bool), Refusal> {
    Ok(match name {
        "eq" => (Operator::Compare(Test::Equal), false),
        "ne" | "neq" => (Operator::Compare(Test::NotEqual), false),
        "gt" => (Operator::Compare(Test::Greater), false),
        "ge" => (Operator::Compare(Test::GreaterOrEqual), false),
        "lt" => (Operator::Compare(Test::Less), false),
        "le" => (Operator::Compare(Test::LessOrEqual), false),
        "like" => (Operator::Like, false),
        "not-like" => (Operator::Like, true),
        "in" => (Operator::In, false),
        "not-in" => (Operator::In, true),
        "between" => (Operator::Between, false),
        "not-between" => (Operator::Between, true),
        "null" => (Operator::Null, false),
        "not-null" => (Operator::Null, true),
        "contain-values" => (Operator::ContainValues, false),
        "not-contain-values" => (Operator::ContainValues, true),
        "on" => (Operator::On, false),
        "on-or-after" => (Operator::OnOrAfter, false),
        "on-or-before" => (Operator::OnOrBefore, false),
        "today" => (Operator::Today, false),
        "last-x-days" => (Operator::LastDays, false),
        "last-x-hours" => (Operator::LastHours, false),
        "" => return Err(invalid("A condition has no operator.")),
        other => return Err(Refusal::missing(&format!("the operator {other} in a fetch"))),
    })
}
