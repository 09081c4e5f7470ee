//! `errors RUN`: the error file of a run, whole or the rows of some codes, printed or as a file.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::activity::no_run;
use super::error::Error;
use super::workspace::Setting;
use crate::run::report::Report;
use crate::store::error_rows::{self, ReasonRows};
use crate::store::state::State;

/// Where the rows go.
pub enum To<'a> {
    /// To whoever reads.
    Writer(&'a mut dyn Write),
    /// Into a file that is not there yet.
    File(&'a Path),
}

/// Gives the rows of a run's error file: all, or those of some codes; gives how many there are.
///
/// # Errors
/// If there is no such run, it has no error file or none any more, the file has no row of a code, or `to` cannot be written.
pub async fn copy(setting: &Setting, run: &str, codes: &[String], to: To<'_>) -> Result<u64, Error> {
    let file = file_of(setting, run).await?;
    known(&file, codes)?;
    let rows = match to {
        To::Writer(writer) => error_rows::copy(&file, codes, writer),
        To::File(path) => {
            if path.symlink_metadata().is_ok() {
                let message =
                    format!("{} is there already, and nothing is written over it; name another", path.display());
                return Err(Error::Usage(message));
            }
            error_rows::copy_to_file(&file, codes, path)
        }
    };
    Ok(rows?)
}

/// What a run's error file amounts to, by reason, with an example each.
///
/// # Errors
/// As [`copy`].
pub async fn reasons(setting: &Setting, run: &str, codes: &[String]) -> Result<Vec<ReasonRows>, Error> {
    let file = file_of(setting, run).await?;
    known(&file, codes)?;
    let is_wanted = |one: &ReasonRows| codes.is_empty() || codes.iter().any(|c| c.eq_ignore_ascii_case(&one.code));
    Ok(error_rows::reasons(&file)?.into_iter().filter(is_wanted).collect())
}

/// The error file of a run.
pub(super) async fn file_of(setting: &Setting, id: &str) -> Result<PathBuf, Error> {
    let none = || no_run(setting, id);
    let state = State::look(setting.place())?.ok_or_else(none)?;
    let (run, _) = state.run(id)?.ok_or_else(none)?;
    if let Some(file) = setting.run_folders().kept(id).await?.error_file {
        return Ok(file);
    }
    let report: Option<Report> = run.report.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let had_one = report.is_some_and(|report| report.error_file.is_some());
    Err(Error::Usage(if had_one {
        format!(
            "the error file of run {id} is there no more: it was cleaned away, as CREATE SETTINGS (error_files = …) or `ferry clean` says; \
             `ferry errors list` has the rows that are still to succeed"
        )
    } else {
        format!("run {id} of \"{}\" has no error file: no row of it failed", run.job)
    }))
}

/// A code that no row has is a slip.
fn known(file: &Path, codes: &[String]) -> Result<(), Error> {
    if codes.is_empty() {
        return Ok(());
    }
    let known: BTreeSet<String> = error_rows::reasons(file)?.into_iter().map(|one| one.code).collect();
    match codes.iter().find(|code| !known.iter().any(|one| one.eq_ignore_ascii_case(code))) {
        Some(unknown) => {
            let known = known.into_iter().collect::<Vec<_>>().join(", ");
            Err(Error::Usage(format!("the error file has no row with the code {unknown}; it has {known}")))
        }
        None => Ok(()),
    }
}
