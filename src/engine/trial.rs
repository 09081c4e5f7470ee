//! A plan over rows that are written down: what a run would do with them, without a service and without a disk.
//!
//! It is the very plan of a run, over datasets in memory. What `CREATE TEST` and previews are made of.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;

use super::compare::compare;
use super::error::Result;
pub use super::given::plain;
use super::given::{constant_at, datasets};
use super::map::{map, mapped_column};
use super::reason::Reasons;
use super::session::{Engine, Rows};
use crate::model::dataset::{self, ROW, changes};
use crate::model::job::{Job, Route};
use crate::model::literal::Literal;
use crate::model::outcome::Outcome;
use crate::model::reject::RejectCode;
use crate::model::test::Given;

/// What becomes of one source row.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialRow {
    /// Its number, from 1.
    pub row: i64,
    /// Its outcome.
    pub outcome: Outcome,
    /// Why it is not written.
    pub code: Option<RejectCode>,
    /// The same in words.
    pub message: String,
    /// For each target what is to be done with the record: see [`changes::action`].
    pub actions: Vec<Option<String>>,
    /// For each mapping the value that the record will have.
    pub values: Vec<Literal>,
}

/// Plans a job over given rows.
///
/// # Errors
/// If the plan cannot be carried out, which would be a bug.
pub async fn trial(job: &Job, given: &[Given]) -> Result<Vec<TrialRow>> {
    let mut engine = Engine::over(datasets(job, given)?)?;
    let mapped = map(&engine, job).await?;
    let mapped = collected(mapped).await?;
    engine.keep(dataset::MAPPED, mapped);
    let reasons = Reasons::of(job);
    let planned = collected(compare(&engine, job).await?).await?;
    Ok(planned.iter().flat_map(|batch| (0..batch.num_rows()).map(|at| row(job, &reasons, batch, at))).collect())
}

/// One source row, mapped.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedRow {
    /// Its number, from 1.
    pub row: i64,
    /// Its primary key.
    pub source_key: String,
    /// Why it will not be written, if that is decided already.
    pub reason: Option<String>,
    /// For each mapping its value in stored form; none where it is known after loading only.
    pub values: Vec<Option<Literal>>,
}

/// The first rows of an extracted job that pass its filter, mapped.
///
/// # Errors
/// If a dataset cannot be read or memory does not suffice.
pub async fn mapped(engine: &Engine, job: &Job, most: usize) -> Result<Vec<MappedRow>> {
    let reasons = Reasons::of(job);
    let mut batches = map(engine, job).await?.batches;
    let mut rows = Vec::new();
    while let Some(batch) = batches.try_next().await? {
        for at in 0..batch.num_rows() {
            let cell = |name: &str| batch.column_by_name(name).map_or(Literal::Null, |c| constant_at(c, at));
            let reason = match cell("_why") {
                Literal::Integer(number) => i32::try_from(number).ok().and_then(|n| reasons.get(n)),
                _ => None,
            };
            if reason.is_some_and(|r| r.code.is_none()) {
                continue;
            }
            if rows.len() == most {
                return Ok(rows);
            }
            let value = |m| job.pending_lookup(m).is_none().then(|| cell(&mapped_column(m)));
            let number = if let Literal::Integer(number) = cell(ROW) { number } else { 0 };
            let source_key = if let Literal::Text(id) = cell("_id") { id } else { String::new() };
            let reason = reason.and_then(|r| Some(format!("{}: {}", r.code?.text(), r.message)));
            rows.push(MappedRow {
                row: number,
                source_key,
                reason,
                values: (0..job.mappings.len()).map(value).collect(),
            });
        }
    }
    Ok(rows)
}

/// All batches of a plan; one without rows if there are none, so that its columns are known.
async fn collected(rows: Rows) -> Result<Vec<RecordBatch>> {
    let schema = rows.schema;
    let batches: Vec<RecordBatch> = rows.batches.try_collect().await?;
    Ok(if batches.is_empty() { vec![RecordBatch::new_empty(schema)] } else { batches })
}

fn row(job: &Job, reasons: &Reasons, batch: &RecordBatch, at: usize) -> TrialRow {
    let column = |name: &str| batch.column_by_name(name).filter(|c| !c.is_null(at));
    let text = |name: &str| column(name).map(|c| c.as_string::<i32>().value(at).to_owned());
    let why = column(changes::WHY).map(|c| c.as_primitive::<Int32Type>().value(at));
    let reason = why.and_then(|number| reasons.get(number));
    let actions: Vec<Option<String>> =
        job.targets.iter().map(|target| text(&changes::action(&target.object.label))).collect();
    let values = job.mappings.iter().map(|mapping| {
        let target = &job.targets[mapping.target];
        let (label, field) = (&target.object.label, &mapping.field.label);
        let cell = |name: String| batch.column_by_name(&name).map_or(Literal::Null, |c: &ArrayRef| constant_at(c, at));
        let new = cell(changes::new(label, field));
        let is_new = actions[mapping.target].as_deref() == Some("insert") || target.route == Route::Avatar;
        let is_changed = column(&changes::changed(label, field)).is_some_and(|c| c.as_boolean().value(at));
        if is_new || is_changed { new } else { cell(changes::old(label, field)) }
    });
    TrialRow {
        row: column(ROW).map_or(0, |c| c.as_primitive::<Int64Type>().value(at)),
        outcome: text(changes::OUTCOME).and_then(|o| Outcome::parse(&o)).unwrap_or(Outcome::Error),
        code: reason.and_then(|r| r.code),
        message: reason.map(|r| r.message.clone()).unwrap_or_default(),
        values: values.collect(),
        actions,
    }
}
