//! `ferry check`.

use super::output::{say, tell};
use std::io::IsTerminal;
use std::path::PathBuf;

use super::start::Ended;
use crate::app::projects::{all_there, is_named};
use crate::app::workspace::{Setting, Workspace};
use crate::diagnostic::render::{for_people, for_programs};
use crate::diagnostic::report::{Diagnostics, Severity};
use crate::diagnostic::source::Sources;

pub(super) async fn check(setting: &Setting, paths: &[PathBuf], json: bool) -> Ended {
    let workspace = Workspace::open(setting).await?;
    all_there(&workspace.sources, paths)?;
    let errors = show(&workspace.diagnostics, &workspace.sources, json, paths);
    if !json && errors == 0 {
        let project = &workspace.project;
        let of = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        say!(
            "{}, {} and {} are right",
            of(project.connections.len(), "connection"),
            of(project.jobs.len(), "job"),
            of(project.chains.len(), "chain")
        );
    }
    Ok(if errors > 0 { 2 } else { 0 })
}

/// Shows diagnostics, those of some files if any are named; gives the number of errors among them.
pub(super) fn show(diagnostics: &Diagnostics, sources: &Sources, json: bool, paths: &[PathBuf]) -> usize {
    let colour = std::io::stdout().is_terminal();
    let of_interest = |file: usize| is_named(&sources.file(file).name, paths);
    let shown: Vec<_> = diagnostics.sorted().into_iter().filter(|d| of_interest(d.span.file)).collect();
    for diagnostic in &shown {
        if json {
            say!("{}", for_programs(diagnostic, sources));
        } else {
            say!("{}\n", for_people(diagnostic, sources, colour));
        }
    }
    let errors = shown.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = shown.len() - errors;
    if !json && !shown.is_empty() {
        let of = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        tell!("{}, {}", of(errors, "error"), of(warnings, "warning"));
    }
    errors
}
