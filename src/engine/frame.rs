//! Small steps on DataFrames that keep every projection flat: add columns, leave columns out, join with the build side
//! on the left.
//!
//! All columns inside a plan carry short lower-case names of our own (`c3`, `m0`, `l1_n`), so that no name of a service
//! is ever parsed.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, JoinType, ident};
use datafusion::prelude::DataFrame;

use super::error::Result;

/// A table with more columns, computed from those it has.
pub(super) fn add(frame: DataFrame, more: Vec<(String, Expr)>) -> Result<DataFrame> {
    let replaced: Vec<&str> = more.iter().map(|(name, _)| name.as_str()).collect();
    let mut columns: Vec<Expr> = names(&frame).iter().filter(|n| !replaced.contains(&n.as_str())).map(ident).collect();
    columns.extend(more.into_iter().map(|(name, value)| value.alias(name)));
    Ok(frame.select(columns)?)
}

/// A table without the columns that `gone` says yes to.
pub(super) fn without(frame: DataFrame, gone: impl Fn(&str) -> bool) -> Result<DataFrame> {
    let columns: Vec<Expr> = names(&frame).iter().filter(|n| !gone(n)).map(ident).collect();
    Ok(frame.select(columns)?)
}

/// Every row of `rows` once, with what `side` holds for it. `side` has at most one row for each key and is the side
/// that is built in memory; a null key matches nothing. `side`'s key columns are left out again.
pub(super) fn attach(side: DataFrame, rows: DataFrame, on: &[(String, String)]) -> Result<DataFrame> {
    let left: Vec<&str> = on.iter().map(|(l, _)| l.as_str()).collect();
    let right: Vec<&str> = on.iter().map(|(_, r)| r.as_str()).collect();
    let joined = side.join(rows, JoinType::Right, &left, &right, None)?;
    without(joined, |name| left.contains(&name))
}

/// The names of a table's columns.
pub(super) fn names(frame: &DataFrame) -> Vec<String> {
    frame.schema().fields().iter().map(|f| f.name().clone()).collect()
}

/// A null of the type of text.
pub(super) fn null_text() -> Expr {
    Expr::Literal(ScalarValue::Utf8(None), None)
}
