//! Rows and records dealt out to buckets by the hash of their keys: whatever has one key lies in one bucket.
//!
//! In: batches with digests of keys. Out: the same rows without them, bucket by bucket, in the order that they had.

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;

use super::error::Result;
use super::record_index::wide;
use super::screen::KEY;

/// The columns of rows once they are dealt.
#[must_use]
pub fn dealt_schema(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<_> = schema.fields().iter().filter(|field| field.name() != KEY).cloned().collect();
    Schema::new(fields).into()
}

/// The rows of a batch by their buckets; of buckets without any there is none.
///
/// # Errors
/// If the batch has no digests.
pub fn dealt(rows: &RecordBatch, buckets: usize) -> Result<Vec<(usize, RecordBatch)>> {
    let missing = || DataFusionError::Internal("rows to be dealt have no digests".to_owned());
    let place = rows.schema_ref().index_of(KEY).map_err(|_| missing())?;
    let mut rows = rows.clone();
    let keys = rows.remove_column(place);
    let keys = keys.as_fixed_size_binary_opt().ok_or_else(missing)?;
    if buckets == 1 {
        return Ok(vec![(0, rows)]);
    }
    let mut picked: Vec<Vec<u32>> = vec![Vec::new(); buckets];
    for (at, number) in (0..keys.len()).zip(0_u32..) {
        // A row without a key is like no other, and may be anywhere. The lower half of a digest says where it stands in an index.
        let hash = if keys.is_null(at) { u128::from(number) } else { wide(keys.value(at)) >> 64 };
        picked[usize::try_from(hash % buckets as u128).unwrap_or_default()].push(number);
    }
    let mut dealt = Vec::new();
    for (bucket, picked) in picked.into_iter().enumerate().filter(|(_, picked)| !picked.is_empty()) {
        let picked = UInt32Array::from(picked);
        dealt.push((bucket, take_record_batch(&rows, &picked).map_err(DataFusionError::from)?));
    }
    Ok(dealt)
}
