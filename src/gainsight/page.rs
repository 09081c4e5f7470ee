//! A page of records → one Arrow batch in stored form, in one pass over its bytes.
//!
//! It takes what is plainly a page, value for value as `stored.rs` has it. Whatever else an answer is, it leaves alone: what refuses, and
//! what cannot be read, is told by who reads the envelope. In: the bytes of an answer. Out: a batch.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::mem::take;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use serde_json::Value;

use super::cell::Kept;
use crate::decode::column::Column;
use crate::decode::row::{self, Rows};
use crate::decode::scan::Scan;
use crate::decode::{Bounds, Fault, Kind, place};
use crate::http::json;
use crate::model::dataset::object_schema;
use crate::model::field::Field;

/// What no page goes beyond.
const BOUNDS: Bounds =
    Bounds { depth: json::DEPTH_AT_MOST, text_characters: json::TEXT_CHARACTERS_AT_MOST, names: usize::MAX };

/// Which fields of a record go into which columns, and in which form.
#[derive(Debug)]
pub struct Layout {
    schema: SchemaRef,
    columns: HashMap<String, usize>,
    kept: Vec<Kept>,
}

/// A decoded page.
#[derive(Debug)]
pub struct Page {
    /// The records, in the columns of [`object_schema`].
    pub rows: RecordBatch,
    /// The GSID of the last one.
    pub last: Option<String>,
}

impl Layout {
    /// The columns of these fields.
    #[must_use]
    pub fn new(fields: &[Field]) -> Self {
        let mut columns = HashMap::new();
        for (at, field) in fields.iter().enumerate() {
            if let Entry::Vacant(free) = columns.entry(field.name.clone()) {
                free.insert(at);
            }
        }
        Self { schema: object_schema(fields), columns, kept: fields.iter().map(Kept::new).collect() }
    }
}

/// Decodes a page.
///
/// # Errors
/// If it is not an envelope that says `result: true`, with a list of records of these fields.
pub fn decode(bytes: &[u8], layout: &Layout) -> Result<Page, String> {
    if layout.columns.len() < layout.kept.len() {
        return Err("a field is asked for twice".to_owned());
    }
    let mut records = Records::new(layout);
    envelope(&mut Scan::new(bytes, BOUNDS), &mut records).map_err(|fault| layout.said(bytes, fault))?;
    let last = serde_json::from_slice::<Value>(&bytes[records.last.0..records.last.1]);
    let last = last.ok().and_then(|record| record.get("Gsid").and_then(Value::as_str).map(str::to_owned));
    let arrays = records.columns.into_iter().zip(layout.schema.fields());
    let arrays = arrays.map(|(column, field)| column.finish(field.data_type())).collect::<Result<Vec<_>, _>>();
    let rows = arrays.and_then(|arrays| RecordBatch::try_new(Arc::clone(&layout.schema), arrays));
    Ok(Page { rows: rows.map_err(|error| error.to_string())?, last })
}

impl Layout {
    fn said(&self, bytes: &[u8], fault: Fault) -> String {
        let (line, column) = place(bytes, fault.at);
        let said = match fault.kind {
            Kind::Column(at, what) => format!("a value of {} is no {what}", self.schema.field(at).name()),
            Kind::Not(what) => format!("something else, expected {what}"),
            Kind::Malformed(what) => format!("it has {what}"),
            Kind::Depth | Kind::Length | Kind::Names => "it is larger than it may be".to_owned(),
        };
        format!("{said} at line {line} column {column}")
    }
}

/// Names of the envelope that count, each of which comes once.
const NAMES: [&[u8]; 6] = [b"result", b"data", b"errorCode", b"errorDesc", b"requestId", b"title"];

fn envelope(scan: &mut Scan<'_>, records: &mut Records<'_>) -> Result<(), Fault> {
    let mut seen = [false; NAMES.len()];
    let mut has_list = false;
    scan.enter(b'{', "an envelope")?;
    let mut goes_on = scan.begins(b'}');
    while goes_on {
        let name = scan.name()?.said();
        scan.blank();
        match NAMES.iter().position(|known| *known == &*name) {
            Some(at) if take(&mut seen[at]) => return Err(scan.malformed("a name twice")),
            Some(at) => {
                seen[at] = true;
                match at {
                    0 => scan.word(b"true")?,
                    1 => has_list = data(scan, records)?,
                    _ if scan.byte() == b'n' => scan.word(b"null")?,
                    _ => drop(scan.string("a string")?),
                }
            }
            None => scan.skip()?,
        }
        goes_on = scan.goes_on(b'}')?;
    }
    if !seen[0] || !has_list {
        return Err(scan.malformed("no list of records"));
    }
    scan.end()
}

/// The records are the data, or a list in it. Whether there is one.
fn data(scan: &mut Scan<'_>, records: &mut Records<'_>) -> Result<bool, Fault> {
    if scan.byte() == b'[' {
        row::read(scan, records)?;
        return Ok(true);
    }
    let mut has_list = false;
    scan.enter(b'{', "a list of records")?;
    let mut goes_on = scan.begins(b'}');
    while goes_on {
        match &*scan.name()?.said() {
            b"records" if has_list => return Err(scan.malformed("two lists of records")),
            b"records" => {
                row::read(scan, records)?;
                has_list = true;
            }
            _ => scan.skip()?,
        }
        goes_on = scan.goes_on(b'}')?;
    }
    Ok(has_list)
}

/// The records that are read so far.
struct Records<'l> {
    layout: &'l Layout,
    columns: Vec<Column>,
    rows: usize,
    /// Columns of the record under way that have their value.
    filled: usize,
    /// Where the last one begins and ends.
    last: (usize, usize),
}

impl<'l> Records<'l> {
    fn new(layout: &'l Layout) -> Self {
        let columns = layout.schema.fields().iter().map(|field| Column::new(field.data_type())).collect();
        Self { layout, columns, rows: 0, filled: 0, last: (0, 0) }
    }
}

impl Rows for Records<'_> {
    fn slot(&self, name: &str) -> Option<usize> {
        self.layout.columns.get(name).copied()
    }

    #[inline]
    fn take(&mut self, slot: usize, scan: &mut Scan<'_>) -> Result<(), Fault> {
        let column = &mut self.columns[slot];
        // Which of the two counts is for the reader of everything to say.
        if column.len() > self.rows {
            return Err(scan.malformed("a name twice in one record"));
        }
        self.filled += 1;
        self.layout.kept[slot].take(column, slot, scan)
    }

    fn end(&mut self, start: usize, scan: &Scan<'_>) -> Result<(), Fault> {
        self.last = (start, scan.at());
        self.rows += 1;
        if take(&mut self.filled) < self.columns.len() {
            let missing = self.columns.iter_mut().filter(|column| column.len() < self.rows);
            missing.for_each(Column::null);
        }
        Ok(())
    }

    fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.reserve(rows));
    }
}
