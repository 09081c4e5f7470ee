//! A chain: its jobs one after the other, each a run of its own.
//!
//! A job that ends Failed stops the chain unless it says `ON FAILURE CONTINUE`; rows in an error file do not.

use super::error::Error;
use super::job;
use super::progress::Progress;
use super::report::Report;
use super::services::Services;
use super::undertaking::How;
use crate::model::chain::Chain;
use crate::model::job::Job;
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

/// Runs the jobs of a chain in order; `jobs` are the chain's, or what is left of them. `first` says how the first of them is run: a
/// chain that was interrupted goes on with the run that was. Each report is handed out as soon as it is there. The answer is
/// the first failure, if there was one.
///
/// # Errors
/// If a run cannot even be kept.
pub async fn run(
    chain: &Chain,
    jobs: &[&Job],
    first: &How,
    with: &With<'_>,
    mut ended: impl FnMut(&Report),
) -> Result<Option<Error>, Error> {
    let mut first_failure = None;
    for (number, job) in jobs.iter().enumerate() {
        let resume = first.resume.clone().filter(|_| number == 0);
        let how = How {
            chain: Some(chain.name.clone()),
            anew: first.anew,
            full: first.full,
            verify: false,
            resume,
            chosen: None,
            slot_ms: first.slot_ms,
        };
        let (report, failed) = job::run(job, &how, with.services, with.home, with.ledger, with.progress).await?;
        ended(&report);
        if let Some(error) = failed {
            first_failure.get_or_insert(error);
            if chain.stop_on_failure {
                break;
            }
        }
    }
    Ok(first_failure)
}
