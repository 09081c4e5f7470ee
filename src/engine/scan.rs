//! Datasets of a run folder as tables: their files read one after the other, those of each thread in turns.
//!
//! It stands for DataFusion's scan of Parquet where a dataset has files of Arrow, which cost a copy to read. Files of both forms may lie side
//! by side, of runs that were begun with another version or otherwise. A cluster does not know this scan. In: a folder of this machine, and
//! the columns that were agreed upon. Out: batches, each with these columns.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatchOptions, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::TableType;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};

use crate::staged::{Content, Form, read};

/// The files of a dataset, in their order.
#[derive(Debug, Clone)]
pub(super) struct Files(Arc<[(PathBuf, Form)]>);

impl Files {
    /// Those in a folder, if any of them is one of Arrow.
    ///
    /// # Errors
    /// If the folder is there and cannot be listed.
    pub(super) fn of(folder: &Path) -> Result<Option<Self>> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(named(folder, error.into())),
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| named(folder, e.into()))?.path();
            if let Some((form, number)) = path.file_name().and_then(|name| Form::of_part(name.to_str()?)) {
                found.push((number, path, form));
            }
        }
        found.sort_by_key(|(number, ..)| *number);
        if let Some(pair) = found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let words = format!("{} and {} have one number", pair[0].1.display(), pair[1].1.display());
            return Err(DataFusionError::Execution(words));
        }
        let is_ours = found.iter().any(|(.., form)| *form == Form::Arrow);
        Ok(is_ours.then(|| Self(found.into_iter().map(|(_, path, form)| (path, form)).collect())))
    }

    /// The columns of the first of them.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn schema(&self) -> Result<SchemaRef> {
        let (path, form) = &self.0[0];
        Ok(read(&Content::File(path.clone()), *form, None, None).map_err(|e| named(path, e.into()))?.schema)
    }
}

/// A dataset as a table.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) files: Files,
    pub(super) schema: SchemaRef,
}

#[async_trait]
impl TableProvider for Staged {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        columns: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match columns {
            Some(columns) => self.schema.project(columns)?.into(),
            None => Arc::clone(&self.schema),
        };
        let parts = session.config().target_partitions().min(self.files.0.len()).max(1);
        Ok(Arc::new(Scan::new(self.files.clone(), schema, parts)))
    }
}

/// The scan of some columns. Each partition reads every so many-th file, so that partitions move through the rows side by side.
#[derive(Debug)]
pub(super) struct Scan {
    files: Files,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl Scan {
    fn new(files: Files, schema: SchemaRef, parts: usize) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(parts),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { files, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }

    fn columns(&self) -> &SchemaRef {
        self.properties.equivalence_properties().schema()
    }
}

/// The batches of a file with these columns: one that the file does not have is null, and one of another kind is made what it is to be.
fn batches(file: &(PathBuf, Form), schema: &SchemaRef) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    let (path, form) = file;
    let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let batches = read(&Content::File(path.clone()), *form, Some(&names), None).map_err(|e| named(path, e.into()))?;
    let (path, schema) = (path.clone(), Arc::clone(schema));
    Ok(batches.map(move |batch| {
        batch.map_err(Into::into).and_then(|batch| alike(&batch, &schema)).map_err(|error| named(&path, error))
    }))
}

fn named(path: &Path, error: DataFusionError) -> DataFusionError {
    error.context(format!("{} cannot be read; `--anew` reads what was read again", path.display()))
}

fn alike(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let columns = schema.fields().iter().map(|field| -> Result<ArrayRef> {
        let kind = field.data_type();
        Ok(match batch.column_by_name(field.name()) {
            None => new_null_array(kind, rows),
            Some(column) if column.data_type() == kind => Arc::clone(column),
            Some(column) => cast(column, kind)?,
        })
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect::<Result<_>>()?, &options)?)
}

impl ExecutionPlan for Scan {
    fn name(&self) -> &'static str {
        "Scan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let parts = self.properties.partitioning.partition_count();
        let (files, schema) = (Arc::clone(&self.files.0), Arc::clone(self.columns()));
        let measured = BaselineMetrics::new(&self.metrics, partition);
        let of_files = Arc::clone(&schema);
        let all = (partition..files.len()).step_by(parts).flat_map(move |at| {
            let (found, failed) = match batches(&files[at], &of_files) {
                Ok(found) => (Some(found), None),
                Err(error) => (None, Some(Err(error))),
            };
            found.into_iter().flatten().chain(failed)
        });
        let timed = Timed { batches: all, measured };
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(timed))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Batches, and how long it took to read them.
struct Timed<I> {
    batches: I,
    measured: BaselineMetrics,
}

impl<I: Iterator<Item = Result<RecordBatch>>> Iterator for Timed<I> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let _timer = self.measured.elapsed_compute().timer();
        let next = self.batches.next();
        if let Some(Ok(batch)) = &next {
            self.measured.record_output(batch.num_rows());
        }
        next
    }
}

impl DisplayAs for Scan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.columns().fields().iter().map(|field| field.name().as_str()).collect();
        let first = self.files.0.first().and_then(|(path, _)| path.parent()).unwrap_or(Path::new(""));
        write!(f, "Scan: {} files of {}, columns=[{}]", self.files.0.len(), first.display(), columns.join(", "))
    }
}
