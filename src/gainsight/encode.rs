//! Records as the JSON that goes to Gainsight, written straight from columns in stored form.
//!
//! What comes out is byte for byte what `serde_json` makes of a map with the values of [`stored::json`], without the map: keys are
//! escaped once for each job, texts are looked through many bytes at a time, and numbers and dates have no text in between. Values that
//! are out of the ordinary go the long way. In: arrays and a row. Out: bytes.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, StringArray, TimestampMillisecondArray,
    new_null_array,
};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use super::sent::{AROUND, Fields, begin_record};
use super::stored;
use super::stored_text::{day, decimal, moment, text};
use crate::model::field::Field;

/// The keys of a record's fields, ready to be written: `,"name":`.
#[derive(Debug, Clone)]
pub struct Keys(Vec<Vec<u8>>);

/// A column in stored form.
#[derive(Debug, Clone)]
pub enum Column {
    /// Texts, GSIDs, labels.
    Text(StringArray),
    /// Booleans.
    Flag(BooleanArray),
    /// Numbers with their scale.
    Decimal(Decimal128Array, i8),
    /// Days.
    Day(Date32Array),
    /// Moments in milliseconds.
    Moment(TimestampMillisecondArray),
    /// Whatever else there may be.
    Other(ArrayRef),
    /// No column at all: null in every row.
    Nothing,
}

/// All rows of a batch as bodies of so many records, in order. The fields are those of its columns.
#[must_use]
pub fn bodies(batch: &RecordBatch, fields: &[Field], records_at_most: usize) -> Vec<Bytes> {
    let keys = Keys::of(fields.iter().map(|field| field.name.as_str()));
    let columns: Vec<Column> = batch.columns().iter().map(Column::of).collect();
    let size = records_at_most.max(1);
    let (mut bodies, mut bytes) = (Vec::with_capacity(batch.num_rows().div_ceil(size)), 0);
    for first in (0..batch.num_rows()).step_by(size) {
        // The next body is about as long as the one before.
        let mut body = Vec::with_capacity(bytes + bytes / 8);
        body.extend_from_slice(AROUND.0);
        for row in first..(first + size).min(batch.num_rows()) {
            begin_record(&mut body);
            keys.write(columns.iter().enumerate().take(fields.len()), row, &mut body);
            body.push(b'}');
        }
        body.extend_from_slice(AROUND.1);
        bytes = body.len();
        bodies.push(Bytes::from(body));
    }
    bodies
}

impl Keys {
    /// The keys of fields with these API names.
    pub fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let key = |name| {
            let mut key = vec![b','];
            text(name, &mut key);
            key.push(b':');
            key
        };
        Self(names.map(key).collect())
    }

    /// A record of some of the fields: each by the number of its key, with its column.
    #[must_use]
    pub fn fields<'c>(&self, sent: impl Iterator<Item = (usize, &'c Column)>, row: usize) -> Fields {
        let mut fields = Vec::new();
        self.write(sent, row, &mut fields);
        Fields(Bytes::from(fields))
    }

    /// Writes fields one after the other, with commas between them.
    fn write<'c>(&self, sent: impl Iterator<Item = (usize, &'c Column)>, row: usize, out: &mut Vec<u8>) {
        let mut comma = 1;
        for (key, column) in sent {
            out.extend_from_slice(&self.0[key][comma..]);
            column.write(row, out);
            comma = 0;
        }
    }
}

impl Column {
    /// A column by its type.
    #[must_use]
    pub fn of(array: &ArrayRef) -> Self {
        match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string().clone()),
            DataType::Boolean => Self::Flag(array.as_boolean().clone()),
            DataType::Decimal128(_, scale) => Self::Decimal(array.as_primitive().clone(), *scale),
            DataType::Date32 => Self::Day(array.as_primitive().clone()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => Self::Moment(array.as_primitive().clone()),
            _ => Self::Other(Arc::clone(array)),
        }
    }

    /// Writes the value of a row as JSON.
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        let is_null = match self {
            Self::Text(values) => values.is_null(row),
            Self::Flag(values) => values.is_null(row),
            Self::Decimal(values, _) => values.is_null(row),
            Self::Day(values) => values.is_null(row),
            Self::Moment(values) => values.is_null(row),
            Self::Other(values) => values.is_null(row),
            Self::Nothing => true,
        };
        if is_null {
            return out.extend_from_slice(b"null");
        }
        let is_written = match self {
            Self::Text(values) => {
                text(values.value(row), out);
                true
            }
            Self::Flag(values) => {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
                true
            }
            Self::Decimal(values, scale) => decimal(values.value(row), *scale, out),
            Self::Day(values) => day(i64::from(values.value(row)), out),
            Self::Moment(values) => moment(values.value(row), out),
            Self::Other(_) | Self::Nothing => false,
        };
        if !is_written {
            out.extend_from_slice(stored::json(&self.array(), row).to_string().as_bytes());
        }
    }

    fn array(&self) -> ArrayRef {
        match self {
            Self::Text(values) => Arc::new(values.clone()),
            Self::Flag(values) => Arc::new(values.clone()),
            Self::Decimal(values, _) => Arc::new(values.clone()),
            Self::Day(values) => Arc::new(values.clone()),
            Self::Moment(values) => Arc::new(values.clone()),
            Self::Other(values) => Arc::clone(values),
            Self::Nothing => new_null_array(&DataType::Null, 1),
        }
    }
}
