//! A lookup: its object grouped once by the match columns, then joined to the rows. Never more than one row out per row.

use datafusion::functions_aggregate::expr_fn::{count, first_value};
use datafusion::logical_expr::{Expr, ident, lit};
use datafusion::prelude::DataFrame;

use super::error::Result;
use super::frame::{add, attach};
use super::lower::{folded, looked, lower};
use super::reason::Cause;
use crate::model::job::Job;
use crate::model::lookup::{Lookup, OnMultiple, OnNone};

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

/// The rows' sides of all equalities, folded.
pub(super) fn wanted(index: usize, lookup: &Lookup, job: &Job) -> Vec<(String, Expr)> {
    let sides = lookup.matches.iter().enumerate();
    sides.map(|(n, m)| (wanted_column(index, n), folded(lower(&m.value, job), m.fold))).collect()
}

/// The object's records by what they are found by: `g…`, the GSID as `gsid`, and what the lookup yields.
pub(super) fn held(index: usize, lookup: &Lookup, object: DataFrame) -> Result<DataFrame> {
    let mut columns = vec![ident("Gsid").alias("gsid")];
    for (n, m) in lookup.matches.iter().enumerate() {
        columns.push(folded(ident(&m.field.name), m.fold).alias(held_column(index, n)));
    }
    for (n, field) in lookup.yields.iter().enumerate() {
        columns.push(ident(&field.name).alias(format!("y{n}")));
    }
    Ok(object.select(columns)?)
}

/// The rows with `l…_n` and what the lookup yields. `held` is grouped here; it may hold more than the object, such as
/// the records that this run is going to insert.
pub(super) fn join(index: usize, lookup: &Lookup, held: DataFrame, rows: DataFrame) -> Result<DataFrame> {
    let keys: Vec<String> = (0..lookup.matches.len()).map(|n| held_column(index, n)).collect();
    let mut found = vec![count(lit(1_i64)).alias(count_column(index))];
    for n in 0..lookup.yields.len() {
        let by_gsid = vec![ident("gsid").sort(true, false)];
        found.push(first_value(ident(format!("y{n}")), by_gsid).alias(looked(index, n)));
    }
    let grouped = held.aggregate(keys.iter().map(ident).collect(), found)?;
    let on: Vec<_> = keys.into_iter().enumerate().map(|(n, k)| (k, wanted_column(index, n))).collect();
    attach(grouped, rows, &on)
}

/// What the policies decide, in order.
pub(super) fn decisions(index: usize, lookup: &Lookup) -> Vec<(Cause, Expr, Expr)> {
    let none = || ident(count_column(index)).is_null();
    let shown = || ident(wanted_column(index, 0));
    let mut all = Vec::new();
    if lookup.on_none == OnNone::Reject {
        if lookup.object.name.eq_ignore_ascii_case("company") {
            for column in lookup.matches.iter().filter_map(|m| m.polymorphic) {
                let is_contact = ident(type_of(column)).eq(lit("contact"));
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

/// The column that says at which table a polymorphic lookup column points.
pub(super) fn type_of(column: usize) -> String {
    format!("p{column}")
}

/// The rows with the sides of one lookup's equalities added.
pub(super) fn prepare(index: usize, lookup: &Lookup, job: &Job, rows: DataFrame) -> Result<DataFrame> {
    add(rows, wanted(index, lookup, job))
}
