//! `CREATE CHAIN`, and jobs that wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::code::{CYCLE, REPEATED, UNKNOWN_JOB};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Sources;
use crate::lang::ast::{self, Name, Statement};
use crate::lang::suggest::nearest;
use crate::model::chain::Chain;

/// The checked chain.
pub(in crate::lang) fn check(
    written: &ast::Chain,
    jobs: &BTreeSet<&str>,
    sources: &Sources,
    out: &mut Diagnostics,
) -> Option<Chain> {
    let mut seen = BTreeSet::new();
    let mut whole = true;
    for name in written.steps.iter().flatten() {
        if !jobs.contains(name.text.as_str()) {
            out.push(unknown_job(name, jobs));
            whole = false;
        } else if !seen.insert(name.text.as_str()) {
            let message = format!("\"{}\" stands in this chain twice", name.text);
            out.push(Diagnostic::error(REPEATED, name.span, message));
            whole = false;
        }
    }
    whole.then(|| Chain {
        name: written.name.text.clone(),
        steps: written.steps.iter().map(|s| s.iter().map(|n| n.text.clone()).collect()).collect(),
        stop_on_failure: written.stop_on_failure,
        place: sources.place(written.name.span),
    })
}

/// The diagnostic for a job that nothing declares.
pub(super) fn unknown_job(name: &Name, jobs: &BTreeSet<&str>) -> Diagnostic {
    let wrong = Diagnostic::error(UNKNOWN_JOB, name.span, format!("no job is named \"{}\"", name.text));
    match nearest(&name.text, jobs.iter().copied()) {
        Some(near) => wrong.label(format!("did you mean \"{near}\"?")),
        None => wrong,
    }
}

/// Reports every job that, following `AFTER`, waits for itself.
pub(in crate::lang) fn cycles(statements: &[Statement], out: &mut Diagnostics) {
    let jobs: BTreeMap<&str, &ast::Job> = statements
        .iter()
        .filter_map(|s| if let Statement::Job(job) = s { Some((job.name.text.as_str(), job)) } else { None })
        .collect();
    for (name, job) in &jobs {
        let mut open: Vec<&str> = job.after.iter().map(|n| n.text.as_str()).collect();
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            if next == *name {
                let message = format!("\"{name}\" waits for itself: its AFTER leads back to it");
                let span = job.after.first().map_or(job.name.span, |n| n.span);
                out.push(Diagnostic::error(CYCLE, span, message).help("take one of the AFTERs on the way out"));
                break;
            }
            if seen.insert(next) {
                open.extend(jobs.get(next).iter().flat_map(|j| j.after.iter().map(|n| n.text.as_str())));
            }
        }
    }
}
