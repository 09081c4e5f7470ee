//! Connections beyond their statements: established once, with one organisation; tested, revoked, deleted.
//!
//! In: a project's text and the state of a home. Out: what is known of each connection, and whether a run may use it. A
//! connection's URL is its own for good once it has worked, and so is the organisation behind it: what a home remembers of
//! one organisation must never be written into another.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;
use url::Url;

use super::credentials::{SignedIn, Tell, sign_a_person_in, sign_out};
use super::error::Error;
use super::projects;
use super::updates::{note, record};
use super::workspace::{Setting, Workspace, connect_with, nothing_open, text_of};
use crate::diagnostic::code::CONNECTION;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::project::Parsed;
use crate::model::connection::{Connection, Service, is_loopback};
use crate::model::job::Job;
use crate::run::services::Services;
use crate::store::connections::Established;
use crate::store::home::Home;
use crate::store::state::State;
use crate::store::windows::SpentCalls;

/// What is known of one connection.
#[derive(Debug, Serialize)]
pub struct Known {
    /// Its identifier.
    pub name: String,
    /// What jobs are named after.
    pub label: String,
    /// `Dynamics` or `Gainsight`.
    pub service: &'static str,
    /// Where it leads.
    pub url: String,
    /// `declared`, `established` or `revoked`.
    pub status: &'static str,
    /// The organisation's id or the tenant's host, once it has worked.
    pub identity: Option<String>,
    /// When it was last authorized, or first worked.
    pub since: Option<String>,
    /// The jobs that use it.
    pub jobs: Vec<String>,
}

/// The connections of a project, with what the home knows of them.
///
/// # Errors
/// If the project or the state cannot be read.
pub fn list(setting: &Setting) -> Result<Vec<Known>, Error> {
    let text = text_of(setting)?;
    let state = State::look(setting.place())?;
    let kept = state.map(|s| s.connections()).transpose()?.unwrap_or_default();
    Ok(text.parsed.connections.values().map(|connection| known(connection, &kept, &text.parsed)).collect())
}

/// One connection of the project.
///
/// # Errors
/// If there is none of that name, or the project or the state cannot be read.
pub fn show(setting: &Setting, name: &str) -> Result<Known, Error> {
    let all = list(setting)?;
    let names: Vec<String> = all.iter().map(|c| c.name.clone()).collect();
    all.into_iter().find(|c| c.name.eq_ignore_ascii_case(name)).ok_or_else(|| unknown(name, &names))
}

/// Signs in, and keeps the connection as established: with the organisation that it had, if it had one. A connection that was
/// revoked may be used again then. Where a person has to sign in, `tell` says how.
///
/// # Errors
/// If signing in fails, or leads to another organisation than before.
pub async fn authorize(setting: &Setting, name: &str, tell: &Tell) -> Result<Known, Error> {
    let text = text_of(setting)?;
    let connection = declared(&text.parsed, name)?.clone();
    // Nobody is sent to sign in while a run has the home.
    drop(Home::open(&setting.home)?);
    let signed_in = sign_a_person_in(&connection, setting, tell).await?;
    let signed_in = signed_in.map_err(|cause| failed(&connection, cause.into()))?;
    let mut services = nothing_open(setting);
    let (credentials, to_keep) = signed_in.map(SignedIn::split).unzip();
    let opened = connect_with(&connection, credentials, setting, &mut services).await?;
    opened.map_err(|cause| failed(&connection, cause))?;
    if let Some(gainsight) = services.gainsight.get(&connection.name) {
        gainsight.objects().await.map_err(|cause| failed(&connection, cause.into()))?;
    }
    let home = Home::open(&setting.home)?;
    let state = State::open(setting.place())?;
    let before = state.connection(&connection.name)?;
    let one = same(&connection, &services, before.clone(), setting)?;
    if let Some(to_keep) = to_keep {
        to_keep.keep()?;
    }
    let action = if before.is_some() { "reauthorized" } else { "authorized" };
    state.establish(&Established { since: now(setting), ..one.clone() })?;
    record(&state, setting, ["connection", &one.name, action], before.as_ref().map(words), Some(words(&one)))?;
    drop((state, home));
    show(setting, name)
}

