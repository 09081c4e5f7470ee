//! Decided times in the state: begun once across restarts and processes; pauses, changes and silences begin anew.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ferry::app::schedules::{Due, Looked, due};
use ferry::model::schedule::{Slot, Verdict};
use ferry::schedule::due::Watch;
use ferry::schedule::entries::{Declared, Entry, entries};
use ferry::store::approvals::Pause;
use ferry::store::slots::KEPT;
use ferry::store::state::State;
use ferry::store::updates::Update;
use tempfile::TempDir;

use super::{schedule, utc};

fn state(folder: &TempDir) -> State {
    State::join(&folder.path().join("state.sqlite")).unwrap()
}

fn job(text: &str) -> Vec<Entry> {
    entries(&[Declared::job("j", Some(schedule(text)))])
}

/// Looks once, as a process that has been there since `since`.
fn look(state: &State, entries: &[Entry], since: &str, now: &str) -> Vec<DateTime<Utc>> {
    let watch = Watch { awake_since: utc(since), now: utc(now) };
    let Looked { due, .. } = due(state, entries, watch, &BTreeSet::new()).unwrap();
    due.into_iter().map(|Due { at, .. }| at).collect()
}

fn update() -> Update {
    Update {
        at: "2026-01-01T00:00:00Z".to_owned(),
        by: "ada".to_owned(),
        kind: "schedule".to_owned(),
        name: "j".to_owned(),
        action: "paused".to_owned(),
        before: None,
        after: None,
    }
}

#[test]
fn a_time_is_begun_once_by_two_processes_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, entries) = (state(&folder), state(&folder), job("EVERY 1h IN 'UTC'"));
    assert!(look(&one, &entries, "2026-01-01 00:10", "2026-01-01 00:10").is_empty());
    assert_eq!(look(&one, &entries, "2026-01-01 00:10", "2026-01-01 01:00"), [utc("2026-01-01 01:00")]);
    assert!(look(&other, &entries, "2026-01-01 00:10", "2026-01-01 01:00").is_empty());
    drop((one, other));
    let again = state(&folder);
    assert!(look(&again, &entries, "2026-01-01 01:20", "2026-01-01 01:20").is_empty());
    // Nobody was there at two; the moment at which the job was first seen is remembered, so that this was missed.
    assert_eq!(look(&again, &entries, "2026-01-01 02:20", "2026-01-01 02:20"), [utc("2026-01-01 02:00")]);
}

/// Two processes that decided the same before either wrote it down.
#[test]
fn of_two_that_decide_the_same_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (state(&folder), state(&folder));
    let slot = Slot { at: utc("2026-01-01 01:00"), verdict: Verdict::Begun, more: 0 };
    one.follow("j", "s", utc("2026-01-01 00:00")).unwrap();
    assert_eq!(one.decide("j", &[slot], slot.at, slot.at).unwrap(), [slot]);
    assert_eq!(other.decide("j", &[slot], slot.at, slot.at).unwrap(), []);
    assert_eq!(other.slots(None, false, 10).unwrap().len(), 1);
}

#[test]
fn a_schedule_that_was_changed_paused_or_taken_away_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (state, hourly, other) = (state(&folder), job("EVERY 1h IN 'UTC'"), job("EVERY 20m IN 'UTC'"));
    let now = |at: &'static str| at;
    assert!(look(&state, &hourly, "2026-01-01 00:10", "2026-01-01 00:10").is_empty());
    // Changed while nobody was there: what the new one would have given before was never promised.
    assert!(look(&state, &other, "2026-01-01 05:10", "2026-01-01 05:10").is_empty());
    assert_eq!(look(&state, &other, "2026-01-01 05:10", "2026-01-01 05:20"), [utc("2026-01-01 05:20")]);
    // What becomes of missed times is no change of the times.
    let same = job("EVERY 20m IN 'UTC' CATCH UP ALL");
    assert_eq!(look(&state, &same, "2026-01-01 05:50", "2026-01-01 05:50"), [utc("2026-01-01 05:40")]);
    // Paused and resumed while nobody was there.
    let pause = Pause { name: "j".to_owned(), at: update().at, by: update().by, is_cancel: false };
    state.pause(&pause, &update()).unwrap();
    assert!(look(&state, &same, "2026-01-01 05:50", "2026-01-01 06:00").is_empty());
    state.unpause("j", Some(&update())).unwrap();
    assert!(look(&state, &same, now("2026-01-01 09:10"), "2026-01-01 09:10").is_empty());
    assert_eq!(look(&state, &same, "2026-01-01 09:10", "2026-01-01 09:20"), [utc("2026-01-01 09:20")]);
    // Taken away, and given back.
    assert!(look(&state, &[], "2026-01-01 09:10", "2026-01-01 09:30").is_empty());
    assert!(look(&state, &same, "2026-01-01 09:10", "2026-01-01 10:30").is_empty());
}

#[test]
fn a_silenced_job_is_not_due() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let hourly = Some(schedule("EVERY 1h IN 'UTC'"));
    let both = entries(&[Declared::chain("c", hourly.clone(), ["j".to_owned()].iter()), Declared::job("j", hourly)]);
    look(&state, &both, "2026-01-01 00:10", "2026-01-01 00:10");
    let watch = Watch { awake_since: utc("2026-01-01 00:10"), now: utc("2026-01-01 01:00") };
    let looked = due(&state, &both, watch, &BTreeSet::new()).unwrap();
    assert_eq!(looked.due.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["c"]);
}

#[test]
fn what_was_passed_over_is_listed_and_old_times_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (state, entries) = (state(&folder), job("EVERY 1h IN 'UTC' CATCH UP NONE"));
    look(&state, &entries, "2026-01-01 00:10", "2026-01-01 00:10");
    assert!(look(&state, &entries, "2026-01-01 03:10", "2026-01-01 03:10").is_empty());
    let busy: BTreeSet<String> = ["j".to_owned()].into();
    let watch = Watch { awake_since: utc("2026-01-01 03:10"), now: utc("2026-01-01 04:00") };
    assert!(due(&state, &entries, watch, &busy).unwrap().due.is_empty());
    let listed: Vec<(DateTime<Utc>, Verdict)> =
        state.slots(Some("j"), true, 10).unwrap().into_iter().map(|one| (one.slot.at, one.slot.verdict)).collect();
    assert_eq!(
        listed,
        [
            (utc("2026-01-01 04:00"), Verdict::Overlapped),
            (utc("2026-01-01 03:00"), Verdict::Missed),
            (utc("2026-01-01 02:00"), Verdict::Missed),
            (utc("2026-01-01 01:00"), Verdict::Missed),
        ]
    );
    let later = utc("2026-01-01 05:00") + KEPT;
    let watch = Watch { awake_since: later, now: later };
    due(&state, &entries, watch, &BTreeSet::new()).unwrap();
    assert!(state.slots(None, false, 1_000).unwrap().iter().all(|one| one.slot.at >= later - KEPT));
}
