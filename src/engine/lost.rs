//! Stage three, of jobs that act on what their source loses: which rows are lost, and what is to be done about their records.
//!
//! A row is lost that is gone (its link is there, and no row of the source has its id), was merged into another one, or no longer
//! passes the filter. What is then to be done is `fate`'s. In: the compared rows, and the links. Out: the changes, one row for each
//! compared row, and behind them one for each row that is gone, in the order of their ids.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Case, Expr, ExprFunctionExt, JoinType, Operator, binary_expr, cast, ident, lit};
use datafusion::prelude::DataFrame;

use super::compare::held;
use super::error::Result;
use super::fate;
use super::frame::{add, attach, null_text};
use super::matching::Held;
use super::reason::{Cause, Reasons};
use super::session::{Engine, Rows};
use crate::model::dataset::{self, ROW, changes};
use crate::model::job::{Job, Route};
use crate::model::outcome::Outcome;

/// The changes that a run would make, with what it would do about lost rows.
///
/// # Errors
/// If a dataset cannot be read or memory does not suffice.
pub async fn lost(engine: &Engine, job: &Job) -> Result<Rows> {
    let compared = engine.stored(dataset::COMPARED).await?;
    let links = engine.dataset(dataset::LINKS, &dataset::link_schema()).await?;
    let refused = engine.dataset(dataset::REFUSED, &dataset::refused_schema()).await?;
    let plan = plan(job, compared, &links, &held(engine, job).await?, refused)?;
    engine.stream(plan.sort(vec![ident(ROW).sort(true, false)])?).await
}

/// The plan of the stage.
pub(super) fn plan(
    job: &Job,
    compared: DataFrame,
    links: &DataFrame,
    held: &Held,
    refused: DataFrame,
) -> Result<DataFrame> {
    let reasons = Reasons::of(job);
    let schema: SchemaRef = Arc::new(compared.schema().as_arrow().clone());
    let lost = candidates(job, &reasons, &compared, links)?;
    let numbers = lost.clone().select(vec![ident(ROW).alias("lost_row")])?;
    let rest = numbers.join(compared.clone(), JoinType::RightAnti, &["lost_row"], &[ROW], None)?;
    let rest = untouched(job, &schema, rest, links)?;
    let settled = fate::decided(job, &reasons, lost, &compared, held, refused)?;
    Ok(rest.union(fate::changed(job, &reasons, &schema, settled)?)?)
}

/// The columns that this stage adds, with a value for each.
pub(super) fn added(job: &Job, value: &dyn Fn(&str) -> Option<Expr>) -> Vec<Expr> {
    let mut columns = vec![
        value("lost").unwrap_or_else(null_text).alias(changes::LOST),
        value("into").unwrap_or_else(null_text).alias(changes::INTO),
        value("link").unwrap_or_else(null_text).alias(changes::LINK),
    ];
    for (n, (target, field)) in job.assigned().into_iter().enumerate() {
        let label = &job.targets[target].object.label;
        let stored = field.kind.stored(field.scale);
        let of = |what: &str, kind: &DataType| value(&format!("{what}{n}")).unwrap_or_else(|| null(kind));
        columns.push(of("new", &stored).alias(changes::set(label, &field.label)));
        columns.push(of("was", &stored).alias(changes::set_old(label, &field.label)));
        columns.push(of("sets", &DataType::Boolean).alias(changes::set_changed(label, &field.label)));
    }
    columns
}

/// A null of a type.
pub(super) fn null(kind: &DataType) -> Expr {
    Expr::Literal(ScalarValue::try_from(kind).unwrap_or(ScalarValue::Null), None)
}

/// Rows that are lost and of which a record is known: `_row`, `lid` (the row's id), `kind`, `into`, and for each target the link as
/// `lg…` (GSID), `lk…` (key), `ll…` (whether it was dealt with that the row left).
fn candidates(job: &Job, reasons: &Reasons, compared: &DataFrame, links: &DataFrame) -> Result<DataFrame> {
    let mut lost = departed(job, reasons, compared)?;
    if job.on_delete.acts() {
        lost = lost.union(gone(compared, links)?)?;
    }
    let lost = linked(job, lost, links, "lid")?;
    let is_due = |target: usize| {
        let left = coalesce(vec![ident(left_column(target)), lit(false)]);
        let is_leaver = ident("kind").eq(lit(changes::LEAVE));
        ident(link_key_column(target)).is_not_null().and(Expr::Not(Box::new(is_leaver.and(left))))
    };
    let due = records(job).map(is_due).reduce(Expr::or).unwrap_or_else(|| lit(false));
    Ok(lost.filter(due)?)
}

