//! Stage two, the target's side: which record each row is, what it holds now, what would have to be written.
//!
//! In: the mapped rows and what the target holds. Out: the changes, one row for each source row.

use std::sync::Arc;

use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field as ArrowField, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::DataFrame;
use futures::StreamExt;

use super::error::Result;
use super::frame::{add, without};
use super::matching::{Held, matched, newest};
use super::pending;
use super::reason::Reasons;
use super::screen::{KEY, Screen, can_be_screened, record_key};
use super::session::{Engine, Rows};
use super::verdict::{self, Shown};
use crate::model::dataset::{self, ROW, changes};
use crate::model::job::{Job, Route};

/// The changes that a run would make of rows in memory, with all values of each.
///
/// # Errors
/// If memory does not suffice.
pub(super) async fn compare(engine: &Engine, job: &Job) -> Result<Rows> {
    let refused = engine.dataset(dataset::REFUSED, &dataset::refused_schema()).await?;
    let rows = engine.stored(dataset::MAPPED).await?;
    engine.by_number(plan(job, rows, held(engine, job).await?, refused, Shown::All)?).await
}

/// A comparison: what is surely unchanged is known when it begins, what is left is compared in full, bucket by bucket.
pub struct Comparison<'a> {
    engine: &'a Engine,
    job: &'a Job,
    screen: Option<Arc<Screen>>,
    /// Parts of equal size, by the hash of the key, in which what is left is compared. Each needs nothing of the others.
    pub buckets: usize,
}

impl<'a> Comparison<'a> {
    /// Finds out in how many buckets rows are compared; all of them, if none was screened.
    ///
    /// # Errors
    /// If a dataset cannot be read.
    pub async fn begin(engine: &'a Engine, job: &'a Job, screen: Option<Arc<Screen>>) -> Result<Self> {
        let left = match &screen {
            Some(screen) => screen.left.max(screen.wanted),
            None if can_be_screened(job) => {
                let fields = dataset::table_fields(job, None);
                let source = engine.dataset(dataset::SOURCE, &dataset::table_schema(&fields, true, None)).await?;
                let mut left = source.count().await?;
                for records in held(engine, job).await?.targets.into_iter().flatten() {
                    left = left.max(records.count().await?);
                }
                left
            }
            // Its rows depend on each other by more than their keys.
            None => 0,
        };
        Ok(Self { engine, job, screen, buckets: left.div_ceil(engine.means().bucket_rows).max(1) })
    }

    /// Whether rows and records lie in buckets; else the rows are those of [`dataset::MAPPED`], and the records the target's.
    #[must_use]
    pub fn is_dealt(&self) -> bool {
        self.screen.is_some() || self.buckets > 1
    }

    /// Whether [`dataset::LEFT`] has just the rows that are compared, in one bucket: they are not dealt out then.
    #[must_use]
    pub fn is_left_whole(&self) -> bool {
        self.buckets == 1 && self.screen.as_ref().is_some_and(|screen| screen.late == 0 && screen.left > 0)
    }

    /// The records that rows are compared with, in any order, each with the digest of its key.
    ///
    /// # Errors
    /// If the target cannot be read.
    pub async fn records(&self) -> Result<Rows> {
        let Self { engine, job, .. } = self;
        let (name, schema) = target(job);
        let records = engine.dataset(&name, &schema).await?;
        if let Some(screen) = &self.screen {
            return wanted(engine, screen, records, record_key(job)).await;
        }
        let records = add(records, vec![(KEY.to_owned(), record_key(job))])?;
        let schema = Arc::new(records.schema().as_arrow().clone());
        Ok(Rows { schema, batches: engine.in_any_order(records).await? })
    }

    /// The changes of the rows of one bucket; of all rows, where there are none.
    ///
    /// # Errors
    /// If a dataset cannot be read or memory does not suffice.
    pub async fn bucket(&self, number: usize) -> Result<Rows> {
        let Self { engine, job, .. } = self;
        let refused = engine.dataset(dataset::REFUSED, &dataset::refused_schema()).await?;
        let shown = shown(job);
        let (rows, held) = if self.is_dealt() {
            let records = engine.dataset(&dataset::held_in(number), &target(job).1).await?;
            let held = Held { targets: vec![Some(records)], avatars: None };
            let rows = match self.is_left_whole() {
                true => without(engine.stored(dataset::LEFT).await?, |name| name == KEY)?,
                false => engine.stored(&dataset::mapped_in(number)).await?,
            };
            (rows, held)
        } else {
            (engine.stored(dataset::MAPPED).await?, held(engine, job).await?)
        };
        engine.by_number(plan(job, rows, held, refused, shown)?).await
    }

