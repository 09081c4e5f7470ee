//! `schedule`: what is due when, what is not for now, and what was passed over.
//!
//! In: the text of a project and its home. No service is asked, and a home that is not there yet has no pauses and no past.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::error::Error;
use super::workspace::{Setting, text_of};
use crate::lang::scheduled::scheduled;
use crate::schedule::entries::{Entry, Kind};
use crate::schedule::times::{next_after, times};
use crate::store::slots::Kept;
use crate::store::state::State;

/// Times that were passed over and are listed at the most.
pub const PASSED_AT_MOST: u32 = 50;

/// What a project has scheduled, looked at now.
#[derive(Debug)]
pub struct Outlook {
    /// The moment of the look.
    pub now: DateTime<Utc>,
    /// The next times, the earliest first.
    pub coming: Vec<Coming>,
    /// Every job and chain with a schedule, chains first.
    pub scheduled: Vec<Scheduled>,
}

/// One time of a schedule that is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// The job or the chain.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// When.
    pub at: DateTime<Utc>,
    /// The zone of its schedule.
    pub zone: String,
}

/// A job or a chain with how its schedule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Which, and when it is due.
    pub entry: Entry,
    /// When it is due next, by itself; nothing if it pauses or is silenced.
    pub next: Option<DateTime<Utc>>,
    /// Since when its schedule pauses, and who said so.
    pub paused: Option<(String, String)>,
    /// Whether its last day has passed.
    pub has_ended: bool,
}

/// What is due when: the next times of all, or of one job or chain.
///
/// # Errors
/// If the project has mistakes, the state cannot be read, or nothing of that name has a schedule.
pub fn outlook(setting: &Setting, name: Option<&str>, at_most: usize) -> Result<Outlook, Error> {
    let text = text_of(setting)?;
    let (entries, diagnostics) = scheduled(&text.parsed, &text.sources);
    if diagnostics.has_errors() {
        return Err(Error::Text(Box::new((diagnostics, text.sources))));
    }
    let entries = chosen(entries, name)?;
    let state = State::look(setting.place())?;
    let mut paused: BTreeMap<String, (String, String)> =
        state.map(|state| state.paused_schedules()).transpose()?.unwrap_or_default();
    let now = setting.clock.now();
    let standing = |entry: Entry| {
        let paused = paused.remove(&entry.name);
        let next = next_after(&entry.schedule, now);
        let is_followed = entry.silenced_by.is_empty() && paused.is_none();
        Scheduled { has_ended: next.is_none(), next: next.filter(|_| is_followed), paused, entry }
    };
    let scheduled: Vec<Scheduled> = entries.into_iter().map(standing).collect();
    Ok(Outlook { now, coming: coming(&scheduled, now, at_most), scheduled })
}

/// The times that were missed, that came while the run before was under way, or that were decided and have no run; newest first.
///
/// # Errors
/// If the state cannot be read.
pub fn passed_over(setting: &Setting, name: Option<&str>) -> Result<Vec<Kept>, Error> {
    match State::look(setting.place())? {
        Some(state) => Ok(state.slots(name, true, PASSED_AT_MOST)?),
        None => Ok(Vec::new()),
    }
}

fn chosen(entries: Vec<Entry>, name: Option<&str>) -> Result<Vec<Entry>, Error> {
    let Some(name) = name else { return Ok(entries) };
    let (mut own, others): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|one| one.name.eq_ignore_ascii_case(name));
    if let Some(exact) = own.iter().position(|one| one.name == name) {
        own = vec![own.swap_remove(exact)];
    }
    if own.is_empty() {
        let names: Vec<String> = others.iter().map(|one| format!("\"{}\"", one.name)).collect();
        let others =
            if names.is_empty() { "nothing has one".to_owned() } else { format!("these have: {}", names.join(", ")) };
        return Err(Error::Usage(format!("no job or chain named \"{name}\" has a schedule; {others}")));
    }
    Ok(own)
}

fn coming(scheduled: &[Scheduled], now: DateTime<Utc>, at_most: usize) -> Vec<Coming> {
    let followed = scheduled.iter().filter(|one| one.next.is_some()).map(|one| &one.entry);
    let mut coming: Vec<Coming> = followed
        .flat_map(|entry| {
            times(&entry.schedule, now).take(at_most).map(|at| Coming {
                name: entry.name.clone(),
                kind: entry.kind,
                at,
                zone: entry.schedule.zone.clone(),
            })
        })
        .collect();
    coming.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
    coming.truncate(at_most);
    coming
}
