//! The engine itself: a DataFusion session with bounded memory, and the datasets of one run folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNode;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream_partitioned};
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext};
use futures::FutureExt;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::ObjectStore;
use url::Url;

use super::elsewhere::{self, Sending};
use super::error::{Error, Result};
use super::lanes::{Each, lanes};
use super::means::{ELSEWHERE_PARTITIONS, Means};
use super::ordered::{merged, ordered, unordered};
use super::rules::{InTurns, OwnJoins};
use super::scan::{Files, Scan, Staged};
use crate::model::dataset;
use crate::staged::Form;

/// The folder below a run's where rows go that do not fit into memory, for as long as a plan is carried out.
pub const SPILL: &str = "spill";

/// Bytes at the end of a file that are read for its footer at first.
const FOOTER_BYTES: usize = 32 << 10;

/// Bytes of the footers of files that are remembered.
const REMEMBERED_BYTES: usize = 4 << 20;

/// Plans that are written down of one stage.
const NOTED_AT_MOST: usize = 16;

/// Batches of a plan, in the order of their rows.
pub type Batches = BoxStream<'static, std::result::Result<RecordBatch, Error>>;

/// A plan under way: its columns, known even if no batch comes, and its batches.
pub struct Rows {
    /// The columns.
    pub schema: SchemaRef,
    /// The batches.
    pub batches: Batches,
}

impl Rows {
    /// These rows and others with the same columns, by their numbers.
    pub(super) fn and(self, others: impl Iterator<Item = Self>) -> Self {
        // Whether a column could hold a null is a matter of how it was made; what is kept says the same of all rows.
        let fields = self.schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let alike = |batches: Batches| {
            let schema = Arc::clone(&schema);
            let alike = move |batch: std::result::Result<RecordBatch, Error>| {
                Ok(RecordBatch::try_new(Arc::clone(&schema), batch?.columns().to_vec())
                    .map_err(DataFusionError::from)?)
            };
            batches.map(alike).map_err(|error: Error| *error.0).boxed()
        };
        let all = std::iter::once(self).chain(others).map(|rows| alike(rows.batches));
        let batches = merged(all.collect());
        Self { schema, batches: batches.map_err(Error::from).boxed() }
    }
}

/// A session over one run folder.
pub struct Engine {
    context: SessionContext,
    /// The folder, as a URL with a slash at its end.
    root: String,
    /// The same as a folder of this machine, if it is one.
    here: Option<PathBuf>,
    means: Means,
    /// Plans that came to their end since somebody asked, as text.
    carried_out: Arc<Mutex<Vec<String>>>,
    /// Datasets that are given in memory, in place of a folder.
    given: Option<BTreeMap<String, Vec<RecordBatch>>>,
    /// Where plans are sent to, and how they are made there; none, if all are carried out here.
    sending: Option<(Sending, SessionState)>,
}

impl Engine {
    /// A session that reads datasets below `root`, with the means of this machine.
    ///
    /// # Errors
    /// If the runtime cannot be set up.
    pub fn new(root: &str) -> Result<Self> {
        Self::with(root, Means::default())
    }

    /// The same with other means.
    ///
    /// # Errors
    /// If the runtime cannot be set up.
    pub fn with(root: &str, means: Means) -> Result<Self> {
        // As a URL, so that no sign in a folder's name is taken for a pattern.
        let url = Url::from_directory_path(root);
        let url = url.map_or_else(|()| format!("{root}/"), |url| url.to_string());
        Ok(Self { here: Some(PathBuf::from(root)), ..Self::of(url, root, means)? })
    }

    /// A session that reads datasets below a place in an object store. What does not fit into memory goes to a folder of this machine.
    ///
    /// # Errors
    /// If the runtime cannot be set up.
    pub fn in_store(place: &Url, store: Arc<dyn ObjectStore>, beside: &str) -> Result<Self> {
        let engine = Self::of(format!("{place}/"), beside, Means::default())?;
        engine.context.register_object_store(place, store);
        Ok(engine)
    }

