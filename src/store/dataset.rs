//! Datasets of a run folder: Parquet files of a fixed number of rows, written whole or not at all.
//!
//! In and out: Arrow batches. The files go through an object store, which for a folder writes under another name and
//! renames, so that no reader takes half a file for a whole one.

use std::path::Path;
use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::error::{Error, Result};

/// Rows of one file. Fixed, so that the same rows make the same files.
const ROWS_PER_FILE: usize = 65_536;
/// Rows of one batch that is read back.
const ROWS_PER_BATCH: usize = 8_192;

/// The folder of one run.
#[derive(Clone)]
pub struct RunFolder {
    store: Arc<LocalFileSystem>,
    root: String,
}

/// A dataset being written.
pub struct Writer {
    folder: RunFolder,
    name: String,
    schema: SchemaRef,
    held: Vec<RecordBatch>,
    held_rows: usize,
    files: usize,
    /// Rows taken in so far.
    pub rows: u64,
}

/// A dataset being read, file by file, in the order in which it was written.
pub struct Reader {
    folder: RunFolder,
    name: String,
    files: std::vec::IntoIter<StorePath>,
    batches: std::vec::IntoIter<RecordBatch>,
}

impl RunFolder {
    /// The run folder at a path that exists.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let store = LocalFileSystem::new_with_prefix(path).map_err(|e| problem(&path.display().to_string(), &e))?;
        Ok(Self { store: Arc::new(store), root: path.display().to_string() })
    }

    /// Its path.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Begins a dataset.
    #[must_use]
    pub fn write(&self, name: &str, schema: SchemaRef) -> Writer {
        let (folder, name) = (self.clone(), name.to_owned());
        Writer { folder, name, schema, held: Vec::new(), held_rows: 0, files: 0, rows: 0 }
    }

    /// Opens a dataset.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub async fn read(&self, name: &str) -> Result<Reader> {
        let prefix = StorePath::from(name);
        let mut files: Vec<StorePath> = self
            .store
            .list(Some(&prefix))
            .map_ok(|meta| meta.location)
            .try_collect()
            .await
            .map_err(|e| problem(name, &e))?;
        files.sort();
        Ok(Reader {
            folder: self.clone(),
            name: name.to_owned(),
            files: files.into_iter(),
            batches: Vec::new().into_iter(),
        })
    }
}

impl Writer {
    /// Takes a batch in; full files are written at once.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub async fn add(&mut self, batch: RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.held_rows += batch.num_rows();
        self.held.push(batch);
        while self.held_rows >= ROWS_PER_FILE {
            self.flush(ROWS_PER_FILE).await?;
        }
        Ok(())
    }

    /// Writes what is left. A dataset without rows still has a file, which knows its columns.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub async fn finish(mut self) -> Result<u64> {
        if self.held_rows > 0 || self.files == 0 {
            self.flush(self.held_rows).await?;
        }
        Ok(self.rows)
    }

    async fn flush(&mut self, rows: usize) -> Result<()> {
        let all = concat_batches(&self.schema, &self.held).map_err(|e| problem(&self.name, &e))?;
        let (now, later) = (all.slice(0, rows), all.slice(rows, all.num_rows() - rows));
        self.held_rows = later.num_rows();
        self.held = if later.num_rows() > 0 { vec![later] } else { Vec::new() };
        let bytes = encode(&now).map_err(|e| problem(&self.name, &e))?;
        let path = StorePath::from(format!("{}/part-{:06}.parquet", self.name, self.files));
        self.files += 1;
        self.folder.store.put(&path, PutPayload::from(bytes)).await.map_err(|e| problem(&self.name, &e))?;
        Ok(())
    }
}

impl Reader {
    /// The next batch; none after the last.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.batches.next() {
                return Ok(Some(batch));
            }
            let Some(file) = self.files.next() else { return Ok(None) };
            let answer = self.folder.store.get(&file).await.map_err(|e| problem(&self.name, &e))?;
            let bytes = answer.bytes().await.map_err(|e| problem(&self.name, &e))?;
            self.batches = decode(bytes).map_err(|e| problem(&self.name, &e))?.into_iter();
        }
    }
}

fn encode(batch: &RecordBatch) -> std::result::Result<Vec<u8>, parquet::errors::ParquetError> {
    // Uncompressed and without statistics: staging is read once or twice, and compressing it would cost more than that.
    let properties = WriterProperties::builder()
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_enabled(false)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties))?;
    writer.write(batch)?;
    writer.close()?;
    Ok(bytes)
}

fn decode(bytes: Bytes) -> std::result::Result<Vec<RecordBatch>, Box<dyn std::error::Error>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(ROWS_PER_BATCH).build()?;
    Ok(reader.collect::<std::result::Result<_, _>>()?)
}

fn problem(what: &str, detail: &dyn std::fmt::Display) -> Error {
    Error::Dataset { what: what.to_owned(), detail: detail.to_string() }
}
