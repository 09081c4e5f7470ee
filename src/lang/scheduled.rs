//! What is scheduled in a project, as far as the heads of its jobs and chains say.
//!
//! In: statements. Out: entries for `schedule`, and the mistakes of the heads. It needs no catalog, so no service is asked when
//! somebody wants to know what is due.

use super::ast::Statement;
use super::check::{Context, head};
use super::project::Parsed;
use crate::diagnostic::report::Diagnostics;
use crate::diagnostic::source::Sources;
use crate::model::catalog::Catalog;
use crate::model::function::Functions;
use crate::schedule::entries::{Declared, Entry, entries};

/// All that is scheduled, chains first.
#[must_use]
pub fn scheduled(parsed: &Parsed, sources: &Sources) -> (Vec<Entry>, Diagnostics) {
    let mut diagnostics = parsed.diagnostics.clone();
    let (catalog, functions, written) = (Catalog::default(), Functions::default(), parsed.jobs());
    let context = Context {
        catalog: &catalog,
        connections: &parsed.connections,
        broken: &parsed.broken.connections,
        sources,
        functions: &functions,
        settings: &parsed.settings,
        posts: parsed.posts(),
        jobs: &written,
    };
    let (mut chains, mut jobs) = (Vec::new(), Vec::new());
    for statement in &parsed.statements {
        match statement {
            Statement::Job(job) => {
                let head = head::check(&job.head, &context, &mut diagnostics);
                jobs.push(Declared::job(&job.name.text, head.schedule));
            }
            Statement::Chain(chain) => {
                let head = head::check(&chain.head, &context, &mut diagnostics);
                let steps = chain.steps.iter().flatten().map(|name| &name.text);
                chains.push(Declared::chain(&chain.name.text, head.schedule, steps));
            }
            Statement::Connection(_) | Statement::Test(_) | Statement::Settings(_) => {}
        }
    }
    chains.append(&mut jobs);
    (entries(&chains), diagnostics)
}
