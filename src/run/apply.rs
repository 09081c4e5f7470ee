//! Applying a plan that was made before: exactly that one, or nothing.
//!
//! A plan follows from its run folder alone. So what may have moved since, the target and what the state remembers, is read again into
//! the folder, the plan is made again for the same moment, and if its digest is that of the plan that was shown, the run goes on as any
//! other that was about to load. The source is not read again: what changed there since comes with the next run.

use chrono::{DateTime, SecondsFormat};

use tokio::sync::watch;

use super::drift;
use super::error::Error;
use super::essence::digest_of;
use super::extract::{read_target_again, remember};
use super::guard;
use super::job::{Begun, Working};
use super::looking::{wait_for_created, wait_for_others};
use super::moved::moved;
use super::overlay::waiting;
use super::plan::plan;
use super::progress::{Progress, Voice};
use super::proving::MADE_AGAIN;
use super::quota;
use super::report::Report;
use super::services::Services;
use super::staging::Staging;
use super::turn::Turn;
use super::undertaking::{RESUMED_WITHIN_HOURS, Undertaking, what_changed};
use crate::model::dataset;
use crate::model::job::Job;
use crate::model::outcome::{Counts, Status};
use crate::store::aside::ASIDE;
use crate::store::dataset::RunFolder;
use crate::store::home::Home;
use crate::store::ledger::{Ledger, Phase, Unfinished};

/// Loads the plan of a run of this job. As with any run, one that fails while it loads is a report too, with its message.
///
/// # Errors
/// If the plan cannot be applied, or does not hold any more; nothing is written then, and the plan stays what it is.
pub async fn apply(
    job: &Job,
    run: &str,
    services: &Services,
    home: &Home,
    ledger: &dyn Ledger,
    progress: &Progress,
) -> Result<(Report, Option<Error>), Error> {
    let refused = |why: String| Error::NotApplicable { run: run.to_owned(), why };
    let shown = ledger.begun(run)?.ok_or_else(|| refused("there is no such run".to_owned()))?;
    if let Some(why) = not_applicable(job, &shown, services, ledger)? {
        return Err(refused(why));
    }
    let gone = || refused("its rows and its plan are not kept any more".to_owned());
    let folder = services.formed(home.runs().find(run).await?.ok_or_else(gone)?);
    let (counts, digest) = shown.planned.clone().zip(shown.plan_digest.clone()).ok_or_else(gone)?;
    let planned: Counts = serde_json::from_str(&counts).map_err(|_| gone())?;
    let one = Undertaking {
        run: run.to_owned(),
        phase: Phase::Loading,
        now_ms: shown.now_ms,
        chosen: None,
        planned: Some((counts, digest.clone())),
        attempts_before: 0,
        is_full: false,
        verifies: false,
        digest: shown.job_digest.clone(),
        chain: None,
    };
    let (job, services) = (&job.at(one.now_ms), &services.metered(job)?);
    let begun = Begun::now();
    let waits = if shown.run.chain.is_some() { waiting(job, &folder).await? } else { 0 };
    if waits > 0 {
        return Err(refused(format!(
            "{waits} of its rows wait for records that an earlier job of the chain was to insert; run or apply that job, then plan this one"
        )));
    }
    let progress = &Voice::new(&job.name, false, progress).of(run);
    progress.began(false);
    let working = Working { job, services, home, ledger, progress, one: &one, earlier: &[], turn: &Turn::at_once() };
    let held = working.held(&folder, &planned, &digest).await;
    let at = services.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let applied = match held {
        Ok(()) => ledger.apply(run, &at).map_err(Error::from),
        Err(error) => Err(error),
    };
    match applied {
        Ok(true) => {}
        Ok(false) => return Err(refused("it is no plan any more".to_owned())),
        Err(error) => {
            folder.put_back().await?;
            progress.ended();
            return Err(error);
        }
    }
    folder.forget_aside().await?;
    working.carried_out(begun).await
}

