//! `activity`: the runs of a home, and what was changed in it.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};

use super::error::Error;
use super::workspace::Setting;
use crate::model::outcome::Status;
use crate::store::error_rows::{ReasonRows, reasons};
use crate::store::executions::{Loaded, Told, Wanted};
use crate::store::ledger::Phase;
use crate::store::runs::{Run, Stage};
use crate::store::standing::Standing;
use crate::store::state::State;
use crate::store::updates::Update;

pub use crate::store::run_folders::Kept;

/// Runs that are listed at the most, unless more are asked for.
pub const RUNS_AT_MOST: usize = 50;

/// Which activities are wanted.
#[derive(Debug, Clone)]
pub struct Filter {
    /// A job's name, or a part of it; case is ignored.
    pub job: Option<String>,
    /// The same of a chain.
    pub chain: Option<String>,
    /// Of these statuses; all, if there are none.
    pub statuses: Vec<Status>,
    /// From this time on.
    pub since: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
    /// How many at the most.
    pub at_most: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self { job: None, chain: None, statuses: Vec::new(), since: None, until: None, at_most: RUNS_AT_MOST }
    }
}

/// What was found.
#[derive(Debug)]
pub struct Found<T> {
    /// The activities, newest first.
    pub all: Vec<T>,
    /// Whether there are more of them.
    pub has_more: bool,
}

/// The newest runs, newest first. A home without a state has none.
///
/// # Errors
/// If the state cannot be read.
pub fn list(setting: &Setting) -> Result<Vec<Run>, Error> {
    Ok(find(setting, &Filter::default())?.all)
}

/// The runs that are wanted. A home without a state has none.
///
/// # Errors
/// If the state cannot be read.
pub fn find(setting: &Setting, filter: &Filter) -> Result<Found<Run>, Error> {
    let mut found = Found { all: Vec::new(), has_more: false };
    let Some(state) = State::look(setting.place())? else { return Ok(found) };
    let alive = Alive::of(&state, setting)?;
    let [since, until] = [filter.since, filter.until].map(|at| at.map(words));
    let wanted = Wanted {
        job: filter.job.as_deref(),
        chain: filter.chain.as_deref(),
        since: since.as_deref(),
        until: until.as_deref(),
    };
    let statuses: BTreeSet<&str> = filter.statuses.iter().map(|status| status.word()).collect();
    state.executions(&wanted, |run| {
        let run = alive.seen(run);
        if !statuses.is_empty() && !statuses.contains(run.status.as_str()) {
            return true;
        }
        found.has_more = found.all.len() == filter.at_most;
        if !found.has_more {
            found.all.push(run);
        }
        !found.has_more
    })?;
    Ok(found)
}

/// Update activities of that time, newest first; of a job or a chain those that name it.
///
/// # Errors
/// If the state cannot be read.
pub fn updates(setting: &Setting, filter: &Filter) -> Result<Found<Update>, Error> {
    let mut found = Found { all: Vec::new(), has_more: false };
    let Some(state) = State::look(setting.place())? else { return Ok(found) };
    let [since, until] = [filter.since, filter.until].map(|at| at.map(words));
    let is_of = |update: &Update, kind: &str, wanted: &Option<String>| {
        let named = |part: &String| update.name.to_lowercase().contains(&part.to_lowercase());
        wanted.as_ref().is_none_or(|part| update.kind == kind && named(part))
    };
    for update in state.updates(u32::MAX)? {
        let is_in_time = since.as_ref().is_none_or(|since| update.at >= *since)
            && until.as_ref().is_none_or(|until| update.at < *until);
        if !is_in_time || !is_of(&update, "job", &filter.job) || !is_of(&update, "chain", &filter.chain) {
            continue;
        }
        found.has_more = found.all.len() == filter.at_most;
        if found.has_more {
            break;
        }
        found.all.push(update);
    }
    Ok(found)
}

/// A run with what is known of it.
#[derive(Debug)]
pub struct Shown {
    /// The run.
    pub run: Run,
    /// Its stages, of every process that worked on it.
    pub stages: Vec<Stage>,
    /// How it stands, if it can be gone on with or is under way.
    pub standing: Option<Standing>,
    /// The calls of each process that loaded.
    pub loaded: Vec<Loaded>,
    /// Why rows failed, each reason with a row; none if there is no error file.
    pub reasons: Vec<ReasonRows>,
    /// What is still there of its files.
    pub kept: Kept,
    /// Who was told of it.
    pub told: Vec<Told>,
    /// Who allowed it, and when.
    pub approved: Option<(String, String)>,
}

/// One run with its stages.
///
/// # Errors
/// If there is no such run, or the state cannot be read.
pub async fn show(setting: &Setting, run: &str) -> Result<Shown, Error> {
    let none = || no_run(setting, run);
    let state = State::look(setting.place())?.ok_or_else(none)?;
    let (found, stages) = state.run(run)?.ok_or_else(none)?;
    let standing = state.standing(run)?.filter(|standing| !matches!(standing.phase, Phase::Ended | Phase::Planning));
    let kept = setting.run_folders().kept(run).await?;
    // A file that cannot be read is shown as there and without reasons: what else is known of the run is not lost with it.
    let reasons = kept.error_file.as_deref().map(reasons).and_then(Result::ok).unwrap_or_default();
    Ok(Shown {
        run: Alive::of(&state, setting)?.seen(found),
        stages,
        standing,
        loaded: state.loaded_by(run)?,
        reasons,
        kept,
        told: state.told_of(run)?,
        approved: state.approved_by(run)?,
    })
}

/// The error that there is no such run.
pub(super) fn no_run(setting: &Setting, run: &str) -> Error {
    let home = setting.home.display();
    Error::Usage(format!("{home} has no run \"{run}\"; `ferry activity` lists the runs"))
}

/// Whether runs that say they are under way can be.
pub(super) struct Alive {
    /// Since when somebody is at work on the home.
    since: Option<DateTime<Utc>>,
    is_busy: bool,
}

impl Alive {
    pub(super) fn of(state: &State, setting: &Setting) -> Result<Self, Error> {
        let is_busy = setting.place().is_at_work()?;
        let holder = if is_busy { state.holder()? } else { None };
        let since = holder.and_then(|holder| DateTime::parse_from_rfc3339(&holder.since).ok()).map(|at| at.to_utc());
        Ok(Self { since, is_busy })
    }

    /// A run that says it is under way where nobody is at work on the home was interrupted, and so was one of the time before whoever is
    /// at work there came, unless it was gone on with: it would have been begun by somebody who is gone.
    pub(super) fn seen(&self, mut run: Run) -> Run {
        let began = DateTime::parse_from_rfc3339(&run.started).map(|at| at.to_utc()).ok();
        let is_older = began.zip(self.since).is_some_and(|(began, since)| began < since) && run.attempts <= 1;
        if run.status == Status::Running.word() && (!self.is_busy || is_older) {
            run.status = Status::Interrupted.word().to_owned();
        }
        run
    }
}

fn words(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
