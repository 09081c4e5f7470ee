//! A dataset being written: batches into files of a fixed number of rows, or pages into a file each.
//!
//! One file is written while the rows of the next are made. In: batches. Out: files, and their digests.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use ring::digest::{Context, SHA256};
use tokio::task::JoinHandle;

use super::bucket::Bucket;
use super::dataset::{Place, RunFolder, on_disk, problem};
use super::error::Result;
use super::parts::Part;
use super::{durable, parts};
use crate::staged::{Form, ROWS_PER_BATCH, encode};

/// Rows of one file. Fixed, so that the same rows make the same files; of Parquet the same bytes, too.
const ROWS_PER_FILE: usize = 32_768;
/// Smaller files, or groups, cost more than they are worth.
const ROWS_AT_LEAST: usize = 1_024;

/// A dataset being written.
pub struct Writer {
    folder: RunFolder,
    name: String,
    schema: SchemaRef,
    held: Vec<RecordBatch>,
    held_rows: usize,
    /// Rows of a file, and of a group in it.
    rows_per_file: usize,
    rows_per_group: usize,
    /// The number of the next file.
    next: usize,
    /// Whether each page is a file of its own.
    is_paged: bool,
    /// Whether its files are brought to the disk.
    is_lasting: bool,
    /// What [`RunFolder::digest`] will say of it.
    digest: Context,
    /// Whether nobody waits for the file that is being written.
    abandoned: Abandoned,
    /// The file that is being written.
    under_way: Option<JoinHandle<Result<Part>>>,
    /// Rows taken in so far.
    pub rows: u64,
}

/// Set when a writer is dropped: a file that is begun then does not come to lie among those of whoever begins the dataset again.
#[derive(Default)]
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Writer {
    pub(super) fn new(folder: RunFolder, name: &str, schema: SchemaRef) -> Self {
        Self {
            folder,
            name: name.to_owned(),
            schema,
            held: Vec::new(),
            held_rows: 0,
            rows_per_file: ROWS_PER_FILE,
            rows_per_group: ROWS_PER_BATCH,
            next: 0,
            is_paged: false,
            is_lasting: true,
            abandoned: Abandoned::default(),
            under_way: None,
            digest: Context::new(&SHA256),
            rows: 0,
        }
    }

    /// The same, of files that may be lost with the power.
    pub(super) fn fleeting(self) -> Self {
        Self { is_lasting: false, ..self }
    }

    /// The same with files of so many rows, as far as that is fewer than usual: for one of many that are written side by side.
    #[must_use]
    pub fn with_files_of(self, rows: usize) -> Self {
        let rows_per_file = rows.clamp(ROWS_AT_LEAST, ROWS_PER_FILE);
        Self { rows_per_file, rows_per_group: ROWS_PER_BATCH.min(rows_per_file), ..self }
    }

    /// The same with groups of so many rows, as far as that is fewer than usual: for one of many that are read side by side.
    #[must_use]
    pub fn with_groups_of(self, rows: usize) -> Self {
        Self { rows_per_group: rows.clamp(ROWS_AT_LEAST, ROWS_PER_BATCH), ..self }
    }

    /// The same behind pages that are there.
    pub(super) fn behind(self, kept: &[Part]) -> Self {
        let next = kept.iter().filter_map(|part| parts::number(&part.file)).map(|last| last + 1).max().unwrap_or(0);
        Self { is_paged: true, next, rows: kept.iter().map(|part| part.rows).sum(), ..self }
    }

    /// Takes a batch in; full files are written at once.
    ///
    /// # Errors
    /// If a file cannot be written, or the dataset is one of pages.
    pub async fn add(&mut self, batch: RecordBatch) -> Result<()> {
        if self.is_paged {
            return Err(problem(&self.name, &"a dataset of pages takes pages only"));
        }
        self.rows += batch.num_rows() as u64;
        self.held_rows += batch.num_rows();
        self.held.push(batch);
        while self.held_rows >= self.rows_per_file {
            self.flush(self.rows_per_file).await?;
        }
        Ok(())
    }

    /// Writes a page as a file of its own, which is on the disk when this returns. An empty page has no file. A dataset of
    /// pages takes nothing else.
    ///
    /// # Errors
    /// If the file cannot be written, or other rows were added before.
    pub async fn page(&mut self, batch: RecordBatch) -> Result<Option<Part>> {
        if self.held_rows > 0 || (self.next > 0 && !self.is_paged) {
            return Err(problem(&self.name, &"a page would come between the rows of other files"));
        }
        self.is_paged = true;
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        self.rows += batch.num_rows() as u64;
        self.put(batch).await.map(Some)
    }

    /// Writes what is left. A dataset without rows still has a file, which knows its columns.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub async fn finish(mut self) -> Result<u64> {
        self.end().await?;
        Ok(self.rows)
    }

    /// The same; gives what [`RunFolder::digest`] would, without reading the files again.
    ///
    /// # Errors
    /// If a file cannot be written, or the dataset is one of pages, or one that does not last.
    pub async fn finish_digested(mut self) -> Result<String> {
        if self.is_paged || !self.is_lasting {
            return Err(problem(&self.name, &"no digest is kept of all its files"));
        }
        self.end().await?;
        Ok(parts::hexadecimal(self.digest.finish().as_ref()))
    }

    async fn end(&mut self) -> Result<()> {
        if self.held_rows > 0 || self.next == 0 {
            self.flush(self.held_rows).await?;
        }
        self.written().await.map(drop)
    }

    /// Has a file written, while its rows' successors are made. One at a time: the one before has to be there first.
    async fn flush(&mut self, rows: usize) -> Result<()> {
        let (mut now, mut left) = (Vec::new(), rows);
        let mut later = std::mem::take(&mut self.held).into_iter();
        for batch in later.by_ref() {
            if batch.num_rows() > left {
                now.push(batch.slice(0, left));
                self.held.push(batch.slice(left, batch.num_rows() - left));
                break;
            }
            left -= batch.num_rows();
            now.push(batch);
        }
        self.held.extend(later);
        self.held_rows -= rows;
        self.written().await?;
        self.begin(now);
        Ok(())
    }

    /// Writes one file.
    async fn put(&mut self, batch: RecordBatch) -> Result<Part> {
        self.begin(vec![batch]);
        self.written().await?.ok_or_else(|| problem(&self.name, &"nothing was written"))
    }

    /// Begins to write a file, while its rows' successors are made: to bring it to its place takes as long as a page takes to come.
    fn begin(&mut self, batches: Vec<RecordBatch>) {
        let form = self.folder.form_of(&self.name);
        let file = parts::name(self.next, form);
        // Whatever comes of this one, its name is not used again: it may still be under way.
        self.next += 1;
        let one = File {
            name: file,
            dataset: self.name.clone(),
            schema: Arc::clone(&self.schema),
            form,
            rows_per_group: self.rows_per_group,
            is_lasting: self.is_lasting,
            is_abandoned: Arc::clone(&self.abandoned.0),
        };
        self.under_way = Some(match self.folder.place() {
            Place::Disk(top) => {
                let top = top.clone();
                tokio::task::spawn_blocking(move || one.put_on_disk(&top, &batches))
            }
            Place::Bucket(bucket) => {
                let bucket = bucket.clone();
                tokio::spawn(async move { one.put_in_bucket(&bucket, batches).await })
            }
        });
    }

    /// Waits for the file that is being written, if one is.
    async fn written(&mut self) -> Result<Option<Part>> {
        let Some(under_way) = self.under_way.take() else { return Ok(None) };
        let part = under_way.await.map_err(|e| problem(&self.name, &e))??;
        self.digest.update(parts::line(&part.file, &part.digest).as_bytes());
        Ok(Some(part))
    }
}

