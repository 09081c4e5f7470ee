//! Reading an error file: which rows are in it, by the columns that Ferry wrote itself.

use std::path::Path;

use super::error::Result;
use super::error_file::unescaped;

/// A row of an error file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRow {
    /// The source row's primary key.
    pub source_key: String,
    /// Its code.
    pub code: String,
}

/// The rows of an error file, in order.
///
/// # Errors
/// If it cannot be read, or is none.
pub fn read(path: &Path) -> Result<Vec<ErrorRow>> {
    let mut reader = csv::Reader::from_path(path)?;
    let header = reader.headers()?;
    let at = |name: &str| header.iter().position(|column| column == name);
    let (Some(key), Some(code)) = (at("source_key"), at("code")) else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let cell = |index: usize| unescaped(record.get(index).unwrap_or_default()).to_owned();
        rows.push(ErrorRow { source_key: cell(key), code: cell(code) });
    }
    Ok(rows)
}
