//! Columns of a batch as texts, for comparing them with what an oracle expects.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMillisecondType};
use arrow::record_batch::RecordBatch;

/// Column by column, row by row: none for a null.
pub fn texts(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    batch
        .columns()
        .iter()
        .map(|array| (0..array.len()).map(|row| (!array.is_null(row)).then(|| text(array, row))).collect())
        .collect()
}

fn text(array: &dyn Array, row: usize) -> String {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Date32 => array.as_primitive::<Date32Type>().value(row).to_string(),
        DataType::Timestamp(..) => array.as_primitive::<TimestampMillisecondType>().value(row).to_string(),
        other => panic!("{other} is no type of a column"),
    }
}
