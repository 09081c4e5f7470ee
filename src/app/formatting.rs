//! `fmt`: the canonical layout of a project's files.

use std::path::PathBuf;

use super::error::Error;
use super::projects::{is_named, there_is};
use super::workspace::Setting;
use crate::diagnostic::report::Diagnostics;
use crate::diagnostic::source::Sources;
use crate::lang::layout::format;
use crate::lang::project::not_text;
use crate::store::project;

/// Lays out every file of the project, or those of `paths`; gives the names of those that were not in their canonical
/// layout. With `check` nothing is written. A file with a mistake in its form is left alone, and so are all others then.
///
/// # Errors
/// If a file cannot be read or written, or has such a mistake.
pub fn files(setting: &Setting, paths: &[PathBuf], check: bool) -> Result<Vec<String>, Error> {
    let mut sources = Sources::default();
    let mut wrong = Diagnostics::default();
    let mut changed = Vec::new();
    there_is(&setting.project)?;
    for file in project::read(&setting.project)?.into_iter().filter(|f| is_named(&f.name, paths)) {
        let Ok(text) = String::from_utf8(file.bytes) else {
            wrong.push(not_text(sources.add(file.name, String::new())));
            continue;
        };
        let number = sources.add(file.name.clone(), text.clone());
        match format(number, &text) {
            Ok(anew) if anew == text => {}
            Ok(anew) => changed.push((file.name, anew)),
            Err(mistakes) => wrong.append(mistakes),
        }
    }
    if sources.iter().next().is_none() {
        return Err(Error::Usage(format!("there is no such *.ferry file in {}", setting.project.display())));
    }
    if wrong.has_errors() {
        return Err(Error::Text(Box::new((wrong, sources))));
    }
    if !check {
        for (name, anew) in &changed {
            project::rewrite(&setting.project, name, anew)?;
        }
    }
    Ok(changed.into_iter().map(|(name, _)| name).collect())
}

/// Lays out one text that lies nowhere.
///
/// # Errors
/// If it has a mistake in its form.
pub fn text(text: &str) -> Result<String, Error> {
    let mut sources = Sources::default();
    let number = sources.add("standard input".to_owned(), text.to_owned());
    format(number, text).map_err(|mistakes| Error::Text(Box::new((mistakes, sources))))
}
