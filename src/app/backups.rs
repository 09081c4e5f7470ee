//! `state backup`, `state restore` and `cursor rewind`: what a home remembers, copied, put back, or forgotten of one job.

use std::path::Path;

use chrono::SecondsFormat;

use super::error::Error;
use super::held::Held;
use super::updates::record;
use super::workspace::{Setting, text_of};
use crate::lang::ast::Statement;
use crate::store::backup::Copied;
use crate::store::error::Error as StoreError;
use crate::store::home::Home;
use crate::store::place::Place;
use crate::store::restoring::{Restored, put_back};
use crate::store::state::State;

/// Copies the state into a new file, whoever is at work on the home.
///
/// # Errors
/// If the home has no state, something is there already, or the disk says no.
pub fn back_up(setting: &Setting, file: &Path) -> Result<Copied, Error> {
    let Some(state) = State::look(setting.place())? else {
        return Err(Error::Usage(format!("{} has no state yet: nothing has run there", setting.place())));
    };
    if file.symlink_metadata().is_ok() {
        let message = format!("{} is there already, and nothing is written over it; name another", file.display());
        return Err(Error::Usage(message));
    }
    Ok(state.back_up(file)?)
}

/// Puts a copy in the place of the state, which is kept aside. What was done since the copy was made is unknown then: the next run of
/// each job reads and compares everything.
///
/// # Errors
/// If the copy cannot be used, somebody is at work on the home, or the disk says no.
pub fn restore(setting: &Setting, file: &Path) -> Result<Restored, Error> {
    if let place @ Place::Server(_) = setting.place() {
        return Err(StoreError::OfServer { place: place.to_string() }.into());
    }
    let home = Home::open(&setting.home)?;
    let now = setting.clock.now();
    let (stamp, at) = (now.format("%Y%m%d-%H%M%S"), now.to_rfc3339_opts(SecondsFormat::Millis, true));
    let restored = put_back(&home, file, &stamp.to_string(), &at, now.timestamp_millis())?;
    let state = State::open(setting.place())?;
    let before = restored.aside.as_ref().map(|aside| aside.display().to_string());
    let newest = restored.newest_run.clone().map(|run| format!("{}, whose newest run is {run}", file.display()));
    record(&state, setting, ["state", "state", "restored"], before, newest)?;
    Ok(restored)
}

/// Says that a copy has taken the place of a server's state: what was done since the copy was made is unknown to it. Gives where it is.
///
/// # Errors
/// If the state is a file of the home, which `restore` puts back, or the server says no.
pub fn was_restored(setting: &Setting) -> Result<Place, Error> {
    let place = setting.place();
    if !place.is_server() {
        let message =
            "the state is a file of the home: `ferry state restore FILE` puts a copy back and needs nothing more";
        return Err(Error::Usage(message.to_owned()));
    }
    State::join(&place)?.was_restored(&setting.by)?;
    Ok(place)
}

/// Has the next run of a job read everything: forgets where it would have begun. Gives the run that it would have begun with.
///
/// # Errors
/// If neither the project nor the state has such a job, or somebody is at work on the home.
pub fn rewind(setting: &Setting, job: &str) -> Result<(String, Option<String>), Error> {
    let text = text_of(setting)?;
    let jobs = text.parsed.statements.iter().filter_map(|statement| match statement {
        Statement::Job(job) => Some(&job.name.text),
        _ => None,
    });
    let names: Vec<&String> = jobs.collect();
    // A job that the project had once is known to the state.
    let state = State::look(setting.place())?;
    let kept = state.map(|state| state.base_jobs()).transpose()?.unwrap_or_default();
    let all = || names.iter().copied().chain(&kept);
    let found = all().find(|name| *name == job).or_else(|| all().find(|name| name.eq_ignore_ascii_case(job)));
    let Some(name) = found else {
        let known: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        return Err(Error::Usage(format!("the project has no job \"{job}\"; it has {}", known.join(", "))));
    };
    let Held { state, home: _home } = Held::at_once(setting)?;
    let forgotten = state.rewind(name)?.pop();
    if let Some(run) = &forgotten {
        let before = format!("what changed since run {run}");
        record(&state, setting, ["job", name, "rewound"], Some(before), Some("everything".to_owned()))?;
    }
    Ok((name.clone(), forgotten))
}
