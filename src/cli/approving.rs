//! `ferry approve`, `ferry pause`, and `ferry resume` of a schedule.

use serde_json::json;

use super::output::{say, tell};
use super::start::Ended;
use crate::app::approving::{self, Paused};
use crate::app::workspace::Setting;

pub(super) fn approve(setting: &Setting, id: &str, as_json: bool) -> Ended {
    let run = approving::approve(setting, id)?;
    if as_json {
        say!("{}", json!({ "run": run.id, "job": run.job, "approved_by": setting.by }));
    } else {
        tell!(
            "run {id} of \"{}\" may go on; `ferry serve` does so by itself, and so does `ferry resume {id}`",
            run.job
        );
    }
    Ok(0)
}

pub(super) fn pause(setting: &Setting, name: &str, as_json: bool) -> Ended {
    let (name, kind, next) = match approving::pause(setting, name)? {
        Paused::Schedule(name) => {
            let next =
                format!("the schedule of \"{name}\" pauses until `ferry resume \"{name}\"`; what is under way goes on");
            (name, "schedule", next)
        }
        Paused::Run(run) => {
            let next =
                format!("run {0} of \"{1}\" stops where it is; `ferry resume {0}` goes on with it", run.id, run.job);
            (run.id, "run", next)
        }
    };
    if as_json {
        say!("{}", json!({ "name": name, "kind": kind, "paused_by": setting.by }));
    } else {
        tell!("{next}");
    }
    Ok(0)
}

pub(super) fn lift(setting: &Setting, name: &str, as_json: bool) -> Ended {
    let was_paused = approving::lift(setting, name)?;
    if as_json {
        say!("{}", json!({ "name": name, "kind": "schedule", "resumed": was_paused }));
    } else {
        tell!("the schedule of \"{name}\" goes on; times that passed meanwhile are not made up for");
    }
    Ok(0)
}
