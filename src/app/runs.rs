//! `run` and `plan`: a job or a chain by its name.

use std::collections::BTreeSet;

use super::connections::admit;
use super::error::Error;
use super::held::Held;
use super::notices::chain_ended;
use super::retention::retain_quietly;
use super::workspace::{Setting, Workspace};
use crate::lang::project::Project;
use crate::model::chain::Chain;
use crate::model::job::Job;
use crate::model::outcome::Status;
use crate::run::chain::With;
use crate::run::plan::Plan;
use crate::run::planning::{Wanted, plan_jobs};
use crate::run::progress::{Event, Progress};
use crate::run::report::Report;
use crate::run::undertaking::How;
use crate::run::{chain, job};
use crate::store::state::State;

/// What a name stands for.
pub enum Named<'a> {
    /// A job.
    Job(&'a Job),
    /// A chain with its jobs.
    Chain(&'a Chain, Vec<&'a Job>),
}

/// Finds a job or a chain: exactly, then ignoring case.
///
/// # Errors
/// If there is none; the message names the nearest, or all there are.
pub fn find<'a>(project: &'a Project, name: &str) -> Result<Named<'a>, Error> {
    let key = |keys: Vec<&'a String>| {
        keys.iter().find(|k| **k == name).or_else(|| keys.iter().find(|k| k.eq_ignore_ascii_case(name))).copied()
    };
    if let Some(found) = key(project.jobs.keys().collect()) {
        return Ok(Named::Job(&project.jobs[found]));
    }
    if let Some(found) = key(project.chains.keys().collect()) {
        let chain = &project.chains[found];
        return Ok(Named::Chain(chain, chain.jobs().filter_map(|j| project.jobs.get(j)).collect()));
    }
    let all: BTreeSet<&str> = project.jobs.keys().chain(project.chains.keys()).map(String::as_str).collect();
    let near = all.iter().map(|n| (strsim::jaro_winkler(&n.to_lowercase(), &name.to_lowercase()), n));
    let near = near.filter(|(score, _)| *score > 0.7).max_by(|a, b| a.0.total_cmp(&b.0));
    let help = match near {
        Some((_, near)) => format!("did you mean \"{near}\"?"),
        None => format!("the project has {}", all.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")),
    };
    Err(Error::Usage(format!("no job or chain is named \"{name}\"; {help}")))
}

/// Runs a job or a chain; a run of it that was interrupted is gone on with. Every report is handed out as soon as it is there; a
/// failure comes back as the error.
///
/// # Errors
/// What stopped it.
pub async fn run(
    workspace: &Workspace,
    setting: &Setting,
    name: &str,
    progress: &Progress,
    ended: impl FnMut(&Report),
) -> Result<(), Error> {
    run_so(workspace, setting, name, &How::default(), progress, ended).await
}

/// The same, in a way of one's own: anew, or with chosen rows.
///
/// # Errors
/// What stopped it.
pub async fn run_so(
    workspace: &Workspace,
    setting: &Setting,
    name: &str,
    how: &How,
    progress: &Progress,
    ended: impl FnMut(&Report),
) -> Result<(), Error> {
    find(&workspace.project, name)?;
    let held = Held::take(setting, progress).await?;
    let ran = run_held(workspace, setting, name, how, &held, progress, ended).await;
    retain_quietly(setting, &workspace.project.settings, &held, progress).await;
    ran
}

