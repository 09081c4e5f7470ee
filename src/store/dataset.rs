//! Datasets of a run folder: files of rows, each written whole or not at all and recorded by its digest.
//!
//! In and out: Arrow batches. A dataset consists of files of a fixed number of rows, or where it is read page by page, of a
//! file for each page, so that a reading that breaks off goes on behind the last one that was recorded.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};

use super::bucket::Bucket;
use super::error::{Error, Result};
pub use super::parts::Part;
pub use super::writer::Writer;
use super::{durable, objects, parts};
use crate::model::dataset;
use crate::staged::{self, Batches, Content, Form};

/// The folder of one run, on the disk or in an object store.
#[derive(Clone)]
pub struct RunFolder {
    store: Arc<dyn ObjectStore>,
    place: Place,
    root: String,
    /// The form of what the next stage reads.
    form: Form,
}

/// Where its files lie.
#[derive(Clone)]
pub(super) enum Place {
    Disk(PathBuf),
    Bucket(Bucket),
}

/// A dataset being read, file by file, in the order in which it was written.
pub struct Reader {
    folder: RunFolder,
    name: String,
    files: std::vec::IntoIter<StorePath>,
    batches: Option<Batches>,
}

impl RunFolder {
    /// The run folder at a path that exists.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let store = LocalFileSystem::new_with_prefix(path).map_err(|e| problem(&path.display().to_string(), &e))?;
        let root = path.display().to_string();
        // As the store has it, without links and dots.
        let mut top = store
            .path_to_filesystem(&StorePath::from(parts::name(0, Form::Parquet)))
            .map_err(|e| problem(&root, &e))?;
        top.pop();
        Ok(Self { store: Arc::new(store), place: Place::Disk(top), root, form: Form::Arrow })
    }

    /// The run folder in an object store. `beside` is a folder of this machine for what only a process at work needs.
    pub(super) fn in_bucket(bucket: Bucket, beside: &Path) -> Self {
        let store = bucket.seen_from_here();
        // A file is fetched in parts there, and those that are not asked for are not fetched.
        Self { store, place: Place::Bucket(bucket), root: beside.display().to_string(), form: Form::Parquet }
    }

    /// The same, of a run whose plans are sent to a cluster: others read its rows, too.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { form: Form::Parquet, ..self }
    }

    /// The form in which a dataset is written.
    pub(super) fn form_of(&self, name: &str) -> Form {
        if dataset::is_staged(name) { self.form } else { Form::Parquet }
    }

    /// Its path: of one in an object store the folder of this machine beside it, where things are put that are not kept.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The place of one in an object store.
    #[must_use]
    pub fn bucket(&self) -> Option<&Bucket> {
        match &self.place {
            Place::Disk(_) => None,
            Place::Bucket(bucket) => Some(bucket),
        }
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
        let is_whole = match &self.place {
            Place::Disk(top) => {
                let (folder, recorded) = (on_disk(top, name), kept.to_vec());
                let looked = beside(name, move || {
                    let is_whole = parts::are_whole(&folder, &recorded)?;
                    if is_whole {
                        parts::keep_only(&folder, &recorded)?;
                    }
                    Ok(is_whole)
                });
                looked.await?
            }
            Place::Bucket(bucket) => {
                let is_whole = objects::are_whole(bucket, name, kept).await?;
                if is_whole {
                    objects::keep_only(bucket, name, kept).await?;
                }
                is_whole
            }
        };
        Ok(is_whole.then(|| self.write(name, schema).behind(kept)))
    }

    /// Takes the files of a dataset over from another run as they are; false if the place cannot do that, or has them in another form. A
    /// file is never changed once it is there, so two runs on a disk may have the same; an object store copies it by itself.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub async fn adopt(&self, from: &Self, name: &str, kept: &[Part]) -> Result<bool> {
        let is_ours = |part: &Part| Form::of(&part.file).is_some_and(|(form, _)| form == self.form_of(name));
        if !kept.iter().all(is_ours) {
            return Ok(false);
        }
        let (top, there) = match (&self.place, &from.place) {
            (Place::Disk(top), Place::Disk(other)) => (top.clone(), on_disk(other, name)),
            (Place::Bucket(ours), Place::Bucket(theirs)) => return objects::adopt(ours, theirs, name, kept).await,
            _ => return Ok(false),
        };
        let here = on_disk(&top, name);
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
        match &self.place {
            Place::Disk(top) => {
                let (folder, recorded) = (on_disk(top, name), kept.to_vec());
                beside(name, move || parts::are_whole(&folder, &recorded)).await
            }
            Place::Bucket(bucket) => objects::are_whole(bucket, name, kept).await,
        }
    }

    /// Removes a dataset whole.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub async fn clear(&self, name: &str) -> Result<()> {
        match &self.place {
            Place::Disk(top) => {
                let folder = on_disk(top, name);
                beside(name, move || parts::clear(&folder)).await
            }
            Place::Bucket(bucket) => objects::clear(bucket, name).await,
        }
    }

    /// Removes a folder on this machine that a process at work needed.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub async fn clear_beside(&self, name: &str) -> Result<()> {
        let folder = Path::new(&self.root).join(name);
        beside(name, move || parts::clear(&folder)).await
    }

    /// One SHA-256 of the names and contents of a dataset's files, in hexadecimal digits. That of a dataset that is not
    /// there is that of one without files.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub async fn digest(&self, name: &str) -> Result<String> {
        match &self.place {
            Place::Disk(top) => {
                let folder = on_disk(top, name);
                beside(name, move || parts::digest_of(&folder)).await
            }
            Place::Bucket(bucket) => objects::digest_of(bucket, name).await,
        }
    }

    /// Hides a file of a dataset from whoever looks for it, or shows it again: a page that is recorded before its file is there.
    ///
    /// # Errors
    /// If it cannot be renamed.
    #[cfg(feature = "sabotage")]
    pub fn hide(&self, name: &str, file: &str, is_hidden: bool) -> Result<()> {
        let Place::Disk(top) = &self.place else {
            return Err(problem(name, &"a file in an object store cannot be hidden"));
        };
        let shown = on_disk(top, name).join(file);
        let hidden = shown.with_extension("hidden");
        let (from, to) = if is_hidden { (&shown, &hidden) } else { (&hidden, &shown) };
        std::fs::rename(from, to).map_err(|e| problem(name, &e))
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The bytes of one of its files.
    pub(super) async fn bytes_of(&self, file: &StorePath) -> Result<Bytes> {
        let answer = self.store.get(file).await.map_err(|e| self.unread(file.as_ref(), &e))?;
        answer.bytes().await.map_err(|e| self.unread(file.as_ref(), &e))
    }

    /// What its place says no with.
    fn unread(&self, name: &str, error: &object_store::Error) -> Error {
        match &self.place {
            Place::Disk(_) => problem(name, error),
            Place::Bucket(bucket) => bucket.unread(name, error),
        }
    }

    /// Opens a dataset.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub async fn read(&self, name: &str) -> Result<Reader> {
        let files = self.files_of(name).await?.into_iter();
        Ok(Reader { folder: self.clone(), name: name.to_owned(), files, batches: None })
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
            .map_err(|e| self.unread(name, &e))?;
        let number = |file: &StorePath| file.filename().and_then(parts::number);
        files.retain(|file| number(file).is_some());
        files.sort_by_key(number);
        if let Some(pair) = files.windows(2).find(|pair| number(&pair[0]) == number(&pair[1])) {
            return Err(problem(pair[0].as_ref(), &format!("{} has the same number", pair[1])));
        }
        Ok(files)
    }
}

