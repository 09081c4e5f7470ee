//! Reading an error file: which rows are in it, by the columns that Ferry wrote itself; what they amount to; a part of it as a file.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::path::Path;

use csv::StringRecord;
use ring::digest::{Context, SHA256};

use super::error::{Error, Result, disk};
use super::error_file::unescaped;
use super::home::create_owned;
use super::parts::hexadecimal;

/// A row of an error file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRow {
    /// The source row's primary key.
    pub source_key: String,
    /// Its code.
    pub code: String,
}

/// Rows that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonRows {
    /// `rejected` or `error`.
    pub outcome: String,
    /// The code.
    pub code: String,
    /// `file:line` of the clause that decided.
    pub script: String,
    /// The label of the target field concerned.
    pub target_field: String,
    /// How many.
    pub rows: u64,
    /// The first of them: its primary key in the source.
    pub source_key: String,
    /// What it says.
    pub message: String,
    /// The value concerned.
    pub value: String,
}

/// Where the columns of an error file stand that Ferry wrote itself.
struct Columns(BTreeMap<String, usize>);

impl Columns {
    fn of(header: &StringRecord) -> Self {
        // A column of the source may be called as one of ours, which stand before it.
        let mut columns = BTreeMap::new();
        for (at, name) in header.iter().enumerate() {
            columns.entry(name.to_owned()).or_insert(at);
        }
        Self(columns)
    }

    fn cell<'r>(&self, record: &'r StringRecord, name: &str) -> &'r str {
        self.0.get(name).and_then(|at| record.get(*at)).map(unescaped).unwrap_or_default()
    }
}

/// The rows of an error file, in order.
///
/// # Errors
/// If it cannot be read, or is none.
pub fn read(path: &Path) -> Result<Vec<ErrorRow>> {
    let mut rows = Vec::new();
    each(path, |columns, record| {
        let cell = |name: &str| columns.cell(record, name).to_owned();
        rows.push(ErrorRow { source_key: cell("source_key"), code: cell("code") });
        Ok(())
    })?;
    Ok(rows)
}

/// The numbers of the rows of an error file.
///
/// # Errors
/// If it cannot be read, or is none.
pub fn numbers(path: &Path) -> Result<HashSet<i64>> {
    let mut rows = HashSet::new();
    each(path, |columns, record| {
        rows.extend(columns.cell(record, "row").parse::<i64>());
        Ok(())
    })?;
    Ok(rows)
}

/// The SHA-256 of an error file, in hexadecimal digits.
///
/// # Errors
/// If it cannot be read.
pub fn digest(path: &Path) -> Result<String> {
    let mut file = std::fs::File::open(path).map_err(disk("cannot read", path))?;
    let (mut digest, mut bytes) = (Context::new(&SHA256), vec![0; 1 << 16]);
    loop {
        match file.read(&mut bytes).map_err(disk("cannot read", path))? {
            0 => return Ok(hexadecimal(digest.finish().as_ref())),
            read => digest.update(&bytes[..read]),
        }
    }
}

/// What an error file amounts to, by code, clause and field, each with its first row. What concerns most rows comes first.
///
/// # Errors
/// If it cannot be read, or is none.
pub fn reasons(path: &Path) -> Result<Vec<ReasonRows>> {
    let mut found: BTreeMap<[String; 3], (usize, ReasonRows)> = BTreeMap::new();
    each(path, |columns, record| {
        let cell = |name: &str| columns.cell(record, name).to_owned();
        let (key, order) = (["code", "script", "target_field"].map(cell), found.len());
        let one = found.entry(key).or_insert_with_key(|[code, script, target_field]| {
            let one = ReasonRows {
                outcome: cell("outcome"),
                code: code.clone(),
                script: script.clone(),
                target_field: target_field.clone(),
                rows: 0,
                source_key: cell("source_key"),
                message: cell("message"),
                value: cell("value"),
            };
            (order, one)
        });
        one.1.rows += 1;
        Ok(())
    })?;
    let mut all: Vec<(usize, ReasonRows)> = found.into_values().collect();
    all.sort_by_key(|(order, one)| (std::cmp::Reverse(one.rows), *order));
    Ok(all.into_iter().map(|(_, one)| one).collect())
}

/// Writes the rows of some codes as a file of their own, or all of them if no code is named; gives how many. They stay as they are: no
/// spreadsheet runs a cell of them.
///
/// # Errors
/// If the file cannot be read, or `to` cannot be written.
pub fn copy(path: &Path, codes: &[String], to: &mut dyn Write) -> Result<u64> {
    let mut writer = csv::Writer::from_writer(to);
    let mut reader = csv::Reader::from_path(path)?;
    let columns = Columns::of(reader.headers()?);
    writer.write_record(reader.headers()?)?;
    let (mut rows, mut record) = (0, StringRecord::new());
    while reader.read_record(&mut record)? {
        let code = columns.cell(&record, "code");
        if codes.is_empty() || codes.iter().any(|wanted| wanted.eq_ignore_ascii_case(code)) {
            writer.write_record(&record)?;
            rows += 1;
        }
    }
    writer.flush().map_err(|error| Error::ErrorFile(error.into()))?;
    Ok(rows)
}

/// The same into a new file that is its owner's alone.
///
/// # Errors
/// If something is there already, or it cannot be written.
pub fn copy_to_file(path: &Path, codes: &[String], out: &Path) -> Result<u64> {
    let mut file = create_owned(out).map_err(disk("cannot create", out))?;
    let copied = copy(path, codes, &mut file);
    let copied = copied.and_then(|rows| file.sync_all().map_err(disk("cannot write", out)).map(|()| rows));
    if copied.is_err() {
        // Half a file would be taken for a whole one.
        let _removed = std::fs::remove_file(out);
    }
    copied
}

fn each(path: &Path, mut one: impl FnMut(&Columns, &StringRecord) -> Result<()>) -> Result<()> {
    let mut reader = csv::Reader::from_path(path)?;
    let columns = Columns::of(reader.headers()?);
    if !["source_key", "code"].iter().all(|name| columns.0.contains_key(*name)) {
        return Ok(());
    }
    let mut record = StringRecord::new();
    while reader.read_record(&mut record)? {
        one(&columns, &record)?;
    }
    Ok(())
}

/// An error file as it lies there, if it is no larger than so many bytes. One that is gone or larger is only named.
#[must_use]
pub fn up_to(path: &Path, bytes: u64) -> Option<Vec<u8>> {
    let size = std::fs::metadata(path).ok()?.len();
    if size == 0 || size > bytes { None } else { std::fs::read(path).ok() }
}
