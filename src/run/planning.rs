//! Planning alone: a job, or the jobs of a chain one after the other, and nothing is written to the target.
//!
//! A later job of a chain sees what the earlier ones are going to write (`overlay`), so the plan of a chain is what running it would do,
//! as far as nobody refuses a record. In: jobs, and what is wanted of their plans. Out: plans, and reports that say so.

use super::chain::With;
use super::error::Error;
use super::export::export;
use super::job::{Begun, Staged, Working};
use super::overlay::{Earlier, waiting};
use super::plan::{EarlierPlan, Plan};
use super::progress::Voice;
use super::report::Report;
use super::turn::Turn;
use super::undertaking::{How, begin_plan};
use crate::model::job::Job;
use crate::model::outcome::Status;
use crate::store::export::Export;

/// What is wanted of plans.
#[derive(Default)]
pub struct Wanted<'a> {
    /// How the jobs are planned.
    pub how: How,
    /// How many rows are shown of each.
    pub sample: usize,
    /// Where files for others are written.
    pub export: Option<&'a Export>,
}

/// Plans jobs in their order, each over what the ones before it are going to write. Every plan is handed out as soon as it is there.
///
/// # Errors
/// What stops one; those after it are not planned.
pub async fn plan_jobs(
    jobs: &[&Job],
    wanted: &Wanted<'_>,
    with: &With<'_>,
    mut planned: impl FnMut(&Report, &Plan),
) -> Result<(), Error> {
    let mut earlier: Vec<Earlier> = Vec::new();
    for job in jobs {
        let (report, plan) = plan_one(job, wanted, with, &earlier).await?;
        planned(&report, &plan);
        let begun = with.ledger.begun(&report.run)?;
        let folder = with.home.runs().find(&report.run).await?;
        let (Some(begun), Some(folder)) = (begun, folder) else {
            return Err(Error::Books(format!("the plan {} is not kept", report.run)));
        };
        earlier.push(Earlier {
            run: report.run,
            job: job.at(begun.now_ms),
            of: with.services.tenancy(job),
            folder,
            cost: (plan.cost.api, plan.cost.calls),
        });
    }
    Ok(())
}

async fn plan_one(
    job: &Job,
    wanted: &Wanted<'_>,
    with: &With<'_>,
    earlier: &[Earlier],
) -> Result<(Report, Plan), Error> {
    let With { services, home, ledger, progress } = with;
    let one = begin_plan(job, &wanted.how, services, *ledger)?;
    let progress = &Voice::new(&job.name, wanted.how.chain.is_some(), progress).of(&one.run);
    progress.began(false);
    let (job, services) = (&job.at(one.now_ms), &services.metered(job)?);
    let begun = Begun::now();
    let mut report = begun.report(job, &one);
    let working =
        Working { job, services, home, ledger: *ledger, progress, one: &one, earlier, turn: &Turn::at_once() };
    let made = working.planned_alone(wanted).await;
    match &made {
        Ok(made) => {
            report.counts = made.counts;
            report.records.clone_from(&made.records);
            report.status = Status::Planned;
        }
        Err(error) => {
            report.status = Status::Failed;
            report.message = Some(error.to_string());
        }
    }
    begun.complete(job, services, &mut report)?;
    report.read = working.read_how().await?;
    working.end(&report, false, &[], false).await?;
    progress.ended();
    Ok((report, made?))
}

impl Working<'_> {
    async fn planned_alone(&self, wanted: &Wanted<'_>) -> Result<Plan, Error> {
        let folder = self.folder().await?;
        let Staged { mut made, guarded } = self.staged(&folder, wanted.sample).await?;
        self.keep_plan(&made)?;
        made.asks = guarded.err().map(|asks| asks.to_string());
        let same = self.earlier.iter().filter(|one| one.cost.0 == made.cost.api);
        made.cost.take_from_today(same.map(|one| one.cost.1).sum());
        let earlier = self.earlier.iter().map(|one| EarlierPlan { run: one.run.clone(), job: one.job.name.clone() });
        made.after = earlier.collect();
        if !made.after.is_empty() {
            made.waits = waiting(self.job, &folder).await?;
        }
        if let Some(into) = wanted.export {
            let into = if self.one.chain.is_some() { &into.below(&self.one.run)? } else { into };
            export(self.job, &self.one.run, &made, &folder, into).await?;
        }
        Ok(made)
    }
}
