//! Rows of several batches as one, in an order that goes to and fro between them.
//!
//! Where rows that are settled and rows that were compared alternate, most columns have values in one of the two alone: those are taken by
//! their places, and nothing of the other is looked at. In: batches of one schema, and runs of their rows. Out: a batch.

use std::sync::Arc;

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::{concat, interleave, take};
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;

/// Runs that are shorter on the average are copied row by row.
const ROWS_OF_A_RUN: usize = 8;

/// So many rows of a batch behind its first ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) batch: usize,
    pub(super) first: usize,
    pub(super) count: usize,
}

/// The rows of all runs, one after the other; none, if there are no runs. Of one run nothing is copied.
pub(super) fn woven(batches: &[RecordBatch], runs: &[Run]) -> Result<Option<RecordBatch>> {
    let rows = runs.iter().map(|run| run.count).sum();
    match runs {
        [] => return Ok(None),
        [one] => return Ok(Some(batches[one.batch].slice(one.first, one.count))),
        _ => {}
    }
    let mut places: Vec<Option<UInt32Array>> = vec![None; batches.len()];
    let schema = batches[runs[0].batch].schema();
    let columns = (0..schema.fields().len()).map(|at| -> Result<ArrayRef> {
        let has_any = |batch: &usize| batches[*batch].column(at).null_count() < batches[*batch].num_rows();
        let filled: Vec<usize> = (0..batches.len()).filter(has_any).collect();
        match filled.as_slice() {
            [] => Ok(new_null_array(schema.field(at).data_type(), rows)),
            [only] => {
                let places = places[*only].get_or_insert_with(|| places_in(*only, runs, rows));
                Ok(take(batches[*only].column(at), places, None)?)
            }
            _ => copied(batches, runs, rows, at),
        }
    });
    Ok(Some(RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_>>()?)?))
}

/// For each row where it stands in a batch; null, if it is of another one.
fn places_in(batch: usize, runs: &[Run], rows: usize) -> UInt32Array {
    let (mut places, mut there) = (Vec::with_capacity(rows), NullBufferBuilder::new(rows));
    for run in runs {
        if run.batch == batch {
            places.extend((run.first..run.first + run.count).map(|row| u32::try_from(row).unwrap_or(u32::MAX)));
            there.append_n_non_nulls(run.count);
        } else {
            places.resize(places.len() + run.count, 0);
            there.append_n_nulls(run.count);
        }
    }
    UInt32Array::new(places.into(), there.finish())
}

/// One column of all runs.
fn copied(batches: &[RecordBatch], runs: &[Run], rows: usize, at: usize) -> Result<ArrayRef> {
    if rows / runs.len() >= ROWS_OF_A_RUN {
        let slices: Vec<ArrayRef> =
            runs.iter().map(|run| batches[run.batch].column(at).slice(run.first, run.count)).collect();
        return Ok(concat(&slices.iter().map(AsRef::as_ref).collect::<Vec<_>>())?);
    }
    let columns: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(at).as_ref()).collect();
    let places = runs.iter().flat_map(|run| (run.first..run.first + run.count).map(|row| (run.batch, row)));
    Ok(interleave(&columns, &places.collect::<Vec<_>>())?)
}
