//! A chain: its jobs one after the other, each a run of its own.
//!
//! A job that ends Failed stops the chain unless it says `ON FAILURE CONTINUE`; rows in an error file do not.

use super::error::Error;
use super::job;
use super::progress::Progress;
use super::report::Report;
use super::services::Services;
use crate::model::chain::Chain;
use crate::model::job::Job;
use crate::store::home::Home;
use crate::store::state::State;

/// Runs the jobs of a chain in order; `jobs` are the chain's, by name. Each report is handed out as soon as it is there.
/// The answer is the first failure, if there was one.
///
/// # Errors
/// If a run cannot even be kept.
pub async fn run(
    chain: &Chain,
    jobs: &[&Job],
    services: &Services,
    home: &Home,
    state: &mut State,
    progress: &Progress,
    mut ended: impl FnMut(&Report),
) -> Result<Option<Error>, Error> {
    let mut first = None;
    for job in jobs {
        let (report, failed) = job::run(job, Some(&chain.name), services, home, state, progress).await?;
        ended(&report);
        if let Some(error) = failed {
            first.get_or_insert(error);
            if chain.stop_on_failure {
                break;
            }
        }
    }
    Ok(first)
}
