//! JSON → rows: objects one after the other, with or without a list around them.
//!
//! In: pieces of a file as they come. Out: batches. What is no object ends the reading; of a name that comes twice in an object the last
//! value counts.

use std::collections::HashMap;

use arrow::record_batch::RecordBatch;
use serde_json::value::RawValue;

use super::assumptions::RECORD_BYTES_AT_MOST;
use super::building::{Building, malformed};
use super::error::Error;
use super::shape::{Shape, Slot};
use crate::http::json::without_value;

/// An object's values by their names, as they are written.
pub(super) type Object<'a> = HashMap<String, &'a RawValue>;

/// A file being read.
pub(super) struct Json {
    file: String,
    /// The names of the wanted columns; empty for those that are ours.
    names: Vec<String>,
    window: Vec<u8>,
    /// Whether the objects stand in a list, once that is known.
    is_list: Option<bool>,
    is_closed: bool,
    building: Building,
}

impl Json {
    pub(super) fn new(file: &str, shape: Shape) -> Self {
        let name = |slot: &Slot| if let Slot::Value(field) = slot { field.name.clone() } else { String::new() };
        let names: Vec<String> = shape.slots.iter().map(name).collect();
        let places = names.iter().enumerate().map(|(at, name)| (!name.is_empty()).then_some(at)).collect();
        let building = Building::new(shape, file, places);
        Self { file: file.to_owned(), names, window: Vec::new(), is_list: None, is_closed: false, building }
    }

    /// Takes the next bytes in; gives the batches that are whole.
    pub(super) fn feed(&mut self, bytes: &[u8], is_last: bool) -> Result<Vec<RecordBatch>, Error> {
        self.window.extend_from_slice(bytes);
        let window = std::mem::take(&mut self.window);
        let mut at = 0;
        while let Some((start, end)) = object(&window[at..]).map_err(|what| self.wrong(&what))? {
            self.between(&window[at..at + start]);
            self.take(&window[at + start..at + end])?;
            at += end;
        }
        let rest = &window[at..];
        if rest.len() > RECORD_BYTES_AT_MOST {
            return Err(self.wrong(&format!("it is longer than {RECORD_BYTES_AT_MOST} bytes")));
        }
        if is_last {
            self.between(rest);
            let is_cut = self.is_list == Some(true) && !self.is_closed;
            if is_cut || rest.iter().any(|byte| !is_between(*byte)) {
                return Err(self.wrong(&"the file ends inside an object or a list: it is not whole"));
            }
        } else {
            self.window = rest.to_vec();
        }
        self.building.take(is_last)
    }

    fn take(&mut self, written: &[u8]) -> Result<(), Error> {
        let values: Object<'_> = serde_json::from_slice(written).map_err(|error| self.wrong(&without_value(&error)))?;
        let value = |name: &String| {
            let by_case = || values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, raw)| raw);
            values.get(name).or_else(by_case).copied()
        };
        let mut wrong = None;
        let texts = self.names.iter().map(|name| match Some(name).filter(|name| !name.is_empty()).and_then(value) {
            None => None,
            Some(raw) => text(raw).unwrap_or_else(|_| {
                wrong = Some(format!("\"{name}\" is no text that can be written"));
                None
            }),
        });
        let texts: Vec<Option<String>> = texts.collect();
        self.building.add(|at| texts[at].as_deref().map(str::as_bytes), wrong)
    }

    /// Takes note of what stands before and behind objects: the brackets of a list.
    fn between(&mut self, bytes: &[u8]) {
        let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0xEF | 0xBB | 0xBF);
        let first = bytes.iter().find(|byte| !is_blank(byte));
        if self.is_list.is_none() && (first.is_some() || self.building.row == 0) {
            self.is_list = Some(first == Some(&b'['));
        }
        self.is_closed |= bytes.contains(&b']');
    }

    fn wrong(&self, detail: &dyn std::fmt::Display) -> Error {
        malformed(&self.file, format!("row {}", self.building.row + 1), detail)
    }
}

/// A value as text, none for null. Half a character, which a text in JSON may name, is an error.
fn text(raw: &RawValue) -> Result<Option<String>, serde_json::Error> {
    let written = raw.get();
    match written.as_bytes().first() {
        Some(b'"') => serde_json::from_str(written).map(Some),
        Some(b'n') => Ok(None),
        _ => Ok(Some(written.to_owned())),
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
