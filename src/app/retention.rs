//! How long things are kept: rows of a run, its error file and its activity go when `CREATE SETTINGS` says.
//!
//! It runs by itself, at the end of runs and in the daemon, once an hour at the most; `clean` is for whoever wants room now. What
//! the next run needs stays however old it is, as long as a project declares its job. In: settings, a home that is held. Out: what went.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;

use super::error::Error;
use super::held::Held;
use super::workspace::Setting;
use crate::model::outcome::Status;
use crate::model::settings::Settings;
use crate::run::progress::{Event, Progress};
use crate::run::undertaking::RESUMED_WITHIN_HOURS;
use crate::store::home::Home;
use crate::store::retention::Aged;
use crate::store::run_folders::Left;
use crate::store::state::State;

/// How often it is looked at the most, in milliseconds.
const EVERY_MS: i64 = 3_600_000;

/// Under this name the state keeps when it was last done.
const NAME: &str = "retention";

/// What went.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Retained {
    /// Runs of which rows and plan went.
    pub rows: Vec<String>,
    /// Runs of which the error file went.
    pub error_files: Vec<String>,
    /// Runs that the activity does not list any more.
    pub runs: Vec<String>,
    /// Update activities that went.
    pub updates: u64,
    /// Bytes that are free now.
    pub bytes: u64,
}

impl Retained {
    /// Whether nothing went.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// The same on a line.
    #[must_use]
    pub fn told(&self) -> String {
        let (rows, files, runs) = (self.rows.len(), self.error_files.len(), self.runs.len());
        format!(
            "what is kept for a time went: rows of {rows} runs, {files} error files, {runs} runs of the activity; {} kB are free",
            self.bytes / 1_000
        )
    }
}

/// Removes what is older than the settings say; none, if that was done less than an hour ago.
///
/// # Errors
/// If the state or the disk says no. What went until then is gone, and the rest goes the next time.
pub async fn retain(setting: &Setting, settings: &Settings, held: &Held) -> Result<Option<Retained>, Error> {
    let Held { state, home } = held;
    let now = setting.clock.now();
    let now_ms = now.timestamp_millis();
    // A clock that was set back is no reason to wait for it.
    if state.upkept(NAME)?.is_some_and(|last| last <= now_ms && now_ms - last < EVERY_MS) {
        return Ok(None);
    }
    state.upkeep(NAME, now_ms)?;
    let mut went = Retained::default();
    let ages = Ages::of(settings, now, state, home).await?;
    for run in state.aged_runs()? {
        ages.apply(&run, home, state, &mut went).await?;
    }
    let before = now.checked_sub_signed(ages.activities).unwrap_or(DateTime::<Utc>::MIN_UTC);
    went.updates = state.forget_before(&words(before), before.timestamp_millis())?;
    Ok(Some(went))
}

/// The same for whoever has just run something: it is no reason for that to fail.
pub(super) async fn retain_quietly(setting: &Setting, settings: &Settings, held: &Held, progress: &Progress) {
    match retain(setting, settings, held).await {
        Ok(Some(went)) if !went.is_nothing() => progress(Event::Notice(went.told())),
        Ok(_) => {}
        Err(error) => progress(Event::Notice(format!("old runs cannot be cleaned away: {error}"))),
    }
}

/// How old things may become, and what stays whatever its age.
struct Ages {
    now: DateTime<Utc>,
    rows: TimeDelta,
    error_files: TimeDelta,
    activities: TimeDelta,
    bases: Vec<String>,
    /// Those of jobs that are declared nowhere any more.
    undeclared: Vec<String>,
    unfinished: Vec<String>,
    /// What is left of each run's files.
    left: BTreeMap<String, Left>,
}

impl Ages {
    async fn of(settings: &Settings, now: DateTime<Utc>, state: &State, home: &Home) -> Result<Self, Error> {
        Ok(Self {
            now,
            rows: length(settings.staging_seconds),
            error_files: length(settings.error_files_seconds),
            activities: length(settings.activities_seconds),
            bases: state.base_runs()?,
            undeclared: state.undeclared_base_runs()?,
            unfinished: state.unfinished_runs()?.into_iter().map(|run| run.id).collect(),
            left: home.runs().left().await?,
        })
    }

    async fn apply(&self, run: &Aged, home: &Home, state: &State, went: &mut Retained) -> Result<(), Error> {
        let age = self.since(&run.ended);
        if self.is_needed(run)
            || state.is_alive(&run.id)
            || (state.has_open_calls(&run.id)? && age < TimeDelta::hours(1))
        {
            return Ok(());
        }
        let is_left_over = age >= self.rows && self.undeclared.contains(&run.id);
        if is_left_over {
            state.forget_base(&run.id)?;
        }
        let is_base = self.bases.contains(&run.id) && !is_left_over;
        let runs = home.runs();
        let left = self.left.get(&run.id).copied().unwrap_or_default();
        let (rows_go, file_goes) = (age >= self.rows && !is_base, age >= self.error_files);
        if rows_go && (run.has_details || left.has_rows) {
            self.give_up(run, state)?;
            // The ledger first: a folder that is left is found the next time, while pages without files would be sought.
            state.clean_run(&run.id)?;
            went.bytes += runs.remove_rows(&run.id).await?;
            went.rows.push(run.id.clone());
        }
        if file_goes && left.has_error_file {
            went.bytes += runs.remove_error_file(&run.id).await?;
            went.error_files.push(run.id.clone());
        }
        if age >= self.activities && rows_go && state.forget_run(&run.id)? {
            went.bytes += runs.remove(&run.id).await?;
            went.runs.push(run.id.clone());
        }
        Ok(())
    }

    /// Whether somebody may go on with a run, or apply it.
    fn is_needed(&self, run: &Aged) -> bool {
        let can_be_taken_up = self.unfinished.contains(&run.id) || run.status == Status::Planned.word();
        can_be_taken_up && self.since(&run.started) < TimeDelta::hours(RESUMED_WITHIN_HOURS)
    }

    /// A run whose rows go is not gone on with; one that says it were under way, or waited, says so no more.
    fn give_up(&self, run: &Aged, state: &State) -> Result<(), Error> {
        let waits = Status::parse(&run.status).is_some_and(|status| status == Status::Running || status.is_waiting());
        if waits {
            let why = "nobody went on with it, and what it read was cleaned away";
            state.abandon_run(&run.id, &words(self.now), why)?;
        }
        Ok(())
    }

    /// How long ago a time was. One that cannot be read is no reason to remove anything.
    fn since(&self, at: &str) -> TimeDelta {
        DateTime::parse_from_rfc3339(at).map_or(TimeDelta::zero(), |at| self.now - at.to_utc())
    }
}

fn length(seconds: u64) -> TimeDelta {
    i64::try_from(seconds).ok().and_then(TimeDelta::try_seconds).unwrap_or(TimeDelta::MAX)
}

fn words(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
