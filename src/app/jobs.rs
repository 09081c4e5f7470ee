//! `jobs` and `chain`: what a project runs, with how each last ended and when it is due: from its text and the state alone.
//!
//! No service is asked. A project with mistakes lists what can be read of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::activity::Alive;
use super::error::Error;
use super::projects::Text;
use super::workspace::{Setting, text_of};
use crate::diagnostic::source::Span;
use crate::lang::ast::{self, HeadClause, Name, Statement};
use crate::model::outcome::Status;
use crate::store::runs::Run;
use crate::store::state::State;

/// When a job or a chain runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "chain")]
pub enum Due {
    /// By its own schedule.
    Scheduled,
    /// When somebody runs it.
    OnDemand,
    /// With a scheduled chain that it is a member of; it has no schedule of its own.
    WithChain(String),
    /// With a scheduled chain that it is a member of, and not by its own schedule.
    Silenced(String),
    /// Its schedule pauses.
    Paused,
}

/// How a job's last run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Last {
    /// The run.
    pub run: String,
    /// Its status.
    pub status: Status,
    /// When it began: RFC 3339, UTC.
    pub on: String,
}

/// One line of the jobs.
#[derive(Debug, Clone, Serialize)]
pub struct JobLine {
    /// Its name.
    pub job: String,
    /// The connection that it reads through.
    pub connection: String,
    /// What people call that connection.
    pub label: String,
    /// The table that it reads, with the connection: `dynamics.account`.
    pub source: String,
    /// The objects that it writes.
    pub destination: Vec<String>,
    /// Its last run.
    pub last: Option<Last>,
    /// When it runs.
    pub due: Due,
    /// Its own schedule as it is written.
    pub schedule: Option<String>,
    /// The chains that it is a member of.
    pub chains: Vec<String>,
}

/// One chain.
#[derive(Debug, Clone, Serialize)]
pub struct ChainLine {
    /// Its name.
    pub chain: String,
    /// What its author says of it.
    pub comment: Option<String>,
    /// Its members by step.
    pub steps: Vec<Vec<Member>>,
    /// When it runs.
    pub due: Due,
    /// Its schedule as it is written.
    pub schedule: Option<String>,
    /// `stop` or `continue`.
    pub on_failure: &'static str,
    /// Who is told how it ended, and of what, as it is written.
    pub notify: Vec<String>,
}

/// A job of a chain.
#[derive(Debug, Clone, Serialize)]
pub struct Member {
    /// The job.
    pub job: String,
    /// Whether the project has it.
    pub is_there: bool,
    /// Its last run.
    pub last: Option<Last>,
}

/// What was listed, and how many statements of the project cannot be read and so are not in it.
#[derive(Debug)]
pub struct Listed<T> {
    /// The lines, in the order of their names.
    pub all: Vec<T>,
    /// How many mistakes the text has in its form.
    pub mistakes: usize,
}

/// The jobs of a project.
///
/// # Errors
/// If the project or the state cannot be read.
pub fn jobs(setting: &Setting) -> Result<Listed<JobLine>, Error> {
    let view = View::open(setting)?;
    let mut all: Vec<JobLine> = view.jobs().map(|job| view.job(job)).collect();
    all.sort_by(|a, b| a.job.cmp(&b.job));
    Ok(Listed { all, mistakes: view.text.parsed.diagnostics.tally().0 })
}

/// The chains of a project.
///
/// # Errors
/// If the project or the state cannot be read.
pub fn chains(setting: &Setting) -> Result<Listed<ChainLine>, Error> {
    let view = View::open(setting)?;
    let mut all: Vec<ChainLine> = view.chains().map(|chain| view.chain(chain)).collect();
    all.sort_by(|a, b| a.chain.cmp(&b.chain));
    Ok(Listed { all, mistakes: view.text.parsed.diagnostics.tally().0 })
}

/// One chain by its name; case is ignored.
///
/// # Errors
/// If there is none of that name, or the project or the state cannot be read.
pub fn chain(setting: &Setting, name: &str) -> Result<ChainLine, Error> {
    let mut all = chains(setting)?.all;
    let names: Vec<String> = all.iter().map(|one| format!("\"{}\"", one.chain)).collect();
    let at = all.iter().position(|one| one.chain == name);
    let at = at.or_else(|| all.iter().position(|one| one.chain.eq_ignore_ascii_case(name)));
    let known = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
    let none = || Error::Usage(format!("the project has no chain \"{name}\"; {known}"));
    Ok(all.swap_remove(at.ok_or_else(none)?))
}

