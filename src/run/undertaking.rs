//! Which run this is: a new one, or one that was interrupted and is gone on with.
//!
//! A run is gone on with as long as the job is what it was and not too much time has passed; else it is given up, and the new one
//! waits until nothing of the old one can have an effect any more. In: a job and what the ledger knows of it. Out: the run, with
//! how far it came.

use chrono::{DateTime, SecondsFormat};

use super::chain::With;
use super::drift::changes;
use super::error::Error;
use super::essence::digest_of;
use super::handing::Handed;
use super::looking::made_and_removed;
use super::progress::Voice;
use super::relied::Relied;
use super::services::Services;
use super::whereabouts::is_here;
use crate::model::job::{Job, Route};
use crate::store::error::Error as StoreError;
use crate::store::home::Home;
use crate::store::ledger::{Begin, LOOKED, Ledger, Phase, Unfinished};
use crate::store::state::Tenancy;

/// A run that was interrupted longer ago than this is not gone on with by itself: what it read is old.
pub const RESUMED_WITHIN_HOURS: i64 = 24;

/// Why a run is not gone on with whose folder is not here.
const ELSEWHERE: &str = "what it planned lies in another home, or is gone";

/// Under this name the ledger keeps that a run is to read everything, until it has decided how it reads.
const FULL: &str = "full";

/// How a job is to be run.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// The chain that it is part of.
    pub chain: Option<String>,
    /// Begin anew, whatever was interrupted.
    pub anew: bool,
    /// Go on with exactly this run.
    pub resume: Option<String>,
    /// Only the source rows with these primary keys.
    pub chosen: Option<Vec<String>>,
    /// Read and compare everything, whatever is known of what changed.
    pub full: bool,
    /// Hold what is known of the target against the target itself.
    pub verify: bool,
    /// The time that it is due at by its schedule, in milliseconds since 1970.
    pub slot_ms: Option<i64>,
}

/// The run that is to be worked on.
pub(super) struct Undertaking {
    pub(super) run: String,
    pub(super) phase: Phase,
    /// The moment that is `NOW` for it, in milliseconds since 1970.
    pub(super) now_ms: i64,
    pub(super) chosen: Option<Vec<String>>,
    /// The plan as it was written down, and the digest of its changes.
    pub(super) planned: Option<(String, String)>,
    /// How many processes worked on it before.
    pub(super) attempts_before: i64,
    /// Whether everything is to be read, if that is not decided yet.
    pub(super) is_full: bool,
    /// Whether what is known of the target is held against the target.
    pub(super) verifies: bool,
    /// What the job is, in digits.
    pub(super) digest: String,
    /// The chain that it is part of.
    pub(super) chain: Option<String>,
}

/// Whether a run of a job would be gone on with that has looked at its target before: whether it still can be, is known only when nobody
/// writes there any more.
pub(super) fn has_looked(job: &Job, services: &Services, ledger: &dyn Ledger) -> Result<bool, Error> {
    let Some(found) = ledger.unfinished(&services.tenancy(job), &job.name)? else { return Ok(false) };
    let noted = ledger.reading(&found.run.id, LOOKED)?;
    Ok(found.phase != Phase::Extracting || noted.is_none_or(|noted| !noted.checkpoint.is_empty()))
}

