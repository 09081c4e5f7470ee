//! `$apply`: rows counted and summed, all together or by groups.
//!
//! `filter`, then `groupby` over columns or `aggregate`; other steps, columns of other tables, and any further query
//! option answer 501. In: the option's text. Out: one row a group.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::super::assumptions::{AGGREGATE_LIMIT, PAGE_LIMIT};
use super::super::http::{Ask, Reply};
use super::errors::Refusal;
use super::filter::Condition;
use super::nested::split;
use super::options::Given;
use super::page::opening;
use super::place::Place;
use super::prefer::Prefer;
use super::route::body;
use super::row::{Comparable, Row};
use super::schema::{Column, Kind, TableSchema};
use super::service::Dynamics;

/// How the values of a column become one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Method {
    Count,
    Sum,
    Average,
    Least,
    Greatest,
}

/// One aggregate: its method, its column unless it counts, and the name of the result.
struct Aggregate {
    method: Method,
    column: usize,
    name: String,
}

/// What the text asks for.
#[derive(Default)]
struct Apply {
    filters: Vec<Condition>,
    groups: Vec<usize>,
    aggregates: Vec<Aggregate>,
}

pub(in crate::sandbox) fn is_asked(ask: &Ask) -> bool {
    ask.parameter("$apply").is_some()
}

pub(in crate::sandbox) fn answer(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    table: usize,
) -> Result<Reply, Refusal> {
    let schema = &dynamics.schema.tables[table];
    let mut others = url::form_urlencoded::parse(ask.query.as_bytes());
    if let Some((name, _)) = others.find(|(name, _)| name != "$apply" && !name.starts_with('@')) {
        return Err(Refusal::missing(&format!("{name} beside $apply")));
    }
    let prefer = Prefer::read(&ask.headers)?;
    if prefer.annotated || prefer.page_size.is_some() {
        return Err(Refusal::missing("annotations or pages of $apply"));
    }
    let text = ask.parameter("$apply").unwrap_or_default();
    let apply = Apply::read(&text, schema, &Given::of(dynamics, &ask.query))?;
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let rows = store.tables[table].rows.values().map(Arc::as_ref);
    let wanted = rows.filter(|row| apply.filters.iter().all(|filter| filter.holds(row, schema)));
    let groups = apply.group(wanted, schema)?;
    let mut out = opening(place, &schema.set, "", "");
    out.push_str(",\"value\":[");
    for (index, rows) in groups.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        out.push_str(&apply.result(rows, schema));
    }
    out.push_str("]}");
    Ok(body(out, &prefer, groups.len()))
}

/// The text between a word and its parentheses.
fn within<'a>(step: &'a str, word: &str) -> Option<&'a str> {
    step.trim().strip_prefix(word)?.trim_start().strip_prefix('(')?.strip_suffix(')')
}

fn wrong(text: &str) -> Refusal {
    Refusal::syntax(format!("Syntax error in the $apply step '{text}'."))
}

impl Apply {
    fn read(text: &str, table: &TableSchema, given: &Given) -> Result<Self, Refusal> {
        let mut apply = Apply::default();
        let mut done = false;
        for step in split(text, '/')? {
            if done {
                return Err(Refusal::missing(&format!("$apply step {step} after an aggregation")));
            }
            if let Some(inner) = within(step, "filter") {
                apply.filters.push(Condition::read(inner, table, given)?);
            } else if let Some(inner) = within(step, "aggregate") {
                apply.aggregates = aggregates(inner, table)?;
                done = true;
            } else if let Some(inner) = within(step, "groupby") {
                apply.take_groups(inner, table)?;
                done = true;
            } else {
                return Err(Refusal::missing(&format!("$apply step {step}")));
            }
        }
        if done { Ok(apply) } else { Err(Refusal::missing("$apply without an aggregation")) }
    }

    fn take_groups(&mut self, text: &str, table: &TableSchema) -> Result<(), Refusal> {
        let parts = split(text, ',')?;
        let (columns, rest) = parts.split_first().ok_or_else(|| wrong(text))?;
        for name in split(within(columns, "").ok_or_else(|| wrong(text))?, ',')? {
            let index = column(name.trim(), table)?;
            if table.columns[index].kind == Kind::DateTime {
                return Err(Refusal::option(format!(
                    "The column '{}' of date and time cannot group rows.",
                    name.trim()
                )));
            }
            self.groups.push(index);
        }
        match rest {
            [] => Ok(()),
            [one] => {
                self.aggregates = aggregates(within(one, "aggregate").ok_or_else(|| wrong(text))?, table)?;
                Ok(())
            }
            _ => Err(wrong(text)),
        }
    }

