//! A chain: its steps in order, the jobs of a step side by side, each a run of its own.
//!
//! The source of a step is read as soon as the step before it has read everything, so while that loads; nothing of the target is looked
//! at before every step before has ended (`turn`). It is never more than one step ahead, as a step that waits for its turn has not read
//! everything. Jobs of a step of which one writes what another writes or reads take their turns in script order. All of it is one task.
//!
//! A job that does not come to its end stops the chain, unless it says `ON FAILURE CONTINUE`: the jobs beside it end, those behind it are
//! skipped. Rows in an error file do not.

use std::cell::RefCell;

use futures::future::try_join_all;

use super::error::Error;
use super::job;
use super::progress::Progress;
use super::report::Report;
use super::services::Services;
use super::skipping::skip;
use super::turn::{Other, Turn};
use super::undertaking::How;
use crate::model::chain::Chain;
use crate::model::conflict::conflict;
use crate::model::job::Job;
use crate::model::outcome::Status;
use crate::store::home::Home;
use crate::store::ledger::Ledger;

/// What runs work with.
pub struct With<'a> {
    /// The clients of the connections.
    pub services: &'a Services,
    /// Where everything is kept.
    pub home: &'a Home,
    /// What was done so far.
    pub ledger: &'a dyn Ledger,
    /// Who listens.
    pub progress: &'a Progress,
}

/// How a chain ended.
#[derive(Debug)]
pub struct Ended {
    /// The worst of its jobs.
    pub status: Status,
    /// What stopped the first job that failed, if one did.
    pub failure: Option<Error>,
}

/// A job in its place.
struct Member<'a> {
    job: &'a Job,
    turn: Turn,
    /// Jobs that must have read everything before this one begins: those of the step before.
    reading: Vec<Other>,
    /// Jobs that must have ended before this one begins: those of earlier steps.
    loading: Vec<Other>,
}

/// Runs a chain; `steps` are the chain's, or what is left of them. `first` says how its jobs are run, and which interrupted run one of them
/// goes on with. Each report is handed out as soon as it is there.
///
/// # Errors
/// If a run cannot even be kept.
pub async fn run(
    chain: &Chain,
    steps: &[Vec<&Job>],
    first: &How,
    with: &With<'_>,
    ended: impl FnMut(&Report),
) -> Result<Ended, Error> {
    let resumed = first.resume.as_ref().map(|run| with.ledger.begun(run)).transpose()?.flatten();
    let resumed = resumed.map(|found| found.run.job);
    let ended = RefCell::new(ended);
    let members = members(chain, steps, with.services);
    let runs = members.iter().map(|member| {
        let how = How {
            chain: Some(chain.name.clone()),
            anew: first.anew,
            full: first.full,
            verify: false,
            resume: first.resume.clone().filter(|_| resumed.as_ref() == Some(&member.job.name)),
            chosen: None,
            slot_ms: first.slot_ms,
        };
        let ended = &ended;
        async move {
            let (report, failure) = member.run(&how, with).await?;
            member.turn.ended(report.status);
            (ended.borrow_mut())(&report);
            Ok::<_, Error>((report.status, failure))
        }
    });
    let mut all = Ended { status: Status::Success, failure: None };
    for (status, failure) in try_join_all(runs).await? {
        all.status = all.status.worse(status);
        // What was skipped did not stop anything.
        all.failure = all.failure.or(failure.filter(|error| !matches!(error, Error::Skipped { .. })));
    }
    Ok(all)
}

/// The jobs with their turns.
fn members<'a>(chain: &Chain, steps: &[Vec<&'a Job>], services: &Services) -> Vec<Member<'a>> {
    let mut members: Vec<Member<'a>> = Vec::new();
    let (mut loading, mut reading): (Vec<Other>, Vec<Other>) = (Vec::new(), Vec::new());
    for step in steps {
        let before: Vec<Other> = loading.iter().chain(&reading).cloned().collect();
        let mut watched = Vec::new();
        for job in step {
            let earlier = members[members.len() - watched.len()..].iter().zip(&watched);
            let beside = earlier.filter(|(other, _)| are_in_conflict(other.job, job, services));
            let beside = beside.map(|(_, watched): (_, &Other)| watched.clone()).collect();
            let turn = Turn::after(before.clone(), beside);
            watched.push(turn.watched(&job.name, chain.stop_on_failure));
            members.push(Member { job, turn, reading: reading.clone(), loading: loading.clone() });
        }
        loading.extend(std::mem::replace(&mut reading, watched));
    }
    members
}

fn are_in_conflict(one: &Job, other: &Job, services: &Services) -> bool {
    services.tenancy(one).tenant == services.tenancy(other).tenant && conflict(one, other).is_some()
}

impl Member<'_> {
    async fn run(&self, how: &How, with: &With<'_>) -> Result<(Report, Option<Error>), Error> {
        if let Err(skipped) = self.begins().await {
            return Ok((skip(self.job, how, &skipped, with)?, Some(skipped)));
        }
        job::run_in_turn(self.job, how, with, &self.turn).await
    }

    /// Waits until the job may begin to read its source.
    async fn begins(&self) -> Result<(), Error> {
        let loaded = try_join_all(self.loading.iter().map(Other::ended));
        let extracted = try_join_all(self.reading.iter().map(Other::extracted));
        futures::try_join!(loaded, extracted).map(drop)
    }
}