/// Rows of the source that were merged, or no longer pass the filter, as far as the job acts on it.
fn departed(job: &Job, reasons: &Reasons, compared: &DataFrame) -> Result<DataFrame> {
    let number = |cause: Cause| reasons.number(cause).map(lit);
    let merged: Vec<Expr> = number(Cause::Merged).into_iter().filter(|_| job.on_delete.acts()).collect();
    let mut all = merged.clone();
    if job.on_leave.acts() {
        all.extend([Cause::Filter, Cause::LateFilter].into_iter().filter_map(number));
    }
    let why = || ident(changes::WHY);
    let is_merged = why().in_list(merged, false);
    let kind = Case::new(
        None,
        vec![(Box::new(is_merged.clone()), Box::new(lit(changes::MERGE)))],
        Some(Box::new(lit(changes::LEAVE))),
    );
    let into = Case::new(None, vec![(Box::new(is_merged), Box::new(ident(changes::VALUE)))], None);
    Ok(compared.clone().filter(why().in_list(all, false))?.select(vec![
        ident(ROW),
        ident(changes::ID).alias("lid"),
        Expr::Case(kind).alias("kind"),
        Expr::Case(into).alias("into"),
    ])?)
}

/// Links of which no row is in the source, numbered behind its last row.
fn gone(compared: &DataFrame, links: &DataFrame) -> Result<DataFrame> {
    let known = compared.clone().select(vec![ident(changes::ID).alias("known")])?;
    let all = links.clone().select(vec![ident("source_id").alias("lid")])?.distinct()?;
    let gone = all.join(known, JoinType::LeftAnti, &["lid"], &["known"], None)?;
    let number = row_number().order_by(vec![ident("lid").sort(true, false)]).build()?;
    let gone = gone.window(vec![number.alias("n")])?;
    let gone = add(gone, vec![("every".to_owned(), lit(true))])?;
    let last = compared.clone().aggregate(vec![], vec![max(ident(ROW)).alias("last")])?;
    let last = add(last, vec![("of_all".to_owned(), lit(true))])?;
    let gone = attach(last, gone, &[("of_all".to_owned(), "every".to_owned())])?;
    let row = coalesce(vec![ident("last"), lit(0_i64)]) + cast(ident("n"), DataType::Int64);
    Ok(gone.select(vec![
        row.alias(ROW),
        ident("lid"),
        lit(changes::DELETE).alias("kind"),
        null_text().alias("into"),
    ])?)
}

/// Rows with their links: `lg…`, `lk…`, `ll…`.
fn linked(job: &Job, mut rows: DataFrame, links: &DataFrame, id: &str) -> Result<DataFrame> {
    for target in records(job) {
        let of = links.clone().filter(ident("object").eq(lit(job.targets[target].object.name.as_str())))?;
        let of = of.select(vec![
            ident("source_id").alias("linked"),
            ident("gsid").alias(link_column(target)),
            ident("key").alias(link_key_column(target)),
            ident("has_left").alias(left_column(target)),
        ])?;
        rows = attach(of, rows, &[("linked".to_owned(), id.to_owned())])?;
    }
    Ok(rows)
}

/// Rows that are not lost, with whether their links have to be brought up to date although nothing is written.
fn untouched(job: &Job, schema: &SchemaRef, rows: DataFrame, links: &DataFrame) -> Result<DataFrame> {
    let rows = linked(job, rows, links, changes::ID)?;
    let differs = |target: usize| {
        let label = &job.targets[target].object.label;
        let other = |one: Expr, other: String| binary_expr(one, Operator::IsDistinctFrom, ident(other));
        let (gsid, keyed) = (ident(changes::gsid(label)), ident(changes::keyed(label)));
        let is_known = gsid.clone().is_not_null().and(keyed.clone().is_not_null());
        let is_other = other(gsid, link_column(target))
            .or(other(keyed, link_key_column(target)))
            .or(ident(left_column(target)).is_true());
        is_known.and(is_other)
    };
    let any = records(job).map(differs).reduce(Expr::or).unwrap_or_else(|| lit(false));
    let is_due = ident(changes::OUTCOME).eq(lit(Outcome::Unchanged.text())).and(any);
    let link = Expr::Case(Case::new(None, vec![(Box::new(is_due), Box::new(lit(changes::TO)))], None));
    let mut columns: Vec<Expr> = schema.fields().iter().map(|field| ident(field.name())).collect();
    columns.extend(added(job, &|name| (name == "link").then(|| link.clone())));
    Ok(rows.select(columns)?)
}

/// The targets that have records in Gainsight, by their place in the job.
pub(super) fn records(job: &Job) -> impl Iterator<Item = usize> {
    (0..job.targets.len()).filter(|target| job.targets[*target].route != Route::Avatar)
}

pub(super) fn link_column(target: usize) -> String {
    format!("lg{target}")
}

pub(super) fn link_key_column(target: usize) -> String {
    format!("lk{target}")
}

fn left_column(target: usize) -> String {
    format!("ll{target}")
}
