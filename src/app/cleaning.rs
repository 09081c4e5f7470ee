//! `clean`: what is kept of old runs goes, but never of one that can be gone on with.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::error::Error;
use super::held::Held;
use super::updates::record;
use super::workspace::Setting;
use crate::model::sabotage::{self, Bug};

/// What was cleaned away.
#[derive(Debug, Default, Serialize)]
pub struct Cleaned {
    /// Runs of which rows, plan and error file are gone; what they amounted to stays in the activity.
    pub runs: Vec<String>,
    /// Bytes that are free now.
    pub bytes: u64,
    /// Runs that are as old and stay: they can be gone on with, or the next run of their job begins with what they read.
    pub kept: Vec<String>,
}

/// Removes the folders of runs that ended before so many seconds, and what the ledger knows of their pages and calls.
///
/// # Errors
/// If another process is at work, or the disk says no.
pub async fn clean(setting: &Setting, older_than_seconds: u64) -> Result<Cleaned, Error> {
    let Held { state, home } = Held::at_once(setting)?;
    let age = TimeDelta::try_seconds(i64::try_from(older_than_seconds).unwrap_or(i64::MAX)).unwrap_or(TimeDelta::MAX);
    let before = setting.clock.now().checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let unfinished: Vec<String> = state.unfinished_runs()?.into_iter().map(|run| run.id).collect();
    let bases = state.base_runs()?;
    let left = home.runs().left().await?;
    let mut cleaned = Cleaned::default();
    for run in state.runs(u32::MAX)? {
        let ended = run.ended.as_deref().unwrap_or(&run.started);
        if DateTime::parse_from_rfc3339(ended).is_ok_and(|at| at.with_timezone(&Utc) >= before) {
            continue;
        }
        // The next run begins with its rows.
        if bases.contains(&run.id) {
            cleaned.kept.push(run.id);
            continue;
        }
        if unfinished.contains(&run.id) && !sabotage::has(Bug::CleansEverything) {
            cleaned.kept.push(run.id);
            continue;
        }
        // While a call may still have an effect, the next run has to know of it.
        if state.has_open_calls(&run.id)? && age < TimeDelta::hours(1) {
            cleaned.kept.push(run.id);
            continue;
        }
        // The ledger first: a folder that is left is found by the next cleaning, while pages without files would be sought.
        let had_details = state.clean_run(&run.id)?;
        if had_details || left.contains_key(&run.id) {
            cleaned.bytes += home.runs().remove(&run.id).await?;
            cleaned.runs.push(run.id);
        }
    }
    if !cleaned.runs.is_empty() {
        let words = format!("{} runs that ended more than {older_than_seconds} s before", cleaned.runs.len());
        record(&state, setting, ["state", "runs", "cleaned"], None, Some(words))?;
    }
    cleaned.runs.sort();
    cleaned.kept.sort();
    Ok(cleaned)
}
