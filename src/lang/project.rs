//! The door of the language: files in, statements out; then statements and a catalog in, checked definitions out.
//!
//! Two steps, because between them `app` has to ask the services for the schemas that the statements name.

use std::collections::{BTreeMap, BTreeSet};

use super::ast::{Expression, Node, Statement};
use super::check;
use super::parse::parse;
use super::split::split;
use crate::diagnostic::code;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Sources;
use crate::model::catalog::Catalog;
use crate::model::chain::Chain;
use crate::model::connection::Connection;
use crate::model::job::Job;

/// The statements of a project, as far as they could be read, and its connections.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Every readable statement.
    pub statements: Vec<Statement>,
    /// The connections, checked: they need no catalog.
    pub connections: BTreeMap<String, Connection>,
    /// What was found on the way.
    pub diagnostics: Diagnostics,
}

/// What a project declares, after checking. A job with an error is absent.
#[derive(Debug, Default)]
pub struct Project {
    /// By identifier.
    pub connections: BTreeMap<String, Connection>,
    /// By name.
    pub jobs: BTreeMap<String, Job>,
    /// By name.
    pub chains: BTreeMap<String, Chain>,
}

/// What the statements name, so that its schema can be asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Connection and object, as written.
    pub objects: BTreeSet<(String, String)>,
    /// Connection, table, and the columns of a path through it, the last one included.
    pub paths: BTreeSet<(String, String, Vec<String>)>,
}

/// Reads all files.
#[must_use]
pub fn read(sources: &Sources) -> Parsed {
    let mut parsed = Parsed::default();
    for (number, file) in sources.iter() {
        for span in split(number, &file.text, &mut parsed.diagnostics) {
            match parse(span, &file.text) {
                Ok(statement) => parsed.statements.push(statement),
                // A missing `;` at the end has been reported by `split`; what it swallowed would only repeat that.
                Err(diagnostic) => parsed.diagnostics.push(diagnostic),
            }
        }
    }
    check::names::unique(&parsed.statements, &mut parsed.diagnostics);
    for statement in &parsed.statements {
        if let Statement::Connection(written) = statement
            && let Some(connection) = check::connection::check(written, sources, &mut parsed.diagnostics)
        {
            parsed.connections.entry(connection.name.clone()).or_insert(connection);
        }
    }
    parsed
}

/// Finds out what every job and chain means. Diagnostics are added to those of reading.
#[must_use]
pub fn check(parsed: &Parsed, catalog: &Catalog, sources: &Sources) -> (Project, Diagnostics) {
    let mut diagnostics = parsed.diagnostics.clone();
    let mut project = Project { connections: parsed.connections.clone(), ..Project::default() };
    let written: BTreeSet<&str> = parsed
        .statements
        .iter()
        .filter_map(|s| if let Statement::Job(job) = s { Some(job.name.text.as_str()) } else { None })
        .collect();
    for statement in &parsed.statements {
        match statement {
            Statement::Job(job) => {
                let context = check::Context { catalog, connections: &parsed.connections, sources, jobs: &written };
                if let Some(checked) = check::job::check(job, &context, &mut diagnostics) {
                    project.jobs.entry(checked.name.clone()).or_insert(checked);
                }
            }
            Statement::Chain(chain) => {
                if let Some(checked) = check::chain::check(chain, &written, sources, &mut diagnostics) {
                    project.chains.entry(checked.name.clone()).or_insert(checked);
                }
            }
            Statement::Connection(_) => {}
        }
    }
    check::chain::cycles(&parsed.statements, &mut diagnostics);
    if !diagnostics.has_errors() {
        check::resolution::company(&project, &parsed.statements, &mut diagnostics);
    }
    (project, diagnostics)
}

/// The diagnostic for a file that is not text.
#[must_use]
pub fn not_text(file: usize) -> Diagnostic {
    let span = crate::diagnostic::source::Span { file, start: 0, end: 0 };
    Diagnostic::error(code::TOO_MUCH, span, "the file is not UTF-8 text").help("save it as UTF-8")
}

impl Parsed {
    /// What the readable statements refer to.
    #[must_use]
    pub fn references(&self) -> References {
        let mut found = References::default();
        for statement in &self.statements {
            let Statement::Job(job) = statement else { continue };
            let from = &job.from.object;
            let lookups = job.lookups.iter().map(|l| &l.object);
            for object in job.targets.iter().chain(lookups).chain([from]) {
                found.objects.insert((object.connection.text.clone(), object.object.text.clone()));
            }
            let values = job.mappings.iter().map(|m| &m.value).chain(&job.filter);
            for value in values.chain(job.lookups.iter().flat_map(|l| l.equalities.iter().map(|e| &e.value))) {
                paths(value, &mut |path| {
                    if path.len() > 2 && path[0].text.eq_ignore_ascii_case(&job.from.alias.text) {
                        let columns = path[1..].iter().map(|n| n.text.clone()).collect();
                        found.paths.insert((from.connection.text.clone(), from.object.text.clone(), columns));
                    }
                });
            }
        }
        found
    }
}

fn paths(expression: &Expression, see: &mut dyn FnMut(&[super::ast::Name])) {
    match &expression.node {
        Node::Path(path) => see(path),
        Node::Literal(_) | Node::Quoted(_) => {}
        Node::Not(x) | Node::IsNull(x, _) | Node::In(x, _, _) => paths(x, see),
        Node::All(list) | Node::Any(list) | Node::Concat(list) | Node::Call(_, list) => {
            list.iter().for_each(|x| paths(x, see));
        }
        Node::Compare(_, left, right) => {
            paths(left, see);
            paths(right, see);
        }
    }
}
