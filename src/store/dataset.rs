//! Datasets of a run folder: Parquet files, each written whole or not at all and recorded by its digest.
//!
//! In and out: Arrow batches. A dataset consists of files of a fixed number of rows, or where it is read page by page, of a
//! file for each page, so that a reading that breaks off goes on behind the last one that was recorded.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use ring::digest::{Context, SHA256};
use tokio::task::JoinHandle;

use super::error::{Error, Result};
pub use super::parts::Part;
use super::{durable, parts};

/// Rows of one file. Fixed, so that the same rows make the same files.
const ROWS_PER_FILE: usize = 32_768;
/// Rows of one batch that is read back, and of one group in a file: whoever reads or writes holds no more at a time.
pub(super) const ROWS_PER_BATCH: usize = 8_192;

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

/// A dataset being read, file by file, in the order in which it was written.
pub struct Reader {
    folder: RunFolder,
    name: String,
    files: std::vec::IntoIter<StorePath>,
    batches: std::vec::IntoIter<RecordBatch>,
}

/// Set when a writer is dropped: a file that is begun then does not come to lie among those of whoever begins the dataset again.
#[derive(Default)]
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
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
        Writer {
            folder,
            name,
            schema,
            held: Vec::new(),
            held_rows: 0,
            next: 0,
            is_paged: false,
            is_lasting: true,
            abandoned: Abandoned::default(),
            under_way: None,
            digest: Context::new(&SHA256),
            rows: 0,
        }
    }

    /// Begins a dataset that another stage reads in this process, and that is made again where one fails: it may be lost with the power.
    #[must_use]
    pub fn write_fleeting(&self, name: &str, schema: SchemaRef) -> Writer {
        Writer { is_lasting: false, ..self.write(name, schema) }
    }

    /// Goes on with a dataset of pages of which these were recorded. Whatever else lies in its folder is removed: pages that
    /// a crash left unrecorded, and temporary files. None if a recorded one is missing or is not what it was; nothing is
    /// removed then, and the caller clears the dataset and begins it again.
    ///
    /// # Errors
    /// If the folder cannot be read, or a file not removed.
    pub async fn take_up(&self, name: &str, schema: SchemaRef, kept: &[Part]) -> Result<Option<Writer>> {
        let (folder, recorded) = (self.folder_of(name)?, kept.to_vec());
        let is_whole = beside(name, move || {
            let is_whole = parts::are_whole(&folder, &recorded)?;
            if is_whole {
                parts::keep_only(&folder, &recorded)?;
            }
            Ok(is_whole)
        });
        if !is_whole.await? {
            return Ok(None);
        }
        let mut writer = self.write(name, schema);
        writer.is_paged = true;
        writer.next = kept.iter().filter_map(|part| parts::number(&part.file)).map(|last| last + 1).max().unwrap_or(0);
        writer.rows = kept.iter().map(|part| part.rows).sum();
        Ok(Some(writer))
    }

    /// Takes the files of a dataset over from another run as they are, without copying them; false if the disk cannot do that. A file is
    /// never changed once it is there, so two runs may have it.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub async fn adopt(&self, from: &Self, name: &str, kept: &[Part]) -> Result<bool> {
        let (top, here, there) = (self.top()?, self.folder_of(name)?, from.folder_of(name)?);
        let files: Vec<String> = kept.iter().map(|part| part.file.clone()).collect();
        let linked = beside(name, move || {
            durable::make_folder(&top, &here)?;
            let is_linked = files.iter().all(|file| std::fs::hard_link(there.join(file), here.join(file)).is_ok());
            if is_linked {
                durable::sync_folder(&here)?
            } else {
                parts::clear(&here)?
            }
            Ok(is_linked)
        });
        linked.await
    }

    /// Whether the recorded files of a dataset are there as they were written.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub async fn is_whole(&self, name: &str, kept: &[Part]) -> Result<bool> {
        let (folder, recorded) = (self.folder_of(name)?, kept.to_vec());
        beside(name, move || parts::are_whole(&folder, &recorded)).await
    }

    /// Removes a dataset whole.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub async fn clear(&self, name: &str) -> Result<()> {
        let folder = self.folder_of(name)?;
        beside(name, move || parts::clear(&folder)).await
    }

    /// One SHA-256 of the names and contents of a dataset's files, in hexadecimal digits. That of a dataset that is not
    /// there is that of one without files.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub async fn digest(&self, name: &str) -> Result<String> {
        let folder = self.folder_of(name)?;
        beside(name, move || parts::digest_of(&folder)).await
    }

    /// Hides a file of a dataset from whoever looks for it, or shows it again: a page that is recorded before its file is there.
    ///
    /// # Errors
    /// If it cannot be renamed.
    #[cfg(feature = "sabotage")]
    pub fn hide(&self, name: &str, file: &str, is_hidden: bool) -> Result<()> {
        let shown = self.path_of(&format!("{name}/{file}"))?;
        let hidden = shown.with_extension("hidden");
        let (from, to) = if is_hidden { (&shown, &hidden) } else { (&hidden, &shown) };
        std::fs::rename(from, to).map_err(|e| problem(name, &e))
    }

    /// Where a file of the run folder lies. The store turns names into paths, for readers and writers alike.
    pub(super) fn path_of(&self, place: &str) -> Result<PathBuf> {
        self.store.path_to_filesystem(&StorePath::from(place)).map_err(|e| problem(place, &e))
    }

    /// The folder itself, as its files are found.
    fn top(&self) -> Result<PathBuf> {
        let mut path = self.path_of(&parts::name(0))?;
        path.pop();
        Ok(path)
    }

    fn folder_of(&self, name: &str) -> Result<PathBuf> {
        let mut path = self.path_of(&format!("{name}/{}", parts::name(0)))?;
        path.pop();
        Ok(path)
    }

    /// Opens a dataset.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub async fn read(&self, name: &str) -> Result<Reader> {
        let files = self.files_of(name).await?.into_iter();
        Ok(Reader { folder: self.clone(), name: name.to_owned(), files, batches: Vec::new().into_iter() })
    }

    /// The files of a dataset, in the order in which they were written.
    pub(super) async fn files_of(&self, name: &str) -> Result<Vec<StorePath>> {
        let prefix = StorePath::from(name);
        let mut files: Vec<StorePath> = self
            .store
            .list(Some(&prefix))
            .map_ok(|meta| meta.location)
            .try_collect()
            .await
            .map_err(|e| problem(name, &e))?;
        let number = |file: &StorePath| file.filename().and_then(parts::number);
        files.retain(|file| number(file).is_some());
        files.sort_by_key(number);
        Ok(files)
    }
}