    /// The rows of each group, in the order of their first rows; without groups there is one, even of nothing.
    fn group<'a>(
        &self,
        rows: impl Iterator<Item = &'a Row>,
        table: &TableSchema,
    ) -> Result<Vec<Vec<&'a Row>>, Refusal> {
        let mut groups: Vec<Vec<&Row>> = Vec::new();
        let mut places: HashMap<Vec<Option<String>>, usize> = HashMap::new();
        if self.groups.is_empty() {
            groups.push(Vec::new());
            places.insert(Vec::new(), 0);
        }
        for (count, row) in rows.enumerate() {
            if count == AGGREGATE_LIMIT {
                let text = "The maximum record limit is exceeded. Reduce the number of records.";
                return Err(Refusal::new(400, "0x8004e023", text));
            }
            // Texts that differ only in case are one group.
            let fold = |index: &usize| {
                let folded = table.columns[*index].is_text();
                row.plain(*index).map(|text| if folded { text.to_lowercase() } else { text })
            };
            let place = *places.entry(self.groups.iter().map(fold).collect()).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[place].push(row);
        }
        if groups.len() > PAGE_LIMIT { Err(Refusal::missing("pages of $apply")) } else { Ok(groups) }
    }

    fn result(&self, rows: &[&Row], table: &TableSchema) -> String {
        let mut members: Vec<String> = Vec::with_capacity(self.groups.len() + self.aggregates.len());
        for index in &self.groups {
            let value = rows.first().and_then(|row| row.json(*index)).map_or("null", |(json, _)| json);
            members.push(format!("{}:{value}", Value::from(table.columns[*index].property.as_str())));
        }
        for one in &self.aggregates {
            let value = one.over(rows, &table.columns[one.column]);
            members.push(format!("{}:{value}", Value::from(one.name.as_str())));
        }
        format!("{{{}}}", members.join(","))
    }
}

fn column(name: &str, table: &TableSchema) -> Result<usize, Refusal> {
    if name.contains('/') {
        return Err(Refusal::missing(&format!("$apply path {name}")));
    }
    table.column(name).ok_or_else(|| Refusal::property(name, &table.logical))
}

fn aggregates(text: &str, table: &TableSchema) -> Result<Vec<Aggregate>, Refusal> {
    let one = |part: &str| {
        let words: Vec<&str> = part.split_whitespace().collect();
        match words.as_slice() {
            ["$count", "as", name] => Ok(Aggregate { method: Method::Count, column: 0, name: (*name).to_owned() }),
            [source, "with", method, "as", name] => {
                let index = column(source, table)?;
                let method = self::method(method, &table.columns[index])?;
                Ok(Aggregate { method, column: index, name: (*name).to_owned() })
            }
            _ => Err(wrong(part)),
        }
    };
    split(text, ',')?.into_iter().map(one).collect()
}

fn method(name: &str, column: &Column) -> Result<Method, Refusal> {
    let number = matches!(column.kind, Kind::Integer | Kind::BigInt | Kind::Decimal | Kind::Double | Kind::Money);
    let whole = matches!(column.kind, Kind::Integer | Kind::BigInt);
    match name {
        "sum" if number => Ok(Method::Sum),
        // How the service rounds the average of whole numbers is not known.
        "average" if number && !whole => Ok(Method::Average),
        "min" if number || column.kind == Kind::DateTime => Ok(Method::Least),
        "max" if number || column.kind == Kind::DateTime => Ok(Method::Greatest),
        _ => Err(Refusal::missing(&format!("$apply with {name} of {}", column.property))),
    }
}

impl Aggregate {
    /// The value as JSON text, in the form the column's own values have.
    fn over(&self, rows: &[&Row], column: &Column) -> String {
        if self.method == Method::Count {
            return rows.len().to_string();
        }
        let values: Vec<(Comparable, &str)> = rows
            .iter()
            .filter_map(|row| Some((row.comparable(column, self.column), row.json(self.column)?.0)))
            .collect();
        let edge = |wanted: Ordering| {
            let better = |best: &(Comparable, &str), next: &(Comparable, &str)| next.0.order(&best.0) == wanted;
            let best = values.iter().reduce(|best, next| if better(best, next) { next } else { best });
            best.map_or("null", |(_, json)| json).to_owned()
        };
        let sum: f64 = values.iter().filter_map(|(_, json)| json.parse::<f64>().ok()).sum();
        match self.method {
            _ if values.is_empty() => "null".to_owned(),
            Method::Least => edge(Ordering::Less),
            Method::Greatest => edge(Ordering::Greater),
            Method::Sum => number(sum, column),
            _ => number(sum / values.len() as f64, column),
        }
    }
}

fn number(value: f64, column: &Column) -> String {
    match column.kind {
        Kind::Money => format!("{value:.4}"),
        Kind::Decimal => format!("{value:.10}"),
        Kind::Double => format!("{value:?}"),
        _ => format!("{value:.0}"),
    }
}
