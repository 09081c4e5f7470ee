//! CSV on stdout, for spreadsheets: no cell of it is run.

use super::output;
use crate::app::error::Error;
use crate::store::error::Error as StoreError;
use crate::store::error_file::safe;

/// Prints a table, its header first.
pub(super) fn print(header: &[&str], rows: &[Vec<String>]) -> Result<(), Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let unwritten = |error: csv::Error| Error::from(StoreError::ErrorFile(error));
    writer.write_record(header).map_err(unwritten)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| safe(cell).into_owned())).map_err(unwritten)?;
    }
    let bytes = writer.into_inner().map_err(|error| unwritten(error.into_error().into()))?;
    output::text(&String::from_utf8_lossy(&bytes));
    Ok(())
}
