//! Rows of a file → batches of the wanted columns.
//!
//! In: the texts of a row, by their places. Out: batches. A row with a value that cannot be read has that as its reason, and no value in
//! its place.

use std::mem::replace;

use arrow::record_batch::RecordBatch;

use super::cell::{self, truth};
use super::error::Error;
use super::shape::{Shape, Slot};
use crate::decode::column::Column;
use crate::decode::written::whole;

/// Rows of a batch at the most.
const ROWS: usize = 8_192;
/// Bytes of a batch, about, at the most: its texts have to fit into a column.
const BYTES: usize = 64 << 20;

/// Batches under construction.
pub(super) struct Building {
    shape: Shape,
    file: String,
    /// For each column the place of its text in a row.
    places: Vec<Option<usize>>,
    /// The column that names a row.
    id: Option<usize>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
    /// Rows of the file so far.
    pub(super) row: u64,
    done: Vec<RecordBatch>,
}

impl Building {
    pub(super) fn new(shape: Shape, file: &str, places: Vec<Option<usize>>) -> Self {
        let columns = empty(&shape);
        let id = shape.schema.index_of(&shape.id).ok().filter(|id| shape.slots[*id] != Slot::Place);
        Self { shape, file: file.to_owned(), places, id, columns, rows: 0, bytes: 0, row: 0, done: Vec::new() }
    }

    /// Takes the next row in. `wrong` says that it cannot be read at all.
    #[inline]
    pub(super) fn add<'t>(
        &mut self,
        text: impl Fn(usize) -> Option<&'t [u8]>,
        wrong: Option<String>,
    ) -> Result<(), Error> {
        self.row += 1;
        let is_wrong = wrong.is_some();
        let mut unread = wrong.map(|what| (what, String::new()));
        for (at, slot) in self.shape.slots.iter().enumerate() {
            let column = &mut self.columns[at];
            let found = self.places[at].and_then(&text).unwrap_or_default();
            self.bytes += found.len();
            let is_taken = match (slot, &mut *column) {
                // A row without a name is called by its place.
                (Slot::Value(_), Column::Texts(texts)) if found.is_empty() && self.id == Some(at) => {
                    if self.shape.needs_names {
                        return Err(Error::Unnamed {
                            id: self.shape.id.clone(),
                            file: self.file.clone(),
                            row: self.row,
                        });
                    }
                    unread = unread.or_else(|| Some((format!("the row has no \"{}\"", self.shape.id), String::new())));
                    texts.add(format!("{}:{}", self.file, self.row).as_bytes())
                }
                (Slot::Value(field), column) => cell::take(column, field.kind, found),
                (Slot::TypeOf(_), Column::Texts(texts)) if !found.is_empty() => texts.add(found),
                (Slot::TypeOf(_), column) => {
                    column.null();
                    true
                }
                (Slot::Place, Column::Texts(texts)) => texts.add(format!("{}:{}", self.file, self.row).as_bytes()),
                (Slot::Gone, Column::Booleans(gone)) => match truth(found) {
                    // What cannot be read is told of, and never taken for a deletion.
                    Some(is_gone) => {
                        gone.push(is_gone && unread.is_none());
                        true
                    }
                    None => {
                        gone.push(false);
                        found.is_empty()
                    }
                },
                // A row of which nobody knows how new it is stands before all others, so that it is told of.
                (Slot::Version, Column::Wholes(versions)) => {
                    let version = whole(found).filter(|_| !is_wrong);
                    versions.push(version.unwrap_or(i64::MAX));
                    version.is_some() || is_wrong
                }
                // What is wrong is known behind the last column.
                _ => true,
            };
            if is_taken {
                continue;
            }
            if column.len() == self.rows {
                column.null();
            }
            unread = unread.or_else(|| Some(no_value(slot, found)));
        }
        self.end(unread)
    }

    /// Ends the row: what is wrong with it is told.
    fn end(&mut self, unread: Option<(String, String)>) -> Result<(), Error> {
        let place = format!("({}, row {})", self.file, self.row);
        if let (Some((what, _)), false) = (&unread, self.shape.has_unread()) {
            // Not the value: the message of a run is read by many.
            return Err(Error::Unread(format!("{what} {place}")));
        }
        let told = unread.map(|(what, shown)| format!("{what}{shown} {place}"));
        for (slot, column) in self.shape.slots.iter().zip(&mut self.columns) {
            if let (Slot::Unread, Column::Texts(texts)) = (slot, column) {
                match &told {
                    Some(told) => _ = texts.add(told.as_bytes()),
                    None => texts.null(),
                }
            }
        }
        self.rows += 1;
        if self.rows >= ROWS || self.bytes >= BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// The batches that are done; with `is_last` all of them.
    pub(super) fn take(&mut self, is_last: bool) -> Result<Vec<RecordBatch>, Error> {
        if is_last && self.rows > 0 {
            self.flush()?;
        }
        Ok(std::mem::take(&mut self.done))
    }

    fn flush(&mut self) -> Result<(), Error> {
        let columns = replace(&mut self.columns, empty(&self.shape));
        (self.rows, self.bytes) = (0, 0);
        let arrays = columns.into_iter().zip(self.shape.schema.fields()).map(|(c, f)| c.finish(f.data_type()));
        let batch = arrays.collect::<Result<Vec<_>, _>>();
        let batch = batch.and_then(|arrays| RecordBatch::try_new(self.shape.schema.clone(), arrays));
        self.done.push(batch.map_err(|e| malformed(&self.file, format!("before row {}", self.row), &e))?);
        Ok(())
    }
}

pub(super) fn malformed(file: &str, place: String, detail: &dyn std::fmt::Display) -> Error {
    Error::Malformed { file: file.to_owned(), place, detail: detail.to_string() }
}

fn empty(shape: &Shape) -> Vec<Column> {
    shape.schema.fields().iter().map(|field| Column::new(field.data_type())).collect()
}

/// A value that is none of its kind, in words, and its beginning.
fn no_value(slot: &Slot, found: &[u8]) -> (String, String) {
    let shown: String = String::from_utf8_lossy(found).chars().take(60).collect();
    let what = match slot {
        Slot::Value(field) => format!("\"{}\" is not {}", field.name, field.kind.word()),
        Slot::Version => "the row says no version".to_owned(),
        Slot::Gone => "the row cannot be aligned with its columns, by its last value".to_owned(),
        _ => "a value cannot be read".to_owned(),
    };
    (what, format!(": {shown}"))
}
