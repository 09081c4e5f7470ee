//! Plans that are carried out elsewhere, on a cluster: what is sent, what comes back, and what is done where it does not.
//!
//! A plan that is sent has built-in operators and the functions of [`registered`] only, and each of its partitions is sorted by row number at
//! its end, as a cluster moves rows as it likes. So the rows that come back are those that the same plan gives here, in the same order, and
//! where they break off the rest can be had from anybody. In: a plan. Out: batches by row number.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};

use super::driven::driven;
use super::error::Error;
use super::ordered::{merged, numbers};
use super::row_digest;
use super::session::Rows;
use crate::model::dataset::ROW;

/// Times that a plan is sent, if what stopped it may pass.
const TRIES: u32 = 2;

/// Batches of one partition, or what went wrong on the way to one.
pub type Partition = BoxStream<'static, Result<RecordBatch>>;

/// A place where plans are carried out. What goes wrong there is a [`Failed`], also within the partitions.
pub trait Elsewhere: fmt::Debug + Send + Sync {
    /// Carries a plan out; gives its partitions once the first rows can be had.
    fn begin(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> BoxFuture<'static, std::result::Result<Vec<Partition>, Failed>>;
}

/// A plan that could not be carried out elsewhere. Its text says what happened, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Failed {
    /// What happened.
    pub cause: Box<dyn std::error::Error + Send + Sync>,
    /// Whether it may go better a second time.
    pub may_pass: bool,
}

/// Where plans are sent to, and what is done where that fails.
#[derive(Debug, Clone)]
pub struct Place {
    /// Who carries them out.
    pub to: Arc<dyn Elsewhere>,
    /// Whether what cannot be had there is made here.
    pub or_here: bool,
}

/// Who is told of what went wrong and is made good.
pub type Tell = Arc<dyn Fn(String) + Send + Sync>;

/// The plans of one job on their way to a place.
#[derive(Clone)]
pub struct Sending {
    place: Place,
    tell: Tell,
    /// Whether the place failed, so that nothing more is sent there.
    is_given_up: Arc<AtomicBool>,
}

impl Sending {
    /// Nothing is sent yet.
    #[must_use]
    pub fn new(place: Place, tell: Tell) -> Self {
        Self { place, tell, is_given_up: Arc::default() }
    }

    /// Whether nothing more is sent: what is left of the job is planned here.
    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    /// Nothing more is sent, for this reason.
    pub(super) fn give_up(&self, why: &str) {
        self.is_given_up.store(true, Ordering::Relaxed);
        (self.tell)(format!("{why}; what is left of the job is planned on this machine"));
    }
}

/// The functions of our own that plans have which are sent: a cluster has to know them by their names.
#[must_use]
pub fn registered() -> Vec<Arc<ScalarUDF>> {
    row_digest::functions()
}

/// A plan of which each partition is sorted by the numbers of its rows.
pub(super) fn by_number(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let number = PhysicalSortExpr::new_default(col(ROW, &plan.schema())?);
    Ok(Arc::new(SortExec::new([number].into(), plan).with_preserve_partitioning(true)))
}

/// Makes the rows of the same plan here.
pub(super) type Here = Box<dyn FnOnce() -> BoxFuture<'static, std::result::Result<Rows, Error>> + Send>;

/// Rows of a plan that is sent. `here` is asked if the place fails for good and that is allowed.
pub(super) fn sent(sending: Sending, plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>, here: Here) -> Rows {
    let schema = plan.schema();
    let under_way = UnderWay { sending, plan, context, here: Some(here), batches: None, last: i64::MIN, tries: 0 };
    let batches = futures::stream::try_unfold(under_way, |mut rows| async move {
        Ok(rows.next().await.map_err(Error::from)?.map(|batch| (batch, rows)))
    });
    Rows { schema, batches: batches.boxed() }
}

/// A plan that was sent.
struct UnderWay {
    sending: Sending,
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    /// None, once rows are made here.
    here: Option<Here>,
    batches: Option<Partition>,
    /// The number of the row that was handed out last.
    last: i64,
    tries: u32,
}

impl UnderWay {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let next = match &mut self.batches {
                Some(batches) => batches.next().await.transpose(),
                None => match self.begin().await {
                    Ok(batches) => {
                        self.batches = Some(batches);
                        continue;
                    }
                    Err(error) => Err(error),
                },
            };
            match next {
                Ok(None) => return Ok(None),
                Ok(Some(batch)) => {
                    if let Some(batch) = self.not_seen(batch)? {
                        return Ok(Some(batch));
                    }
                }
                Err(error) => self.after(error).await?,
            }
        }
    }

    /// Sends the plan.
    async fn begin(&mut self) -> Result<Partition> {
        self.tries += 1;
        let begun = self.sending.place.to.begin(Arc::clone(&self.plan), Arc::clone(&self.context)).await;
        let partitions = begun.map_err(|failed| DataFusionError::External(Box::new(failed)))?;
        let schema = self.plan.schema();
        Ok(merged(partitions.into_iter().map(|one| driven(alike(one, Arc::clone(&schema)))).collect()))
    }

    /// Decides what is done after something went wrong: once more, here, or nothing.
    async fn after(&mut self, error: DataFusionError) -> Result<()> {
        self.batches = None;
        let may_pass = failed(&error).is_some_and(|failed| failed.may_pass);
        if may_pass && self.tries < TRIES {
            (self.sending.tell)(format!("{error}; the cluster is asked once more", error = words(&error)));
            return Ok(());
        }
        let Some(here) = self.here.take().filter(|_| self.sending.place.or_here) else { return Err(error) };
        self.sending.give_up(&words(&error));
        let rows = here().await.map_err(|error| *error.0)?;
        self.batches = Some(alike(rows.batches.map(|batch| batch.map_err(|e| *e.0)).boxed(), self.plan.schema()));
        Ok(())
    }

    /// The rows of a batch that were not handed out before.
    fn not_seen(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        let numbers = numbers(&batch)?;
        let seen = numbers.partition_point(|number| *number <= self.last);
        self.last = numbers.last().copied().unwrap_or(self.last).max(self.last);
        let left = batch.num_rows() - seen;
        Ok((left > 0).then(|| batch.slice(seen, left)))
    }
}

/// Batches under one schema: what is known of a column beside its type may get lost on the way.
fn alike(batches: Partition, schema: SchemaRef) -> Partition {
    let named = move |batch: RecordBatch| Ok(RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())?);
    batches.map(move |batch| batch.and_then(&named)).boxed()
}

/// What went wrong elsewhere, if it is that.
pub(super) fn failed(error: &DataFusionError) -> Option<&Failed> {
    match error.find_root() {
        DataFusionError::External(cause) => cause.downcast_ref(),
        _ => None,
    }
}

/// An error as it is told.
pub(super) fn words(error: &DataFusionError) -> String {
    failed(error).map_or_else(|| error.to_string(), ToString::to_string)
}
