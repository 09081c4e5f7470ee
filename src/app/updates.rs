//! Update activities: what was changed in definitions, connections and runs, when, by whom, from what to what.
//!
//! In: the text of a project, or what somebody did. Out: records in the state. What is secret stands in no statement, so it is in no
//! record either: scripts name secrets, and never hold them.

use chrono::SecondsFormat;

use super::error::Error;
use super::workspace::Setting;
use crate::diagnostic::source::Sources;
use crate::lang::definitions::definitions;
use crate::store::definitions::{Seen, digest_of};
use crate::store::state::State;
use crate::store::updates::Update;

/// Notes what has changed in the definitions of a project since they were seen last, in a home that is there; gives it. A project with
/// mistakes is not to be noted: what cannot be read would look deleted.
///
/// # Errors
/// If the state cannot be written.
pub fn note_definitions(setting: &Setting, sources: &Sources) -> Result<Vec<Update>, Error> {
    if !setting.home.is_dir() {
        return Ok(Vec::new());
    }
    note(&State::join(setting.place())?, setting, sources)
}

/// The same in a state that is open.
pub(super) fn note(state: &State, setting: &Setting, sources: &Sources) -> Result<Vec<Update>, Error> {
    let digest = digest_of(sources.iter().map(|(_, file)| (file.name.as_str(), file.text.as_str())));
    let (project, at) = (project(setting), now(setting));
    let seen = Seen { project: &project, digest: &digest, at: &at, by: &setting.by };
    if state.has_seen(&seen)? {
        return Ok(Vec::new());
    }
    let found = definitions(sources).into_iter().map(|one| (one.kind.to_owned(), one.name, one.text));
    Ok(state.note_definitions(&seen, &found.collect::<Vec<_>>())?)
}

/// Keeps that somebody changed something: kind, name and action, then what it was before and what it is now.
pub(super) fn record(
    state: &State,
    setting: &Setting,
    [kind, name, action]: [&str; 3],
    before: Option<String>,
    after: Option<String>,
) -> Result<(), Error> {
    let (at, by) = (now(setting), setting.by.clone());
    let [kind, name, action] = [kind, name, action].map(str::to_owned);
    Ok(state.record(&Update { at, by, kind, name, action, before, after })?)
}

/// What a project is known by: its folder, as it is named, and the environment. Several of them may share a home.
fn project(setting: &Setting) -> String {
    let folder = std::path::absolute(&setting.project).unwrap_or_else(|_| setting.project.clone());
    match &setting.environment {
        Some(environment) => format!("{}#{environment}", folder.display()),
        None => folder.display().to_string(),
    }
}

fn now(setting: &Setting) -> String {
    setting.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