/// The text of a project beside what the state knows of its runs.
struct View {
    text: Text,
    last: BTreeMap<String, Run>,
    pauses: BTreeSet<String>,
}

impl View {
    fn open(setting: &Setting) -> Result<Self, Error> {
        let text = text_of(setting)?;
        let (mut last, mut pauses) = (BTreeMap::new(), BTreeSet::new());
        if let Some(state) = State::look(setting.place())? {
            let alive = Alive::of(&state, setting)?;
            last = state.newest_runs()?.into_iter().map(|run| (run.job.clone(), alive.seen(run))).collect();
            pauses = state.pauses()?.into_iter().map(|pause| pause.name).collect();
        }
        Ok(Self { text, last, pauses })
    }

    fn jobs(&self) -> impl Iterator<Item = &ast::Job> {
        self.text.parsed.statements.iter().filter_map(|statement| match statement {
            Statement::Job(job) => Some(job.as_ref()),
            _ => None,
        })
    }

    fn chains(&self) -> impl Iterator<Item = &ast::Chain> {
        self.text.parsed.statements.iter().filter_map(|statement| match statement {
            Statement::Chain(chain) => Some(chain),
            _ => None,
        })
    }

    fn job(&self, job: &ast::Job) -> JobLine {
        let name = &job.name.text;
        let connection = &job.from.object.connection.text;
        let declared = self.text.parsed.connections.values().find(|c| c.name.eq_ignore_ascii_case(connection));
        let schedule = self.schedule(&job.head);
        let is_member = |chain: &&ast::Chain| chain.steps.iter().flatten().any(|member| member.text == *name);
        let chains: Vec<&ast::Chain> = self.chains().filter(is_member).collect();
        let scheduled = chains.iter().find(|chain| self.schedule(&chain.head).is_some());
        let due = match (scheduled, &schedule) {
            (Some(chain), Some(_)) => Due::Silenced(chain.name.text.clone()),
            (Some(chain), None) => Due::WithChain(chain.name.text.clone()),
            (None, Some(_)) if self.pauses.contains(name) => Due::Paused,
            (None, Some(_)) => Due::Scheduled,
            (None, None) => Due::OnDemand,
        };
        JobLine {
            job: name.clone(),
            connection: connection.clone(),
            label: declared.map_or_else(|| connection.clone(), |connection| connection.label.clone()),
            source: format!("{connection}.{}", job.from.object.object.text),
            destination: job.targets.iter().map(|target| target.object.text.clone()).collect(),
            last: self.last(name),
            due,
            schedule,
            chains: chains.iter().map(|chain| chain.name.text.clone()).collect(),
        }
    }

    fn chain(&self, chain: &ast::Chain) -> ChainLine {
        let is_there = |name: &str| self.jobs().any(|job| job.name.text == name);
        let member = |name: &Name| Member {
            job: name.text.clone(),
            is_there: is_there(&name.text),
            last: self.last(&name.text),
        };
        let schedule = self.schedule(&chain.head);
        let notices = chain.head.iter().filter_map(|clause| match clause {
            HeadClause::Notify(notify) => Some(self.words(notify.span)),
            _ => None,
        });
        let goes_on = chain.head.iter().any(|clause| matches!(clause, HeadClause::OnFailure { stop: false, .. }));
        let comment = chain.head.iter().find_map(|clause| match clause {
            HeadClause::Comment(text) => Some(text.text.clone()),
            _ => None,
        });
        ChainLine {
            chain: chain.name.text.clone(),
            comment,
            steps: chain.steps.iter().map(|step| step.iter().map(member).collect()).collect(),
            due: match &schedule {
                None => Due::OnDemand,
                Some(_) if self.pauses.contains(&chain.name.text) => Due::Paused,
                Some(_) => Due::Scheduled,
            },
            schedule,
            on_failure: if goes_on { "continue" } else { "stop" },
            notify: notices.collect(),
        }
    }

    fn schedule(&self, head: &[HeadClause]) -> Option<String> {
        head.iter().find_map(|clause| match clause {
            HeadClause::Schedule(schedule) => Some(self.words(schedule.span)),
            _ => None,
        })
    }

    /// A clause as it is written, without its keyword, on one line.
    fn words(&self, span: Span) -> String {
        let text = &self.text.sources.file(span.file).text[span.start..span.end];
        text.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    }

    fn last(&self, job: &str) -> Option<Last> {
        let run = self.last.get(job)?;
        let status = Status::parse(&run.status)?;
        Some(Last { run: run.id.clone(), status, on: run.started.clone() })
    }
}