/// A file of a dataset that is to be written.
struct File {
    name: String,
    dataset: String,
    schema: SchemaRef,
    form: Form,
    rows_per_group: usize,
    is_lasting: bool,
    is_abandoned: Arc<AtomicBool>,
}

impl File {
    fn put_on_disk(self, top: &Path, batches: &[RecordBatch]) -> Result<Part> {
        let path = on_disk(top, &self.dataset).join(&self.name);
        let bytes =
            encode(batches, &self.schema, self.form, self.rows_per_group).map_err(|e| problem(&self.dataset, &e))?;
        if let Some(folder) = path.parent() {
            durable::make_folder(top, folder)?;
        }
        self.is_wanted()?;
        if self.is_lasting {
            durable::write(&path, &bytes)?
        } else {
            durable::write_fleeting(&path, &bytes)?
        }
        Ok(self.written(rows_of(batches), &bytes))
    }

    async fn put_in_bucket(self, bucket: &Bucket, batches: Vec<RecordBatch>) -> Result<Part> {
        let (rows, rows_per_group) = (rows_of(&batches), self.rows_per_group);
        let (schema, form) = (Arc::clone(&self.schema), self.form);
        let encoded = tokio::task::spawn_blocking(move || encode(&batches, &schema, form, rows_per_group)).await;
        let bytes = encoded.map_err(|e| problem(&self.dataset, &e))?.map_err(|e| problem(&self.dataset, &e))?;
        self.is_wanted()?;
        let bytes = Bytes::from(bytes);
        bucket.put(&format!("{}/{}", self.dataset, self.name), bytes.clone()).await?;
        Ok(self.written(rows, &bytes))
    }

    fn is_wanted(&self) -> Result<()> {
        let is_abandoned = self.is_abandoned.load(Ordering::Acquire);
        if is_abandoned { Err(problem(&self.dataset, &"the stage was given up")) } else { Ok(()) }
    }

    fn written(self, rows: usize, bytes: &[u8]) -> Part {
        // Nobody asks whether a file is still what it was that is read at once.
        let digest = if self.is_lasting { parts::checksum(bytes) } else { String::new() };
        Part { file: self.name, rows: rows as u64, digest }
    }
}

fn rows_of(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}
