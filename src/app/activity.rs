//! `activity`: the runs of a home.

use super::error::Error;
use super::workspace::Setting;
use crate::model::outcome::Status;
use crate::store::home::{is_busy, state_path};
use crate::store::ledger::Phase;
use crate::store::runs::{Run, Stage};
use crate::store::standing::Standing;
use crate::store::state::State;

/// Runs that are listed at the most.
pub const RUNS_AT_MOST: u32 = 50;

/// The newest runs, newest first. A home without a state has none.
///
/// # Errors
/// If the state cannot be read.
pub fn list(setting: &Setting) -> Result<Vec<Run>, Error> {
    match State::look(&state_path(&setting.home))? {
        Some(state) => Ok(state.runs(RUNS_AT_MOST)?.into_iter().map(|run| ended(run, setting)).collect()),
        None => Ok(Vec::new()),
    }
}

/// A run that says it is under way where nobody is at work on the home was interrupted.
fn ended(mut run: Run, setting: &Setting) -> Run {
    if run.status == Status::Running.word() && !is_busy(&setting.home) {
        run.status = Status::Interrupted.word().to_owned();
    }
    run
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
}

/// One run with its stages.
///
/// # Errors
/// If there is no such run, or the state cannot be read.
pub fn show(setting: &Setting, run: &str) -> Result<Shown, Error> {
    let none = || {
        let home = setting.home.display();
        Error::Usage(format!("{home} has no run \"{run}\"; `ferry activity` lists the runs"))
    };
    let state = State::look(&state_path(&setting.home))?.ok_or_else(none)?;
    let (found, stages) = state.run(run)?.ok_or_else(none)?;
    let standing = state.standing(run)?.filter(|standing| !matches!(standing.phase, Phase::Ended | Phase::Planning));
    Ok(Shown { run: ended(found, setting), stages, standing })
}
