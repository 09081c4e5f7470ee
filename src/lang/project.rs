//! The door of the language: files in, statements out; then statements and a catalog in, checked definitions out.
//!
//! Two steps, because between them `app` has to ask the services for the schemas that the statements name.

use std::collections::{BTreeMap, BTreeSet};

use super::ast::{Job, Name, Statement};
use super::check;
use super::check::target::AVATAR_PREFIX;
use super::parse::{parse, unquote};
use super::split::split;
use super::tokens::tokens;
use crate::diagnostic::code;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::{Sources, Span};
use crate::model::catalog::Catalog;
use crate::model::chain::Chain;
use crate::model::connection::{Connection, Mail};
use crate::model::function::Functions;
use crate::model::job;
use crate::model::settings::Settings;
use crate::model::test::Test;

/// The statements of a project, as far as they could be read, and its connections.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Every readable statement.
    pub statements: Vec<Statement>,
    /// The connections, checked: they need no catalog.
    pub connections: BTreeMap<String, Connection>,
    /// The mail connections.
    pub mail: BTreeMap<String, Mail>,
    /// What holds for the project as a whole.
    pub settings: Settings,
    /// What was found on the way.
    pub diagnostics: Diagnostics,
    /// What is declared by statements with a mistake of their own, so that nobody is told it were missing.
    pub(super) broken: Broken,
}

/// Names that are declared and cannot be used.
#[derive(Debug, Default)]
pub(super) struct Broken {
    /// Connections, in small letters.
    pub(super) connections: BTreeSet<String>,
    /// Jobs.
    pub(super) jobs: BTreeSet<String>,
}

impl Broken {
    /// Takes note of what a statement that cannot be read declares: `CREATE JOB "name"`.
    fn unread(&mut self, text: &str) {
        let words = tokens(text);
        let [create, kind, name, ..] = &words[..] else { return };
        if !create.text.eq_ignore_ascii_case("CREATE") {
            return;
        }
        if kind.text.eq_ignore_ascii_case("JOB") {
            self.jobs.insert(unquote(name.text));
        } else if kind.text.eq_ignore_ascii_case("CONNECTION") {
            self.connections.insert(unquote(name.text).to_lowercase());
        }
    }
}

/// What a project declares, after checking. A job with an error is absent, and so are its tests.
#[derive(Debug, Default)]
pub struct Project {
    /// By identifier.
    pub connections: BTreeMap<String, Connection>,
    /// By name.
    pub jobs: BTreeMap<String, job::Job>,
    /// By name.
    pub chains: BTreeMap<String, Chain>,
    /// In the order in which they are written.
    pub tests: Vec<Test>,
    /// What holds for the project as a whole.
    pub settings: Settings,
    /// Where notices go out, by identifier.
    pub mail: BTreeMap<String, Mail>,
}

impl Parsed {
    /// The jobs that read from a connection, write to it or search in it, and the chains that run such a job.
    #[must_use]
    pub fn users_of(&self, connection: &str) -> Vec<String> {
        let is = |name: &Name| name.text.eq_ignore_ascii_case(connection);
        let uses = |job: &Job| {
            is(&job.from.object.connection)
                || job.from.begins_with.iter().any(|o| is(&o.connection))
                || job.targets.iter().any(|t| is(&t.connection))
                || job.lookups.iter().any(|l| is(&l.object.connection))
        };
        let mut users: Vec<String> = Vec::new();
        for statement in &self.statements {
            if let Statement::Job(job) = statement
                && uses(job)
            {
                users.push(job.name.text.clone());
            }
        }
        let jobs = users.clone();
        for statement in &self.statements {
            if let Statement::Chain(chain) = statement
                && chain.steps.iter().flatten().any(|step| jobs.contains(&step.text))
            {
                users.push(chain.name.text.clone());
            }
        }
        users
    }

    /// The names of all jobs that are written, right or wrong.
    pub(super) fn jobs(&self) -> BTreeSet<&str> {
        let jobs = self.statements.iter().filter_map(|statement| match statement {
            Statement::Job(job) => Some(job.name.text.as_str()),
            _ => None,
        });
        jobs.chain(self.broken.jobs.iter().map(String::as_str)).collect()
    }

