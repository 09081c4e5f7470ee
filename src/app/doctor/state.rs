//! The state: whether it is whole and unaltered, who has it, what waits, what was not told.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Finding, fail, ok, unseen, warn};
use crate::app::activity::Alive;
use crate::app::error::Error;
use crate::app::workspace::Setting;
use crate::model::outcome::Status;
use crate::store::condition::is_process;
use crate::store::place::Place;
use crate::store::runs::Run;
use crate::store::state::State;

/// A run that waits for longer than this is told of with more weight.
const WAITS_HOURS_AT_MOST: i64 = 24;

pub(super) fn findings(setting: &Setting, state: &State) -> Vec<Finding> {
    type Look = fn(&Setting, &State) -> Result<Finding, Error>;
    let looks: [(&str, Look); 6] = [
        ("state", whole),
        ("changes", unaltered),
        ("at work", at_work),
        ("waiting runs", waiting),
        ("last runs", last_runs),
        ("notices", notices),
    ];
    looks.into_iter().map(|(what, look)| look(setting, state).unwrap_or_else(|error| unseen(what, &error))).collect()
}

fn whole(setting: &Setting, state: &State) -> Result<Finding, Error> {
    if let place @ Place::Server(_) = setting.place() {
        // Looking is not enough: what a run needs is to write.
        State::join(&place)?.can_write()?;
        return Ok(ok("state", &format!("in {place}, can be written, version {}", state.version()?)));
    }
    let complaints = state.complaints()?;
    Ok(match complaints.first() {
        Some(first) => {
            fail("state", &format!("it is damaged: {first}"), "put a copy back with `ferry state restore FILE`")
        }
        None => ok("state", &format!("whole, version {}", state.version()?)),
    })
}

/// S-21: what was changed stands in a chain of digests.
fn unaltered(_: &Setting, state: &State) -> Result<Finding, Error> {
    if state.version()? < 7 {
        return Ok(ok("changes", "none are kept yet"));
    }
    let count = state.updates(u32::MAX)?.len();
    Ok(match state.altered_update()? {
        Some(number) => {
            let found = format!(
                "update activity {number} is not what was written: somebody has changed the state behind ferry's back"
            );
            fail("changes", &found, "compare with a copy of the state, and find out who can write to the home")
        }
        None => ok("changes", &format!("{count} update activities, none altered")),
    })
}

fn at_work(setting: &Setting, state: &State) -> Result<Finding, Error> {
    let holder = state.holder()?;
    if !setting.place().is_at_work()? {
        return Ok(ok("at work", "nobody"));
    }
    let Some(holder) = holder else { return Ok(ok("at work", "somebody")) };
    let machine = holder.machine.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
    let words = format!("process {}{machine} since {}", holder.process, holder.since);
    Ok(if holder.is_here() && is_process(holder.process) == Some(false) {
        let found = format!("the home is locked, and {words} is not there");
        warn(
            "at work",
            &found,
            "find out who has the home: a process in another container, or on another machine of a shared disk",
        )
    } else {
        ok("at work", &words)
    })
}

fn waiting(setting: &Setting, state: &State) -> Result<Finding, Error> {
    let (alive, now) = (Alive::of(state, setting)?, setting.clock.now());
    let runs = state.unfinished_runs()?.into_iter().map(|run| alive.seen(run));
    let stopped: Vec<Run> = runs.filter(|run| run.status != Status::Running.word()).collect();
    let Some(oldest) = stopped.first() else { return Ok(ok("waiting runs", "none")) };
    let is_old = since(oldest).is_some_and(|at| now - at > TimeDelta::hours(WAITS_HOURS_AT_MOST));
    let named: Vec<String> = stopped.iter().take(3).map(words).collect();
    let more = stopped.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let found = format!("{}{more}", named.join(", "));
    let advice = match oldest.status.as_str() {
        "waiting_approval" => format!("look at it with `ferry activity {0}`, then `ferry approve {0}`", oldest.id),
        "waiting_auth" => "`ferry connection list`, then `ferry connection authorize NAME`".to_owned(),
        _ if is_old => format!("it is too old to be gone on with: `ferry cancel {}`", oldest.id),
        _ => format!("`ferry activity {}` says why, and `ferry resume` goes on", oldest.id),
    };
    Ok(warn("waiting runs", &found, &advice))
}

fn words(run: &Run) -> String {
    let status = Status::parse(&run.status).map_or("?", Status::text).to_lowercase();
    format!("{} {status} since {}", run.id, run.ended.as_ref().unwrap_or(&run.started))
}

fn since(run: &Run) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&run.started).ok().map(|at| at.to_utc())
}

fn last_runs(_: &Setting, state: &State) -> Result<Finding, Error> {
    let runs = state.newest_runs()?;
    let failed: Vec<&Run> = runs.iter().filter(|run| run.status == Status::Failed.word()).collect();
    let Some(first) = failed.first() else {
        return Ok(ok("last runs", &format!("none of {} jobs failed", runs.len())));
    };
    let found = format!("of {} jobs {} failed when they last ran, such as \"{}\"", runs.len(), failed.len(), first.job);
    Ok(warn("last runs", &found, &format!("`ferry activity {}` says why", first.id)))
}

fn notices(_: &Setting, state: &State) -> Result<Finding, Error> {
    let (counted, given_up) = state.notices_by_state()?;
    let of = |state: &str| counted.get(state).copied().unwrap_or(0);
    let found = format!("{} delivered, {} due, {} given up", of("delivered"), of("due"), of("given_up"));
    Ok(match given_up {
        Some(last) => {
            let why = last.message.unwrap_or_default();
            let found = format!("{found}; the last was to {} at {}: {why}", last.address, last.at);
            warn("notices", &found, "mend the address, the mail connection or the receiver")
        }
        None => ok("notices", &found),
    })
}
