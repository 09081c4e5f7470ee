//! `approve`, `pause`, and what ends a pause: what people say to runs and schedules while somebody else has the home.

use chrono::SecondsFormat;

use super::error::Error;
use super::held::Held;
use super::projects;
use super::workspace::Setting;
use crate::lang::ast::Statement;
use crate::model::outcome::Status;
use crate::store::approvals::Pause;
use crate::store::runs::Run;
use crate::store::state::State;
use crate::store::updates::Update;

/// What a pause was said of.
#[derive(Debug, Clone, PartialEq)]
pub enum Paused {
    /// The schedule of a job or a chain.
    Schedule(String),
    /// A run, which stops where it is.
    Run(Box<Run>),
}

/// Allows a run to change as much of the target as it planned. Whoever goes on with it does so.
///
/// # Errors
/// If there is no such run, or it does not wait for that.
pub fn approve(setting: &Setting, id: &str) -> Result<Run, Error> {
    let state = join(setting)?;
    let (run, _) = state.run(id)?.ok_or_else(|| no_run(id))?;
    if run.status != Status::WaitingApproval.word() {
        let status = Status::parse(&run.status).map_or("?", Status::text);
        return Err(Error::Usage(format!(
            "run {id} of \"{}\" does not wait for approval: it is {status}; `ferry activity {id}` shows it",
            run.job
        )));
    }
    state.approve(id, &update(setting, "run", id, "approved", run.message.clone()))?;
    Ok(run)
}

/// Has the schedule of a job or a chain, or a run that is under way, pause.
///
/// # Errors
/// If neither is there, or the run is not under way.
pub fn pause(setting: &Setting, name: &str) -> Result<Paused, Error> {
    let state = join(setting)?;
    let (paused, name, kind) = match state.run(name)? {
        Some((run, _)) => {
            if run.status != Status::Running.word() {
                return Err(Error::Usage(format!(
                    "run {name} of \"{}\" is not under way; `ferry activity {name}` shows it",
                    run.job
                )));
            }
            (Paused::Run(Box::new(run)), name.to_owned(), "run")
        }
        None => {
            let names = names(setting)?;
            let found = names
                .iter()
                .find(|one| *one == name)
                .or_else(|| names.iter().find(|one| one.eq_ignore_ascii_case(name)));
            let found = found.ok_or_else(|| {
                Error::Usage(format!(
                    "no job, chain or run is named \"{name}\"; `ferry jobs` and `ferry activity` list them"
                ))
            })?;
            (Paused::Schedule(found.clone()), found.clone(), "schedule")
        }
    };
    let said = update(setting, kind, &name, "paused", None);
    state.pause(&Pause { name, at: said.at.clone(), by: said.by.clone(), is_cancel: false }, &said)?;
    Ok(paused)
}

/// Asks whoever has the home to give a run up.
///
/// # Errors
/// If the state cannot be written.
pub(super) fn ask_to_cancel(setting: &Setting, id: &str) -> Result<(), Error> {
    let state = join(setting)?;
    let said = update(setting, "run", id, "asked to cancel", None);
    let wish = Pause { name: id.to_owned(), at: said.at.clone(), by: said.by.clone(), is_cancel: true };
    Ok(state.pause(&wish, &said)?)
}

/// Whether the schedule of a job or a chain pauses.
///
/// # Errors
/// If the state cannot be read.
pub fn is_paused(setting: &Setting, name: &str) -> Result<bool, Error> {
    let state = State::look(setting.place())?;
    let pauses = state.map(|state| state.pauses()).transpose()?.unwrap_or_default();
    Ok(pauses.iter().any(|one| one.name.eq_ignore_ascii_case(name)))
}

/// Ends the pause of a schedule, and says whether there was one. Times that passed meanwhile are not made up for.
///
/// # Errors
/// If the state cannot be written.
pub fn lift(setting: &Setting, name: &str) -> Result<bool, Error> {
    if !setting.place().is_there()? {
        return Ok(false);
    }
    let state = join(setting)?;
    let Some(one) = state.pauses()?.into_iter().find(|one| one.name.eq_ignore_ascii_case(name)) else {
        return Ok(false);
    };
    Ok(state.unpause(&one.name, Some(&update(setting, "schedule", &one.name, "resumed", None)))?)
}

/// The names of the project's jobs and chains, as far as they can be read.
fn names(setting: &Setting) -> Result<Vec<String>, Error> {
    let text = projects::open(&setting.project, setting.environment.as_deref())?;
    let names = text.parsed.statements.iter().filter_map(|statement| match statement {
        Statement::Job(job) => Some(job.name.text.clone()),
        Statement::Chain(chain) => Some(chain.name.text.clone()),
        _ => None,
    });
    Ok(names.collect())
}

fn join(setting: &Setting) -> Result<State, Error> {
    let place = setting.place();
    if !place.is_there()? {
        drop(Held::at_once(setting)?);
    }
    Ok(State::join(&place)?)
}

fn update(setting: &Setting, kind: &str, name: &str, action: &str, before: Option<String>) -> Update {
    Update {
        at: setting.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true),
        by: setting.by.clone(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        action: action.to_owned(),
        before,
        after: None,
    }
}

fn no_run(id: &str) -> Error {
    Error::Usage(format!("there is no run \"{id}\"; `ferry activity` lists the runs"))
}
