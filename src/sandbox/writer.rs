//! Somebody else who changes the source while a client reads it page by page.
//!
//! It knows no rows: what it changes goes the way of every change by a test. In: what a test wants changed after a page.
//! Out: those changes.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

/// One change of the source.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A row of a table is made, or gets these values.
    Put(String, Map<String, Value>),
    /// The row of a table with that key is deleted.
    Delete(String, String),
    /// Of a table, the second row is merged into the first.
    Merge(String, String, String),
}

/// What a test wants changed after a page of a table.
pub(in crate::sandbox) type Writing = dyn FnMut(&str) -> Vec<Change> + Send;

/// The one writer that a sandbox may have.
#[derive(Default)]
pub(in crate::sandbox) struct Writer(Mutex<Option<Box<Writing>>>);

impl Writer {
    pub(in crate::sandbox) fn set(&self, writing: Box<Writing>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(writing);
    }

    /// What to change now that a page of the table was read and another follows.
    pub(in crate::sandbox) fn after_page(&self, table: &str) -> Vec<Change> {
        let mut writing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writing.as_mut().map(|writing| writing(table)).unwrap_or_default()
    }
}