/// The path of a dataset. Whatever a name says, it lies in the folder: the store turns names into paths, for readers and writers alike.
pub(super) fn on_disk(top: &Path, name: &str) -> PathBuf {
    top.join(StorePath::from(name).as_ref())
}

impl Reader {
    /// The next batch; none after the last.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(mut batches) = self.batches.take() {
                let (batch, batches) = beside(&self.name, move || Ok((batches.next(), batches))).await?;
                if let Some(batch) = batch {
                    self.batches = Some(batches);
                    return batch.map(Some).map_err(|e| problem(&self.name, &e));
                }
            }
            let Some(file) = self.files.next() else { return Ok(None) };
            let content = match &self.folder.place {
                Place::Disk(top) => Content::File(top.join(file.as_ref())),
                Place::Bucket(_) => Content::Held(self.folder.bytes_of(&file).await?),
            };
            self.batches = Some(beside(&self.name, move || read(&file, &content, None, None)).await?);
        }
    }
}

/// Opens a file of a dataset.
pub(super) fn read(
    file: &StorePath,
    content: &Content,
    columns: Option<&[String]>,
    picked: Option<Vec<Range<usize>>>,
) -> Result<Batches> {
    let form = file.filename().and_then(Form::of).map_or(Form::Parquet, |(form, _)| form);
    staged::read(content, form, columns, picked).map_err(|e| problem(file.as_ref(), &e))
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
