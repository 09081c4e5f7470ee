//! What the daemon works by: the last definitions of the project that were right.
//!
//! Files are looked at again and again. What changed is checked against both services before it takes the place of what was there;
//! with a mistake in it, or where no service can be asked, the daemon goes on with what it has. In: a setting. Out: definitions, or why
//! there are none.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::told::Defined;
use crate::app::error::Error;
use crate::app::projects::{self, Text};
use crate::app::schedules::scheduled;
use crate::app::workspace::{Setting, Workspace};
use crate::diagnostic::report::{Diagnostics, Severity};
use crate::diagnostic::source::Sources;
use crate::lang::project::{Project, read};
use crate::model::conflict::conflict;
use crate::model::job::Job;
use crate::schedule::entries::Entry;
use crate::schedule::times::longest_gap;

/// Definitions that are right.
pub struct Definitions {
    sources: Sources,
    /// What they declare.
    pub project: Project,
    /// The jobs and chains that have a schedule.
    pub entries: Vec<Entry>,
    tenants: BTreeMap<String, String>,
    paces: BTreeMap<String, Option<u64>>,
}

/// Why files are not what the daemon works by.
pub enum NotTaken {
    /// They have mistakes.
    Broken(Box<(Diagnostics, Sources)>),
    /// No service could be asked, or a secret is missing.
    Unchecked(Error),
}

impl Definitions {
    /// Checks what the files say.
    ///
    /// # Errors
    /// Mistakes, or what stood in the way of looking for them.
    pub async fn of(sources: Sources, setting: &Setting) -> Result<Self, NotTaken> {
        let text = Text { parsed: read(&sources), sources: sources.clone() };
        let workspace = match Workspace::of(text, setting).await {
            Ok(workspace) => workspace,
            Err(Error::Text(text)) => return Err(NotTaken::Broken(text)),
            Err(error) => return Err(NotTaken::Unchecked(error)),
        };
        if workspace.diagnostics.has_errors() {
            return Err(NotTaken::Broken(Box::new((workspace.diagnostics, workspace.sources))));
        }
        let (project, tenants) = (workspace.project, workspace.services.tenants);
        let mut taken = Self { entries: scheduled(&project), sources, project, tenants, paces: BTreeMap::new() };
        taken.paces = taken.paces_from(setting.clock.now());
        Ok(taken)
    }

    /// Whether these files say what it is made of.
    #[must_use]
    pub fn is_of(&self, sources: &Sources) -> bool {
        are_same(&self.sources, sources)
    }

    /// The text, to be checked again: schemas may have changed since.
    #[must_use]
    pub fn text(&self) -> Text {
        Text { parsed: read(&self.sources), sources: self.sources.clone() }
    }

    /// How much there is.
    #[must_use]
    pub fn defined(&self) -> Defined {
        let scheduled = self.entries.iter().filter(|one| one.silenced_by.is_empty()).count();
        Defined {
            jobs: self.project.jobs.len(),
            chains: self.project.chains.len(),
            scheduled,
            paces: self.paces.clone(),
            chain_names: self.project.chains.keys().cloned().collect(),
        }
    }

    /// See [`Defined::paces`]. A job that several schedules run follows the shortest of them.
    fn paces_from(&self, now: DateTime<Utc>) -> BTreeMap<String, Option<u64>> {
        let mut paces: BTreeMap<String, Option<u64>> =
            self.project.jobs.keys().map(|job| (job.clone(), None)).collect();
        for entry in self.entries.iter().filter(|one| one.silenced_by.is_empty()) {
            let Some(gap) = longest_gap(&entry.schedule, now) else { continue };
            let gap = u64::try_from(gap.num_seconds()).unwrap_or_default();
            for job in self.jobs_of(&entry.name) {
                let pace = paces.entry(job.name.clone()).or_default();
                *pace = Some(pace.map_or(gap, |known| known.min(gap)));
            }
        }
        paces
    }

    /// The jobs that a name stands for: itself, or those of a chain.
    #[must_use]
    pub fn jobs_of(&self, name: &str) -> Vec<&Job> {
        match self.project.chains.get(name) {
            Some(chain) => chain.jobs().filter_map(|job| self.project.jobs.get(job)).collect(),
            None => self.project.jobs.get(name).into_iter().collect(),
        }
    }

    /// Whether a job or a chain writes what another writes or reads, or the other way round; the other is that of other definitions.
    #[must_use]
    pub fn are_in_conflict(&self, one: &str, of: &Self, other: &str) -> bool {
        let others = of.jobs_of(other);
        let tenant = |job: &Job| {
            let connection = &job.main_target().connection;
            self.tenants.get(connection).unwrap_or(connection).clone()
        };
        let is_in_the_way = |one: &Job, other: &Job| tenant(one) == tenant(other) && conflict(one, other).is_some();
        self.jobs_of(one).into_iter().any(|one| others.iter().any(|other| is_in_the_way(one, other)))
    }
}

/// The project's files as they are now.
///
/// # Errors
/// If they cannot be read.
pub fn look(setting: &Setting) -> Result<Sources, Error> {
    Ok(projects::open(&setting.project, setting.environment.as_deref())?.sources)
}

/// Whether two sets of files are the same.
#[must_use]
pub fn are_same(one: &Sources, other: &Sources) -> bool {
    let files = |sources: &Sources| {
        sources.iter().map(|(_, file)| (file.name.clone(), file.text.clone())).collect::<Vec<(String, String)>>()
    };
    files(one) == files(other)
}

/// The first mistake with its place, on one line.
#[must_use]
pub fn first(mistakes: &Diagnostics, sources: &Sources) -> String {
    let sorted = mistakes.sorted();
    let first = sorted.into_iter().find(|one| one.severity == Severity::Error);
    first.map_or_else(String::new, |one| {
        let (line, column) = sources.position(one.span);
        format!("{}:{line}:{column}: {}", sources.file(one.span.file).name, one.message)
    })
}