/// The same in a home that this process has already, with other runs beside it.
///
/// # Errors
/// What stopped it.
pub async fn run_held(
    workspace: &Workspace,
    setting: &Setting,
    name: &str,
    how: &How,
    held: &Held,
    progress: &Progress,
    mut ended: impl FnMut(&Report),
) -> Result<(), Error> {
    let named = find(&workspace.project, name)?;
    let Held { home, state } = held;
    let jobs = match &named {
        Named::Job(one) => vec![*one],
        Named::Chain(..) if how.chosen.is_some() => {
            return Err(Error::Usage(format!("\"{name}\" is a chain, and rows are chosen of one job")));
        }
        Named::Chain(_, jobs) => jobs.clone(),
    };
    admit(jobs, workspace, state, setting).await?;
    let failed = match named {
        Named::Job(one) => {
            prerequisites(one, None, state, progress)?;
            let (report, failed) = job::run(one, how, &workspace.services, home, state, progress).await?;
            ended(&report);
            failed
        }
        Named::Chain(one, jobs) => {
            jobs.into_iter().try_for_each(|job| prerequisites(job, Some(one), state, progress))?;
            let with = With { services: &workspace.services, home, ledger: state, progress };
            let steps = steps(one, &workspace.project);
            let mut reports = Vec::new();
            let both = |report: &Report| {
                reports.push(report.clone());
                ended(report);
            };
            let ended = chain::run(one, &steps, how, &with, both).await?;
            chain_ended(state, &workspace.project, setting, &one.name, &reports)?;
            ended.failure
        }
    };
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Plans a job without writing anything.
///
/// # Errors
/// What stopped it; a chain has several plans.
pub async fn plan(
    workspace: &Workspace,
    setting: &Setting,
    name: &str,
    how: &How,
    sample: usize,
    progress: &Progress,
) -> Result<(Report, Plan), Error> {
    let Named::Job(_) = find(&workspace.project, name)? else {
        return Err(Error::Usage(format!("\"{name}\" is a chain, and one plan is wanted")));
    };
    let wanted = Wanted { how: how.clone(), sample, export: None };
    let mut made = None;
    plan_all(workspace, setting, name, wanted, progress, |report, plan| made = Some((report.clone(), plan.clone())))
        .await?;
    made.ok_or_else(|| Error::Usage(format!("\"{name}\" has no job")))
}

/// Plans a job, or each job of a chain over what the ones before it are going to write. Every plan is handed out as soon as it is there.
///
/// # Errors
/// What stopped it.
pub async fn plan_all(
    workspace: &Workspace,
    setting: &Setting,
    name: &str,
    mut wanted: Wanted<'_>,
    progress: &Progress,
    planned: impl FnMut(&Report, &Plan),
) -> Result<(), Error> {
    let jobs = match find(&workspace.project, name)? {
        Named::Job(one) => vec![one],
        Named::Chain(..) if wanted.how.chosen.is_some() => {
            return Err(Error::Usage(format!("\"{name}\" is a chain, and rows are chosen of one job")));
        }
        Named::Chain(chain, jobs) => {
            wanted.how.chain = Some(chain.name.clone());
            jobs
        }
    };
    let Held { home, state } = &Held::take(setting, progress).await?;
    admit(jobs.iter().copied(), workspace, state, setting).await?;
    let with = With { services: &workspace.services, home, ledger: state, progress };
    Ok(plan_jobs(&jobs, &wanted, &with, planned).await?)
}

/// The jobs of a chain, step by step.
pub(super) fn steps<'a>(chain: &Chain, project: &'a Project) -> Vec<Vec<&'a Job>> {
    let jobs = |step: &Vec<String>| step.iter().filter_map(|name| project.jobs.get(name)).collect();
    chain.steps.iter().map(jobs).collect()
}

/// Says so if a job runs whose prerequisite never ran, or did not come to its end. Jobs of the same chain are no matter: their order is
/// the chain's.
fn prerequisites(job: &Job, chain: Option<&Chain>, state: &State, progress: &Progress) -> Result<(), Error> {
    for name in &job.after {
        if chain.is_some_and(|chain| chain.jobs().any(|one| one == name)) {
            continue;
        }
        let last = state.last_status(name)?;
        let said = match last.as_deref().and_then(Status::parse) {
            _ if last.is_none() => "has never run here to an end".to_owned(),
            Some(Status::Failed) => "failed when it last ran".to_owned(),
            Some(Status::Skipped) => {
                "was skipped when it was last to run, as a job before it in its chain failed".to_owned()
            }
            Some(Status::Cancelled) => "was given up when it last ran".to_owned(),
            Some(status) if status.is_waiting() => {
                format!("has not come to its end yet ({})", status.text())
            }
            _ => continue,
        };
        progress(Event::Notice(format!("\"{}\" comes after \"{name}\", which {said}", job.name)));
    }
    Ok(())
}
