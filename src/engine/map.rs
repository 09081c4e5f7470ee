//! Stage one, the source's side: which rows take part, what their lookups find, what their fields become.
//!
//! Out: one row for each source row, with `_row`, `_id`, `_rank` (which of two rows of a person is newer), `_why` and `_value` (the
//! reason, if it was decided), `m…` (mapped values in stored form) and `h…` (what `AFTER LOAD` lookups search for).

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::{concat, lpad};
use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::{Expr, JoinType, cast, ident, lit};
use datafusion::prelude::DataFrame;

use super::error::Result;
use super::frame::{add, attach, null_text, without};
use super::lookup;
use super::lower::{Lowered, column, lower, type_column};
use super::matching::violations;
use super::reason::{Cause, Reasons};
use super::repeated::{Repeated, repeated};
use super::screen::{FORM, KEY, SCREENED, Screen, row_digests};
use super::session::{Engine, Rows};
use super::steps::{Steps, is_step};
use super::stored::stored;
use super::verdict::{is_to_come, screened_columns};
use crate::model::dataset::{self, ROW};
use crate::model::expression::Expression;
use crate::model::job::{Job, Route};
use crate::model::policy::DuplicateKey;

/// The mapped rows of a job.
///
/// # Errors
/// If a dataset cannot be read or memory does not suffice.
pub(super) async fn map(engine: &Engine, job: &Job) -> Result<Rows> {
    Mapped::of(engine, job).await?.all().await
}

/// The source's side of a job, whose rows are made as often as somebody asks: to make them again costs less than to keep them all.
pub struct Mapped<'a> {
    engine: &'a Engine,
    job: &'a Job,
    inputs: Inputs,
}

impl<'a> Mapped<'a> {
    /// The rows of a job over the engine's folder.
    ///
    /// # Errors
    /// If a dataset cannot be read.
    pub async fn of(engine: &'a Engine, job: &'a Job) -> Result<Self> {
        let mut inputs = source_of(engine, job).await?;
        for lookup in &job.lookups {
            let (name, schema) = lookup::dataset_of(lookup, job);
            inputs.lookups.push(engine.dataset(&name, &schema).await?);
        }
        Ok(Self { engine, job, inputs })
    }

    /// All rows.
    ///
    /// # Errors
    /// If a dataset cannot be read or memory does not suffice.
    pub async fn all(&self) -> Result<Rows> {
        self.engine.by_number(without(plan(self.job, self.inputs.clone())?, |name| name == FORM)?).await
    }

    /// All rows with their digests, to be screened. Where plans are sent, they come without the values of their fields: few of them are left.
    ///
    /// # Errors
    /// If a dataset cannot be read or memory does not suffice.
    pub async fn screened(&self) -> Result<Rows> {
        let rows = plan(self.job, self.inputs.clone())?;
        if !self.engine.is_sending() {
            return self.engine.by_number_here(rows).await;
        }
        let mut columns: Vec<Expr> = SCREENED.into_iter().chain([KEY, FORM]).map(ident).collect();
        columns.extend(screened_columns(self.job).into_iter().map(ident));
        self.engine.by_number(rows.select(columns)?).await
    }

    /// The rows that are left when others are settled: those that were kept as they were mapped, and those that another one came behind.
    ///
    /// # Errors
    /// If a dataset cannot be read or memory does not suffice.
    pub async fn left(&self, screen: &Arc<Screen>) -> Result<Rows> {
        let early = async || self.engine.by_number_here(self.engine.stored(dataset::LEFT).await?).await;
        if screen.late == 0 {
            return early().await;
        }
        let rows = plan(self.job, Inputs { only: Some(screen.is_late()), ..self.inputs.clone() })?;
        // What is settled is known in this process alone.
        let late = self.engine.by_number_here(without(rows, |name| name == FORM)?).await?;
        if screen.late == screen.left { Ok(late) } else { Ok(early().await?.and(std::iter::once(late))) }
    }
}

/// The rows that pass `WHERE`, with the columns of related tables, `_why` being null.
pub(super) async fn rows_taking_part(engine: &Engine, job: &Job) -> Result<DataFrame> {
    let mut inputs = source_of(engine, job).await?;
    let source = inputs.source.take().expect("it was filled in just now");
    filtered(job, &Reasons::of(job), source, inputs)
}

/// The source's side of the stage's tables.
async fn source_of(engine: &Engine, job: &Job) -> Result<Inputs> {
    let mut inputs = Inputs::default();
    let fields = dataset::table_fields(job, None);
    inputs.source = Some(engine.dataset(dataset::SOURCE, &dataset::table_schema(&fields, true, None)).await?);
    inputs.repeated = repeated(engine, job).await?;
    for relation in &job.relations {
        let fields = dataset::table_fields(job, Some(&relation.table.name));
        let schema = dataset::table_schema(&fields, false, Some(&relation.table.primary_id));
        inputs.relations.push(engine.dataset(&dataset::related(&relation.table.name), &schema).await?);
    }
    Ok(inputs)
}

