//! The engine itself: a DataFusion session with bounded memory, and the datasets of one run folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{DataFrame, ParquetReadOptions, SessionConfig, SessionContext};
use futures::stream::{BoxStream, StreamExt};

use super::error::{Error, Result};

/// The memory that sorts, groups and joins of one plan may take together, in bytes.
const MEMORY_BYTES: usize = 1 << 30;

/// Batches of a plan, in the order of their rows.
pub type Batches = BoxStream<'static, std::result::Result<RecordBatch, Error>>;

/// A plan under way: its columns, known even if no batch comes, and its batches.
pub struct Rows {
    /// The columns.
    pub schema: SchemaRef,
    /// The batches.
    pub batches: Batches,
}

/// A session over one run folder.
pub struct Engine {
    context: SessionContext,
    /// The folder, as a URL with a slash at its end.
    root: String,
    /// Datasets that are given in memory, in place of a folder.
    given: Option<BTreeMap<String, Vec<RecordBatch>>>,
}

impl Engine {
    /// A session that reads datasets below `root`.
    ///
    /// # Errors
    /// If the runtime cannot be set up.
    pub fn new(root: &str) -> Result<Self> {
        let mut config = SessionConfig::new().with_batch_size(8_192);
        let options = config.options_mut();
        // Which side of a join is built is ours to say: the grouped lookup, never the streaming source.
        options.optimizer.join_reordering = false;
        options.execution.parquet.schema_force_view_types = false;
        let runtime =
            RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_BYTES))).build_arc()?;
        // As a URL, so that no sign in a folder's name is taken for a pattern.
        let url = url::Url::from_directory_path(root);
        let root = url.map_or_else(|()| format!("{root}/"), |url| url.to_string());
        Ok(Self { context: SessionContext::new_with_config_rt(config, runtime), root, given: None })
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
        let options = ParquetReadOptions::default().schema(schema);
        named(self.context.read_parquet(format!("{}{folder}/", self.root), options).await?, folder)
    }

    /// A dataset that an earlier stage of the engine made: its files know its schema.
    pub(super) async fn stored(&self, folder: &str) -> Result<DataFrame> {
        if let Some(given) = &self.given {
            let schema = given.get(folder).and_then(|batches| batches.first()).map(RecordBatch::schema);
            return self.in_memory(given, folder, &schema.unwrap_or_else(|| Arc::new(Schema::empty())));
        }
        let options = ParquetReadOptions::default();
        named(self.context.read_parquet(format!("{}{folder}/", self.root), options).await?, folder)
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

    /// A table without rows, for showing a plan before there is any data.
    pub(super) fn empty(&self, folder: &str, schema: &SchemaRef) -> Result<DataFrame> {
        named(self.context.read_batch(RecordBatch::new_empty(Arc::clone(schema)))?, folder)
    }
}

/// A table under its dataset's name, which is how plans show it.
fn named(table: DataFrame, folder: &str) -> Result<DataFrame> {
    Ok(table.alias(&folder.replace('/', "_"))?)
}