/// Takes the right to use a connection back, until it is authorized again. Its definition and its jobs stay.
///
/// # Errors
/// If it was never established, or a run is at work.
pub fn revoke(setting: &Setting, name: &str) -> Result<Known, Error> {
    let known = show(setting, name)?;
    let home = Home::open(&setting.home)?;
    let state = State::open(setting.place())?;
    let was_signed_in = sign_out(&known.name, setting)?;
    let before = state.connection(&known.name)?;
    if before.is_none() {
        if was_signed_in {
            drop((state, home));
            return show(setting, name);
        }
        return Err(Error::Usage(format!(
            "connection `{}` was never established, so there is nothing to revoke",
            known.name
        )));
    }
    state.revoke(&known.name, &now(setting))?;
    record(&state, setting, ["connection", &known.name, "revoked"], before.as_ref().map(words), None)?;
    drop((state, home));
    show(setting, name)
}

/// Forgets a connection that no job uses.
///
/// # Errors
/// If a job or a chain uses it, if the home knows none of that name, or a run is at work.
pub fn delete(setting: &Setting, name: &str) -> Result<(), Error> {
    let text = projects::open(&setting.project, setting.environment.as_deref())?;
    let users = text.parsed.users_of(name);
    if !users.is_empty() {
        let users: Vec<String> = users.iter().map(|u| format!("\"{u}\"")).collect();
        return Err(Error::Usage(format!("connection `{name}` is used by {}; delete these first", users.join(", "))));
    }
    let _home = Home::open(&setting.home)?;
    let state = State::open(setting.place())?;
    let was_signed_in = sign_out(name, setting)?;
    let Some(one) = state.connection(name)? else {
        if was_signed_in {
            return Ok(());
        }
        let names: Vec<String> = state.connections()?.into_iter().map(|c| c.name).collect();
        return Err(unknown(name, &names));
    };
    state.forget(&one.name)?;
    record(&state, setting, ["connection", &one.name, "deleted"], Some(words(&one)), None)
}

/// Lets a run use the connections of its jobs: each is established by its first run, and from then on leads where it led. What
/// was spent of the target's calls before counts. What has changed in the project is noted first, whatever comes of the run.
///
/// # Errors
/// If one was revoked, or leads to another organisation now.
pub(super) async fn admit<'a>(
    jobs: impl IntoIterator<Item = &'a Job>,
    workspace: &Workspace,
    state: &State,
    setting: &Setting,
) -> Result<(), Error> {
    note(state, setting, &workspace.sources)?;
    let (connections, services) = (&workspace.project.connections, &workspace.services);
    let names: BTreeSet<&str> = jobs.into_iter().flat_map(Job::connections).collect();
    for connection in names.into_iter().filter_map(|name| connections.get(name)) {
        let before = state.connection(&connection.name)?;
        if let Some(revoked) = before.as_ref().and_then(|b| b.revoked.clone()) {
            return Err(Error::Revoked { name: connection.name.clone(), at: revoked });
        }
        let is_new = before.is_none();
        let one = same(connection, services, before, setting)?;
        if is_new {
            state.establish(&one)?;
            record(state, setting, ["connection", &one.name, "established"], None, Some(words(&one)))?;
        }
        if let Some(gainsight) = services.gainsight.get(&connection.name) {
            let spent = SpentCalls::open(setting.place(), &one.identity)?;
            gainsight.remember(Arc::new(spent)).await.map_err(|cause| failed(connection, cause.into()))?;
        }
    }
    Ok(())
}

/// Lets nobody use a connection that was revoked.
///
/// # Errors
/// If it was.
pub(super) fn not_revoked(name: &str, setting: &Setting) -> Result<(), Error> {
    let Some(state) = State::look(setting.place())? else { return Ok(()) };
    match state.connection(name)?.and_then(|one| one.revoked) {
        Some(at) => Err(Error::Revoked { name: name.to_owned(), at }),
        None => Ok(()),
    }
}

