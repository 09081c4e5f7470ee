//! The project: whether its text is right in its form, and whether its schedules are followed.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Finding, counted, fail, ok, unseen, warn};
use crate::app::error::Error;
use crate::app::workspace::{Setting, text_of};
use crate::lang::scheduled::scheduled;
use crate::schedule::entries::Entry;
use crate::schedule::times::next_after;
use crate::store::slots::Kept;
use crate::store::state::State;

/// A schedule that nobody has looked at for longer than this is not followed.
const LOOKED_AT_WITHIN_MINUTES: i64 = 10;
/// Missed times that are told of.
const MISSED_WITHIN_DAYS: i64 = 7;
/// Decided times that are looked at.
const SLOTS_LOOKED_AT: u32 = 500;

pub(super) fn findings(setting: &Setting) -> Vec<Finding> {
    let text = match text_of(setting) {
        Ok(text) => text,
        Err(error) => return vec![fail("definitions", &error.to_string(), "name the project with --project")],
    };
    let (entries, diagnostics) = scheduled(&text.parsed, &text.sources);
    let (errors, warnings) = diagnostics.tally();
    let statements = text.parsed.statements.len();
    let mut all = vec![if errors > 0 {
        fail(
            "definitions",
            &format!("{} in {statements} statements", counted(errors, "mistake")),
            "`ferry check` shows them",
        )
    } else {
        ok("definitions", &format!("{statements} statements, {}", counted(warnings, "warning")))
    }];
    match schedules(setting, &entries) {
        Ok(found) => all.extend(found),
        Err(error) => all.push(unseen("schedules", &error)),
    }
    all
}

fn schedules(setting: &Setting, entries: &[Entry]) -> Result<Vec<Finding>, Error> {
    if entries.is_empty() {
        return Ok(vec![ok("schedules", "none: jobs run when somebody says so")]);
    }
    let now = setting.clock.now();
    let silenced = entries.iter().filter(|entry| !entry.silenced_by.is_empty()).count();
    let followed: Vec<&Entry> = entries.iter().filter(|entry| entry.silenced_by.is_empty()).collect();
    let state = State::look(setting.place())?;
    let paused = state.as_ref().map(State::paused_schedules).transpose()?.unwrap_or_default();
    let next = followed.iter().filter(|entry| !paused.contains_key(&entry.name));
    let next = next.filter_map(|entry| Some((next_after(&entry.schedule, now)?, &entry.name))).min();
    let next = next
        .map_or_else(|| "nothing is due any more".to_owned(), |(at, name)| format!("next \"{name}\" at {}", time(at)));
    let found = format!("{} followed, {silenced} silenced by chains; {next}", followed.len());
    let mut all = vec![ok("schedules", &found)];
    let names: Vec<String> = paused.iter().map(|(name, (at, by))| format!("\"{name}\" by {by} since {at}")).collect();
    if !names.is_empty() {
        all.push(warn("paused", &names.join(", "), "`ferry resume NAME` ends a pause"));
    }
    let Some(state) = state else {
        all.push(warn("daemon", "nobody follows the schedules yet", "`ferry serve`"));
        return Ok(all);
    };
    all.push(daemon(&state, &followed, now)?);
    all.push(missed(&state.slots(None, true, SLOTS_LOOKED_AT)?, now));
    Ok(all)
}

/// Whether somebody decides about the times of the schedules.
fn daemon(state: &State, entries: &[&Entry], now: DateTime<Utc>) -> Result<Finding, Error> {
    let known = state.followed()?;
    let looks = entries.iter().filter_map(|entry| known.get(&entry.name)).map(|(_, known)| known.decided_until);
    Ok(match looks.max() {
        None => warn("daemon", "nobody has followed the schedules yet", "`ferry serve` does"),
        Some(last) if now - last > TimeDelta::minutes(LOOKED_AT_WITHIN_MINUTES) && is_due(entries, last, now) => {
            let found = format!("nobody has followed the schedules since {}", time(last));
            fail("daemon", &found, "start `ferry serve`; times that were missed are made up for as CATCH UP says")
        }
        Some(_) => ok("daemon", "the schedules are followed, or nothing was due since"),
    })
}

/// Whether a time has come since.
fn is_due(entries: &[&Entry], since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    entries.iter().any(|entry| next_after(&entry.schedule, since).is_some_and(|at| at <= now))
}

fn missed(slots: &[Kept], now: DateTime<Utc>) -> Finding {
    let late: Vec<&Kept> = slots
        .iter()
        .filter(|kept| !kept.slot.verdict.is_run() && now - kept.slot.at < TimeDelta::days(MISSED_WITHIN_DAYS))
        .collect();
    match late.first() {
        None => ok("missed", &format!("no time in {MISSED_WITHIN_DAYS} days")),
        Some(last) => {
            let found = format!(
                "{} in {MISSED_WITHIN_DAYS} days, the last \"{}\" at {}",
                counted(late.len(), "time"),
                last.name,
                time(last.slot.at)
            );
            warn(
                "missed",
                &found,
                "`ferry schedule` lists them; a run that takes longer than its pace overlaps with itself",
            )
        }
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}
