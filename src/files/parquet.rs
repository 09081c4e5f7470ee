//! Parquet → rows, by its own library: columns are brought to the types that are wanted.
//!
//! In: a file of an object store. Out: batches. A value that is none of its column's type is told of as a row that cannot be read.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, new_null_array};
use arrow::compute::kernels::cmp::neq;
use arrow::compute::kernels::numeric::{add, sub};
use arrow::compute::{CastOptions, cast_with_options, nullif};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStream};
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::building::malformed;
use super::error::Error;
use super::shape::{Shape, Slot};
use crate::model::field::{Field, FieldKind};

/// Rows of a batch.
const ROWS: usize = 8_192;

/// A file being read.
pub(super) struct Parquet {
    file: String,
    shape: Shape,
    stream: ParquetRecordBatchStream<Pieces>,
    row: u64,
}

/// The pieces of a file that its reader asks for, each of the file as it was listed.
struct Pieces {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
}

impl AsyncFileReader for Pieces {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move {
            let (range, if_match) = (Some(GetRange::Bounded(range)), self.meta.e_tag.clone());
            let options = GetOptions { range, if_match, ..GetOptions::default() };
            let wrong = |error| ParquetError::External(Box::new(Error::of(self.meta.location.as_ref(), &error)));
            let answer = self.store.get_opts(&self.meta.location, options).await.map_err(wrong)?;
            answer.bytes().await.map_err(wrong)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.meta.size;
            let read = ParquetMetaDataReader::new().load_and_finish(&mut *self, size).await?;
            Ok(Arc::new(read))
        }
        .boxed()
    }
}

/// The columns of a file.
pub(super) async fn fields(store: &Arc<dyn ObjectStore>, meta: &ObjectMeta) -> Result<Vec<Field>, Error> {
    let builder = open(store, meta).await?;
    Ok(builder
        .schema()
        .fields()
        .iter()
        .map(|field| Field::bare(field.name(), field.name(), kind(field.data_type())))
        .collect())
}

fn kind(of: &DataType) -> FieldKind {
    match of {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => FieldKind::Text,
        DataType::Boolean => FieldKind::Boolean,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            FieldKind::Decimal
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => FieldKind::Double,
        DataType::Date32 | DataType::Date64 => FieldKind::Date,
        DataType::Timestamp(..) => FieldKind::DateTime,
        DataType::Dictionary(_, values) => kind(values),
        integer if integer.is_integer() => FieldKind::Integer,
        _ => FieldKind::Other,
    }
}

async fn open(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
) -> Result<ParquetRecordBatchStreamBuilder<Pieces>, Error> {
    let pieces = Pieces { store: Arc::clone(store), meta: meta.clone() };
    let builder = ParquetRecordBatchStreamBuilder::new(pieces).await;
    builder.map_err(|e| malformed(meta.location.as_ref(), "its footer".to_owned(), &e))
}

/// Whole numbers that were read from others, without those of which a part was cut off.
fn only_whole(found: &ArrayRef, cast: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let is_floating = found.data_type().is_floating();
    if !((is_floating || found.data_type().is_decimal()) && cast.data_type().is_integer()) {
        return Ok(cast);
    }
    let back = cast_with_options(&cast, found.data_type(), &CastOptions { safe: true, ..CastOptions::default() })?;
    // Beside a nought, the negative one of floating numbers becomes the other.
    let found = if is_floating { add(found, &sub(&back, &back)?)? } else { Arc::clone(found) };
    nullif(&cast, &neq(&found, &back)?)
}

impl Parquet {
    pub(super) async fn new(store: &Arc<dyn ObjectStore>, meta: &ObjectMeta, shape: Shape) -> Result<Self, Error> {
        let builder = open(store, meta).await?;
        let file = meta.location.to_string();
        let mut wanted = Vec::new();
        for slot in &shape.slots {
            let Slot::Value(field) = slot else { continue };
            match builder.schema().index_of(&field.name) {
                Ok(at) => wanted.push(at),
                Err(_) => {
                    let detail = format!("it has no column \"{}\"", field.name);
                    return Err(malformed(&file, "its footer".to_owned(), &detail));
                }
            }
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        let stream = builder.with_projection(mask).with_batch_size(ROWS).build();
        let stream = stream.map_err(|e| malformed(&file, "its footer".to_owned(), &e))?;
        Ok(Self { file, shape, stream, row: 0 })
    }

    /// The next batch; none behind the last.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let read = self.stream.next().await.transpose();
        let Some(rows) = read.map_err(|e| malformed(&self.file, format!("behind row {}", self.row), &e))? else {
            return Ok(None);
        };
        let first = self.row + 1;
        self.row += rows.num_rows() as u64;
        self.shaped(&rows, first).map(Some)
    }

    fn shaped(&self, rows: &RecordBatch, first: u64) -> Result<RecordBatch, Error> {
        let count = rows.num_rows();
        let mut unread: Vec<Option<String>> = vec![None; count];
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (slot, wanted) in self.shape.slots.iter().zip(self.shape.schema.fields()) {
            columns.push(match slot {
                Slot::Value(field) => {
                    let found = rows.column_by_name(&field.name).cloned();
                    let found = found.unwrap_or_else(|| new_null_array(wanted.data_type(), count));
                    let options = CastOptions { safe: true, ..CastOptions::default() };
                    let cast = cast_with_options(&found, wanted.data_type(), &options);
                    let cast = cast.and_then(|cast| only_whole(&found, cast));
                    let cast = cast.map_err(|e| malformed(&self.file, format!("column {}", field.name), &e))?;
                    for at in (0..count).filter(|at| cast.null_count() > 0 && cast.is_null(*at)) {
                        let what = match () {
                            () if found.is_valid(at) => format!("\"{}\" is not {}", field.name, field.kind.word()),
                            () if field.name == self.shape.id => format!("the row has no \"{}\"", field.name),
                            () => continue,
                        };
                        let place = first + at as u64;
                        unread[at].get_or_insert_with(|| format!("{what} ({}, row {place})", self.file));
                    }
                    cast
                }
                Slot::Place => {
                    let places = (first..).take(count).map(|row| format!("{}:{row}", self.file));
                    Arc::new(StringArray::from_iter_values(places)) as ArrayRef
                }
                _ => new_null_array(wanted.data_type(), count),
            });
        }
        self.told(columns, unread)
    }

    /// The batch with what cannot be read of its rows.
    fn told(&self, mut columns: Vec<ArrayRef>, unread: Vec<Option<String>>) -> Result<RecordBatch, Error> {
        let schema: &SchemaRef = &self.shape.schema;
        match self.shape.slots.iter().position(|slot| *slot == Slot::Unread) {
            Some(at) => columns[at] = Arc::new(StringArray::from(unread)),
            None => {
                if let Some(told) = unread.into_iter().flatten().next() {
                    return Err(Error::Unread(told));
                }
            }
        }
        RecordBatch::try_new(Arc::clone(schema), columns)
            .map_err(|e| malformed(&self.file, format!("before row {}", self.row), &e))
    }
}
