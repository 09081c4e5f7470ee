//! A page of records → one Arrow batch in stored form.
//!
//! In: the bytes of an answer of success. Out: a batch, or what is wrong. Of what refuses it makes no errors: the envelope is read for that.

use arrow::record_batch::RecordBatch;
use serde_json::Value;

use super::client::Envelope;
use super::stored;
use crate::http::json;
use crate::model::field::Field;

/// Which fields of a record go into which columns.
pub struct Layout {
    fields: Vec<Field>,
}

/// A decoded page.
#[derive(Debug)]
pub struct Page {
    /// The records, in the columns of [`crate::model::dataset::object_schema`].
    pub rows: RecordBatch,
    /// The GSID of the last one.
    pub last: Option<String>,
}

impl Layout {
    /// The columns of these fields.
    #[must_use]
    pub fn new(fields: &[Field]) -> Self {
        Self { fields: fields.to_vec() }
    }
}

/// Decodes a page.
///
/// # Errors
/// If it is not an envelope that says `result: true` with a list of records of these fields.
pub fn decode(bytes: &[u8], layout: &Layout) -> Result<Page, String> {
    let envelope: Envelope = json::read(bytes)?;
    if !envelope.result {
        return Err("it is a refusal".to_owned());
    }
    let list = match envelope.data {
        Value::Object(mut data) => data.remove("records").unwrap_or_default(),
        other => other,
    };
    let Value::Array(list) = list else { return Err("there is no list of records".to_owned()) };
    let rows: Option<Vec<_>> = list.into_iter().map(|row| row.as_object().cloned()).collect();
    let rows = rows.ok_or("a record is no object")?;
    let last = rows.last().and_then(|row| row.get("Gsid")).and_then(Value::as_str).map(str::to_owned);
    Ok(Page { rows: stored::batch(&rows, &layout.fields)?, last })
}