/// Begins a run, or takes one up. `is_early` says that it may not look at its target yet.
pub(super) async fn undertake(
    job: &Job,
    how: &How,
    is_early: bool,
    with: &With<'_>,
    progress: &Voice<'_>,
) -> Result<Undertaking, Error> {
    let With { services, home, ledger, .. } = *with;
    let of = services.tenancy(job);
    let job_digest = digest_of(job);
    let before = ledger.unfinished(&of, &job.name)?;
    if let Some(wanted) = &how.resume {
        let found = before.filter(|one| one.run.id == *wanted);
        let why = |why: &str| StoreError::NotResumable { run: wanted.clone(), why: why.to_owned() };
        let found = found.ok_or_else(|| why("it has ended, or a later run of the job has begun"))?;
        if is_elsewhere(&found, job, home, ledger).await? {
            give_up(&found, ELSEWHERE, services, ledger, progress)?;
            let (chain, slot_ms) = (found.run.chain, found.run.slot_ms);
            let anew = How { chain, slot_ms, resume: None, ..how.clone() };
            return begin(job, &anew, services, ledger, &of, &job_digest, true);
        }
        if let Some(words) = outdated(&found, job, &job_digest, false, services, ledger)? {
            return Err(why(&format!("{words}; `ferry run` begins anew and compares")).into());
        }
        return take_up(found, how, job, with, progress).await;
    }
    if let Some(found) = before {
        if how.chosen.is_some() && found.chosen.is_none() {
            return Err(Error::Unfinished(found.run.id));
        }
        let why_not = match not_wanted(&found, how) {
            None if is_elsewhere(&found, job, home, ledger).await? => Some(ELSEWHERE.to_owned()),
            None => outdated(&found, job, &job_digest, how.chain.is_some(), services, ledger)?,
            unwanted => unwanted,
        };
        match why_not {
            None => return take_up(found, how, job, with, progress).await,
            Some(why) => give_up(&found, &why, services, ledger, progress)?,
        }
    }
    let begun = begin(job, how, services, ledger, &of, &job_digest, true)?;
    if is_early {
        ledger.note(&begun.run, LOOKED, "")?;
    }
    Ok(begun)
}

fn give_up(
    found: &Unfinished,
    why: &str,
    services: &Services,
    ledger: &dyn Ledger,
    progress: &Voice<'_>,
) -> Result<(), Error> {
    progress.notice(format!("run {} is given up: {why}", found.run.id));
    Ok(ledger.abandon(&found.run.id, &now(services), why)?)
}

/// Whether what a run was loading lies in another home. What it read could be read again, but a plan that was carried out in part is not made
/// a second time: the target has what came of it.
async fn is_elsewhere(found: &Unfinished, job: &Job, home: &Home, ledger: &dyn Ledger) -> Result<bool, Error> {
    Ok(found.phase == Phase::Loading && !is_here(found, job, home, ledger).await?)
}

/// Begins a run that is to be ended at once.
pub(super) fn begin_skipped(job: &Job, how: &How, services: &Services, ledger: &dyn Ledger) -> Result<String, Error> {
    Ok(begin(job, how, services, ledger, &services.tenancy(job), &digest_of(job), true)?.run)
}

/// Begins a run of which nothing is gone on with: a plan.
pub(super) fn begin_plan(job: &Job, how: &How, services: &Services, ledger: &dyn Ledger) -> Result<Undertaking, Error> {
    begin(job, how, services, ledger, &services.tenancy(job), &digest_of(job), false)
}

fn begin(
    job: &Job,
    how: &How,
    services: &Services,
    ledger: &dyn Ledger,
    of: &Tenancy,
    job_digest: &str,
    can_resume: bool,
) -> Result<Undertaking, Error> {
    let at = services.clock.now();
    let chosen = how.chosen.as_ref().map(|ids| serde_json::json!(ids).to_string());
    let relied = serde_json::to_string(&Relied::of(job)).map_err(|e| Error::Books(e.to_string()))?;
    let run = ledger.begin(&Begin {
        day: &at.format("%Y%m%d").to_string(),
        job: &job.name,
        chain: how.chain.as_deref(),
        by: &services.by,
        slot_ms: how.slot_ms,
        of,
        started: &at.to_rfc3339_opts(SecondsFormat::Millis, true),
        now_ms: at.timestamp_millis(),
        job_digest,
        relied: &relied,
        chosen: chosen.as_deref(),
        can_resume,
    })?;
    if how.full {
        ledger.note(&run, FULL, "")?;
    }
    let (now_ms, chosen) = (at.timestamp_millis(), how.chosen.clone());
    let (phase, digest) = (Phase::Extracting, job_digest.to_owned());
    Ok(Undertaking {
        run,
        phase,
        now_ms,
        chosen,
        planned: None,
        attempts_before: 0,
        is_full: how.full,
        verifies: how.verify,
        digest,
        chain: how.chain.clone(),
    })
}

