//! One statement: text → AST, or the diagnostic that says why not.
//!
//! The grammar decides what is legal; this file and its two neighbours only carry pest's pairs over into `ast`. What
//! they take for granted about the order of pairs is what the grammar says.

use pest::Parser;
use pest::iterators::{Pair, Pairs};

use super::ast::{
    Auth, Chain, Connection, Name, ObjectName, Service, Setting, SettingValue, Settings, Statement, TargetField,
};
use super::expect::diagnose;
use super::parse_files;
use super::parse_job::job;
use super::parse_schedule::{head_clause, length};
use super::parse_test::test;
use super::syntax::{Grammar, Rule, bound};
use crate::diagnostic::report::Diagnostic;
use crate::diagnostic::source::Span;

/// Where the statement begins in its file: added to every place that pest reports.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    file: usize,
    start: usize,
}

/// Parses the statement that stands at `span` of `text`.
pub(super) fn parse(span: Span, text: &str) -> Result<Statement, Box<Diagnostic>> {
    bound();
    let origin = Origin { file: span.file, start: span.start };
    let mut pairs = Grammar::parse(Rule::statement, &text[span.start..span.end])
        .map_err(|error| Box::new(diagnose(&error, span, text)))?;
    let statement = pairs.next().expect("a successful parse yields its rule");
    let body = statement
        .into_inner()
        .find(|p| !matches!(p.as_rule(), Rule::kw_create | Rule::EOI))
        .expect("a statement is one of five");
    Ok(match body.as_rule() {
        Rule::connection => Statement::Connection(Box::new(connection(origin, body))),
        Rule::job => Statement::Job(Box::new(job(origin, body))),
        Rule::test => Statement::Test(test(origin, body)),
        Rule::settings => Statement::Settings(settings(origin, body)),
        _ => Statement::Chain(chain(origin, body)),
    })
}

impl Origin {
    pub(super) fn span(self, pair: &Pair<'_, Rule>) -> Span {
        let inner = pair.as_span();
        // A rule that ends in optional parts also takes the blanks before the part that is absent.
        let length = pair.as_str().trim_end().len();
        Span { file: self.file, start: self.start + inner.start(), end: self.start + inner.start() + length }
    }

    pub(super) fn name(self, pair: &Pair<'_, Rule>) -> Name {
        Name { text: unquote(pair.as_str()), span: self.span(pair) }
    }

    pub(super) fn object(self, pair: Pair<'_, Rule>) -> ObjectName {
        let span = self.span(&pair);
        let mut names = self.names(pair.into_inner());
        let object = names.pop().expect("an object has two names");
        let connection = names.pop().expect("an object has two names");
        ObjectName { connection, object, span }
    }

    pub(super) fn target_field(self, pair: Pair<'_, Rule>) -> TargetField {
        let span = self.span(&pair);
        let mut names = self.names(pair.into_inner());
        let field = names.pop().expect("a target field has a name");
        TargetField { object: names.pop(), field, span }
    }

    /// The names, texts and numbers among some pairs.
    pub(super) fn names(self, pairs: Pairs<'_, Rule>) -> Vec<Name> {
        pairs
            .filter(|p| matches!(p.as_rule(), Rule::name | Rule::identifier | Rule::text | Rule::number))
            .map(|p| self.name(&p))
            .collect()
    }
}

/// What a quoted name or text says: without its quotes, doubled ones made single.
pub(super) fn unquote(written: &str) -> String {
    match written.chars().next() {
        Some(quote @ ('\'' | '"')) if written.len() >= 2 => {
            written[1..written.len() - 1].replace(&format!("{quote}{quote}"), &quote.to_string())
        }
        _ => written.to_owned(),
    }
}

