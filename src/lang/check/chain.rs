//! `CREATE CHAIN`, and jobs that wait for each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Context, head};
use crate::diagnostic::code::{CLAUSE, CYCLE, REPEATED, UNKNOWN_JOB};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{self, HeadClause, Name, Statement};
use crate::lang::suggest::nearest;
use crate::model::chain::Chain;

/// Names of jobs that a message shows.
const SHOWN_AT_MOST: usize = 5;

/// The checked chain.
pub(in crate::lang) fn check(written: &ast::Chain, context: &Context<'_>, out: &mut Diagnostics) -> Option<Chain> {
    let jobs = context.jobs;
    let mut seen = BTreeSet::new();
    let mut whole = true;
    let head = head::check(&written.head, context, out);
    for clause in &written.head {
        if let HeadClause::After(names) = clause
            && let Some(name) = names.first()
        {
            let message = "AFTER belongs to a job; a chain has its order in RUN … THEN RUN";
            out.push(Diagnostic::error(CLAUSE, name.span, message));
        }
    }
    for name in written.steps.iter().flatten() {
        if !jobs.contains(name.text.as_str()) {
            out.push(unknown_job(name, jobs));
            whole = false;
        } else if !seen.insert(name.text.as_str()) {
            let message = format!("\"{}\" stands in this chain twice", name.text);
            out.push(Diagnostic::error(REPEATED, name.span, message).help("remove it here"));
            whole = false;
        }
    }
    whole.then(|| Chain {
        name: written.name.text.clone(),
        steps: written.steps.iter().map(|s| s.iter().map(|n| n.text.clone()).collect()).collect(),
        comment: head.comment,
        schedule: head.schedule,
        notify: head.notify,
        stop_on_failure: head.stop_on_failure.unwrap_or(true),
        place: context.sources.place(written.name.span),
    })
}

/// The diagnostic for a job that nothing declares.
pub(super) fn unknown_job(name: &Name, jobs: &BTreeSet<&str>) -> Diagnostic {
    let wrong = Diagnostic::error(UNKNOWN_JOB, name.span, format!("no job is named \"{}\"", name.text));
    if let Some(near) = nearest(&name.text, jobs.iter().copied()) {
        return wrong.label(format!("did you mean \"{near}\"?"));
    }
    let some: Vec<String> = jobs.iter().take(SHOWN_AT_MOST).map(|job| format!("\"{job}\"")).collect();
    match jobs.len() {
        0 => wrong.help("this project has no jobs yet"),
        1 => wrong.help(format!("the only job is {}", some.join(", "))),
        n if n <= SHOWN_AT_MOST => wrong.help(format!("the jobs are {}", some.join(", "))),
        n => wrong.help(format!("the jobs are {} and {} more", some.join(", "), n - SHOWN_AT_MOST)),
    }
}

/// Reports every job that, following `AFTER`, waits for itself.
pub(in crate::lang) fn cycles(statements: &[Statement], out: &mut Diagnostics) {
    let jobs: BTreeMap<&str, &ast::Job> = statements
        .iter()
        .filter_map(|s| if let Statement::Job(job) = s { Some((job.name.text.as_str(), job.as_ref())) } else { None })
        .collect();
    for (name, job) in &jobs {
        let mut open: Vec<&str> = job.after().map(|n| n.text.as_str()).collect();
        let mut seen = BTreeSet::new();
        while let Some(next) = open.pop() {
            if next == *name {
                let message = format!("\"{name}\" waits for itself: its AFTER leads back to it");
                let span = job.after().next().map_or(job.name.span, |n| n.span);
                out.push(Diagnostic::error(CYCLE, span, message).help("take one of the AFTERs on the way out"));
                break;
            }
            if seen.insert(next) {
                open.extend(jobs.get(next).iter().flat_map(|j| j.after().map(|n| n.text.as_str())));
            }
        }
    }
}
