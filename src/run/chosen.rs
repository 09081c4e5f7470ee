//! Chosen rows: a replay, or a run about some keys, does with these rows what a whole run would do, and nothing with the others.
//!
//! Everything is read and planned as ever, as what becomes of a row may depend on the others: repeated keys, the latest of several,
//! records that the run inserts. Then the others are left out, which counts them as filtered. In: changes. Out: the same changes
//! with other outcomes.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringArray};
use arrow::datatypes::Int32Type;
use arrow::record_batch::RecordBatch;

use super::error::Error;
use crate::model::dataset::changes;
use crate::model::outcome::Outcome;
use crate::model::sabotage::{self, Bug};

/// Changes of which all rows but these are filtered.
pub(super) fn only(batch: &RecordBatch, ids: &HashSet<&str>) -> Result<RecordBatch, Error> {
    if sabotage::has(Bug::ReplayAll) {
        return Ok(batch.clone());
    }
    let missing = || Error::Books("the changes have no column of source keys".to_owned());
    let keys = batch.column_by_name(changes::ID).ok_or_else(missing)?.as_string::<i32>();
    let is_chosen: Vec<bool> = (0..keys.len()).map(|at| !keys.is_null(at) && ids.contains(keys.value(at))).collect();
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| -> ArrayRef {
        match field.name().as_str() {
            changes::OUTCOME => {
                let outcomes = column.as_string::<i32>().iter().zip(&is_chosen);
                let filtered = Some(Outcome::Filtered.text());
                Arc::new(outcomes.map(|(was, is)| if *is { was } else { filtered }).collect::<StringArray>())
            }
            changes::WHY => {
                let reasons = column.as_primitive::<Int32Type>().iter().zip(&is_chosen);
                Arc::new(reasons.map(|(was, is)| was.filter(|_| *is)).collect::<Int32Array>())
            }
            changes::LINK => {
                let links = column.as_string::<i32>().iter().zip(&is_chosen);
                Arc::new(links.map(|(was, is)| was.filter(|_| *is)).collect::<StringArray>())
            }
            _ => Arc::clone(column),
        }
    });
    RecordBatch::try_new(batch.schema(), columns.collect()).map_err(|e| Error::Books(e.to_string()))
}