    /// All changes: of the rows that are settled, and what the buckets gave, if each is kept as a dataset, else what the only one gives.
    ///
    /// # Errors
    /// If a dataset cannot be read or memory does not suffice.
    pub async fn together(&self) -> Result<Rows> {
        let mut all = Vec::new();
        if self.buckets > 1 {
            // Each bucket is one stream, file after file: many are read side by side.
            let engine = self.engine.on_one_thread()?;
            for number in 0..self.buckets {
                all.push(engine.one_by_one(engine.stored(&dataset::compared_in(number)).await?).await?);
            }
        } else if self.screen.as_ref().is_none_or(|screen| screen.left > 0) {
            all.push(self.bucket(0).await?);
        }
        all.extend(self.settled().await?);
        let mut all = all.into_iter();
        let first = all.next().ok_or_else(|| DataFusionError::Internal("there is nothing to compare".to_owned()))?;
        Ok(first.and(all))
    }

    /// The rows that are settled.
    async fn settled(&self) -> Result<Option<Rows>> {
        let Some(screen) = &self.screen else { return Ok(None) };
        // Only these: a row that a bucket lost must be missed, and not be made up.
        let rows = self.engine.stored(dataset::SCREENED).await?.filter(screen.is_settled())?;
        let rows = verdict::settled(self.job, &Reasons::of(self.job), rows, screen.gsid())?;
        Ok(Some(self.engine.by_number_here(rows).await?))
    }
}

/// The records that rows are about which are not settled, each with the digest of its key. They are told by where they stand in the
/// target, so that of the others nothing is looked at.
async fn wanted(engine: &Engine, screen: &Arc<Screen>, records: DataFrame, key: Expr) -> Result<Rows> {
    let key = engine.physical(&records, key)?;
    let kind = ArrowField::new(KEY, key.data_type(records.schema().as_arrow())?, true);
    let fields = records.schema().fields().iter().cloned().chain([Arc::new(kind)]);
    let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let (screen, made) = (Arc::clone(screen), Arc::clone(&schema));
    let picked = move |lane: usize, number: usize, batch: RecordBatch| -> datafusion::error::Result<RecordBatch> {
        let batch = filter_record_batch(&batch, &screen.wanted_of(lane, number, batch.num_rows())?)?;
        let key = key.evaluate(&batch)?.into_array(batch.num_rows())?;
        Ok(RecordBatch::try_new(Arc::clone(&made), batch.columns().iter().cloned().chain([key]).collect())?)
    };
    let lanes = engine.lanes(records, picked).await?;
    Ok(Rows { batches: futures::stream::select_all(lanes).boxed(), schema })
}

/// Of which rows a run keeps values.
pub(super) fn shown(job: &Job) -> Shown {
    if can_be_screened(job) { Shown::Written } else { Shown::All }
}

/// The dataset of the only target of a job whose rows are dealt to buckets.
fn target(job: &Job) -> (String, SchemaRef) {
    let name = &job.targets[0].object.name;
    (dataset::target(name), dataset::object_schema(&dataset::objects(job)[name]))
}

/// What the target holds, and who is who.
pub(super) async fn held(engine: &Engine, job: &Job) -> Result<Held> {
    let objects = dataset::objects(job);
    let mut held = Held { targets: Vec::new(), avatars: None };
    for target in &job.targets {
        held.targets.push(match target.route {
            Route::Avatar => None,
            _ => {
                let schema = dataset::object_schema(&objects[&target.object.name]);
                Some(engine.dataset(&dataset::target(&target.object.name), &schema).await?)
            }
        });
    }
    if job.target_by_route(Route::Avatar).is_some() {
        held.avatars = Some(engine.dataset(dataset::AVATARS, &dataset::avatar_schema()).await?);
    }
    Ok(held)
}

/// The changes in the order in which the script wants them loaded; of equals, by row.
///
/// # Errors
/// If the changes cannot be read or memory does not suffice.
pub async fn queue(engine: &Engine, descending: bool) -> Result<Rows> {
    let order = vec![ident(changes::FIRST).sort(!descending, false), ident(ROW).sort(true, false)];
    engine.stream(engine.stored(dataset::CHANGES).await?.sort(order)?).await
}

/// The plan of the stage.
pub(super) fn plan(job: &Job, rows: DataFrame, held: Held, refused: DataFrame, shown: Shown) -> Result<DataFrame> {
    let reasons = Reasons::of(job);
    let rows = matched(job, &reasons, rows, &held)?;
    let rows = verdict::remembered(job, rows, refused)?;
    let rows = newest(job, rows)?;
    let rows = pending::resolved(job, &reasons, rows, &held.targets)?;
    verdict::decided(job, &reasons, rows, shown)
}
