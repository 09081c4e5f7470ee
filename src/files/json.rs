//! JSON → rows: objects one after the other, with or without a list around them.
//!
//! In: pieces of a file as they come. Out: batches. A name that comes twice in an object, and what is no object, is refused with its row.

use std::collections::HashMap;

use arrow::record_batch::RecordBatch;
use serde_json::value::RawValue;

use super::assumptions::RECORD_BYTES_AT_MOST;
use super::building::{Building, malformed};
use super::error::Error;
use super::shape::{Shape, Slot};

/// An object's values by their names, as they are written.
pub(super) type Object<'a> = HashMap<String, &'a RawValue>;

/// A file being read.
pub(super) struct Json {
    file: String,
    /// The names of the wanted columns.
    names: Vec<String>,
    window: Vec<u8>,
    building: Building,
}

impl Json {
    pub(super) fn new(file: &str, shape: Shape) -> Self {
        let names: Vec<String> = shape
            .slots
            .iter()
            .map(|slot| if let Slot::Value(field) = slot { field.name.clone() } else { String::new() })
            .collect();
        let places = names.iter().enumerate().map(|(at, name)| (!name.is_empty()).then_some(at)).collect();
        Self { file: file.to_owned(), names, window: Vec::new(), building: Building::new(shape, file, places) }
    }

    /// Takes the next bytes in; gives the batches that are whole.
    pub(super) fn feed(&mut self, bytes: &[u8], is_last: bool) -> Result<Vec<RecordBatch>, Error> {
        self.window.extend_from_slice(bytes);
        let window = std::mem::take(&mut self.window);
        let mut at = 0;
        while let Some((start, end)) = object(&window[at..]).map_err(|what| self.wrong(&what))? {
            self.take(&window[at + start..at + end])?;
            at += end;
        }
        self.window = window;
        self.window.drain(..at);
        if self.window.len() > RECORD_BYTES_AT_MOST {
            return Err(self.wrong(&format!("it is longer than {RECORD_BYTES_AT_MOST} bytes")));
        }
        if is_last && self.window.iter().any(|byte| !is_between(*byte)) {
            return Err(self.wrong(&"the file ends inside an object: it is not whole"));
        }
        self.building.take(is_last)
    }

    fn take(&mut self, written: &[u8]) -> Result<(), Error> {
        let values: Object<'_> =
            serde_json::from_slice(written).map_err(|e| self.wrong(&crate::http::json::without_value(&e)))?;
        let texts: Vec<Option<String>> =
            self.names.iter().map(|name| values.get(name).and_then(|raw| shown(raw))).collect();
        self.building.add(|at| texts[at].as_deref().map(str::as_bytes), None)
    }

    fn wrong(&self, detail: &dyn std::fmt::Display) -> Error {
        malformed(&self.file, format!("row {}", self.building.row + 1), detail)
    }
}

/// A value as text; none for null.
pub(super) fn shown(raw: &RawValue) -> Option<String> {
    let written = raw.get();
    match written.as_bytes().first() {
        Some(b'"') => serde_json::from_str(written).ok(),
        Some(b'n') => None,
        _ => Some(written.to_owned()),
    }
}

/// What may stand between two objects, and around all of them.
fn is_between(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' | 0xEF | 0xBB | 0xBF)
}

/// Where the next object begins and ends; none if it is not whole.
pub(super) fn object(window: &[u8]) -> Result<Option<(usize, usize)>, String> {
    let Some(start) = window.iter().position(|byte| !is_between(*byte)) else { return Ok(None) };
    if window[start] != b'{' {
        return Err("it is no object".to_owned());
    }
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in window.iter().enumerate().skip(start) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(Some((start, at + 1)));
                }
            }
            _ => {}
        }
    }
    Ok(None)
}
