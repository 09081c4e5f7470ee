//! One page of JSON → one Arrow batch, touching only the wanted columns.
//!
//! In: the bytes of an answer. Out: a batch and the link to the next page, or what is wrong. A number is read
//! from its own digits, never through a float, so that a decimal keeps them all.

use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use serde::de::IgnoredAny;

use super::cell;
use super::odata::Query;
use super::pages::schema_of;
use crate::decode::column::Column;
use crate::decode::row::{self, Rows};
use crate::decode::scan::Scan;
use crate::decode::{Bounds, Fault, Kind, place};
use crate::http::json;
use crate::model::dataset::ROW;
use crate::model::field::FieldKind;

/// Names in one row at the most: 1,024 columns, each with three annotations.
const NAMES_AT_MOST: usize = 4_096;

/// What no page goes beyond.
const BOUNDS: Bounds =
    Bounds { depth: json::DEPTH_AT_MOST, text_characters: json::TEXT_CHARACTERS_AT_MOST, names: NAMES_AT_MOST };

/// How the context of a row ends that stands for one that is gone.
const GONE: &[u8] = b"/$deletedEntity";

/// Which property goes into which column.
#[derive(Debug)]
pub struct Layout {
    schema: SchemaRef,
    /// For each property of a row: the column's position in the schema.
    columns: HashMap<String, usize>,
    /// Whether the values of a column are ids, which have no case.
    is_id: Vec<bool>,
    /// The column that has the numbers of rows.
    numbers: Option<usize>,
}

/// What is wrong with an answer of success, in words that follow the name of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It is not what it should be; the next one may be.
    Unreadable(String),
    /// It is larger than it may be, and would be so again.
    Excess(String),
}

/// A decoded page.
#[derive(Debug)]
pub struct Decoded {
    /// Its rows, in the columns of the layout.
    pub rows: RecordBatch,
    /// The link to the next page, as it stands there.
    pub next: Option<String>,
    /// The link to what changes from then on.
    pub changes: Option<String>,
    /// The keys of rows that are gone.
    pub gone: Vec<String>,
}

impl Layout {
    /// The columns of [`schema_of`] the query; its URL is no matter, so that one can be made up from fields alone.
    #[must_use]
    pub fn new(query: &Query) -> Self {
        let schema = schema_of(query);
        let mut columns = HashMap::new();
        let mut is_id = vec![false; schema.fields().len()];
        if let Ok(at) = schema.index_of(&query.table.primary_id) {
            columns.insert(query.table.primary_id.clone(), at);
            is_id[at] = true;
        }
        for field in &query.fields {
            let Ok(at) = schema.index_of(&field.name) else { continue };
            columns.insert(field.property(), at);
            is_id[at] |= matches!(field.kind, FieldKind::Guid | FieldKind::Reference);
            if field.is_polymorphic() {
                columns.insert(format!("{}@Microsoft.Dynamics.CRM.lookuplogicalname", field.property()), at + 1);
            }
        }
        let numbers = schema.index_of(ROW).ok();
        Self { schema, columns, is_id, numbers }
    }

    /// The property that goes into a column.
    fn property(&self, at: usize) -> &str {
        self.columns.iter().find(|(_, column)| **column == at).map_or("a value", |(property, _)| property)
    }

    /// The columns of every page.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// Decodes a page. `rows_before` is how many rows came in the pages before: numbers go on from there.
///
/// # Errors
/// If it is beyond the bounds, or not a page of these columns.
pub fn decode(bytes: &[u8], layout: &Layout, rows_before: i64) -> Result<Decoded, Flaw> {
    let mut page = Page::new(layout);
    let (next, changes) = page.read(bytes).map_err(|fault| page.flaw(bytes, fault, rows_before))?;
    let gone = take(&mut page.gone);
    let rows = page.finish(rows_before).map_err(|error| Flaw::Unreadable(error.to_string()))?;
    Ok(Decoded { rows, next, changes, gone })
}

/// A page that is being read: its columns, and what is known of the row under way.
struct Page<'l> {
    layout: &'l Layout,
    columns: Vec<Column>,
    rows: usize,
    gone: Vec<String>,
    /// Columns of the row that have their value.
    filled: usize,
    is_gone: bool,
    id: Option<String>,
}

impl<'l> Page<'l> {
    fn new(layout: &'l Layout) -> Self {
        let columns = layout.schema.fields().iter().map(|field| Column::new(field.data_type())).collect();
        Self { layout, columns, rows: 0, gone: Vec::new(), filled: 0, is_gone: false, id: None }
    }