/// Reports connections whose URL is not the one that they were established with.
///
/// # Errors
/// If the state cannot be read.
pub(super) fn held(parsed: &Parsed, setting: &Setting, out: &mut Diagnostics) -> Result<(), Error> {
    let Some(state) = State::look(setting.place())? else { return Ok(()) };
    for one in state.connections()? {
        let Some(connection) = parsed.connections.get(&one.name) else { continue };
        let is_redirected = setting.redirects.iter().any(|(name, _)| *name == one.name);
        if is_redirected || leads_to_the_same(&one.url, &connection.url) {
            continue;
        }
        let Some(span) = parsed.url_of(&one.name) else { continue };
        let message = format!("the URL of `{}` cannot change: it was established with {}", one.name, one.url);
        let help =
            "for another organisation declare a connection of its own; `ferry connection delete` forgets this one";
        out.push(Diagnostic::error(CONNECTION, span, message).label("this leads elsewhere").help(help));
    }
    Ok(())
}

/// The connection as it is to be kept, if it leads where it led before.
pub(super) fn same(
    connection: &Connection,
    services: &Services,
    before: Option<Established>,
    setting: &Setting,
) -> Result<Established, Error> {
    let of = if connection.service.has_tables() { &services.organizations } else { &services.tenants };
    let identity = of.get(&connection.name).cloned().unwrap_or_default();
    let is_here = is_local(&connection.url);
    let Some(before) = before else {
        let (name, url, since) = (connection.name.clone(), connection.url.clone(), now(setting));
        return Ok(Established { name, url, identity, since, revoked: None });
    };
    // A tenant has no id of its own: its host stands for it, and a sandbox's port is another each time.
    let is_same =
        before.identity == identity || (connection.service == Service::Gainsight && is_here && is_local(&before.url));
    if !is_same {
        let name = connection.name.clone();
        return Err(Error::OtherOrganization { name, known: before.identity, found: identity });
    }
    Ok(Established { url: connection.url.clone(), identity, revoked: None, ..before })
}

/// A connection as an update activity shows it.
fn words(one: &Established) -> String {
    let revoked = one.revoked.as_ref().map(|at| format!(", revoked at {at}")).unwrap_or_default();
    format!("{} ({}), since {}{revoked}", one.url, one.identity, one.since)
}

fn known(connection: &Connection, kept: &[Established], parsed: &Parsed) -> Known {
    let one = kept.iter().find(|k| k.name == connection.name);
    Known {
        name: connection.name.clone(),
        label: connection.label.clone(),
        service: connection.service.name(),
        url: connection.url.clone(),
        status: match one {
            None => "declared",
            Some(one) if one.revoked.is_some() => "revoked",
            Some(_) => "established",
        },
        identity: one.map(|one| one.identity.clone()),
        since: one.map(|one| one.since.clone()),
        jobs: parsed.users_of(&connection.name),
    }
}

pub(super) fn declared<'a>(parsed: &'a Parsed, name: &str) -> Result<&'a Connection, Error> {
    let found = parsed.connections.values().find(|c| c.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| unknown(name, &parsed.connections.keys().cloned().collect::<Vec<_>>()))
}

fn unknown(name: &str, known: &[String]) -> Error {
    let all = if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
    Error::Usage(format!("no connection is named `{name}`; {all}"))
}

pub(super) fn failed(connection: &Connection, cause: crate::run::error::Error) -> Error {
    Error::Connection { name: connection.name.clone(), cause: Box::new(cause) }
}

fn leads_to_the_same(one: &str, other: &str) -> bool {
    one == other || (is_local(one) && is_local(other))
}

/// Whether a URL is of this machine: a sandbox has another port each time it is started.
fn is_local(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_loopback(&url))
}

fn now(setting: &Setting) -> String {
    setting.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
