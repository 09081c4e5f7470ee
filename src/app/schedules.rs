//! Schedules and the state: what is due now, and what will be.
//!
//! In: the entries of a project, the state, a look at the clock. Out: what to begin, after it was written down.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::error::Error;
use crate::lang::project::Project;
use crate::model::schedule::{CatchUp, Schedule, Slot, Verdict};
use crate::schedule::due::{Watch, decide};
use crate::schedule::entries::{Declared, Entry, Kind, entries};
use crate::store::state::State;

/// Something to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The job or the chain.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The time of its schedule: the run's `slot_ms`.
    pub at: DateTime<Utc>,
    /// Whether it is made up for, as nobody was there at its time.
    pub is_made_up: bool,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Looked {
    /// What is to be begun by whoever looked, and nobody else; the oldest comes first.
    pub due: Vec<Due>,
    /// Times at which nothing is begun, and whose.
    pub passed: Vec<(String, Slot)>,
}

/// What of a project is scheduled.
#[must_use]
pub fn scheduled(project: &Project) -> Vec<Entry> {
    let chains =
        project.chains.values().map(|chain| Declared::chain(&chain.name, chain.schedule.clone(), chain.jobs()));
    let jobs = project.jobs.values().map(|job| Declared::job(&job.name, job.schedule.clone()));
    let declared: Vec<Declared> = chains.chain(jobs).collect();
    entries(&declared)
}

/// Decides what has come since the last look, and writes it down.
///
/// A schedule that is new, that was changed, or that was paused or silenced begins now. `under_way` are the names that have not ended, or not begun yet.
///
/// # Errors
/// If the state cannot be used; then nothing is to be begun.
pub fn due(state: &State, entries: &[Entry], watch: Watch, under_way: &BTreeSet<String>) -> Result<Looked, Error> {
    let paused = state.paused_schedules()?;
    let mut followed = state.followed()?;
    let (mut due, mut passed) = (Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| entry.silenced_by.is_empty() && !paused.contains_key(&entry.name)) {
        let text = identity(&entry.schedule);
        let known = followed.remove(&entry.name).filter(|(schedule, _)| *schedule == text);
        let Some((_, known)) = known else {
            state.follow(&entry.name, &text, watch.now)?;
            continue;
        };
        let decided = decide(&entry.schedule, &known, watch, under_way.contains(&entry.name));
        if decided.slots.is_empty() && decided.decided_until == known.decided_until {
            continue;
        }
        let new = state.decide(&entry.name, &decided.slots, decided.decided_until, watch.now)?;
        let (run, not): (Vec<Slot>, Vec<Slot>) = new.into_iter().partition(|slot| slot.verdict.is_run());
        passed.extend(not.into_iter().map(|slot| (entry.name.clone(), slot)));
        due.extend(run.into_iter().map(|slot| Due {
            name: entry.name.clone(),
            kind: entry.kind,
            at: slot.at,
            is_made_up: slot.verdict == Verdict::MadeUp,
        }));
    }
    for name in followed.into_keys() {
        state.unfollow(&name)?;
    }
    due.sort_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
    Ok(Looked { due, passed })
}

/// What makes a schedule another: its times, not what becomes of missed ones.
fn identity(schedule: &Schedule) -> String {
    Schedule { catch_up: CatchUp::One, ..schedule.clone() }.to_string()
}
