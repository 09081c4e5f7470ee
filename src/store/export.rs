//! Tables for others: Parquet files in a folder or a bucket of somebody's choice, which DuckDB, pandas and their like open as they are.
//!
//! In: a place that is empty or not there, and rows. Out: files that are there whole or not at all. Unlike the datasets of a run folder
//! these are read by programs that look for statistics, and never by us.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::bucket::Bucket;
use super::durable;
use super::error::{Error, Result, disk};
use super::home::owner_only;
use super::parts;

/// Rows that are held in memory until they are written.
const ROWS_PER_GROUP: usize = 131_072;

/// A place for files that others read.
pub struct Export {
    folder: PathBuf,
    to: Option<Bucket>,
}

/// A table being written, under a temporary name.
pub struct Table {
    path: PathBuf,
    to: Option<Bucket>,
    writer: Option<ArrowWriter<File>>,
}

impl Export {
    /// A folder that is empty, made now if it is not there. What is made here is its owner's alone: it holds rows.
    ///
    /// # Errors
    /// [`Error::Occupied`] if there is something in it, or if it is no folder; or if it cannot be made.
    pub fn into_folder(folder: &Path) -> Result<Self> {
        let occupied = |why| Error::Occupied { path: folder.to_owned(), why };
        if folder.is_file() {
            return Err(occupied("is a file"));
        }
        if folder.exists() {
            let mut entries = std::fs::read_dir(folder).map_err(disk("cannot read", folder))?;
            if entries.next().is_some() {
                return Err(occupied("is not empty"));
            }
        } else {
            std::fs::create_dir_all(folder).map_err(disk("cannot create", folder))?;
            owner_only(folder)?;
        }
        Ok(Self { folder: folder.to_owned(), to: None })
    }

    /// A place in an object store in which nothing is yet. A file is written to a folder of this machine first, and leaves it when it is whole.
    ///
    /// # Errors
    /// [`Error::Taken`] if there is something; or if it cannot be listed, or the folder not be made.
    pub async fn into_bucket(bucket: Bucket, beside: &Path) -> Result<Self> {
        if bucket.has_any().await? {
            return Err(Error::Taken { place: bucket.url().to_string() });
        }
        // One that is there was left by a process of the same number that was killed.
        parts::clear(beside)?;
        let mut export = Self::into_folder(beside)?;
        export.to = Some(bucket);
        Ok(export)
    }

    /// A folder in it, of a name of ours.
    ///
    /// # Errors
    /// As for the folder itself.
    pub fn below(&self, name: &str) -> Result<Self> {
        let to = self.to.as_ref().map(|bucket| bucket.below(name));
        let mut export = Self::into_folder(&self.folder.join(name))?;
        export.to = to;
        Ok(export)
    }

    /// Begins a table.
    ///
    /// # Errors
    /// If its file cannot be made.
    pub fn table(&self, name: &str, schema: SchemaRef) -> Result<Table> {
        let path = self.folder.join(name);
        let file = durable::begin(&path)?;
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(ROWS_PER_GROUP)).build();
        let writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(|e| problem(&path, &e))?;
        Ok(Table { path, to: self.to.clone(), writer: Some(writer) })
    }

    /// Writes a text.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn text(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        durable::write(&path, text.as_bytes())?;
        brought(&path, self.to.as_ref()).await
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if self.to.is_some() {
            // Files pass through; what is left is of a plan that broke off, and is in nobody's way.
            let _left = std::fs::remove_dir_all(&self.folder);
        }
    }
}

impl Table {
    /// Takes rows in.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.write(rows).map_err(|e| problem(&self.path, &e))
    }

    /// Brings the file to its place.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn finish(mut self) -> Result<()> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let mut file = writer.into_inner().map_err(|e| problem(&self.path, &e))?;
        file.flush().map_err(disk("cannot write", &self.path))?;
        durable::complete(&file, &self.path)?;
        brought(&self.path, self.to.as_ref()).await
    }
}

/// Brings a file that is whole to the bucket, if it is for one.
async fn brought(path: &Path, to: Option<&Bucket>) -> Result<()> {
    let (Some(bucket), Some(name)) = (to, path.file_name()) else { return Ok(()) };
    bucket.upload(path, &name.to_string_lossy()).await?;
    durable::remove(path).map(drop)
}

impl Drop for Table {
    fn drop(&mut self) {
        if self.writer.is_some() {
            // Nobody waits for the half of a table; what stopped it is the error that counts.
            let _abandoned = durable::abandon(&self.path);
        }
    }
}

fn problem(path: &Path, detail: &dyn std::fmt::Display) -> Error {
    Error::Dataset { what: path.display().to_string(), detail: detail.to_string() }
}
