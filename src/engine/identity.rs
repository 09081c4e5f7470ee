//! Who is who: what Ferry's own map of users says of rows, before any key is looked at.
//!
//! In: rows of Dynamics users, the map, the users that Gainsight has. Out: the same rows with `av_active`, `av_gsid`, `av_parted` and
//! `av_known` (whether the map has the row), `known` (the user that it is, if he is still there), and what stands against a user that
//! its key finds: `owner` and `is_parted`.

use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::{Expr, ident, lit};
use datafusion::prelude::DataFrame;

use super::error::Result;
use super::frame::{add, attach, without};
use super::matching::{Held, main_index, when};
use crate::model::job::Job;

/// Rows with what the identity map says of them, by the column with their source key: `av_active`, `av_gsid`, `av_parted`, and
/// `av_known` where it does.
pub(super) fn known_as(rows: DataFrame, avatars: &DataFrame, id: &str) -> Result<DataFrame> {
    let avatars = avatars.clone().select(vec![
        ident("source_id").alias("av_id"),
        ident("active").alias("av_active"),
        ident("user_gsid").alias("av_gsid"),
        ident("parted_gsid").alias("av_parted"),
        lit(true).alias("av_known"),
    ])?;
    attach(avatars, rows, &[("av_id".to_owned(), id.to_owned())])
}

/// Rows with `known`: the user that the map names, as long as Gainsight has him. Of jobs without a map nothing is known.
pub(super) fn identified(job: &Job, rows: DataFrame, held: &Held) -> Result<DataFrame> {
    let Some(avatars) = &held.avatars else { return Ok(rows) };
    let users = held.targets[main_index(job)].clone().expect("the main target is an object of Gainsight");
    let rows = known_as(rows, avatars, "_id")?;
    let there = users.select(vec![ident("Gsid").alias("ex_id"), lit(true).alias("ex")])?;
    let rows = attach(there, rows, &[("ex_id".to_owned(), "av_gsid".to_owned())])?;
    let rows = add(rows, vec![("known".to_owned(), when(ident("ex").is_true(), ident("av_gsid")))])?;
    without(rows, |name| name == "ex")
}

/// Whether a row is settled by the map, so that its key decides nothing.
pub(super) fn is_known(held: &Held) -> Expr {
    if held.avatars.is_some() { ident("known").is_not_null() } else { lit(false) }
}

/// What the map says of `t_g`, the user that a key finds for a row that is not known: `owner`, the other Dynamics user that he is, and
/// `is_parted`, whether somebody said that this row is not him.
pub(super) fn owned(rows: DataFrame, avatars: &DataFrame) -> Result<DataFrame> {
    let owner = vec![max(ident("source_id")).alias("own_id")];
    let owners = avatars.clone().aggregate(vec![ident("user_gsid").alias("own_gsid")], owner)?;
    let rows = attach(owners, rows, &[("own_gsid".to_owned(), "t_g".to_owned())])?;
    let by_key = || ident("known").is_null().and(ident("t_n").eq(lit(1_i64)));
    let is_foreign = by_key().and(ident("own_id").not_eq(ident("_id")));
    let is_parted = by_key().and(ident("av_parted").eq(ident("t_g")));
    let more = vec![
        ("owner".to_owned(), when(is_foreign, ident("own_id"))),
        ("is_parted".to_owned(), coalesce(vec![is_parted, lit(false)])),
    ];
    without(add(rows, more)?, |name| name == "own_id")
}