/// The tables that the stage reads, in the job's order.
#[derive(Default, Clone)]
pub(super) struct Inputs {
    pub(super) source: Option<DataFrame>,
    pub(super) relations: Vec<DataFrame>,
    pub(super) lookups: Vec<DataFrame>,
    pub(super) repeated: Repeated,
    /// Which rows of the source are wanted, if not all are: a condition on their numbers.
    pub(super) only: Option<Expr>,
}

/// The plan of the stage.
pub(super) fn plan(job: &Job, mut inputs: Inputs) -> Result<DataFrame> {
    let reasons = Reasons::of(job);
    let source = inputs.source.take().expect("the caller fills the source in");
    let lookups = std::mem::take(&mut inputs.lookups);
    let mut rows = filtered(job, &reasons, source, inputs)?;
    for (index, (lookup, object)) in job.lookups.iter().zip(lookups).enumerate() {
        rows = lookup::prepare(index, lookup, job, rows)?;
        // A lookup that may find records of this very run waits until the next stage knows which those are.
        if !job.is_pending(index) {
            rows = lookup::join(index, lookup, job, lookup::held(index, lookup, object)?, rows)?;
        }
    }
    decided(job, &reasons, rows)
}

/// Columns under their own names, the newest version of each row, related tables, and `WHERE`.
fn filtered(job: &Job, reasons: &Reasons, source: DataFrame, inputs: Inputs) -> Result<DataFrame> {
    let mut columns = vec![ident(ROW)];
    for (index, one) in job.columns.iter().enumerate().filter(|(_, c)| c.relation.is_none()) {
        columns.push(ident(&one.field.name).alias(column(index)));
        if one.field.is_polymorphic() {
            columns.push(ident(dataset::type_column(&one.field.name)).alias(type_column(index)));
        }
    }
    let source = source.select(columns)?;
    let mut rows = versions(source, column(job.id), inputs.repeated)?;
    if let Some(only) = inputs.only {
        rows = rows.filter(only)?;
    }
    for (index, (relation, table)) in job.relations.iter().zip(inputs.relations).enumerate() {
        let key = format!("r{index}");
        let held = job.columns.iter().enumerate().filter(|(_, c)| c.relation == Some(index));
        // One row for each id, whatever the pages overlapped.
        let mut values: Vec<Expr> = Vec::new();
        for (n, c) in held {
            values.push(max(ident(&c.field.name)).alias(column(n)));
            if c.field.is_polymorphic() {
                values.push(max(ident(dataset::type_column(&c.field.name))).alias(type_column(n)));
            }
        }
        let values = if values.is_empty() { vec![max(lit(1)).alias(format!("r{index}_any"))] } else { values };
        let table = table.aggregate(vec![ident(&relation.table.primary_id).alias(&key)], values)?;
        rows = attach(table, rows, &[(key, column(relation.via))])?;
    }
    let nothing = Expr::Literal(ScalarValue::Int32(None), None);
    let rows = add(rows, vec![("_why".to_owned(), nothing), ("_value".to_owned(), null_text())])?;
    let mut decisions = vec![(Cause::Superseded, ident(ROW).lt(ident("newest_row")), null_text())];
    if let Some(unread) = job.unread {
        decisions.push((Cause::Unread, ident(column(unread)).is_not_null(), ident(column(unread))));
    }
    if let Some(merged) = job.merged {
        decisions.push((Cause::Merged, ident(column(merged.flag)).is_true(), ident(column(merged.into))));
    }
    let mut steps = Steps::new('f');
    if let Some(filter) = &job.filter {
        let Lowered { value, fails } = lower(filter, job, &mut steps);
        decisions.extend(fails.map(|fails| (Cause::UnreadableFilter, fails, shown(filter))));
        decisions.push((Cause::Filter, value.is_not_true(), null_text()));
    }
    let rows = add(steps.taken(rows)?, reasons.decide(decisions))?;
    without(rows, |name| name == "newest_row" || is_step(name))
}

/// Rows with `newest_row`: the last row with their id, of ids that stand in several.
fn versions(source: DataFrame, id: String, repeated: Repeated) -> Result<DataFrame> {
    let some = match repeated {
        Repeated::Nothing => {
            let none = Expr::Literal(ScalarValue::Int64(None), None);
            return add(source, vec![("newest_row".to_owned(), none)]);
        }
        Repeated::Few(ids) => ids.join(source.clone(), JoinType::RightSemi, &["repeated_id"], &[id.as_str()], None)?,
        Repeated::Many => source.clone(),
    };
    let newest = some.aggregate(vec![ident(&id).alias("newest_id")], vec![max(ident(ROW)).alias("newest_row")])?;
    attach(newest, source, &[("newest_id".to_owned(), id)])
}

