//! A lookup: its object grouped once by the match columns, then joined to the rows. Never more than one row out per row.

use arrow::datatypes::SchemaRef;
use datafusion::functions_aggregate::expr_fn::{count, first_value, max, min};
use datafusion::logical_expr::{Case, Expr, ident, lit, try_cast};
use datafusion::prelude::DataFrame;

use super::convert::converted;
use super::error::Result;
use super::frame::{add, attach, null_text, without};
use super::logic::any;
use super::lower::{Lowered, constant, folded, looked, lower, type_column};
use super::moment::Zone;
use super::reason::Cause;
use super::steps::{Steps, is_step};
use crate::model::dataset;
use crate::model::expression::Literal;
use crate::model::field::Field;
use crate::model::job::Job;
use crate::model::lookup::{Lookup, OnMultiple, OnNone, Order};

/// The letter of this stage's steps.
const STAGE: char = 'l';

/// Where the records that a lookup searches lie, and their columns.
pub(super) fn dataset_of(lookup: &Lookup, job: &Job) -> (String, SchemaRef) {
    match &lookup.object.table {
        Some(table) => {
            let (tables, name) = (dataset::searched_tables(job), dataset::searched_name(job, table));
            let fields: Vec<&Field> = tables[&name].1.iter().collect();
            (dataset::searched(&name), dataset::table_schema(&fields, false, Some(&table.primary_id)))
        }
        None => {
            let name = &lookup.object.name;
            (dataset::target(name), dataset::object_schema(&dataset::objects(job)[name]))
        }
    }
}

/// How many records matched: null for none.
pub(super) fn count_column(lookup: usize) -> String {
    format!("l{lookup}_n")
}

/// The row's side of one equality.
pub(super) fn wanted_column(lookup: usize, equality: usize) -> String {
    format!("h{lookup}_{equality}")
}

/// The object's side of one equality.
fn held_column(lookup: usize, equality: usize) -> String {
    format!("g{lookup}_{equality}")
}

/// Whether a value that the lookup searches for cannot be had.
fn unreadable_column(lookup: usize) -> String {
    format!("u{lookup}")
}

/// The object's records by what they are found by: `g…`, the GSID as `gsid`, and what the lookup yields.
pub(super) fn held(index: usize, lookup: &Lookup, object: DataFrame) -> Result<DataFrame> {
    let mut columns = vec![ident(lookup.object.primary_id()).alias("gsid")];
    for (n, m) in lookup.matches.iter().enumerate() {
        let value = try_cast(ident(&m.field.name), m.of.arrow());
        columns.push(folded(value, m.fold).alias(held_column(index, n)));
    }
    for (n, order) in orders(lookup).iter().enumerate() {
        columns.push(ident(&order.field.name).alias(order_column(n)));
    }
    for (n, field) in lookup.yields.iter().enumerate() {
        // In the form of expressions: a number of a field without a point is a decimal like others.
        columns.push(try_cast(ident(&field.name), field.kind.value_type().arrow()).alias(format!("y{n}")));
    }
    Ok(object.select(columns)?)
}

/// The rows with `l…_n` and what the lookup yields. `held` is grouped here; it may hold more than the object, such as
/// the records that this run is going to insert.
pub(super) fn join(index: usize, lookup: &Lookup, job: &Job, held: DataFrame, rows: DataFrame) -> Result<DataFrame> {
    let keys: Vec<String> = (0..lookup.matches.len()).map(|n| held_column(index, n)).collect();
    let grouped = grouped(index, lookup, held, &keys)?;
    let on: Vec<_> = keys.into_iter().enumerate().map(|(n, k)| (k, wanted_column(index, n))).collect();
    let rows = attach(grouped, rows, &on)?;
    let OnNone::Use(value) = &lookup.on_none else { return Ok(rows) };
    if *value == Literal::Null {
        return Ok(rows);
    }
    let mut steps = Steps::new(STAGE);
    let instead: Vec<(String, Expr)> = lookup
        .yields
        .iter()
        .enumerate()
        .map(|(n, field)| {
            let name = looked(index, n);
            let is_absent = Box::new(ident(count_column(index)).is_null());
            let (from, to) = (value.value_type(), field.kind.value_type());
            let replacement = converted(constant(value), from, to, &Zone::of(job), &mut steps);
            let replacement = Box::new(try_cast(replacement, to.arrow()));
            let found = Some(Box::new(ident(&name)));
            (name, Expr::Case(Case::new(None, vec![(is_absent, replacement)], found)))
        })
        .collect();
    add(steps.taken(rows)?, instead)
}

