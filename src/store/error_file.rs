//! The error file: one line of CSV for each row that was not written, with its reason and its source columns.
//!
//! A cell that a spreadsheet would execute gets a `'` in front; cells of numbers are left alone.
//! <https://owasp.org/www-community/attacks/CSV_Injection>

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, StringArray};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::durable::{self, Placing};
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

/// What is gathered before it is written.
const BUFFERED_BYTES: usize = 1 << 16;

/// The columns of source rows as an error file shows them.
pub struct SourceColumns<'a>(Vec<SourceColumn<'a>>);

struct SourceColumn<'a> {
    name: &'a str,
    values: Values<'a>,
}

enum Values<'a> {
    Texts(&'a StringArray),
    Others(ArrayFormatter<'a>),
}

/// How values that are no texts are written.
const FORMAT: FormatOptions<'static> = FormatOptions::new();

/// An error file being written; it is begun with its first line, under a temporary name of its own: one that is drawn up beside it, by
/// this process or by one that was taken over, does it no harm. Dropped before its end, it leaves nothing.
pub struct ErrorFile {
    path: PathBuf,
    run: String,
    job: String,
    writer: Option<csv::Writer<Placing>>,
    /// Lines written so far.
    pub lines: u64,
}

impl ErrorFile {
    /// The error file of a run, in its folder.
    #[must_use]
    pub fn new(folder: &Path, run: &str, job: &str) -> Self {
        Self { path: folder.join(ERROR_FILE), run: run.to_owned(), job: job.to_owned(), writer: None, lines: 0 }
    }

    /// Removes what processes that were killed have left of it. Whoever asks for that has made sure that the run is still his.
    pub fn sweep(&self) {
        durable::sweep(&self.path);
    }

    /// Writes one line, with the columns of its source row.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn add(&mut self, line: &Line, source: &SourceColumns<'_>, at: usize) -> Result<()> {
        let own: [Cow<'_, str>; 12] = [
            safe(&self.run),
            safe(&self.job),
            line.row.to_string().into(),
            safe(&line.source_key),
            line.outcome.into(),
            safe(&line.code),
            safe(&line.message),
            safe(&line.script),
            safe(&line.clause),
            safe(&line.target_field),
            safe(&line.value),
            line.attempts.to_string().into(),
        ];
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(begun(&self.path, source)?),
        };
        let unwritten = |error| unwritten(error, &self.path);
        for cell in own {
            writer.write_field(cell.as_bytes()).map_err(unwritten)?;
        }
        for column in &source.0 {
            writer.write_field(column.cell(at).as_bytes()).map_err(unwritten)?;
        }
        writer.write_record(None::<&[u8]>).map_err(unwritten)?;
        self.lines += 1;
        sabotage::place("error_line");
        Ok(())
    }

    /// Brings the file to the disk and to its place, in which nobody sees half of it; gives the path if there is a file.
    ///
    /// # Errors
    /// If the disk says no.
    pub fn finish(self) -> Result<Option<PathBuf>> {
        let Some(mut writer) = self.writer else {
            // What an attempt that broke off has left says nothing of this one.
            durable::remove(&self.path)?;
            return Ok(None);
        };
        writer.flush().map_err(disk("cannot write", &self.path))?;
        let mut file = writer.into_inner().map_err(|e| disk("cannot write", &self.path)(e.into_error()))?;
        if !sabotage::has(Bug::ErrorFileInPlace) {
            file.complete()?;
        }
        Ok(Some(self.path))
    }
}

/// The file with its header.
fn begun(path: &Path, source: &SourceColumns<'_>) -> Result<csv::Writer<Placing>> {
    let mut file = Placing::begin(path)?;
    if sabotage::has(Bug::ErrorFileInPlace) {
        file.complete()?;
    }
    let mut writer = csv::WriterBuilder::new().buffer_capacity(BUFFERED_BYTES).from_writer(file);
    for name in HEADER {
        writer.write_field(name).map_err(|e| unwritten(e, path))?;
    }
    for column in &source.0 {
        writer.write_field(safe(&heading(column.name)).as_bytes()).map_err(|e| unwritten(e, path))?;
    }
    writer.write_record(None::<&[u8]>).map_err(|e| unwritten(e, path))?;
    Ok(writer)
}

impl<'a> SourceColumns<'a> {
    /// The columns of a batch of source rows, without those that Ferry added to it.
    ///
    /// # Errors
    /// If one is of a type that has no text.
    pub fn of(batch: &'a RecordBatch) -> Result<Self> {
        let named = batch.schema_ref().fields().iter().zip(batch.columns());
        let shown = named.filter(|(field, _)| ![ROW, UNREAD].contains(&field.name().as_str()));
        let columns = shown.map(|(field, column)| {
            let name = field.name().as_str();
            let values = match column.as_string_opt::<i32>() {
                Some(texts) => Values::Texts(texts),
                None => Values::Others(
                    ArrayFormatter::try_new(column, &FORMAT)
                        .map_err(|e| Error::Dataset { what: name.to_owned(), detail: e.to_string() })?,
                ),
            };
            Ok(SourceColumn { name, values })
        });
        columns.collect::<Result<_>>().map(Self)
    }
}

impl SourceColumn<'_> {
    /// The text of a row in this column. That of a number begins with a sign, and is none that is run.
    fn cell(&self, at: usize) -> Cow<'_, str> {
        match &self.values {
            Values::Texts(texts) if texts.is_null(at) => Cow::Borrowed(""),
            Values::Texts(texts) => safe(texts.value(at)),
            Values::Others(values) => Cow::Owned(values.value(at).to_string()),
        }
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
pub fn safe(text: &str) -> Cow<'_, str> {
    // Most texts begin with a letter or a figure.
    if text.as_bytes().first().is_none_or(u8::is_ascii_alphanumeric) {
        return Cow::Borrowed(text);
    }
    let is_formula = text.chars().find(|c| !is_passed_over(*c)).is_some_and(|c| TRIGGERS.contains(&c));
    if is_formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
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
