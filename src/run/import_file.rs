//! The file of a bulk import: CSV with the labels of the mapped fields, a line for each record.
//!
//! It is never altered for spreadsheets: what stands in it becomes the record. In: values as Gainsight gives them. Out: text, and what a file of
//! failures says.

use std::collections::HashMap;

use serde_json::Value;

use super::item::Item;
use crate::decode::csv::{Record, Step};
use crate::model::field::{Field, FieldKind};
use crate::model::job::Job;

/// A row with its line.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) item: Item,
    pub(super) text: String,
}

/// The first line: what the sample has that the job in Gainsight was made with.
pub(super) fn header(job: &Job) -> String {
    line(job.mappings_of(0).map(|(_, mapping)| mapping.field.label.clone()))
}

/// A line of values.
pub(super) fn line(values: impl Iterator<Item = String>) -> String {
    let mut text = values.map(|value| quoted(&value)).collect::<Vec<_>>().join(",");
    text.push('\n');
    text
}

/// A value as the file has it. Items of a picklist go by their labels, as people know them.
pub(super) fn cell(field: &Field, value: &Value) -> String {
    let label = |code: &str| field.choices.iter().find(|choice| choice.code == code).map(|choice| choice.label.clone());
    match value {
        Value::Null => String::new(),
        Value::String(text) if field.kind == FieldKind::Picklist => label(text).unwrap_or_else(|| text.clone()),
        Value::String(text) if field.kind == FieldKind::MultiPicklist => {
            let items = text.split(';').map(|item| label(item.trim()).unwrap_or_else(|| item.to_owned()));
            items.collect::<Vec<_>>().join(";")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn quoted(value: &str) -> String {
    let needs = value.contains([',', '"', '\n', '\r']) || value.starts_with(' ') || value.ends_with(' ');
    if needs { format!("\"{}\"", value.replace('"', "\"\"")) } else { value.to_owned() }
}

/// The keys of the records that a file of failures names, each with its words; none if it is not such a file.
pub(super) fn failures(job: &Job, bytes: &[u8]) -> Option<HashMap<Vec<String>, String>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (mut record, mut at) = (Record::default(), 0);
    let mut next = || match record.read(&bytes[at..], b',', true).ok()? {
        Step::Record(length) => {
            at += length;
            let text = |field: usize| String::from_utf8_lossy(record.field(field).unwrap_or_default()).into_owned();
            Some((0..record.len()).map(text).collect::<Vec<String>>())
        }
        _ => None,
    };
    let names = next()?;
    let place = |label: &str| names.iter().position(|name| name.trim() == label);
    let keys: Option<Vec<usize>> = job.key.iter().map(|key| place(&job.mappings[key.mapping].field.label)).collect();
    let (keys, own) = (keys?, job.mappings_of(0).count());
    let mut found = HashMap::new();
    while let Some(line) = next() {
        let of = keys.iter().map(|key| line.get(*key).cloned().unwrap_or_default()).collect();
        // Behind our own columns stands why.
        let words = line.get(own..).unwrap_or_default().join(" ");
        found.insert(of, words);
    }
    Some(found)
}