    /// `root` is the URL that datasets are read below, with a slash at its end.
    fn of(root: String, folder: &str, means: Means) -> Result<Self> {
        let pool = Arc::new(FairSpillPool::new(means.memory_bytes));
        // What does not fit into memory goes where the run's other files are: they hold the same rows, and go with them.
        let spill = DiskManagerBuilder::default().with_mode(match folder {
            "/" => DiskManagerMode::Disabled,
            folder => DiskManagerMode::Directories(vec![PathBuf::from(folder).join(SPILL)]),
        });
        // Files are read once or twice, and there may be thousands: what is remembered of them would grow with the rows. Listings are never
        // remembered, as a folder may be written meanwhile.
        let runtime = RuntimeEnvBuilder::new()
            .with_metadata_cache_limit(REMEMBERED_BYTES)
            .with_file_statistics_cache_limit(0)
            .with_object_list_cache_limit(0)
            .with_memory_pool(pool)
            .with_disk_manager_builder(spill)
            .build_arc()?;
        let state =
            SessionStateBuilder::new().with_config(settings(means)).with_runtime_env(runtime).with_default_features();
        // Last, when everything else about a plan is decided.
        let state = state
            .with_physical_optimizer_rule(Arc::new(InTurns))
            .with_physical_optimizer_rule(Arc::new(OwnJoins(means)));
        Ok(Self {
            context: SessionContext::new_with_state(state.build()),
            root,
            here: None,
            means,
            carried_out: Arc::default(),
            given: None,
            sending: None,
        })
    }

    /// The same, whose larger plans are sent elsewhere.
    #[must_use]
    pub fn sending(mut self, sending: Option<Sending>) -> Self {
        self.sending = sending.map(|sending| {
            let mut config = settings(Means { threads: ELSEWHERE_PARTITIONS, ..self.means });
            let optimizer = &mut config.options_mut().optimizer;
            // Rows are sorted by number when all is done, and may move until then.
            optimizer.repartition_joins = true;
            optimizer.repartition_aggregations = true;
            // A join that others may turn around must not have promised filters to its other side.
            optimizer.enable_join_dynamic_filter_pushdown = false;
            optimizer.enable_topk_dynamic_filter_pushdown = false;
            optimizer.enable_aggregate_dynamic_filter_pushdown = false;
            let state = SessionStateBuilder::new().with_config(config).with_runtime_env(self.context.runtime_env());
            (sending, state.with_default_features().with_physical_optimizer_rule(Arc::new(InTurns)).build())
        });
        self
    }

