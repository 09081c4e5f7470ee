//! `ferry errors`.

use std::path::Path;

use serde_json::json;

use super::arguments_operations::ErrorsOf;
use super::output;
use super::output::{on_one_line, say, tell};
use super::start::Ended;
use super::table::{left, number};
use crate::app::error::Error;
use crate::app::errors::{self, To};
use crate::app::resuming::due;
use crate::app::workspace::Setting;
use crate::run::error::Error as RunError;
use crate::store::error::Error as StoreError;
use crate::store::error_file::unescape as unescape_file;

/// Prints an error file as its rows were, line by line, so that a file of any size will do.
pub(super) fn unescape(file: &Path) -> Ended {
    let wrong = |reason: String| Error::Usage(format!("{}: {reason}", file.display()));
    let read = std::fs::File::open(file).map_err(|error| wrong(error.to_string()))?;
    unescape_file(read, std::io::stdout().lock()).map_err(|error| wrong(error.to_string()))?;
    Ok(0)
}

/// Prints the error file of a run, or the rows of some codes, or writes them into a file; as JSON what they amount to.
pub(super) async fn of_run(setting: &Setting, asked: &ErrorsOf, as_json: bool) -> Ended {
    let Some(run) = &asked.run else {
        return Err(Error::Usage(
            "name a run, such as `ferry errors 20261126-0001`; `ferry activity` lists them".to_owned(),
        ));
    };
    if let Some(out) = &asked.out {
        let rows = errors::copy(setting, run, &asked.code, To::File(out)).await?;
        tell!("{} rows of run {run} are in {}", number(rows), out.display());
        return Ok(0);
    }
    if as_json {
        for one in errors::reasons(setting, run, &asked.code).await? {
            let example = json!({ "source_key": one.source_key, "message": one.message, "value": one.value });
            say!(
                "{}",
                json!({ "run": run, "outcome": one.outcome, "code": one.code, "script": one.script,
                    "target_field": one.target_field, "rows": one.rows, "example": example })
            );
        }
        return Ok(0);
    }
    match errors::copy(setting, run, &asked.code, To::Writer(&mut std::io::stdout())).await {
        // A reader that has gone away is no reason to fail.
        Err(Error::Run(RunError::Store(StoreError::ErrorFile(error)))) if is_gone(&error) => Ok(0),
        copied => copied.map(|_| 0),
    }
}

fn is_gone(error: &csv::Error) -> bool {
    matches!(error.kind(), csv::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
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
