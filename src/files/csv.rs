//! CSV → rows: bytes are brought to UTF-8, cut into records, and their fields into columns.
//!
//! In: pieces of a file as they come. Out: batches. Strict about quotes and encodings, as one that is guessed wrong is found out by nobody;
//! a record with more or fewer fields than there are columns cannot be read, and is told of as a row.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use super::assumptions::RECORD_BYTES_AT_MOST;
use super::building::{Building, malformed};
use super::error::Error;
use super::shape::{Shape, Slot};
use crate::decode::csv::{Record, Step};
use crate::model::files::CsvForm;

/// How the fields of a record stand for columns.
#[derive(Debug, Clone)]
pub(super) enum Fields {
    /// The first record names them.
    Header,
    /// They are these.
    Named(Arc<[String]>),
    /// They are these of an export, which appends columns at the end: records of before are shorter, and end with whether they are
    /// deleted.
    Exported(Arc<[String]>),
}

/// What an export calls the field that says whether a row is deleted, in small letters: documents once wrote `isDeleted`.
pub(super) const DELETED: [&str; 2] = ["isdelete", "isdeleted"];

/// A file being read.
pub(super) struct Csv {
    file: String,
    form: CsvForm,
    decoding: Option<Decoder>,
    window: Vec<u8>,
    record: Record,
    shape: Shape,
    fields: Fields,
    width: usize,
    deleted: usize,
    building: Option<Building>,
}

impl Csv {
    pub(super) fn new(file: &str, form: &CsvForm, fields: Fields, shape: Shape) -> Result<Self, Error> {
        let encoding = form.encoding.as_ref().and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8);
        let mut made = Self {
            file: file.to_owned(),
            form: form.clone(),
            decoding: Some(encoding.new_decoder()),
            window: Vec::new(),
            record: Record::default(),
            shape,
            fields: fields.clone(),
            width: 0,
            deleted: usize::MAX,
            building: None,
        };
        if let Fields::Named(names) | Fields::Exported(names) = &fields {
            made.begin(names)?;
        }
        Ok(made)
    }

    /// Takes the next bytes in; gives the batches that are whole.
    pub(super) fn feed(&mut self, bytes: &[u8], is_last: bool) -> Result<Vec<RecordBatch>, Error> {
        self.decode(bytes, is_last)?;
        let window = std::mem::take(&mut self.window);
        let mut at = 0;
        loop {
            let step = self.record.read(&window[at..], self.form.delimiter, is_last);
            let step = step.map_err(|flaw| malformed(&self.file, format!("row {}", self.rows() + 1), &flaw))?;
            match step {
                Step::Record(length) => {
                    at += length;
                    self.take()?;
                }
                Step::End(length) => {
                    at += length;
                    break;
                }
                Step::More => break,
            }
        }
        self.window = window;
        self.window.drain(..at);
        if self.window.len() > RECORD_BYTES_AT_MOST {
            let detail = format!("it is longer than {RECORD_BYTES_AT_MOST} bytes; a quote may be missing");
            return Err(malformed(&self.file, format!("row {}", self.rows() + 1), &detail));
        }
        self.building.as_mut().map_or_else(|| Ok(Vec::new()), |building| building.take(is_last))
    }

    /// The columns that the file has, once its first bytes were taken in.
    pub(super) fn named(&self) -> &[String] {
        match &self.fields {
            Fields::Header => &[],
            Fields::Named(names) | Fields::Exported(names) => names,
        }
    }

    fn rows(&self) -> u64 {
        self.building.as_ref().map_or(0, |building| building.row)
    }

    fn decode(&mut self, bytes: &[u8], is_last: bool) -> Result<(), Error> {
        let (Some(decoder), mut bytes) = (&mut self.decoding, bytes) else { return Ok(()) };
        loop {
            let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 3);
            let start = self.window.len();
            self.window.resize(start + room, 0);
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(bytes, &mut self.window[start..], is_last);
            self.window.truncate(start + written);
            bytes = &bytes[read..];
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let name = decoder.encoding().name();
                    let detail =
                        format!("its bytes are not {name}; say FORMAT CSV (encoding = 'windows-1252') or what it is");
                    let row = self.building.as_ref().map_or(0, |building| building.row);
                    return Err(malformed(&self.file, format!("behind row {row}"), &detail));
                }
            }
        }
    }

    fn begin(&mut self, names: &[String]) -> Result<(), Error> {
        let is = |name: &str, known: &str| name.eq_ignore_ascii_case(known);
        let of =
            |wanted: &str| names.iter().position(|n| n == wanted).or_else(|| names.iter().position(|n| is(n, wanted)));
        let is_export = matches!(self.fields, Fields::Exported(_));
        if is_export {
            self.deleted = names.iter().position(|n| DELETED.iter().any(|d| is(n, d))).unwrap_or(usize::MAX);
        }
        let mut places = Vec::new();
        for slot in &self.shape.slots {
            let place = match slot {
                // The key of a table is what an export calls Id: of a deleted row it is all there is.
                Slot::Value(field) if is_export && field.name == self.shape.id => of("Id").or_else(|| of(&field.name)),
                Slot::Value(field) => of(&field.name),
                Slot::TypeOf(base) => of(&format!("{base}_entitytype")),
                Slot::Version => of("versionnumber"),
                Slot::Gone => Some(self.deleted).filter(|at| *at != usize::MAX),
                Slot::Place | Slot::Unread => None,
            };
            // An older folder of an export may have fewer columns; anything else lacks what a job names.
            if let (None, Slot::Value(field), false) = (place, slot, is_export) {
                // What stands in the place of a header may be a row.
                let detail = format!("none of its {} columns is called \"{}\"", names.len(), field.name);
                return Err(malformed(&self.file, "header".to_owned(), &detail));
            }
            places.push(place);
        }
        self.width = names.len();
        self.building = Some(Building::new(self.shape.clone(), &self.file, places));
        Ok(())
    }

    /// Takes the record that was read.
    fn take(&mut self) -> Result<(), Error> {
        if let Fields::Header = self.fields {
            let names: Arc<[String]> =
                (0..self.record.len()).map(|at| text(self.record.field(at)).trim().to_owned()).collect();
            self.fields = Fields::Named(Arc::clone(&names));
            return self.begin(&names);
        }
        let Some(building) = &mut self.building else { return Ok(()) };
        let (record, width, deleted, count) = (&self.record, self.width, self.deleted, self.record.len());
        let null = self.form.null.as_deref().map(str::as_bytes);
        let value = move |at: usize| record.field(at).filter(|text| null != Some(*text));
        if count == width {
            return building.add(value, None);
        }
        if count < width && matches!(self.fields, Fields::Exported(_)) {
            // Its last value is the one that was last when it was written.
            let last = count - 1;
            let is_before = last < deleted && deleted != usize::MAX;
            return building.add(
                move |at| match at {
                    _ if at == deleted && is_before => record.field(last),
                    _ if at >= last && is_before => None,
                    _ => record.field(at),
                },
                None,
            );
        }
        building.add(value, Some(format!("the row has {count} values, and the table {width} columns")))
    }
}

fn text(field: Option<&[u8]>) -> String {
    String::from_utf8_lossy(field.unwrap_or_default()).into_owned()
}
