//! Rows of several batches as one: those of the runs, in their order, whatever columns have values where.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, StringArray, new_null_array};
use arrow::compute::concat_batches;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

/// It is nobody's business outside of the engine, and is tried by itself.
#[path = "../src/engine/woven.rs"]
mod weaving;

use weaving::{Run, woven};

/// So many rows: a number in all of them, a text in some, if there are to be any, and a flag in none.
fn batch(rows: usize, has_texts: bool) -> RecordBatch {
    let numbers: Int64Array = (0..rows).map(|row| Some(row as i64)).collect();
    let texts: StringArray = (0..rows).map(|row| (has_texts && row % 3 > 0).then(|| "é".repeat(row % 5))).collect();
    let flags: BooleanArray = new_null_array(&DataType::Boolean, rows).to_data().into();
    let columns: [(&str, ArrayRef); 3] =
        [("number", Arc::new(numbers)), ("text", Arc::new(texts)), ("flag", Arc::new(flags))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, name != "number"))).unwrap()
}

#[test]
fn rows_are_those_of_the_runs_however_long_they_are() {
    for length in [1, 3, 20] {
        for texts in [[true, false, false], [true, true, false], [false, false, false]] {
            let batches: Vec<RecordBatch> = texts.map(|has_texts| batch(120, has_texts)).into();
            let run = |at: usize| Run { batch: (at * 7) % 3, first: at / 3 * length, count: length };
            let runs: Vec<Run> = (0..120 / length).map(run).collect();
            let slices: Vec<RecordBatch> =
                runs.iter().map(|run| batches[run.batch].slice(run.first, run.count)).collect();
            let wanted = concat_batches(&batches[0].schema(), &slices).unwrap();
            assert_eq!(woven(&batches, &runs).unwrap(), Some(wanted), "{length} {texts:?}");
        }
    }
    assert_eq!(woven(&[batch(3, true)], &[]).unwrap(), None);
}

#[test]
fn a_slice_counts_only_its_own_nulls() {
    let texts: StringArray = (0..20).map(|row| (row < 10).then_some("there")).collect();
    let of = |texts: StringArray| RecordBatch::try_from_iter([("text", Arc::new(texts) as ArrayRef)]).unwrap();
    let batches = [of(texts.slice(0, 12)), of(texts.slice(10, 10))];
    let runs = [Run { batch: 1, first: 0, count: 2 }, Run { batch: 0, first: 9, count: 2 }];
    let found = woven(&batches, &runs).unwrap().unwrap();
    assert_eq!(found.column(0).null_count(), 3);
}
