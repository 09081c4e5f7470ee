//! What somebody sees who looks after a deployment: jobs, chains, activities, error files, what was changed, and what is kept how long.

mod backups;
mod doctor;
mod errors;
#[cfg(target_os = "linux")]
mod hardened;
mod jobs;
mod listed;
mod manual;
mod retention;
mod screen;
mod updates;

use ferry::app::activity::{Filter, updates};
use ferry::app::workspace::Setting;
use serde_json::Value;

/// Each line of JSON.
fn json_lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What was changed, oldest first: kind, name, action.
fn changes(setting: &Setting) -> Vec<(String, String, String)> {
    let all = updates(setting, &Filter { at_most: 1_000, ..Filter::default() }).unwrap().all;
    all.into_iter().rev().map(|one| (one.kind, one.name, one.action)).collect()
}

/// The same as words.
fn change_words(setting: &Setting) -> Vec<String> {
    changes(setting).into_iter().map(|(kind, name, action)| format!("{kind} {name} {action}")).collect()
}