async fn take_up(
    found: Unfinished,
    how: &How,
    job: &Job,
    with: &With<'_>,
    progress: &Voice<'_>,
) -> Result<Undertaking, Error> {
    let ledger = with.ledger;
    let stage = match found.phase {
        Phase::Extracting => "while it read",
        Phase::Extracted => "when everything was read",
        Phase::Loading | Phase::Ended | Phase::Planning => "while it loaded",
    };
    progress.notice(format!("run {} goes on: it was interrupted {stage}", found.run.id));
    ledger.take_up(&found.run.id)?;
    let mut phase = found.phase;
    // Nothing was sent yet, so it reads as one that was interrupted while it read: it waits for others, and remembers, once more.
    if phase == Phase::Extracted && !is_here(&found, job, with.home, ledger).await? {
        progress.notice("what it read lies in another home, or is gone; it is read again".to_owned());
        ledger.extract_again(&found.run.id)?;
        phase = Phase::Extracting;
    }
    let is_full = how.full || ledger.reading(&found.run.id, FULL)?.is_some();
    let unreadable = |e: serde_json::Error| StoreError::NotResumable { run: found.run.id.clone(), why: e.to_string() };
    let chosen = found.chosen.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)?;
    Ok(Undertaking {
        run: found.run.id,
        phase,
        now_ms: found.now_ms,
        chosen,
        planned: found.planned.zip(found.plan_digest),
        attempts_before: found.attempts,
        is_full,
        verifies: false,
        digest: found.job_digest,
        chain: found.run.chain,
    })
}

/// Why a run is not to be gone on with, by how the new one is asked for.
fn not_wanted(found: &Unfinished, how: &How) -> Option<String> {
    if how.anew {
        return Some("a new one was asked for".to_owned());
    }
    if how.full {
        return Some("everything is to be read".to_owned());
    }
    if how.chosen.is_some() {
        return Some("rows were chosen anew".to_owned());
    }
    found.chosen.is_some().then(|| "it was about chosen rows only".to_owned())
}

/// Why a run cannot be gone on with: what it read or planned does not hold any more. `is_in_chain` says that it would go on behind other
/// jobs of a chain, whose new records it is to find.
fn outdated(
    found: &Unfinished,
    job: &Job,
    job_digest: &str,
    is_in_chain: bool,
    services: &Services,
    ledger: &dyn Ledger,
) -> Result<Option<String>, Error> {
    if found.job_digest != job_digest {
        return Ok(Some(what_changed(found, job)));
    }
    // Everything is handed over: what is left is to look whether it has come, which reads the target anew.
    if Handed::of(ledger, &found.run.id)?.is_all {
        return Ok(None);
    }
    let started = DateTime::parse_from_rfc3339(&found.run.started).ok();
    let hours = started.map_or(0, |started| services.clock.now().signed_duration_since(started).num_hours());
    if hours >= RESUMED_WITHIN_HOURS {
        return Ok(Some(format!("it began {hours} hours ago, and what it read is old")));
    }
    let of = services.tenancy(job);
    let has_read_who = found.phase != Phase::Extracting && job.target_by_route(Route::Avatar).is_some();
    if has_read_who && ledger.settled_since(&of, &found.run.id)? {
        return Ok(Some("somebody has said since who is who, and it was planned without that".to_owned()));
    }
    // The target was read before that: a record that it would insert may be there by now.
    let main = &job.main_target().object;
    let looked_up = job.lookups.iter().filter(|one| is_in_chain && one.object.table.is_none());
    let looked_up = looked_up.map(|one| (one.object.name.as_str(), one.object.label.as_str()));
    for (name, label) in std::iter::once((main.name.as_str(), main.label.as_str())).chain(looked_up) {
        let what = made_and_removed(name);
        let what: Vec<&str> = what.iter().map(String::as_str).collect();
        if ledger.others_wrote(&of.tenant, &found.run.id, &what)? {
            return Ok(Some(format!("another run has written to {label} since, and what it read of it is old")));
        }
    }
    Ok(None)
}

/// What makes the job another than the one that was being run: what it relies on, as far as that can be told apart, or its text.
pub(super) fn what_changed(found: &Unfinished, job: &Job) -> String {
    let before: Option<Relied> = found.relied.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let changes = before.map(|before| changes(&before, &Relied::of(job))).unwrap_or_default();
    if changes.is_empty() {
        return "the job's text, its place in the file, or Ferry's version is not what it was when the run began"
            .to_owned();
    }
    format!("what the job relies on has changed since the run began: {}", changes.join("; "))
}

fn now(services: &Services) -> String {
    services.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true)
}