/// Why a plan cannot be applied, as far as that is known without asking the target.
fn not_applicable(
    job: &Job,
    shown: &Unfinished,
    services: &Services,
    ledger: &dyn Ledger,
) -> Result<Option<String>, Error> {
    let plan_again = format!("`ferry plan \"{}\"` makes a new one", job.name);
    if shown.phase == Phase::Loading {
        return Ok(Some(format!(
            "it was applied before, and interrupted; `ferry resume {}` goes on with it",
            shown.run.id
        )));
    }
    if shown.phase != Phase::Planning {
        return Ok(Some(format!("it is no plan that waits: it has run already; {plan_again}")));
    }
    if shown.run.status != Status::Planned.word() || shown.chosen.is_some() {
        return Ok(Some(format!("its plan was not completed; {plan_again}")));
    }
    if shown.job_digest != digest_of(job) {
        let changed = what_changed(shown, job).replace("when the run began", "when it was planned");
        return Ok(Some(format!("{changed}; {plan_again}")));
    }
    let made = DateTime::parse_from_rfc3339(&shown.run.started).ok();
    let hours = made.map_or(0, |made| services.clock.now().signed_duration_since(made).num_hours());
    if hours >= RESUMED_WITHIN_HOURS {
        return Ok(Some(format!("it was made {hours} hours ago, and what it read is old; {plan_again}")));
    }
    let of = services.tenancy(job);
    if let Some(unfinished) = ledger.unfinished(&of, &job.name)? {
        let id = unfinished.run.id;
        return Ok(Some(format!(
            "run {id} of this job was interrupted; `ferry resume {id}` first, or `ferry cancel {id}`"
        )));
    }
    if let Some(later) = ledger.written_since(&of, &job.name, &shown.run.id)? {
        return Ok(Some(format!("run {later} of this job has written since; {plan_again}")));
    }
    Ok(None)
}

impl Working<'_> {
    /// Leaves a folder in which everything is of now, if the plan over it is still the one that was shown. What is of then is set
    /// aside, and is put back by whoever calls if this fails.
    async fn held(&self, folder: &RunFolder, planned: &Counts, digest: &str) -> Result<(), Error> {
        let (job, services, run) = (self.job, self.services, self.one.run.as_str());
        folder.put_back().await?;
        if !self.has_source(folder).await? {
            let why = "the rows that it was made from are missing or damaged on disk".to_owned();
            return Err(Error::NotApplicable { run: run.to_owned(), why });
        }
        wait_for_others(run, job, services, self.ledger, self.progress).await?;
        wait_for_created(job, services, self.ledger, self.progress).await?;
        folder.set_aside(&MADE_AGAIN).await?;
        let staging = Staging {
            folder,
            ledger: self.ledger,
            run,
            progress: self.progress,
            source_rows: watch::Sender::new(None),
        };
        remember(job, &services.tenancy(job), None, &staging).await?;
        self.progress.advanced("compare", 0, None);
        let there = read_target_again(job, services, &staging).await?;
        let target = services.target(job)?;
        let made = plan(job, folder, planned.read, None, services, 0, self.progress).await?;
        if self.plan_digest(folder).await? != digest {
            let before = format!("{ASIDE}/{}", dataset::CHANGES);
            let moved = moved(job, folder, &before, dataset::CHANGES).await.unwrap_or_default();
            return Err(Error::Moved { job: job.name.clone(), moved });
        }
        if let Some(notice) = quota::notice(job, &made.cost) {
            self.progress.notice(notice);
        }
        if !services.consented {
            let admitted = guard::admit(job, &made, &there, &target.limits);
            admitted.map_err(|e| guard::allowed_by(e, format!("ferry apply {run} --yes")))?;
        }
        if planned.sent() > 0 {
            drift::hold(job, services).await?;
        }
        Ok(())
    }
}
