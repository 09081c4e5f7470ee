//! Runs that are under way in another process: stopped where they are, or given up.
//!
//! The process that has them looks each second whether somebody has said so; everything that it does is written down before it is done,
//! so that it may stop at any moment.

use std::time::{Duration, Instant};

use super::approving::ask_to_cancel;
use super::error::Error;
use super::resuming;
use super::workspace::Setting;
use crate::model::outcome::Status;
use crate::run::error::Error as RunError;
use crate::store::error::Error as StoreError;
use crate::store::runs::Run;
use crate::store::state::State;

/// How often a process looks whether its runs are to stop.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
/// How long a run that is to be given up has to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(60);
/// How often a home that another process has is tried again.
const TRIED_AGAIN: Duration = Duration::from_millis(250);

/// Comes back when somebody has had a run of this process pause.
pub async fn paused(setting: &Setting) {
    loop {
        setting.clock.sleep(LOOKED_EVERY).await;
        // A state that cannot be read now is looked at again.
        if is_one_paused(setting).unwrap_or(false) {
            return;
        }
    }
}

/// Whether one was. Its pause has done what it was for.
fn is_one_paused(setting: &Setting) -> Result<bool, Error> {
    let place = setting.place();
    let Some(state) = State::look(&place)? else { return Ok(false) };
    // Whoever waits for the home has no runs yet.
    let is_ours = state.holder()?.is_some_and(|holder| holder.is_us());
    let mut is_one = false;
    for pause in state.pauses()?.into_iter().filter(|_| is_ours) {
        let is_running = state.run(&pause.name)?.is_some_and(|(run, _)| run.status == Status::Running.word());
        if is_running {
            is_one = State::join(&place)?.unpause(&pause.name, None)?;
        }
    }
    Ok(is_one)
}

/// Gives a run up. Whoever has the home is asked to do so, and stops it first if it is under way.
///
/// # Errors
/// If there is no such run, it has ended, or the process that has the home does not do it in time.
pub async fn cancel(setting: &Setting, id: &str) -> Result<Run, Error> {
    let since = Instant::now();
    let mut is_asked = false;
    loop {
        match resuming::cancel(setting, id) {
            Err(Error::Run(RunError::Store(busy @ StoreError::Busy { .. }))) => {
                let run = known(setting, id)?;
                if run.status == Status::Cancelled.word() {
                    return Ok(run);
                }
                if !std::mem::replace(&mut is_asked, true) {
                    ask_to_cancel(setting, id)?;
                }
                if since.elapsed() >= STOPS_WITHIN {
                    return Err(busy.into());
                }
                setting.clock.sleep(TRIED_AGAIN).await;
            }
            // It was done while this one waited.
            Err(Error::Usage(_)) if is_asked && known(setting, id)?.status == Status::Cancelled.word() => {
                return known(setting, id);
            }
            cancelled => return cancelled,
        }
    }
}

/// A run that can be given up, or was.
fn known(setting: &Setting, id: &str) -> Result<Run, Error> {
    let state = State::look(setting.place())?;
    let run = state.map(|state| state.run(id)).transpose()?.flatten().map(|(run, _)| run);
    let run = run.ok_or_else(|| Error::Usage(format!("there is no run \"{id}\"; `ferry activity` lists the runs")))?;
    let is_over =
        [Status::Success, Status::Partial, Status::Planned, Status::Skipped].iter().any(|s| s.word() == run.status);
    if is_over {
        let job = &run.job;
        return Err(Error::Usage(format!("run {id} of \"{job}\" has ended: there is nothing to give up")));
    }
    Ok(run)
}
