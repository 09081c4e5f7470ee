//! The join of the hot path: each row once, with what a side holds for its key.
//!
//! It stands in the place of DataFusion's hash join where the side is what is built (`rules`), and gives the same rows: it builds
//! one index that all threads search, gives one row for one, and copies nothing of the rows. A side that is larger than it may be is
//! split by the hash of its key, and so are the rows then, part by part on the disk (`parts`). In: a side, and rows. Out: rows.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, JoinType, NullEquality, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::means::Room;
use super::ordered::Stream;
use super::parts::{Parts, joined_by_parts, split};
use super::side::{Side, bytes_of};

/// The operator.
pub(super) struct Attach {
    side: Arc<dyn ExecutionPlan>,
    rows: Arc<dyn ExecutionPlan>,
    shape: Arc<Shape>,
    /// What the side may take in memory.
    room: Room,
    /// The side, which all partitions share.
    held: Arc<OnceCell<Held>>,
    metrics: ExecutionPlanMetricsSet,
    properties: Arc<PlanProperties>,
}

/// Which columns are compared, and which come out.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) side_keys: Vec<usize>,
    pub(super) row_keys: Vec<usize>,
    output: Vec<Origin>,
    pub(super) schema: SchemaRef,
}

/// Where a column that comes out is from.
#[derive(Debug, Clone, Copy)]
enum Origin {
    Side(usize),
    Rows(usize),
}

/// A side, where it is.
#[derive(Clone)]
enum Held {
    /// In memory, which is given back with it.
    Memory(Arc<(Side, MemoryReservation)>),
    Disk(Arc<Parts>),
}

impl Attach {
    /// What does a hash join's work; none, if it is another kind of join.
    pub(super) fn in_place_of(join: &HashJoinExec, room: Room) -> Option<Self> {
        let is_ours = *join.join_type() == JoinType::Right
            && *join.partition_mode() == PartitionMode::CollectLeft
            && join.filter().is_none()
            && join.null_equality() == NullEquality::NullEqualsNothing;
        if !is_ours || join.fetch().is_some() {
            return None;
        }
        let column = |of: &Arc<dyn PhysicalExpr>| of.downcast_ref::<Column>().map(Column::index);
        let keys: Option<Vec<(usize, usize)>> = join.on().iter().map(|(l, r)| Some((column(l)?, column(r)?))).collect();
        let (side_keys, row_keys) = keys?.into_iter().unzip();
        let of_side = join.left().schema().fields().len();
        let all = of_side + join.right().schema().fields().len();
        let from = |column: usize| if column < of_side { Origin::Side(column) } else { Origin::Rows(column - of_side) };
        let output = match join.projection.as_ref() {
            Some(chosen) => chosen.iter().copied().map(from).collect(),
            None => (0..all).map(from).collect(),
        };
        let shape = Shape { side_keys, row_keys, output, schema: join.schema() };
        Some(Self::new(Arc::clone(join.left()), Arc::clone(join.right()), Arc::new(shape), room))
    }

    fn new(side: Arc<dyn ExecutionPlan>, rows: Arc<dyn ExecutionPlan>, shape: Arc<Shape>, room: Room) -> Self {
        let partitions = rows.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&shape.schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let (held, metrics) = (Arc::new(OnceCell::new()), ExecutionPlanMetricsSet::new());
        Self { side, rows, shape, room, held, metrics, properties: Arc::new(properties) }
    }
}

impl Shape {
    /// A batch of rows with what a side has for them.
    pub(super) fn joined(&self, side: &Side, rows: &RecordBatch) -> Result<RecordBatch> {
        let found = side.find(rows, &self.row_keys)?;
        let columns = self.output.iter().map(|from| match from {
            Origin::Side(column) => side.values(*column, &found),
            Origin::Rows(column) => Ok(Arc::clone(rows.column(*column))),
        });
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_>>()?)?)
    }
}

/// Takes a side in: into memory, or where it does not fit, to the disk.
async fn collected(
    mut side: SendableRecordBatchStream,
    shape: &Shape,
    room: Room,
    context: &TaskContext,
) -> Result<Held> {
    let schema = side.schema();
    let (mut batches, mut taken) = (Vec::new(), 0);
    let reserved = MemoryConsumer::new("a side of a join").register(context.memory_pool());
    while let Some(batch) = side.try_next().await? {
        let bytes = bytes_of(&batch);
        taken += bytes;
        batches.push(batch);
        if taken > room.side_bytes || reserved.try_grow(bytes).is_err() {
            reserved.free();
            let all = futures::stream::iter(batches.into_iter().map(Ok)).chain(side).boxed();
            return Ok(Held::Disk(Arc::new(split(all, &schema, &shape.side_keys, context).await?)));
        }
    }
    let side = Side::new(&schema, &batches, &shape.side_keys)?;
    Ok(Held::Memory(Arc::new((side, reserved))))
}

impl ExecutionPlan for Attach {
    fn name(&self) -> &'static str {
        "Attach"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition, Distribution::UnspecifiedDistribution]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false, true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.side, &self.rows]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (side, rows) = (Arc::clone(&children[0]), Arc::clone(&children[1]));
        Ok(Arc::new(Self::new(side, rows, Arc::clone(&self.shape), self.room)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.rows.execute(partition, Arc::clone(&context))?;
        let (side, held, shape, room) =
            (Arc::clone(&self.side), Arc::clone(&self.held), Arc::clone(&self.shape), self.room);
        let measured = BaselineMetrics::new(&self.metrics, partition);
        let begun = async move {
            let of_side = Arc::clone(&shape);
            let taken = held.get_or_try_init(|| async {
                collected(side.execute(0, Arc::clone(&context))?, &of_side, room, &context).await
            });
            let all: Stream = match taken.await?.clone() {
                Held::Disk(parts) => joined_by_parts(&parts, rows, &shape, room.part_bytes, &context).await?,
                Held::Memory(side) => rows
                    .map(move |batch| {
                        let _timer = measured.elapsed_compute().timer();
                        let joined = shape.joined(&side.0, &batch?)?;
                        measured.record_output(joined.num_rows());
                        Ok(joined)
                    })
                    .boxed(),
            };
            Ok::<Stream, DataFusionError>(all)
        };
        let stream = futures::stream::once(begun).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.shape.schema), stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

impl DisplayAs for Attach {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attach: side={:?}, rows={:?}", self.shape.side_keys, self.shape.row_keys)
    }
}

impl fmt::Debug for Attach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, f)
    }
}