fn connection(origin: Origin, pair: Pair<'_, Rule>) -> Connection {
    let span = origin.span(&pair);
    let mut made = Connection {
        name: Name { text: String::new(), span },
        label: None,
        service: Service::Gainsight,
        url: Vec::new(),
        auth: Vec::new(),
        limits: Vec::new(),
        company_resolution: None,
        person_resolution: Vec::new(),
        sender: Vec::new(),
        format: Vec::new(),
        tables: Vec::new(),
        span,
    };
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::name => made.name = origin.name(&part),
            Rule::text => made.label = Some(origin.name(&part)),
            Rule::service => {
                made.service = match part.into_inner().next().map(|p| p.as_rule()) {
                    Some(Rule::kw_dynamics) => Service::Dynamics,
                    Some(Rule::kw_files) => Service::Files,
                    Some(Rule::kw_smtp) => Service::Smtp,
                    _ => Service::Gainsight,
                };
            }
            Rule::connection_clause => part.into_inner().for_each(|clause| take_clause(origin, clause, &mut made)),
            _ => {}
        }
    }
    made
}

fn take_clause(origin: Origin, clause: Pair<'_, Rule>, made: &mut Connection) {
    match clause.as_rule() {
        Rule::url => made.url.extend(origin.names(clause.into_inner())),
        Rule::sender => made.sender.extend(origin.names(clause.into_inner())),
        Rule::auth => made.auth.push(auth(origin, clause)),
        Rule::format => made.format.push(parse_files::format(origin, clause)),
        Rule::files_table => made.tables.push(parse_files::table(origin, clause)),
        Rule::limits => {
            for limit in clause.into_inner().filter(|p| p.as_rule() == Rule::limit) {
                let mut names = origin.names(limit.into_inner());
                let value = names.pop().expect("a limit has a value");
                let name = names.pop().expect("a limit has a name");
                made.limits.push((name, value));
            }
        }
        Rule::company_resolution => made.company_resolution = origin.names(clause.into_inner()).try_into().ok(),
        Rule::person_resolution => {
            let fields = clause.into_inner().filter(|p| p.as_rule() == Rule::target_field);
            made.person_resolution.extend(fields.map(|p| origin.target_field(p)));
        }
        _ => {}
    }
}

fn auth(origin: Origin, pair: Pair<'_, Rule>) -> Auth {
    let span = origin.span(&pair);
    let mut kind = Name { text: String::new(), span };
    let mut settings = Vec::new();
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::identifier => kind = origin.name(&part),
            Rule::auth_setting => {
                let mut inner = part.into_inner();
                let name = origin.name(&inner.next().expect("a setting has a name"));
                let value = inner.next().expect("a setting has a value");
                let is_secret = value.as_rule() == Rule::secret;
                let text = if is_secret {
                    origin.names(value.into_inner()).pop().expect("a secret has a name")
                } else {
                    origin.name(&value)
                };
                settings.push((name, text, is_secret));
            }
            _ => {}
        }
    }
    Auth { kind, settings, span }
}

fn settings(origin: Origin, pair: Pair<'_, Rule>) -> Settings {
    let span = origin.span(&pair);
    let each = pair.into_inner().filter(|p| p.as_rule() == Rule::setting).map(|setting| {
        let span = origin.span(&setting);
        let mut inner = setting.into_inner();
        let name = origin.name(&inner.next().expect("a setting has a name"));
        let value = inner.next().expect("a setting has a value");
        let value = match value.as_rule() {
            Rule::length => SettingValue::Length(length(origin, value)),
            Rule::secret => SettingValue::Secret(origin.names(value.into_inner()).pop().expect("a secret has a name")),
            _ => SettingValue::Text(origin.name(&value)),
        };
        Setting { name, value, span }
    });
    Settings { settings: each.collect(), span }
}

fn chain(origin: Origin, pair: Pair<'_, Rule>) -> Chain {
    let span = origin.span(&pair);
    let mut made = Chain { name: Name { text: String::new(), span }, head: Vec::new(), steps: Vec::new(), span };
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::name => made.name = origin.name(&part),
            Rule::chain_clause => made.head.extend(part.into_inner().map(|p| head_clause(origin, p))),
            Rule::step => made.steps.push(origin.names(part.into_inner())),
            _ => {}
        }
    }
    made
}
