//! Batches as the bytes of a file.

use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::Form;

/// Rows of which a part of a file of Arrow has more, if there are as many: each part is read by itself, which costs the same for a few rows
/// and for thousands.
const ROWS_AT_LEAST: usize = 1_024;

/// The bytes of a file of these batches, of which whoever reads it holds no more than so many rows at a time.
///
/// # Errors
/// If a batch has another schema.
pub fn encode(
    batches: &[RecordBatch],
    schema: &SchemaRef,
    form: Form,
    rows_at_once: usize,
) -> Result<Vec<u8>, ArrowError> {
    let rows_at_once = rows_at_once.max(1);
    match form {
        Form::Arrow => arrow(batches, schema, rows_at_once),
        Form::Parquet => parquet(batches, schema, rows_at_once),
    }
}

fn arrow(batches: &[RecordBatch], schema: &SchemaRef, rows_at_once: usize) -> Result<Vec<u8>, ArrowError> {
    let rough = batches.iter().map(RecordBatch::get_array_memory_size).sum::<usize>();
    let mut writer = FileWriter::try_new(Vec::with_capacity(rough.min(ROUGH_BYTES_AT_MOST)), schema)?;
    for part in parts(batches, schema, rows_at_once)? {
        writer.write(&part)?;
    }
    writer.into_inner()
}

/// More is not set aside for a file before it is made: batches may share what they are cut from, and count it each.
const ROUGH_BYTES_AT_MOST: usize = 8 << 20;

/// The same rows in batches of no more than so many, and of no fewer than there have to be.
fn parts(batches: &[RecordBatch], schema: &SchemaRef, rows_at_once: usize) -> Result<Vec<RecordBatch>, ArrowError> {
    let (mut parts, mut small, mut small_rows) = (Vec::new(), Vec::new(), 0);
    for batch in batches {
        let mut at = 0;
        while at < batch.num_rows() {
            let rows = (batch.num_rows() - at).min(rows_at_once - small_rows);
            small.push(batch.slice(at, rows));
            (at, small_rows) = (at + rows, small_rows + rows);
            if small_rows >= ROWS_AT_LEAST.min(rows_at_once) {
                parts.push(one(schema, &std::mem::take(&mut small))?);
                small_rows = 0;
            }
        }
    }
    if small_rows > 0 {
        parts.push(one(schema, &small)?);
    }
    Ok(parts)
}

fn one(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    match batches {
        // It has to have this schema: a file says what is in it once, for all of its batches.
        [only] => RecordBatch::try_new(Arc::clone(schema), only.columns().to_vec()),
        several => concat_batches(schema, several),
    }
}

fn parquet(batches: &[RecordBatch], schema: &SchemaRef, rows_at_once: usize) -> Result<Vec<u8>, ArrowError> {
    // Uncompressed and without statistics: staging is read once or twice, and compressing it would cost more than that.
    let properties = WriterProperties::builder()
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(rows_at_once))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, Arc::clone(schema), Some(properties))?;
    // As one batch, so that the same rows make the same bytes, in whatever batches they came.
    writer.write(&one(schema, batches)?)?;
    writer.close()?;
    Ok(bytes)
}