/// One row for each key: how many records have it, and what the lookup yields of the first one.
fn grouped(index: usize, lookup: &Lookup, held: DataFrame, keys: &[String]) -> Result<DataFrame> {
    let groups = keys.iter().map(ident).collect();
    let mut found = vec![count(lit(1_i64)).alias(count_column(index))];
    if !orders(lookup).is_empty() {
        for n in 0..lookup.yields.len() {
            let first = orders(lookup).iter().enumerate();
            let mut by: Vec<_> = first.map(|(n, o)| ident(order_column(n)).sort(!o.descending, false)).collect();
            by.push(ident("gsid").sort(true, false));
            found.push(first_value(ident(format!("y{n}")), by).alias(looked(index, n)));
        }
        return Ok(held.aggregate(groups, found)?);
    }
    // The smallest id is found a hundred times faster than the first value in an order of ids; the other values are those of its record.
    found.push(min(ident("gsid")).alias("first_gsid"));
    let first = held.clone().aggregate(groups, found)?;
    let is_id = |field: &Field| field.name == lookup.object.primary_id();
    if lookup.yields.iter().all(is_id) {
        let ids = (0..lookup.yields.len()).map(|n| (looked(index, n), ident("first_gsid")));
        return without(add(first, ids.collect())?, |name| name == "first_gsid");
    }
    // One row for each id, whatever the pages overlapped.
    let values = (0..lookup.yields.len()).map(|n| max(ident(format!("y{n}"))).alias(looked(index, n))).collect();
    let values = held.aggregate(vec![ident("gsid").alias("of_gsid")], values)?;
    let first = attach(values, first, &[("of_gsid".to_owned(), "first_gsid".to_owned())])?;
    without(first, |name| name == "first_gsid")
}

/// The order in which the first of several is taken; empty where the smallest id decides alone.
fn orders(lookup: &Lookup) -> &[Order] {
    if let OnMultiple::UseFirst(orders) = &lookup.on_multiple { orders } else { &[] }
}

fn order_column(order: usize) -> String {
    format!("s{order}")
}

/// What the policies decide, in order.
pub(super) fn decisions(index: usize, lookup: &Lookup, job: &Job) -> Vec<(Cause, Expr, Expr)> {
    let none = || ident(count_column(index)).is_null();
    let shown = || ident(wanted_column(index, 0));
    let mut all = Vec::new();
    // Of a lookup that is decided after everything else only what it searches for is left.
    let columns = if job.is_pending(index) { &[] } else { &lookup.matches[..] };
    if !job.is_pending(index) {
        all.push((Cause::UnreadableMatch(index), ident(unreadable_column(index)), null_text()));
    }
    if lookup.on_none == OnNone::Reject {
        if lookup.object.table.is_none() && lookup.object.name.eq_ignore_ascii_case("company") {
            for column in columns.iter().filter_map(|m| m.polymorphic) {
                let is_contact = ident(type_column(column)).eq(lit("contact"));
                all.push((Cause::ParentIsContact(index), none().and(is_contact), shown()));
            }
        }
        all.push((Cause::NoMatch(index), none(), shown()));
    }
    if lookup.on_multiple == OnMultiple::Error {
        all.push((Cause::SeveralMatches(index), ident(count_column(index)).gt(lit(1_i64)), shown()));
    }
    all
}

/// The rows with their sides of one lookup's equalities added, folded, and with whether one of them cannot be had.
pub(super) fn prepare(index: usize, lookup: &Lookup, job: &Job, rows: DataFrame) -> Result<DataFrame> {
    let mut steps = Steps::new(STAGE);
    let sides: Vec<Lowered> = lookup.matches.iter().map(|m| lower(&m.value, job, &mut steps)).collect();
    let (mut columns, mut fails) = (Vec::new(), Vec::new());
    for (n, (side, m)) in sides.into_iter().zip(&lookup.matches).enumerate() {
        columns.push((wanted_column(index, n), folded(side.value, m.fold)));
        fails.extend(side.fails);
    }
    columns.push((unreadable_column(index), any(fails).unwrap_or_else(|| lit(false))));
    without(add(steps.taken(rows)?, columns)?, is_step)
}