    /// Reads it all; gives the links to the next page and to what changes.
    fn read(&mut self, bytes: &[u8]) -> Result<(Option<String>, Option<String>), Fault> {
        let mut scan = Scan::new(bytes, BOUNDS);
        let (mut next, mut changes, mut has_rows) = (None, None, false);
        scan.enter(b'{', "an object with the rows of a page")?;
        let mut goes_on = scan.begins(b'}');
        while goes_on {
            match &*scan.name()?.said() {
                // Of two lists nobody knows which one is meant.
                b"value" if has_rows => return Err(scan.malformed("two lists of rows")),
                b"value" => {
                    has_rows = true;
                    row::read(&mut scan, self)?;
                }
                b"@odata.nextLink" => next = Some(link(&mut scan)?),
                b"@odata.deltaLink" => changes = Some(link(&mut scan)?),
                _ => scan.skip()?,
            }
            goes_on = scan.goes_on(b'}')?;
        }
        if !has_rows {
            return Err(scan.malformed("no list of rows"));
        }
        scan.end()?;
        Ok((next, changes))
    }

    fn finish(self, rows_before: i64) -> Result<RecordBatch, arrow::error::ArrowError> {
        let layout = self.layout;
        let rows = i64::try_from(self.rows).unwrap_or(i64::MAX);
        let finished = self.columns.into_iter().enumerate().map(|(at, mut column)| {
            let kind = layout.schema.field(at).data_type();
            if layout.numbers == Some(at) {
                let numbers = rows_before.saturating_add(1)..=rows_before.saturating_add(rows);
                return Ok(Arc::new(Int64Array::from_iter_values(numbers)) as ArrayRef);
            }
            if let (true, Column::Texts(texts)) = (layout.is_id[at], &mut column) {
                texts.make_ascii_lowercase();
            }
            column.finish(kind)
        });
        let arrays = finished.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(Arc::clone(&layout.schema), arrays)
    }

    /// A fault in words, without any value.
    fn flaw(&self, bytes: &[u8], fault: Fault, rows_before: i64) -> Flaw {
        if let Err(excess) = json::bounded(bytes) {
            return Flaw::Excess(excess);
        }
        let (line, column) = place(bytes, fault.at);
        let number = rows_before.saturating_add(i64::try_from(self.rows).unwrap_or(i64::MAX)).saturating_add(1);
        let said = match fault.kind {
            Kind::Names => return Flaw::Excess(format!("row {number} has more than {NAMES_AT_MOST} names")),
            Kind::Column(at, what) => format!("{} of row {number} is not {what}", self.layout.property(at)),
            Kind::Not(what) => format!("something else, expected {what}"),
            // What no reader takes for JSON is told in the words of its usual one.
            Kind::Malformed(what) => match serde_json::from_slice::<IgnoredAny>(bytes) {
                Err(error) => return Flaw::Unreadable(json::without_value(&error)),
                Ok(_) => format!("it has {what}"),
            },
            Kind::Depth | Kind::Length => "it is larger than it may be".to_owned(),
        };
        Flaw::Unreadable(format!("{said} at line {line} column {column}"))
    }
}

impl Rows for Page<'_> {
    fn slot(&self, name: &str) -> Option<usize> {
        let columns = self.columns.len();
        match name {
            _ if self.layout.columns.contains_key(name) => self.layout.columns.get(name).copied(),
            "@odata.context" => Some(columns),
            "id" => Some(columns + 1),
            _ => None,
        }
    }

    #[inline]
    fn take(&mut self, slot: usize, scan: &mut Scan<'_>) -> Result<(), Fault> {
        let columns = self.columns.len();
        match self.columns.get_mut(slot) {
            // Of a name that comes twice the first stands.
            Some(column) if column.len() > self.rows => scan.skip(),
            Some(column) => {
                self.filled += 1;
                cell::take(column, slot, scan)
            }
            None if slot == columns => {
                self.is_gone = scan.string("a string")?.said().ends_with(GONE);
                Ok(())
            }
            None => {
                let is_text = scan.byte() == b'"';
                let id = scan.scalar()?;
                self.id = is_text.then(|| String::from_utf8_lossy(&id).to_ascii_lowercase());
                Ok(())
            }
        }
    }

    fn end(&mut self, _: usize, scan: &Scan<'_>) -> Result<(), Fault> {
        let (filled, is_gone, id) = (take(&mut self.filled), take(&mut self.is_gone), self.id.take());
        if is_gone {
            let id = id.filter(|_| filled == 0);
            self.gone.push(id.ok_or_else(|| scan.malformed("a row that is gone without an id"))?);
            return Ok(());
        }
        self.rows += 1;
        if filled + usize::from(self.layout.numbers.is_some()) < self.columns.len() {
            let missing = self.columns.iter_mut().filter(|column| column.len() < self.rows);
            missing.for_each(Column::null);
        }
        Ok(())
    }

    fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|column| column.reserve(rows));
    }
}

fn link(scan: &mut Scan<'_>) -> Result<String, Fault> {
    Ok(scan.string("a string")?.into_string())
}