/// Mapped values, and what mappings, lookups and the late filter decide, in the script's order.
fn decided(job: &Job, reasons: &Reasons, rows: DataFrame) -> Result<DataFrame> {
    let mut steps = Steps::new('d');
    let (mut mapped, mut decisions) = (Vec::new(), Vec::new());
    for (index, mapping) in job.mappings.iter().enumerate().filter(|(i, _)| job.pending_lookup(*i).is_none()) {
        let Lowered { value, fails } = stored(mapping, &mapped_column(index), job, &mut steps);
        mapped.push((mapped_column(index), value));
        decisions.extend(fails.map(|fails| (Cause::BadValue(index), fails, shown(&mapping.value))));
    }
    for (index, lookup) in job.lookups.iter().enumerate().filter(|(index, _)| !job.is_pending(*index)) {
        decisions.extend(lookup::decisions(index, lookup, job));
    }
    if let Some(filter) = &job.late_filter {
        let Lowered { value, fails } = lower(filter, job, &mut steps);
        decisions.extend(fails.map(|fails| (Cause::UnreadableFilter, fails, shown(filter))));
        decisions.push((Cause::LateFilter, value.is_not_true(), null_text()));
    }
    for (index, require) in job.requires.iter().enumerate() {
        let Lowered { value, fails } = lower(&require.condition, job, &mut steps);
        decisions.extend(fails.map(|fails| (Cause::UnreadableRequire(index), fails, shown(&require.condition))));
        decisions.push((Cause::Require(index), value.is_not_true(), shown(&require.condition)));
    }
    let mut kept = vec![("_id".to_owned(), ident(column(job.id)))];
    if is_ranked(job) {
        kept.push(("_rank".to_owned(), rank(job)));
    }
    if let DuplicateKey::KeepLatest(by) = &job.duplicate_key {
        let Lowered { value, fails } = lower(by, job, &mut steps);
        decisions.extend(fails.map(|fails| (Cause::UnreadableOrder, fails, shown(by))));
        kept.push(("_latest".to_owned(), value));
    }
    if let Some((by, _)) = &job.load_first {
        let Lowered { value, fails } = lower(by, job, &mut steps);
        decisions.extend(fails.map(|fails| (Cause::UnreadableFirst, fails, shown(by))));
        kept.push(("_first".to_owned(), value));
    }
    let rows = add(steps.taken(rows)?, mapped)?;
    let rows = add(rows, reasons.decide(decisions))?;
    let rows = add(rows, kept)?;
    let violated = violations(job, true).into_iter().map(|(_, is_violated, _)| is_violated.is_not_true());
    // A row that points at a record that is to come is not settled: its value is asked for.
    let coming = job.mappings.iter().enumerate().filter_map(|(index, mapping)| is_to_come(mapping, index));
    let violated = violated.chain(coming.map(|is_coming| Expr::Not(Box::new(is_coming))));
    let may_be_stored = violated.reduce(Expr::and).unwrap_or_else(|| lit(true));
    let rows = add(rows, row_digests(job, may_be_stored, |index| ident(mapped_column(index))))?;
    let is_kept = |name: &str| {
        name.starts_with('_') || name.starts_with('m') || (name.starts_with('h') && pending_side(name, job))
    };
    without(rows, |name| !is_kept(name))
}

/// Whether several rows may be of one person, the newest of which counts.
pub(super) fn is_ranked(job: &Job) -> bool {
    job.targets.iter().any(|target| matches!(target.route, Route::Person | Route::CompanyPerson))
}

/// Which of two versions of a record is newer.
fn rank(job: &Job) -> Expr {
    match job.modified {
        Some(index) => {
            let millis = cast(cast(ident(column(index)), DataType::Int64), DataType::Utf8);
            concat(vec![lpad(vec![millis, lit(20_i64), lit("0")]), lit("|"), ident(column(job.id))])
        }
        None => ident(column(job.id)),
    }
}

/// The name of a mapped value in stored form.
pub(super) fn mapped_column(index: usize) -> String {
    format!("m{index}")
}

fn pending_side(name: &str, job: &Job) -> bool {
    (0..job.lookups.len()).any(|index| job.is_pending(index) && name.starts_with(&format!("h{index}_")))
}

/// What the error file shows of a value that could not be used: the first column it is made from.
fn shown(value: &Expression) -> Expr {
    let mut first = None;
    value.walk(&mut |e| {
        if let Expression::Column(index) | Expression::Label(index) | Expression::TypeOf(index) = e {
            first = first.or(Some(*index));
        }
    });
    first.map_or_else(null_text, |index| ident(column(index)))
}
