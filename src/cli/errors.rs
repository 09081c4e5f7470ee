//! `ferry errors`.

use std::path::Path;

use serde_json::json;

use super::output;
use super::output::{on_one_line, say, tell};
use super::start::Ended;
use super::table::left;
use crate::app::error::Error;
use crate::app::resuming::due;
use crate::app::workspace::Setting;
use crate::store::error_file::unescape as unescape_file;

/// Prints an error file as its rows were, line by line, so that a file of any size will do.
pub(super) fn unescape(file: &Path) -> Ended {
    let wrong = |reason: String| Error::Usage(format!("{}: {reason}", file.display()));
    let read = std::fs::File::open(file).map_err(|error| wrong(error.to_string()))?;
    unescape_file(read, std::io::stdout().lock()).map_err(|error| wrong(error.to_string()))?;
    Ok(0)
}

/// Rows that failed and are still to succeed, with how often that was tried.
pub(super) fn list(setting: &Setting, job: Option<&str>, as_json: bool) -> Ended {
    let rows = due(setting, job)?;
    if as_json {
        for one in &rows {
            say!(
                "{}",
                json!({ "job": one.job, "source_key": one.source_id, "code": one.code, "retried": one.retried,
                    "message": one.message, "since": one.since, "tries": one.tries, "run": one.run })
            );
        }
        return Ok(0);
    }
    if rows.is_empty() {
        tell!("no row is due: every row that failed has succeeded since, or is gone");
        return Ok(0);
    }
    let shown: Vec<Vec<String>> = rows
        .iter()
        .map(|one| {
            let tries = one.tries.to_string();
            let texts = [&one.job, &one.source_id, &one.code, &tries, &one.since, &one.run, &one.message];
            texts.map(|text| on_one_line(text)).to_vec()
        })
        .collect();
    output::text(&left(&["job", "source key", "code", "tries", "since", "last run", "why"], &shown));
    Ok(0)
}
