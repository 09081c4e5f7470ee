//! What has a schedule in a project, and whose schedule is silenced.
//!
//! In: jobs and chains. Out: one entry for each that is scheduled. A job that a scheduled chain runs does not follow its own schedule.

use crate::model::schedule::Schedule;

/// A job or a chain, as far as schedules go.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// When it is due, if it is scheduled.
    pub schedule: Option<Schedule>,
    /// The jobs that it runs, if it is a chain.
    pub jobs: Vec<String>,
}

impl Declared {
    /// A job.
    #[must_use]
    pub fn job(name: &str, schedule: Option<Schedule>) -> Self {
        Self { name: name.to_owned(), kind: Kind::Job, schedule, jobs: Vec::new() }
    }

    /// A chain with the jobs that it runs.
    #[must_use]
    pub fn chain<'a>(name: &str, schedule: Option<Schedule>, jobs: impl Iterator<Item = &'a String>) -> Self {
        Self { name: name.to_owned(), kind: Kind::Chain, schedule, jobs: jobs.cloned().collect() }
    }
}

/// What can be scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A job.
    Job,
    /// A chain of jobs.
    Chain,
}

impl Kind {
    /// `job`, `chain`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Chain => "chain",
        }
    }
}

/// A job or a chain with a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// When it is due.
    pub schedule: Schedule,
    /// The scheduled chains that run this job, so that it does not follow its own schedule.
    pub silenced_by: Vec<String>,
}

/// All that are scheduled, in the order given.
#[must_use]
pub fn entries(declared: &[Declared]) -> Vec<Entry> {
    let silencing = |job: &Declared| {
        let chains = declared.iter().filter(|one| one.schedule.is_some() && one.jobs.contains(&job.name));
        chains.map(|chain| chain.name.clone()).collect()
    };
    let made = declared.iter().filter_map(|one| {
        Some(Entry {
            name: one.name.clone(),
            kind: one.kind,
            schedule: one.schedule.clone()?,
            silenced_by: silencing(one),
        })
    });
    made.collect()
}
