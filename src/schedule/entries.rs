//! What has a schedule in a project, and whose schedule is silenced.
//!
//! In: jobs and chains. Out: one entry for each that is scheduled. A job that a scheduled chain runs does not follow its own schedule.

use crate::model::schedule::Schedule;

/// A job or a chain, as far as schedules go.
#[derive(Debug, Clone, Copy)]
pub struct Declared<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
    /// When it is due, if it is scheduled.
    pub schedule: Option<&'a Schedule>,
    /// The jobs that it runs, if it is a chain.
    pub steps: &'a [Vec<String>],
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
pub fn entries<'a>(declared: impl Iterator<Item = Declared<'a>> + Clone) -> Vec<Entry> {
    let chains = declared.clone().filter(|one| one.kind == Kind::Chain && one.schedule.is_some());
    let made = declared.filter_map(|one| {
        let runs = |chain: &Declared<'_>| chain.steps.iter().flatten().any(|job| job == one.name);
        let silencing = chains.clone().filter(|chain| one.kind == Kind::Job && runs(chain));
        Some(Entry {
            name: one.name.to_owned(),
            kind: one.kind,
            schedule: one.schedule?.clone(),
            silenced_by: silencing.map(|chain| chain.name.to_owned()).collect(),
        })
    });
    made.collect()
}
