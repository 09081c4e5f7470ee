//! `resume`, `replay`, `cancel`: what becomes of runs that were interrupted, and of rows that failed.

use std::collections::BTreeSet;

use chrono::SecondsFormat;

use super::connections::admit;
use super::error::Error;
use super::held::Held;
use super::notices::chain_ended;
use super::retention::retain_quietly;
use super::runs::{Named, find, run_so, steps};
use super::updates::record;
use super::workspace::{Setting, Workspace};
use crate::model::chain::Chain;
use crate::model::job::Job;
use crate::model::outcome::Status;
use crate::run::chain::With;
use crate::run::error::Error as RunError;
use crate::run::progress::{Event, Progress};
use crate::run::report::Report;
use crate::run::undertaking::How;
use crate::run::{chain, job};
use crate::store::due::Due;
use crate::store::error::Error as StoreError;
use crate::store::error_rows;
use crate::store::home::Home;
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
    let ran = resume_held(workspace, setting, wanted, &held, progress, ended).await;
    retain_quietly(setting, &workspace.project.settings, &held, progress).await;
    ran
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
    ended: &mut impl FnMut(&Report),
) -> Result<Option<RunError>, Error> {
    let steps = rest_of(run, workspace, state)?;
    admit(steps.iter().flatten().copied(), workspace, state, setting).await?;
    let how = How { resume: Some(run.id.clone()), ..How::default() };
    let (services, chain) =
        (&workspace.services, run.chain.as_ref().and_then(|name| workspace.project.chains.get(name)));
    if let Some(chain) = chain {
        let with = With { services, home, ledger: state, progress };
        let mut reports = Vec::new();
        let both = |report: &Report| {
            reports.push(report.clone());
            ended(report);
        };
        let ended = chain::run(chain, &steps, &how, &with, both).await?;
        chain_ended(state, &workspace.project, setting, &chain.name, &reports)?;
        return Ok(ended.failure);
    }
    let (report, error) = job::run(steps[0][0], &how, services, home, state, progress).await?;
    ended(&report);
    Ok(error)
}

/// What is left of a run's chain, step by step: the job of the run, those beside it that are left too, and all that follow. A run without
/// a chain has just its job.
fn rest_of<'a>(run: &Run, workspace: &'a Workspace, state: &State) -> Result<Vec<Vec<&'a Job>>, Error> {
    let project = &workspace.project;
    let gone = || {
        Error::Usage(format!(
            "run {} is of the job \"{}\", which the project has no more; `ferry cancel {}` gives it up",
            run.id, run.job, run.id
        ))
    };
    let job = project.jobs.get(&run.job).ok_or_else(gone)?;
    let chain = run.chain.as_ref().and_then(|name| project.chains.get(name));
    let Some(chain) = chain.filter(|chain| chain.jobs().any(|name| *name == run.job)) else {
        return Ok(vec![vec![job]]);
    };
    if chain.stop_on_failure {
        comes_first(run, chain, state)?;
    }
    let is_of_run = |step: &Vec<&Job>| step.iter().any(|one| one.name == run.job);
    let mut rest: Vec<Vec<&Job>> = steps(chain, project).into_iter().skip_while(|step| !is_of_run(step)).collect();
    // Of its own step, jobs before it began before it did: they are left only if they did not come to their end.
    let (mut is_behind, mut beside) = (false, Vec::new());
    for one in std::mem::take(&mut rest[0]) {
        is_behind |= one.name == run.job;
        let last = state.last_status(&one.name)?.as_deref().and_then(Status::parse);
        let is_unfinished = state.unfinished_runs()?.iter().any(|left| left.job == one.name);
        if is_behind || is_unfinished || !last.is_some_and(Status::is_done) {
            beside.push(one);
        }
    }
    rest[0] = beside;
    Ok(rest)
}

/// Refuses to go on with a run behind a job of its chain that has not come to its end: the chain stops there.
fn comes_first(run: &Run, chain: &Chain, state: &State) -> Result<(), Error> {
    let unfinished = state.unfinished_runs()?;
    for name in chain.steps.iter().take_while(|step| !step.contains(&run.job)).flatten() {
        // What began behind it, it has nothing to do with.
        let last = state.last_run(name)?.filter(|last| last.chain == run.chain && last.began <= run.began);
        let Some(last) = last else { continue };
        if Status::parse(&last.status).is_some_and(Status::is_done) {
            continue;
        }
        let then = if unfinished.iter().any(|one| one.id == last.id) {
            format!("`ferry resume {}` goes on with both", last.id)
        } else {
            format!("`ferry run \"{}\"` runs the chain", chain.name)
        };
        return Err(Error::Usage(format!(
            "run {} of \"{name}\" comes before run {} in the chain and has not come to its end; {then}",
            last.id, run.id
        )));
    }
    Ok(())
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
    let state = State::look(setting.place())?;
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
    let words = format!("{} rows{}", chosen.len(), of_codes(&wanted));
    record(&State::join(setting.place())?, setting, ["run", id, "replayed"], None, Some(words))?;
    let how = How { chosen: Some(chosen.into_iter().collect()), ..How::default() };
    run_so(workspace, setting, &run.job, &how, progress, ended).await
}

fn of_codes(codes: &BTreeSet<String>) -> String {
    if codes.is_empty() {
        return String::new();
    }
    format!(" with {}", codes.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// Gives a run up that was interrupted: nothing of it is gone on with, and the next run of its job compares anew.
///
/// # Errors
/// If there is no such run, or it has ended.
pub fn cancel(setting: &Setting, id: &str) -> Result<Run, Error> {
    let _home = Home::open(&setting.home)?;
    let state = State::open(setting.place())?;
    let found = state.unfinished_runs()?.into_iter().find(|run| run.id == id);
    let run = found.ok_or_else(|| not_resumable(&state, id))?;
    let at = setting.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
    state.abandon_run(id, &at, "it was cancelled")?;
    record(&state, setting, ["run", id, "cancelled"], Some(run.status.clone()), Some("cancelled".to_owned()))?;
    Ok(run)
}

/// Rows that failed and are still to succeed: of one job, or of all.
///
/// # Errors
/// If the state cannot be read.
pub fn due(setting: &Setting, job: Option<&str>) -> Result<Vec<Due>, Error> {
    match State::look(setting.place())? {
        Some(state) => Ok(state.all_due(None, job)?),
        None => Ok(Vec::new()),
    }
}
