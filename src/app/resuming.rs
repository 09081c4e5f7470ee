//! `resume`, `replay`, `cancel`: what becomes of runs that were interrupted, and of rows that failed.

use std::collections::BTreeSet;

use chrono::SecondsFormat;

use super::connections::admit;
use super::error::Error;
use super::held::Held;
use super::runs::{Named, find, run_so};
use super::workspace::{Setting, Workspace};
use crate::model::job::Job;
use crate::run::chain::With;
use crate::run::error::Error as RunError;
use crate::run::progress::{Event, Progress};
use crate::run::report::Report;
use crate::run::undertaking::How;
use crate::run::{chain, job};
use crate::store::due::Due;
use crate::store::error::Error as StoreError;
use crate::store::error_rows;
use crate::store::home::{Home, state_path};
use crate::store::runs::Run;
use crate::store::state::State;

/// Goes on with a run that was interrupted, or with all there are, the oldest first. What is left of a chain follows.
///
/// # Errors
/// If there is no such run, or what stopped it.
pub async fn resume(
    workspace: &Workspace,
    setting: &Setting,
    wanted: Option<&str>,
    progress: &Progress,
    ended: impl FnMut(&Report),
) -> Result<(), Error> {
    let held = Held::take(setting, progress).await?;
    resume_held(workspace, setting, wanted, &held, progress, ended).await
}

