//! Reading a dataset where few rows matter: every row in a few columns, and then whole those that were chosen by them.
//!
//! A dataset that is read like this costs little more than its few columns: of the others only the rows that are picked are
//! decoded. In: the names of columns, and positions in a file. Out: batches in the order of the rows.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;

use arrow::array::RecordBatchReader;
use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use object_store::path::Path as StorePath;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::file::reader::ChunkReader;
use tokio::task::JoinHandle;

use super::dataset::{Place, ROWS_PER_BATCH, RunFolder, beside, problem};
use super::error::{Result, disk};

/// A dataset of which rows are picked, file by file, in the order in which it was written.
pub struct Sift {
    name: String,
    folder: RunFolder,
    files: std::vec::IntoIter<StorePath>,
    columns: Vec<String>,
    /// The next file, which is read while somebody looks at the one before.
    ahead: Option<JoinHandle<Result<(Content, RecordBatch)>>>,
}

/// What a file is read from: one in an object store is fetched once, and held while somebody looks at it.
#[derive(Clone)]
enum Content {
    File(PathBuf),
    Held(Bytes),
}

/// One file of it.
pub struct Sifted {
    name: String,
    content: Content,
    /// All of its rows, in the columns that every row is looked at in, as far as the dataset has them.
    pub rows: RecordBatch,
}

impl RunFolder {
    /// Opens a dataset of which every row is looked at in some columns only. Columns that it does not have are left out.
    ///
    /// # Errors
    /// If it cannot be listed.
    pub async fn sift(&self, name: &str, columns: Vec<String>) -> Result<Sift> {
        let files = self.files_of(name).await?.into_iter();
        Ok(Sift { name: name.to_owned(), folder: self.clone(), files, columns, ahead: None })
    }
}

impl Sift {
    /// The next file; none after the last.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn next(&mut self) -> Result<Option<Sifted>> {
        let Some(file) = self.ahead.take().or_else(|| self.begin()) else { return Ok(None) };
        self.ahead = self.begin();
        let (content, rows) = file.await.map_err(|e| problem(&self.name, &e))??;
        Ok(Some(Sifted { name: self.name.clone(), rows, content }))
    }

    /// Begins to read the next file.
    fn begin(&mut self) -> Option<JoinHandle<Result<(Content, RecordBatch)>>> {
        let file = self.files.next()?;
        let (columns, what) = (self.columns.clone(), self.name.clone());
        let read = move |content: Content| {
            let rows = decode(&content, &what, Some(&columns), None).and_then(|all| whole(&what, &all))?;
            Ok((content, rows))
        };
        if let Place::Disk(top) = self.folder.place() {
            let path = top.join(file.as_ref());
            return Some(tokio::task::spawn_blocking(move || read(Content::File(path))));
        }
        let (folder, what) = (self.folder.clone(), self.name.clone());
        Some(tokio::spawn(async move {
            let bytes = folder.bytes_of(&file).await?;
            beside(&what, move || read(Content::Held(bytes))).await
        }))
    }
}

impl Sifted {
    /// Rows of the file by their positions in it, which rise: in some columns, or in all.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn pick(&self, positions: &[usize], columns: Option<Vec<String>>) -> Result<Vec<RecordBatch>> {
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let (content, what, picked) = (self.content.clone(), self.name.clone(), ranges(positions));
        beside(&self.name, move || Ok(decode(&content, &what, columns.as_deref(), Some(picked))?.batches)).await
    }
}

/// Positions that rise as ranges without a gap.
fn ranges(positions: &[usize]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for at in positions {
        match ranges.last_mut() {
            Some(last) if last.end == *at => last.end += 1,
            _ => ranges.push(*at..*at + 1),
        }
    }
    ranges
}

/// Batches with the columns that they have.
struct Decoded {
    schema: arrow::datatypes::SchemaRef,
    batches: Vec<RecordBatch>,
}

type Picked = Option<Vec<Range<usize>>>;

fn decode(content: &Content, what: &str, columns: Option<&[String]>, picked: Picked) -> Result<Decoded> {
    match content {
        Content::File(path) => decode_from(File::open(path).map_err(disk("cannot read", path))?, what, columns, picked),
        Content::Held(bytes) => decode_from(bytes.clone(), what, columns, picked),
    }
}

fn decode_from(
    content: impl ChunkReader + 'static,
    what: &str,
    columns: Option<&[String]>,
    picked: Picked,
) -> Result<Decoded> {
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(content).map_err(|e| problem(what, &e))?;
    if let Some(columns) = columns {
        let schema = reader.schema().clone();
        let places = columns.iter().filter_map(|name| schema.index_of(name).ok());
        // The columns are no structures, so the place of one is that of its leaf.
        let mask = ProjectionMask::roots(reader.parquet_schema(), places);
        reader = reader.with_projection(mask);
    }
    if let Some(picked) = picked {
        let rows = usize::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(usize::MAX);
        if picked.last().is_some_and(|last| last.end > rows) {
            return Err(problem(what, &"rows are wanted of a file that does not have them"));
        }
        reader = reader.with_row_selection(RowSelection::from_consecutive_ranges(picked.into_iter(), rows));
    }
    let batches = reader.with_batch_size(ROWS_PER_BATCH).build().map_err(|e| problem(what, &e))?;
    let schema = batches.schema();
    let batches: std::result::Result<_, _> = batches.collect();
    Ok(Decoded { schema, batches: batches.map_err(|e| problem(what, &e))? })
}

fn whole(what: &str, all: &Decoded) -> Result<RecordBatch> {
    concat_batches(&all.schema, &all.batches).map_err(|e| problem(what, &e))
}
