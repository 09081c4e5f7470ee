//! A plan as tables for others: what becomes of each row, and which fields change.
//!
//! In: the changes of a plan that was made. Out: `changes.parquet`, a line for each row and record that it is about (a row that is not
//! written has one line, without a record), `fields.parquet`, a line for each field that gets a value, and `summary.json`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use serde_json::Value;

use super::changes::Changes;
use super::error::Error;
use super::plan::Plan;
use super::tally::{failed, fields, records, said};
use crate::engine::reason::Reasons;
use crate::model::dataset;
use crate::model::job::Job;
use crate::model::outcome::Outcome;
use crate::store::dataset::RunFolder;
use crate::store::export::Export;

const CHANGES: [&str; 8] = ["source_key", "outcome", "code", "message", "script", "object", "action", "gsid"];
const FIELDS: [&str; 7] = ["source_key", "object", "gsid", "action", "field", "old", "new"];

/// Writes the tables of a plan, and what it amounts to.
pub(super) async fn export(job: &Job, run: &str, plan: &Plan, folder: &RunFolder, into: &Export) -> Result<(), Error> {
    let reasons = Reasons::of(job);
    let (mut all, mut changed) = (Lines::new(&CHANGES), Lines::new(&FIELDS));
    let mut changes_table = into.table("changes.parquet", Arc::clone(&all.schema))?;
    let mut fields_table = into.table("fields.parquet", Arc::clone(&changed.schema))?;
    let mut reader = folder.read(dataset::CHANGES).await?;
    while let Some(batch) = reader.next().await? {
        let rows = Changes::new(job, batch);
        for at in 0..rows.len() {
            line(&reasons, &rows, at, &mut all, &mut changed);
        }
        changes_table.add(&all.batch()?)?;
        fields_table.add(&changed.batch()?)?;
    }
    changes_table.finish().await?;
    fields_table.finish().await?;
    let summary = serde_json::json!({ "run": run, "job": job.name, "plan": plan });
    Ok(into.text("summary.json", &format!("{summary:#}\n")).await?)
}

fn line(reasons: &Reasons, rows: &Changes<'_>, at: usize, all: &mut Lines, changed: &mut Lines) {
    let outcome = rows.outcome(at).unwrap_or(Outcome::Error);
    let (row, key) = (rows.row(at), rows.id(at));
    let reason = rows.why(at).and_then(|why| failed(reasons, why));
    let is_about_records =
        matches!(outcome, Outcome::Inserted | Outcome::Updated | Outcome::Unchanged | Outcome::Deleted);
    let records = if is_about_records { records(rows, at) } else { Vec::new() };
    if records.is_empty() {
        let code = reason.as_ref().map(|(_, _, code)| code.text().to_owned());
        let script = reason.as_ref().map(|(_, reason, _)| reason.place.to_string());
        let message = reason.map(|(_, reason, _)| said(reason, rows, at));
        all.add(row, [Some(key), Some(outcome.text().to_owned()), code, message, script, None, None, None]);
        return;
    }
    let written = matches!(outcome, Outcome::Inserted | Outcome::Updated | Outcome::Deleted);
    let changes = if written { fields(rows, at) } else { Vec::new() };
    for record in records {
        for change in changes.iter().filter(|change| change.object == record.object) {
            let (object, action) = (Some(record.object.clone()), Some(record.action.clone()));
            let (field, old, new) = (Some(change.field.clone()), text(&change.old), text(&change.new));
            changed.add(row, [Some(key.clone()), object, record.gsid.clone(), action, field, old, new]);
        }
        let (object, action, gsid) = (Some(record.object), Some(record.action), record.gsid);
        let outcome = Some(outcome.text().to_owned());
        all.add(row, [Some(key.clone()), outcome, None, None, None, object, action, gsid]);
    }
}

/// A value as a cell: a text as it is, nothing for nothing, anything else as JSON.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Lines of a table: the row's number and columns of text.
struct Lines {
    schema: SchemaRef,
    numbers: Int64Builder,
    texts: Vec<StringBuilder>,
}

impl Lines {
    fn new(names: &[&str]) -> Self {
        let mut columns = vec![Field::new("row", DataType::Int64, false)];
        columns.extend(names.iter().map(|name| Field::new(*name, DataType::Utf8, true)));
        let texts = names.iter().map(|_| StringBuilder::new()).collect();
        Self { schema: Arc::new(Schema::new(columns)), numbers: Int64Builder::new(), texts }
    }

    fn add<const N: usize>(&mut self, row: i64, cells: [Option<String>; N]) {
        self.numbers.append_value(row);
        self.texts.iter_mut().zip(cells).for_each(|(column, cell)| column.append_option(cell));
    }

    fn batch(&mut self) -> Result<RecordBatch, Error> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.numbers.finish())];
        columns.extend(self.texts.iter_mut().map(|column| -> ArrayRef { Arc::new(column.finish()) }));
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|e| Error::Books(e.to_string()))
    }
}