impl Writer {
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
        while self.held_rows >= ROWS_PER_FILE {
            self.flush(ROWS_PER_FILE).await?;
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
    /// If a file cannot be written, or the dataset is one of pages.
    pub async fn finish_digested(mut self) -> Result<String> {
        if self.is_paged {
            return Err(problem(&self.name, &"pages of an earlier process have no part in its digest"));
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
        let all = concat_batches(&self.schema, &self.held).map_err(|e| problem(&self.name, &e))?;
        let (now, later) = (all.slice(0, rows), all.slice(rows, all.num_rows() - rows));
        self.held_rows = later.num_rows();
        self.held = if later.num_rows() > 0 { vec![later] } else { Vec::new() };
        self.written().await?;
        self.begin(now)
    }

    /// Writes one file.
    async fn put(&mut self, batch: RecordBatch) -> Result<Part> {
        self.begin(batch)?;
        self.written().await?.ok_or_else(|| problem(&self.name, &"nothing was written"))
    }

    /// Begins to write a file, on a thread of its own: to bring it to the disk takes as long as a page takes to come.
    fn begin(&mut self, batch: RecordBatch) -> Result<()> {
        let file = parts::name(self.next);
        let path = self.folder.path_of(&format!("{}/{file}", self.name))?;
        let (root, rows, what) = (self.folder.top()?, batch.num_rows() as u64, self.name.clone());
        // Whatever comes of this one, its name is not used again: it may still be under way.
        self.next += 1;
        let (is_lasting, is_abandoned) = (self.is_lasting, Arc::clone(&self.abandoned.0));
        self.under_way = Some(tokio::task::spawn_blocking(move || {
            let bytes = encode(&batch).map_err(|e| problem(&what, &e))?;
            if let Some(folder) = path.parent() {
                durable::make_folder(&root, folder)?;
            }
            if is_abandoned.load(Ordering::Acquire) {
                return Err(problem(&what, &"the stage was given up"));
            }
            if is_lasting {
                durable::write(&path, &bytes)?
            } else {
                durable::write_fleeting(&path, &bytes)?
            }
            Ok(Part { file, rows, digest: parts::sha256(&bytes) })
        }));
        Ok(())
    }

    /// Waits for the file that is being written, if one is.
    async fn written(&mut self) -> Result<Option<Part>> {
        let Some(under_way) = self.under_way.take() else { return Ok(None) };
        let part = under_way.await.map_err(|e| problem(&self.name, &e))??;
        self.digest.update(parts::line(&part.file, &part.digest).as_bytes());
        Ok(Some(part))
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
        .set_max_row_group_row_count(Some(ROWS_PER_BATCH))
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

/// Does work on the disk on a thread of its own: to bring a file to it takes as long as a page takes to come.
pub(super) async fn beside<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| problem(what, &e))?
}

pub(super) fn problem(what: &str, detail: &dyn std::fmt::Display) -> Error {
    Error::Dataset { what: what.to_owned(), detail: detail.to_string() }
}
