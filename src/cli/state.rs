//! `ferry state` and `ferry cursor`.

use serde_json::json;

use super::arguments_operations::StateVerb;
use super::output::{say, tell};
use super::start::Ended;
use super::table::number;
use crate::app::backups;
use crate::app::workspace::Setting;

pub(super) fn state(setting: &Setting, verb: &StateVerb, as_json: bool) -> Ended {
    match verb {
        StateVerb::Backup { file } => {
            let copied = backups::back_up(setting, file)?;
            if as_json {
                say!("{}", json!({ "file": file, "bytes": copied.bytes, "version": copied.version }));
            } else {
                tell!("{} holds the state, {} kB, and is whole", file.display(), number(copied.bytes.div_ceil(1_000)));
                tell!("It has no secrets: keep secrets.json and the file of its key elsewhere.");
            }
        }
        StateVerb::Restore { file } => {
            let restored = backups::restore(setting, file)?;
            if as_json {
                say!(
                    "{}",
                    json!({ "file": file, "aside": restored.aside, "newest_run": restored.newest_run,
                        "given_up": restored.given_up })
                );
                return Ok(0);
            }
            tell!("the state is that of {}", file.display());
            match &restored.newest_run {
                Some(run) => tell!("Runs that began after {run} are unknown to it; their records are in Gainsight."),
                None => tell!("It knows no run."),
            }
            restored.given_up.iter().for_each(|run| tell!("Run {run} is given up: nobody knows how far it came."));
            tell!("The next run of each job reads and compares everything, and writes only what differs.");
            if let Some(aside) = &restored.aside {
                let read = if restored.was_readable { "" } else { ", which cannot be read" };
                tell!("What was there is kept as {}{read}.", aside.display());
            }
        }
        StateVerb::Restored => {
            let place = backups::was_restored(setting)?;
            if as_json {
                say!("{}", json!({ "state": place.to_string() }));
            } else {
                tell!("the state in {place} is taken for a copy of an earlier time: no run of it is gone on with");
                tell!("The next run of each job reads and compares everything, and writes only what differs.");
            }
        }
    }
    Ok(0)
}

pub(super) fn rewind(setting: &Setting, job: &str, as_json: bool) -> Ended {
    let (job, forgotten) = backups::rewind(setting, job)?;
    if as_json {
        say!("{}", json!({ "job": job, "began_with": forgotten }));
        return Ok(0);
    }
    match forgotten {
        Some(run) => tell!("the next run of \"{job}\" reads everything, and not only what changed since run {run}"),
        None => tell!("\"{job}\" had nothing to begin with: its next run reads everything anyway"),
    }
    Ok(0)
}
