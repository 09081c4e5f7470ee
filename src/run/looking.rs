//! The first look of a run at its target: what it has to wait for before.
//!
//! What is read of the target must be what it is when nobody writes to it any more. So a run of a chain waits for its turn, every run
//! for calls of others that may still have an effect, and until every query shows what was created just now. In: a run. Out: the
//! moment from which on it may look.

use std::time::Duration;

use super::error::Error;
use super::extract::remember;
use super::handing::tell_of_files;
use super::importing::wait_for_imports;
use super::job::Working;
use super::progress::Voice;
use super::services::Services;
use super::settling::quiet_after;
use super::timed::Timed;
use crate::gainsight::assumptions::CREATED_SHOWS_WITHIN_MS;
use crate::model::dataset;
use crate::model::job::Job;
use crate::model::sabotage::{self, Bug};
use crate::store::dataset::RunFolder;
use crate::store::ledger::{LOOKED, Ledger, Phase};

impl Working<'_> {
    /// Waits until the run may look at its target, and copies what the state remembers then. Gives when its turn had come.
    pub(super) async fn look(&self, folder: &RunFolder) -> Result<Timed, Error> {
        self.turn.comes().await?;
        let come = Timed::begin(self.services);
        if self.one.phase == Phase::Extracting {
            let (job, services, run) = (self.job, self.services, self.one.run.as_str());
            // From now on it can miss what others write.
            if self.ledger.reading(run, LOOKED)?.is_some_and(|noted| noted.checkpoint.is_empty()) {
                self.ledger.looks(run, services.clock.now().timestamp_millis())?;
            }
            wait_for_others(run, job, services, self.ledger, self.progress).await?;
            wait_for_imports(run, job, services, self.ledger, self.progress).await?;
            tell_of_files(run, job, &services.tenancy(job).tenant, self.ledger, self.progress)?;
            wait_for_created(job, services, self.ledger, self.progress).await?;
            remember(job, &services.tenancy(job), self.one.chosen.as_deref(), &self.staging(folder)).await?;
        }
        Ok(come)
    }
}

/// Waits until no call of another run of this tenant can have an effect any more: what is read before that may change unseen.
pub(super) async fn wait_for_others(
    run: &str,
    job: &Job,
    services: &Services,
    ledger: &dyn Ledger,
    progress: &Voice<'_>,
) -> Result<(), Error> {
    let tenant = services.tenancy(job).tenant;
    let Some(sent_at) = ledger.last_open_of_others(&tenant, run)? else { return Ok(()) };
    let wait = quiet_after(sent_at, &services.target(job)?.limits, services.clock);
    if !wait.is_zero() && !sabotage::has(Bug::NoQuiet) {
        let seconds = wait.as_secs_f64();
        progress.notice(format!(
            "a call of another run has no answer; waiting {seconds:.1} s until it can have no effect any more"
        ));
        services.target(job)?.wait(wait).await;
    }
    // What another run has left since is not waited for yet.
    Ok(ledger.close_others(&tenant, run, sent_at)?)
}

/// Waits until everything shows that was created or deleted in the objects that a job is about to read: by the step of a chain before it, or by
/// a run that has only just ended.
pub(super) async fn wait_for_created(
    job: &Job,
    services: &Services,
    ledger: &dyn Ledger,
    progress: &Voice<'_>,
) -> Result<(), Error> {
    let what: Vec<String> = dataset::objects(job).keys().flat_map(|object| made_and_removed(object)).collect();
    let Some(last) = ledger.last_made(&services.tenancy(job).tenant, &what)? else { return Ok(()) };
    let whole = services.clock.real(CREATED_SHOWS_WITHIN_MS);
    let passed = u64::try_from(services.clock.now().timestamp_millis() - last).unwrap_or(0);
    let wait = whole.saturating_sub(Duration::from_millis(passed));
    if !wait.is_zero() {
        if wait >= Duration::from_secs(1) {
            let seconds = wait.as_secs();
            progress.notice(format!("records were created just now; waiting {seconds} s until every query shows them"));
        }
        services.target(job)?.wait(wait).await;
    }
    Ok(())
}

/// The calls that make or remove records of an object, as the ledger calls them.
pub(super) fn made_and_removed(object: &str) -> Vec<String> {
    match object {
        "person" | "company_person" => vec!["person".to_owned()],
        other => vec![format!("insert {other}"), format!("delete {other}")],
    }
}
