//! The error file: one line of CSV for each row that was not written, with its reason and its source columns.
//!
//! A cell that a spreadsheet would execute gets a `'` in front; cells of numbers are left alone.
//! <https://owasp.org/www-community/attacks/CSV_Injection>

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::durable;
use super::error::{Error, Result, disk};
use crate::model::dataset::{ROW, UNREAD};
use crate::model::sabotage::{self, Bug};

/// The name of the error file in the folder of its run.
pub(super) const ERROR_FILE: &str = "errors.csv";

/// The columns in front of the source's own.
pub const HEADER: [&str; 12] = [
    "run",
    "job",
    "row",
    "source_key",
    "outcome",
    "code",
    "message",
    "script",
    "clause",
    "target_field",
    "value",
    "attempts",
];

/// What a source column is called: files may have one that is called like one of ours.
fn heading(name: &str) -> String {
    if HEADER.contains(&name) { format!("source.{name}") } else { name.to_owned() }
}

/// One line, without the source columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The row's number in the run.
    pub row: i64,
    /// The source row's primary key.
    pub source_key: String,
    /// `rejected` or `error`.
    pub outcome: &'static str,
    /// The stable code.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
    /// `file:line` of the clause that decided.
    pub script: String,
    /// The clause's words.
    pub clause: String,
    /// The label of the target field concerned.
    pub target_field: String,
    /// The value concerned.
    pub value: String,
    /// How often the record was sent.
    pub attempts: u32,
}

/// An error file being written; it is begun with its first line, under a temporary name.
pub struct ErrorFile {
    path: PathBuf,
    run: String,
    job: String,
    writer: Option<csv::Writer<File>>,
    /// Lines written so far.
    pub lines: u64,
}

impl ErrorFile {
    /// The error file of a run, in its folder.
    #[must_use]
    pub fn new(folder: &Path, run: &str, job: &str) -> Self {
        Self { path: folder.join(ERROR_FILE), run: run.to_owned(), job: job.to_owned(), writer: None, lines: 0 }
    }

    /// Writes one line, with the columns of its source row.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn add(&mut self, line: &Line, source: &RecordBatch, at: usize) -> Result<()> {
        let schema = source.schema();
        let columns =
            || schema.fields().iter().enumerate().filter(|(_, f)| ![ROW, UNREAD].contains(&f.name().as_str()));
        let mut cells = vec![
            safe(&self.run),
            safe(&self.job),
            line.row.to_string(),
            safe(&line.source_key),
            line.outcome.to_owned(),
            safe(&line.code),
            safe(&line.message),
            safe(&line.script),
            safe(&line.clause),
            safe(&line.target_field),
            safe(&line.value),
            line.attempts.to_string(),
        ];
        for (index, field) in columns() {
            if let Some(texts) = source.column(index).as_string_opt::<i32>() {
                cells.push(if texts.is_null(at) { String::new() } else { safe(texts.value(at)) });
                continue;
            }
            let options = FormatOptions::default();
            let unreadable =
                |e: arrow::error::ArrowError| Error::Dataset { what: field.name().clone(), detail: e.to_string() };
            let text =
                ArrayFormatter::try_new(source.column(index), &options).map_err(unreadable)?.value(at).to_string();
            cells.push(text);
        }
        if self.writer.is_none() {
            let file = durable::begin(&self.path)?;
            if sabotage::has(Bug::ErrorFileInPlace) {
                durable::complete(&file, &self.path)?;
            }
            let mut writer = csv::Writer::from_writer(file);
            let names = HEADER.iter().map(|h| (*h).to_owned()).chain(columns().map(|(_, f)| safe(&heading(f.name()))));
            writer.write_record(names.collect::<Vec<_>>()).map_err(|e| unwritten(e, &self.path))?;
            self.writer = Some(writer);
        }
        if let Some(writer) = &mut self.writer {
            writer.write_record(&cells).map_err(|e| unwritten(e, &self.path))?;
            self.lines += 1;
            sabotage::place("error_line");
        }
        Ok(())
    }

    /// Brings the file to the disk and to its place, in which nobody sees half of it; gives the path if there is a file.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn finish(self) -> Result<Option<PathBuf>> {
        let Some(mut writer) = self.writer else {
            // What an attempt that broke off has left says nothing of this one.
            durable::abandon(&self.path)?;
            durable::remove(&self.path)?;
            return Ok(None);
        };
        writer.flush().map_err(disk("cannot write", &self.path))?;
        let file = writer.into_inner().map_err(|e| disk("cannot write", &self.path)(e.into_error()))?;
        if !sabotage::has(Bug::ErrorFileInPlace) {
            durable::complete(&file, &self.path)?;
        }
        Ok(Some(self.path))
    }
}

/// A line that cannot be written: what the disk says, with the place.
fn unwritten(error: csv::Error, path: &Path) -> Error {
    if !error.is_io_error() {
        return error.into();
    }
    match error.into_kind() {
        csv::ErrorKind::Io(source) => disk("cannot write", path)(source),
        other => disk("cannot write", path)(std::io::Error::other(format!("{other:?}"))),
    }
}

/// What a spreadsheet may begin a formula with: the signs, their full-width and small twins, and the two characters that
/// some of them drop or take for the end of a cell.
const TRIGGERS: [char; 15] =
    ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '\u{2212}'];

/// A text that no spreadsheet takes for a formula.
#[must_use]
pub fn safe(text: &str) -> String {
    let is_formula = text.chars().find(|c| !is_passed_over(*c)).is_some_and(|c| TRIGGERS.contains(&c));
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// What a spreadsheet may skip before it looks for a formula: blanks, quotes, and what shows nothing.
fn is_passed_over(c: char) -> bool {
    let is_blank = (c.is_whitespace() || c.is_control()) && !TRIGGERS.contains(&c);
    is_blank || matches!(c, '"' | '\'' | '`' | '‘'..='‟' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

/// The text that [`safe`] was given: exactly its inverse.
#[must_use]
pub fn unescaped(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if safe(text) != text => text,
        _ => cell,
    }
}

/// Copies an error file with each cell as it was. Programs may read such a file; spreadsheets should not.
///
/// # Errors
/// If the one is no CSV, or the other cannot be written.
pub fn unescape(from: impl std::io::Read, to: impl std::io::Write) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(from);
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(to);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        writer.write_record(record.iter().map(unescaped))?;
    }
    writer.flush().map_err(|error| Error::ErrorFile(error.into()))
}
