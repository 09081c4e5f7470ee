//! The order of a chain, held against what its jobs say of themselves: `AFTER`, and the objects that they write and read.
//!
//! In: the statements, and the jobs that are right. Out: diagnostics.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::code::{BESIDE, LONG_CHAIN, ORDER};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{self, Name, Statement};
use crate::model::conflict::conflict;
use crate::model::job::Job;

/// Jobs of a chain beyond which it is told to be long, as Gainsight's own chains of rules have no more.
/// <https://support.gainsight.com/Gainsight_NXT/03Rules_Engine/02Admin_Guides/Rule_Chain>
const JOBS_AT_MOST: usize = 20;

/// A job in a chain: its step, and where it is named.
type Member<'a> = (usize, &'a Name);

/// Checks every chain.
pub(in crate::lang) fn order(statements: &[Statement], jobs: &BTreeMap<String, Job>, out: &mut Diagnostics) {
    let written: BTreeMap<&str, &ast::Job> = statements
        .iter()
        .filter_map(|s| if let Statement::Job(job) = s { Some((job.name.text.as_str(), job.as_ref())) } else { None })
        .collect();
    for statement in statements {
        let Statement::Chain(chain) = statement else { continue };
        let members: Vec<Member<'_>> = chain
            .steps
            .iter()
            .enumerate()
            .flat_map(|(step, names)| names.iter().map(move |name| (step, name)))
            .collect();
        if let Some((_, name)) = members.get(JOBS_AT_MOST) {
            let message = format!("the chain has {} jobs, which is many", members.len());
            let help =
                format!("Gainsight's own chains have {JOBS_AT_MOST} at the most; several chains are easier to follow");
            out.push(Diagnostic::warning(LONG_CHAIN, name.span, message).help(help));
        }
        for member in &members {
            contradicted(*member, &members, &written, out);
        }
        for (at, member) in members.iter().enumerate() {
            beside(*member, &members[..at], jobs, out);
        }
    }
}

/// A job that, following `AFTER`, comes after one that the chain does not run before it.
fn contradicted(member: Member<'_>, all: &[Member<'_>], written: &BTreeMap<&str, &ast::Job>, out: &mut Diagnostics) {
    let (step, name) = member;
    let Some(job) = written.get(name.text.as_str()) else { return };
    let mut open: Vec<(&Name, &str)> = job.after().map(|first| (first, first.text.as_str())).collect();
    let mut seen = BTreeSet::from([name.text.as_str()]);
    while let Some((first, next)) = open.pop() {
        if !seen.insert(next) {
            continue;
        }
        if let Some((other, there)) = all.iter().find(|(other, there)| there.text == next && *other >= step) {
            let place = if *other == step { "in the same step" } else { "later" };
            let way = if first.text == next { String::new() } else { format!(" by way of \"{}\"", first.text) };
            let message = format!("\"{}\" comes after \"{next}\"{way}, which this chain runs {place}", name.text);
            let wrong = Diagnostic::error(ORDER, name.span, message).related(first.span, "it says so here");
            out.push(
                wrong.related(there.span, "it is run here").help("put it in an earlier step, or take the AFTER out"),
            );
            return;
        }
        open.extend(written.get(next).iter().flat_map(|job| job.after()).map(|after| (first, after.text.as_str())));
    }
}

/// A job of which an earlier one of its step writes what it writes or reads.
fn beside(member: Member<'_>, before: &[Member<'_>], jobs: &BTreeMap<String, Job>, out: &mut Diagnostics) {
    let (step, name) = member;
    let Some(job) = jobs.get(&name.text) else { return };
    for (_, other) in before.iter().filter(|(other, there)| *other == step && there.text != name.text) {
        let Some(first) = jobs.get(&other.text) else { continue };
        let is_one_target = first.main_target().connection == job.main_target().connection;
        if let Some(object) = conflict(first, job).filter(|_| is_one_target) {
            let message =
                format!("\"{}\" and \"{}\" both use {object}, which one of them writes", other.text, name.text);
            let warning = Diagnostic::warning(BESIDE, name.span, message).related(other.span, "the other is run here");
            out.push(warning.help("they run one after the other, in this order; THEN RUN between them says so"));
            return;
        }
    }
}