    /// Whether its larger plans are sent elsewhere.
    pub(super) fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// Physical plans that came to their end since this was last asked, with what their operators counted: the first ones, if there were many.
    #[must_use]
    pub fn carried_out(&self) -> Vec<String> {
        std::mem::take(&mut *self.carried_out.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Batches of a plan, which is written down when the last one has come.
    fn noted(noted: Arc<Mutex<Vec<String>>>, plan: Arc<dyn ExecutionPlan>, batches: Batches) -> Batches {
        let note = async move {
            note(&noted, || DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string());
            None
        };
        batches.map(Some).chain(futures::stream::once(note)).filter_map(std::future::ready).boxed()
    }

    /// What its plans may use.
    #[must_use]
    pub fn means(&self) -> Means {
        self.means
    }

    /// A session over datasets that are given in memory.
    pub(super) fn over(given: BTreeMap<String, RecordBatch>) -> Result<Self> {
        let given = given.into_iter().map(|(name, batch)| (name, vec![batch])).collect();
        Ok(Self { given: Some(given), ..Self::new("/")? })
    }

    /// Keeps a stage's result in memory, for the next stage to read.
    pub(super) fn keep(&mut self, folder: &str, batches: Vec<RecordBatch>) {
        self.given.get_or_insert_default().insert(folder.to_owned(), batches);
    }

    /// A dataset as a table. Its schema is what the agreement says, not what the files happen to hold.
    pub(super) async fn dataset(&self, folder: &str, schema: &SchemaRef) -> Result<DataFrame> {
        if let Some(given) = &self.given {
            return self.in_memory(given, folder, schema);
        }
        if let Some(files) = self.files(folder)? {
            return self.scan(files, Arc::clone(schema), folder);
        }
        let options = ParquetReadOptions::default().schema(schema);
        named(self.context.read_parquet(format!("{}{folder}/", self.root), options).await?, folder)
    }

    /// A dataset that an earlier stage of the engine made: its files know its schema.
    pub(super) async fn stored(&self, folder: &str) -> Result<DataFrame> {
        if let Some(given) = &self.given {
            let schema = given.get(folder).and_then(|batches| batches.first()).map(RecordBatch::schema);
            return self.in_memory(given, folder, &schema.unwrap_or_else(|| Arc::new(Schema::empty())));
        }
        // The first of its files says it for all, of which there may be thousands.
        if let Some(files) = self.files(folder)? {
            let schema = files.schema()?;
            return self.scan(files, schema, folder);
        }
        let first = format!("{}{folder}/{}.{}", self.root, dataset::FIRST_FILE, Form::Parquet.suffix());
        let first = self.context.read_parquet(first, ParquetReadOptions::default()).await?;
        let schema: SchemaRef = Arc::new(first.schema().as_arrow().clone());
        self.dataset(folder, &schema).await
    }

    /// The files of a dataset that are read by a scan of our own, if it has any.
    fn files(&self, folder: &str) -> Result<Option<Files>> {
        let Some(here) = &self.here else { return Ok(None) };
        Ok(Files::of(&folder.split('/').fold(here.clone(), |path, name| path.join(name)))?)
    }

    fn scan(&self, files: Files, schema: SchemaRef, folder: &str) -> Result<DataFrame> {
        named(self.context.read_table(Arc::new(Staged { files, schema }))?, folder)
    }

    fn in_memory(
        &self,
        given: &BTreeMap<String, Vec<RecordBatch>>,
        folder: &str,
        schema: &SchemaRef,
    ) -> Result<DataFrame> {
        let batches = given.get(folder).cloned().unwrap_or_default();
        let batches = if batches.is_empty() { vec![RecordBatch::new_empty(Arc::clone(schema))] } else { batches };
        named(self.context.read_batches(batches)?, folder)
    }

    /// Runs a plan and hands its batches over.
    pub(super) async fn stream(&self, plan: DataFrame) -> Result<Rows> {
        let stream = plan.execute_stream().await?;
        let schema = stream.schema();
        Ok(Rows { schema, batches: stream.map(|batch| batch.map_err(Error::from)).boxed() })
    }

    /// Runs a plan whose rows have numbers, elsewhere if plans are sent, and hands its batches over by number. It has operators and functions
    /// only that are known there.
    pub(super) async fn by_number(&self, plan: DataFrame) -> Result<Rows> {
        let sent = self.sending.as_ref().filter(|(sending, _)| !sending.is_given_up());
        let Some((sending, state)) = sent else { return self.by_number_here(plan).await };
        let physical = elsewhere::by_number(state.create_physical_plan(plan.logical_plan()).await?)?;
        if physical.exists(|node| Ok(node.is::<Scan>()))? {
            sending.give_up("files of the run have a form that a cluster cannot read, as it was begun without one");
            return self.by_number_here(plan).await;
        }
        let noted = Arc::clone(&self.carried_out);
        note(&noted, || format!("sent elsewhere:\n{}", displayable(physical.as_ref()).indent(false)));
        let here = Box::new(move || ordered_and_noted(plan, noted).boxed());
        Ok(elsewhere::sent(sending.clone(), physical, state.task_ctx(), here))
    }

    /// Runs a plan whose rows have numbers, on as many threads as there may be, and hands its batches over by number.
    pub(super) async fn by_number_here(&self, plan: DataFrame) -> Result<Rows> {
        ordered_and_noted(plan, Arc::clone(&self.carried_out)).await
    }

    /// A session over the same folder whose plans have one partition.
    pub(super) fn on_one_thread(&self) -> Result<Self> {
        let means = Means { threads: 1, ..self.means };
        let context = SessionContext::new_with_config_rt(settings(means), self.context.runtime_env());
        let state = SessionStateBuilder::new_from_existing(context.state());
        let context = SessionContext::new_with_state(state.with_physical_optimizer_rule(Arc::new(InTurns)).build());
        let (root, here, given) = (self.root.clone(), self.here.clone(), self.given.clone());
        Ok(Self { context, root, here, means, carried_out: Arc::default(), given, sending: None })
    }

    /// The same without reading ahead: for one of many that are read side by side.
    pub(super) async fn one_by_one(&self, plan: DataFrame) -> Result<Rows> {
        let context = Arc::new(plan.task_ctx());
        let plan = plan.create_physical_plan().await?;
        let (schema, partitions) = (plan.schema(), execute_stream_partitioned(plan, context)?);
        let batches = merged(partitions.into_iter().map(StreamExt::boxed).collect());
        Ok(Rows { schema, batches: batches.map_err(Error::from).boxed() })
    }

    /// Runs a plan whose rows may come in any order.
    pub(super) async fn in_any_order(&self, plan: DataFrame) -> Result<Batches> {
        let context = Arc::new(plan.task_ctx());
        let plan = plan.create_physical_plan().await?;
        let batches = unordered(Arc::clone(&plan), context)?;
        let batches = batches.map(|batch| batch.map_err(Error::from)).boxed();
        Ok(Self::noted(Arc::clone(&self.carried_out), plan, batches))
    }

    /// Runs a plan, and gives the stream of each of its partitions: see [`lanes`].
    pub(super) async fn lanes(&self, plan: DataFrame, each: impl Each) -> Result<Vec<Batches>> {
        let context = Arc::new(plan.task_ctx());
        let plan = plan.create_physical_plan().await?;
        let mut lanes = lanes(Arc::clone(&plan), context, each)?;
        if let Some(last) = lanes.pop() {
            lanes.push(Self::noted(Arc::clone(&self.carried_out), plan, last));
        }
        Ok(lanes)
    }

    /// An expression as it is carried out over batches of these rows.
    pub(super) fn physical(&self, rows: &DataFrame, expression: Expr) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(self.context.create_physical_expr(expression, rows.schema())?)
    }

    /// A table of rows that are there already.
    pub(super) fn given(&self, rows: RecordBatch) -> Result<DataFrame> {
        Ok(self.context.read_batch(rows)?)
    }

    /// A table without rows, for showing a plan before there is any data.
    pub(super) fn empty(&self, folder: &str, schema: &SchemaRef) -> Result<DataFrame> {
        named(self.context.read_batch(RecordBatch::new_empty(Arc::clone(schema)))?, folder)
    }
}

/// Writes a plan down, if it is one of the first.
fn note(noted: &Mutex<Vec<String>>, plan: impl FnOnce() -> String) {
    let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
    if noted.len() < NOTED_AT_MOST {
        noted.push(plan());
    }
}

async fn ordered_and_noted(plan: DataFrame, noted: Arc<Mutex<Vec<String>>>) -> Result<Rows> {
    let context = Arc::new(plan.task_ctx());
    let plan = plan.create_physical_plan().await?;
    let rows = ordered(Arc::clone(&plan), context)?;
    Ok(Rows { batches: Engine::noted(noted, plan, rows.batches), ..rows })
}

/// How plans are made: as they are written, with as many partitions as there are threads, and none but ours to say who builds what.
fn settings(means: Means) -> SessionConfig {
    let mut config = SessionConfig::new().with_batch_size(8_192).with_target_partitions(means.threads);
    let options = config.options_mut();
    // Which side of a join is built is ours to say: the grouped lookup, never the streaming source.
    options.optimizer.join_reordering = false;
    // Every one of these would move rows between partitions, which lose their order by it.
    options.optimizer.repartition_joins = false;
    options.optimizer.repartition_aggregations = false;
    options.optimizer.repartition_windows = false;
    options.optimizer.repartition_sorts = false;
    options.optimizer.repartition_file_scans = false;
    options.optimizer.enable_round_robin_repartition = false;
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.execution.enable_file_stream_work_stealing = false;
    options.execution.collect_statistics = false;
    // Few rows of many are compared in full: of the others no more is read than says so.
    options.execution.parquet.pushdown_filters = true;
    // The footer of a file without statistics is some kilobytes: half a megabyte would be copied for each otherwise.
    options.execution.parquet.metadata_size_hint = Some(FOOTER_BYTES);
    options.execution.parquet.schema_force_view_types = false;
    config
}

/// A table under its dataset's name, which is how plans show it.
fn named(table: DataFrame, folder: &str) -> Result<DataFrame> {
    Ok(table.alias(&folder.replace('/', "_"))?)
}
