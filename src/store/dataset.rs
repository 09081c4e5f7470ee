//! Datasets of a run folder: Parquet files, each written whole or not at all and recorded by its digest.
//!
//! In and out: Arrow batches. A dataset consists of files of a fixed number of rows, or where it is read page by page, of a
//! file for each page, so that a reading that breaks off goes on behind the last one that was recorded.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::error::{Error, Result};
pub use super::parts::Part;
pub use super::writer::Writer;
use super::{durable, parts};

/// Rows of one batch that is read back, and of one group in a file: whoever reads or writes holds no more at a time.
pub(super) const ROWS_PER_BATCH: usize = 8_192;

/// The folder of one run.
#[derive(Clone)]
pub struct RunFolder {
    store: Arc<LocalFileSystem>,
    root: String,
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
        Writer::new(self.clone(), name, schema)
    }

    /// Begins a dataset that another stage reads in this process, and that is made again where one fails: it may be lost with the power.
    #[must_use]
    pub fn write_fleeting(&self, name: &str, schema: SchemaRef) -> Writer {
        self.write(name, schema).fleeting()
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
        let writer = self.write(name, schema).behind(kept);
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
    pub(super) fn top(&self) -> Result<PathBuf> {
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
