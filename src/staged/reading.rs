//! The batches of a file: all of its rows or some, in all columns or some.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{RecordBatchReader, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::file::reader::ChunkReader;

use super::Form;
use super::parts::Parts;

/// Rows of one batch that is read back, and of one part of a file: whoever reads or writes holds no more at a time.
pub const ROWS_PER_BATCH: usize = 8_192;

/// What a file is read from.
#[derive(Debug, Clone)]
pub enum Content {
    /// A file on the disk.
    File(PathBuf),
    /// The bytes of one.
    Held(Bytes),
}

/// The batches of a file, as they are read.
pub struct Batches {
    /// The columns that they have.
    pub schema: SchemaRef,
    batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batches.next()
    }
}

/// Opens a file. Of `columns` those are left out that it does not have, and the others come in its own order; of its rows
/// only those in the ranges come that are `picked`, which rise.
///
/// # Errors
/// If it cannot be read, or has fewer rows than are picked.
pub fn read(
    content: &Content,
    form: Form,
    columns: Option<&[String]>,
    picked: Option<Vec<Range<usize>>>,
) -> Result<Batches, ArrowError> {
    match (content, form) {
        (Content::File(path), Form::Arrow) => arrow(File::open(path)?, columns, picked),
        (Content::File(path), Form::Parquet) => parquet(File::open(path)?, columns, picked),
        (Content::Held(bytes), Form::Arrow) => arrow(Cursor::new(bytes.clone()), columns, picked),
        (Content::Held(bytes), Form::Parquet) => parquet(bytes.clone(), columns, picked),
    }
}

/// The places of columns in a schema, which rise.
fn places(schema: &Schema, columns: &[String]) -> Vec<usize> {
    let mut places: Vec<usize> = columns.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    places.sort_unstable();
    places.dedup();
    places
}

fn arrow(
    content: impl Read + Seek + Send + 'static,
    columns: Option<&[String]>,
    picked: Option<Vec<Range<usize>>>,
) -> Result<Batches, ArrowError> {
    let parts = Parts::open(content, |schema| columns.map(|columns| places(schema, columns)))?;
    let schema = Arc::clone(&parts.schema);
    let batches: Box<dyn Iterator<Item = _> + Send> = match picked {
        None => Box::new(parts),
        Some(picked) => Box::new(Picked { parts, picked: picked.into(), before: 0 }),
    };
    Ok(Batches { schema, batches })
}

/// Rows that are picked from the batches of a file.
struct Picked<R> {
    parts: Parts<R>,
    picked: VecDeque<Range<usize>>,
    /// Rows of the batches that were read.
    before: usize,
}

impl<R> Picked<R> {
    /// The rows of a batch that are picked.
    fn of(&mut self, batch: &RecordBatch) -> Result<Option<RecordBatch>, ArrowError> {
        let (first, behind) = (self.before, self.before + batch.num_rows());
        self.before = behind;
        let mut ranges = Vec::new();
        while let Some(range) = self.picked.pop_front() {
            let end = range.end.min(behind);
            if range.start < end {
                ranges.push(range.start - first..end - first);
            }
            if end < range.end {
                self.picked.push_front(range.start.max(end)..range.end);
                break;
            }
        }
        Ok(match ranges.as_slice() {
            [] => None,
            [only] => Some(batch.slice(only.start, only.len())),
            several => {
                let places = several.iter().cloned().flatten().map(|at| u32::try_from(at).unwrap_or(u32::MAX));
                Some(take_record_batch(batch, &UInt32Array::from_iter_values(places))?)
            }
        })
    }
}

impl<R: Read + Seek> Iterator for Picked<R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.picked.is_empty() {
            let Some(batch) = self.parts.next() else {
                self.picked.clear();
                return Some(Err(too_few()));
            };
            match batch.and_then(|batch| self.of(&batch)).transpose() {
                None => {}
                picked => return picked,
            }
        }
        None
    }
}

fn too_few() -> ArrowError {
    ArrowError::InvalidArgumentError("rows are wanted of a file that does not have them".to_owned())
}

fn parquet(
    content: impl ChunkReader + 'static,
    columns: Option<&[String]>,
    picked: Option<Vec<Range<usize>>>,
) -> Result<Batches, ArrowError> {
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(content)?;
    if let Some(columns) = columns {
        // The columns are no structures, so the place of one is that of its leaf.
        let mask = ProjectionMask::roots(reader.parquet_schema(), places(reader.schema(), columns));
        reader = reader.with_projection(mask);
    }
    if let Some(picked) = picked {
        let rows = usize::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(usize::MAX);
        if picked.last().is_some_and(|last| last.end > rows) {
            return Err(too_few());
        }
        reader = reader.with_row_selection(RowSelection::from_consecutive_ranges(picked.into_iter(), rows));
    }
    let batches = reader.with_batch_size(ROWS_PER_BATCH).build()?;
    Ok(Batches { schema: batches.schema(), batches: Box::new(batches) })
}