    /// The tables or objects of a connection that the project names.
    #[must_use]
    pub fn objects_of(&self, connection: &str) -> Vec<String> {
        let objects = self.references().objects.into_iter();
        let own = objects.filter(|(c, o)| c.eq_ignore_ascii_case(connection) && !o.starts_with(AVATAR_PREFIX));
        own.map(|(_, object)| object).collect()
    }

    /// What the project has for notices: a statement with a mistake of its own is not told of as missing.
    pub(super) fn posts(&self) -> check::Posts {
        let mut posts = check::Posts::default();
        for statement in &self.statements {
            match statement {
                Statement::Connection(one) => posts.has_mail |= one.service == super::ast::Service::Smtp,
                Statement::Settings(all) => {
                    posts.has_key |= all.settings.iter().any(|one| one.name.text.eq_ignore_ascii_case("webhook_key"));
                }
                _ => {}
            }
        }
        posts
    }

    /// Where the URL of a connection is written.
    #[must_use]
    pub fn url_of(&self, connection: &str) -> Option<Span> {
        self.statements.iter().find_map(|statement| match statement {
            Statement::Connection(one) if one.name.text == connection => one.url.first().map(|url| url.span),
            _ => None,
        })
    }
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
                Err(diagnostic) => {
                    parsed.broken.unread(&file.text[span.start..span.end]);
                    parsed.diagnostics.push(*diagnostic);
                }
            }
        }
    }
    check::names::unique(&parsed.statements, &mut parsed.diagnostics);
    parsed.settings = check::settings::check(&parsed.statements, &mut parsed.diagnostics);
    check::mail::one_at_most(&parsed.statements, &mut parsed.diagnostics);
    for statement in &parsed.statements {
        let Statement::Connection(written) = statement else { continue };
        if written.service == super::ast::Service::Smtp {
            if let Some(mail) = check::mail::check(written, &mut parsed.diagnostics) {
                parsed.mail.entry(mail.name.clone()).or_insert(mail);
            }
        } else if let Some(connection) = check::connection::check(written, sources, &mut parsed.diagnostics) {
            parsed.connections.entry(connection.name.clone()).or_insert(connection);
        } else {
            parsed.broken.connections.insert(written.name.text.to_lowercase());
        }
    }
    parsed
}

/// Finds out what every job, chain and test means. Diagnostics are added to those of reading.
#[must_use]
pub fn check(parsed: &Parsed, catalog: &Catalog, functions: &Functions, sources: &Sources) -> (Project, Diagnostics) {
    let mut diagnostics = parsed.diagnostics.clone();
    let mut project = Project {
        connections: parsed.connections.clone(),
        settings: parsed.settings.clone(),
        mail: parsed.mail.clone(),
        ..Project::default()
    };
    let written = parsed.jobs();
    let (connections, settings, broken) = (&parsed.connections, &parsed.settings, &parsed.broken.connections);
    let posts = parsed.posts();
    let context = check::Context { catalog, connections, broken, sources, functions, settings, posts, jobs: &written };
    check::resolution::fields(&parsed.statements, &context, &mut diagnostics);
    for statement in &parsed.statements {
        match statement {
            Statement::Job(job) => {
                if let Some(checked) = check::job::check(job, &context, &mut diagnostics) {
                    project.jobs.entry(checked.name.clone()).or_insert(checked);
                }
            }
            Statement::Chain(chain) => {
                if let Some(checked) = check::chain::check(chain, &context, &mut diagnostics) {
                    project.chains.entry(checked.name.clone()).or_insert(checked);
                }
            }
            Statement::Connection(_) | Statement::Test(_) | Statement::Settings(_) => {}
        }
    }
    for statement in &parsed.statements {
        if let Statement::Test(test) = statement {
            project.tests.extend(check::test::check(test, &project.jobs, &context, &mut diagnostics));
        }
    }
    check::chain::cycles(&parsed.statements, &mut diagnostics);
    check::chain_order::order(&parsed.statements, &project.jobs, &mut diagnostics);
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
