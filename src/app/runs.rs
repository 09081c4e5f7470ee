//! `run` and `plan`: a job or a chain by its name.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::connections::admit;
use super::error::Error;
use super::workspace::{Setting, Workspace};
use crate::lang::project::Project;
use crate::model::chain::Chain;
use crate::model::job::Job;
use crate::run::chain::With;
use crate::run::plan::Plan;
use crate::run::planning::{Wanted, plan_jobs};
use crate::run::progress::{Event, Progress};
use crate::run::report::Report;
use crate::run::undertaking::How;
use crate::run::{chain, job};
use crate::store::error::Error as StoreError;
use crate::store::home::Home;
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
    mut ended: impl FnMut(&Report),
) -> Result<(), Error> {
    let named = find(&workspace.project, name)?;
    let home = take(setting, progress).await?;
    let state = State::open(&home.state_path())?;
    let jobs = match &named {
        Named::Job(one) => vec![*one],
        Named::Chain(..) if how.chosen.is_some() => {
            return Err(Error::Usage(format!("\"{name}\" is a chain, and rows are chosen of one job")));
        }
        Named::Chain(_, jobs) => jobs.clone(),
    };
    admit(jobs, workspace, &home, &state, setting).await?;
    let failed = match named {
        Named::Job(one) => {
            prerequisites(one, &state, progress)?;
            let (report, failed) = job::run(one, how, &workspace.services, &home, &state, progress).await?;
            ended(&report);
            failed
        }
        Named::Chain(one, jobs) => {
            let with = With { services: &workspace.services, home: &home, ledger: &state, progress };
            chain::run(one, &jobs, how, &with, ended).await?
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
    let home = take(setting, progress).await?;
    let state = State::open(&home.state_path())?;
    admit(jobs.iter().copied(), workspace, &home, &state, setting).await?;
    let with = With { services: &workspace.services, home: &home, ledger: &state, progress };
    Ok(plan_jobs(&jobs, &wanted, &with, planned).await?)
}

/// How often a home that another process has is tried again.
const TRIED_AGAIN: Duration = Duration::from_millis(250);

/// Opens the home; waits for another process to leave it as long as the setting allows.
///
/// # Errors
/// If another process has it for longer, or it cannot be used.
pub(super) async fn take(setting: &Setting, progress: &Progress) -> Result<Home, Error> {
    let since = Instant::now();
    let mut is_told = false;
    loop {
        match Home::open(&setting.home) {
            Err(busy @ StoreError::Busy { .. }) => {
                if setting.patience.is_none_or(|patience| since.elapsed() >= patience) {
                    return Err(busy.into());
                }
                if !std::mem::replace(&mut is_told, true) {
                    progress(Event::Notice(format!("waiting: {busy}")));
                }
                setting.clock.sleep(TRIED_AGAIN).await;
            }
            opened => return Ok(opened?),
        }
    }
}

/// Says so if a job runs whose prerequisite never ran, or failed.
fn prerequisites(job: &Job, state: &State, progress: &Progress) -> Result<(), Error> {
    for name in &job.after {
        let said = match state.last_status(name)?.as_deref() {
            None => "has never run here",
            Some("failed") => "failed when it last ran",
            Some(_) => continue,
        };
        progress(Event::Notice(format!("\"{}\" comes after \"{name}\", which {said}", job.name)));
    }
    Ok(())
}
