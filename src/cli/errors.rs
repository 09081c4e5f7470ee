//! `ferry errors`.

use std::path::Path;

use super::start::Ended;
use crate::app::error::Error;
use crate::store::error_file::unescape as unescape_file;

/// Prints an error file as its rows were, line by line, so that a file of any size will do.
pub(super) fn unescape(file: &Path) -> Ended {
    let wrong = |reason: String| Error::Usage(format!("{}: {reason}", file.display()));
    let read = std::fs::File::open(file).map_err(|error| wrong(error.to_string()))?;
    unescape_file(read, std::io::stdout().lock()).map_err(|error| wrong(error.to_string()))?;
    Ok(0)
}