/// The same in a home that this process has already.
///
/// # Errors
/// As [`resume`].
pub async fn resume_held(
    workspace: &Workspace,
    setting: &Setting,
    wanted: Option<&str>,
    held: &Held,
    progress: &Progress,
    mut ended: impl FnMut(&Report),
) -> Result<(), Error> {
    let Held { home, state } = held;
    let all = state.unfinished_runs()?;
    let runs: Vec<Run> = match wanted {
        None => all,
        Some(id) => {
            let found = all.into_iter().find(|run| run.id == id);
            vec![found.ok_or_else(|| not_resumable(state, id))?]
        }
    };
    if runs.is_empty() {
        progress(Event::Notice("no run was interrupted; `ferry activity` lists the runs".to_owned()));
    }
    let mut failed = None;
    for run in runs {
        // A chain that went on may have taken up what was to come next.
        if wanted.is_none() && !state.unfinished_runs()?.iter().any(|one| one.id == run.id) {
            continue;
        }
        let gone_on = go_on(&run, workspace, setting, home, state, progress, &mut ended).await;
        match gone_on {
            Ok(None) => {}
            Ok(Some(error)) => failed = failed.or(Some(error.into())),
            // What stands in the way of one run is no reason to leave the others; what is wrong with the state is.
            Err(error) if matches!(&error, Error::Run(RunError::Store(of)) if !matches!(of, StoreError::NotResumable { .. })) =>
            {
                return Err(error);
            }
            Err(error) => {
                progress(Event::Notice(format!("run {} is left as it is: {error}", run.id)));
                failed = failed.or(Some(error));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn go_on(
    run: &Run,
    workspace: &Workspace,
    setting: &Setting,
    home: &Home,
    state: &State,
    progress: &Progress,
    mut ended: &mut impl FnMut(&Report),
) -> Result<Option<RunError>, Error> {
    let jobs = rest_of(run, workspace)?;
    admit(jobs.clone(), workspace, home, state, setting).await?;
    let how = How { resume: Some(run.id.clone()), ..How::default() };
    let (services, chain) =
        (&workspace.services, run.chain.as_ref().and_then(|name| workspace.project.chains.get(name)));
    if let Some(chain) = chain {
        let with = With { services, home, ledger: state, progress };
        return Ok(chain::run(chain, &jobs, &how, &with, &mut ended).await?);
    }
    let (report, error) = job::run(jobs[0], &how, services, home, state, progress).await?;
    ended(&report);
    Ok(error)
}

/// The job of a run, and the jobs that follow it in its chain.
fn rest_of<'a>(run: &Run, workspace: &'a Workspace) -> Result<Vec<&'a Job>, Error> {
    let gone = || {
        Error::Usage(format!(
            "run {} is of the job \"{}\", which the project has no more; `ferry cancel {}` gives it up",
            run.id, run.job, run.id
        ))
    };
    let job = workspace.project.jobs.get(&run.job).ok_or_else(gone)?;
    let Some(chain) = run.chain.as_ref().and_then(|name| workspace.project.chains.get(name)) else {
        return Ok(vec![job]);
    };
    let rest = chain.jobs().skip_while(|name| **name != *run.job).filter_map(|name| workspace.project.jobs.get(name));
    let rest: Vec<&Job> = rest.collect();
    Ok(if rest.is_empty() { vec![job] } else { rest })
}

fn not_resumable(state: &State, id: &str) -> Error {
    match state.run(id) {
        Ok(Some((run, _))) => Error::Usage(format!(
            "run {id} of \"{}\" has ended, or a later one has begun: there is nothing to go on with",
            run.job
        )),
        _ => Error::Usage(format!("there is no run \"{id}\"; `ferry activity` lists the runs")),
    }
}

/// Runs the rows of a run's error file again, and no others: all, or those of some codes.
///
/// # Errors
/// If there is no such run or it has no error file, or what stopped it.
pub async fn replay(
    workspace: &Workspace,
    setting: &Setting,
    id: &str,
    codes: &[String],
    progress: &Progress,
    ended: impl FnMut(&Report),
) -> Result<(), Error> {
    let state = State::look(&state_path(&setting.home))?;
    let found = state.as_ref().map(|state| state.run(id)).transpose()?.flatten();
    let Some((run, _)) = found else {
        return Err(Error::Usage(format!("there is no run \"{id}\"; `ferry activity` lists the runs")));
    };
    drop(state);
    let report: Option<Report> = run.report.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let Some(file) = report.and_then(|report| report.error_file) else {
        return Err(Error::Usage(format!(
            "run {id} of \"{}\" has no error file, so there is nothing to replay",
            run.job
        )));
    };
    if !file.exists() {
        let gone = format!(
            "the error file of run {id} is there no more ({}); `ferry run` tries every row again",
            file.display()
        );
        return Err(Error::Usage(gone));
    }
    let wanted: BTreeSet<String> = codes.iter().map(|code| code.to_uppercase()).collect();
    let rows = error_rows::read(&file)?;
    let known: BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    if let Some(unknown) = wanted.iter().find(|code| !known.contains(code.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        return Err(Error::Usage(format!(
            "the error file has no row with the code {unknown}; it has {}",
            known.join(", ")
        )));
    }
    let chosen = rows.into_iter().filter(|row| wanted.is_empty() || wanted.contains(&row.code));
    let chosen: BTreeSet<String> = chosen.map(|row| row.source_key).collect();
    if !matches!(find(&workspace.project, &run.job), Ok(Named::Job(one)) if one.name == run.job) {
        return Err(Error::Usage(format!("the project has no job \"{}\" any more", run.job)));
    }
    let how = How { chosen: Some(chosen.into_iter().collect()), ..How::default() };
    run_so(workspace, setting, &run.job, &how, progress, ended).await
}

/// Gives a run up that was interrupted: nothing of it is gone on with, and the next run of its job compares anew.
///
/// # Errors
/// If there is no such run, or it has ended.
pub fn cancel(setting: &Setting, id: &str) -> Result<Run, Error> {
    let home = Home::open(&setting.home)?;
    let state = State::open(&home.state_path())?;
    let found = state.unfinished_runs()?.into_iter().find(|run| run.id == id);
    let run = found.ok_or_else(|| not_resumable(&state, id))?;
    let at = setting.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
    state.abandon_run(id, &at, "it was cancelled")?;
    Ok(run)
}

/// Rows that failed and are still to succeed: of one job, or of all.
///
/// # Errors
/// If the state cannot be read.
pub fn due(setting: &Setting, job: Option<&str>) -> Result<Vec<Due>, Error> {
    match State::look(&state_path(&setting.home))? {
        Some(state) => Ok(state.all_due(None, job)?),
        None => Ok(Vec::new()),
    }
}
