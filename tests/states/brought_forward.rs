//! A state as the version before made it: in what order its runs began and wrote follows from what it has.

use ferry::store::associations::Said;
use ferry::store::ledger::{Answer, Begin, Intent, Ledger};
use ferry::store::place::Place;
use ferry::store::state::State;
use ferry::store::updates::Update;

use super::alike::{both, of};
use super::server::Schema;
use crate::stage::beginning;

/// What takes back what the eighth version added.
const TAKEN_BACK: &str =
    "DROP TABLE writing; DROP INDEX run_by_job; ALTER TABLE run DROP COLUMN began; ALTER TABLE run DROP COLUMN seen;
    ALTER TABLE run DROP COLUMN wrote; ALTER TABLE identity DROP COLUMN said_behind; CREATE INDEX run_by_job ON run (job, id)";

const INSERT: &str = "insert company";

fn begin(state: &State, job: &str, started: &str, now_ms: i64) -> String {
    state.begin(&Begin { started, now_ms, ..beginning(job, &of()) }).unwrap()
}

fn call(state: &State, run: &str, at_ms: i64) {
    let call = Intent { step: 1, what: INSERT.to_owned(), rows: vec![(1, "a".to_owned())], at_ms };
    state.intend(run, &[call]).unwrap();
}

fn take_back(place: &Place, schema: Option<&Schema>) {
    match place {
        Place::File(path) => {
            let database = rusqlite::Connection::open(path).unwrap();
            database.execute_batch(&format!("{TAKEN_BACK}; PRAGMA user_version = 7")).unwrap();
        }
        Place::Server(_) => {
            schema.unwrap().say(&format!("{TAKEN_BACK}; UPDATE state SET version = 7"));
        }
    }
}

fn is_brought_forward(place: &Place, schema: Option<&Schema>) {
    let state = State::open(place).unwrap();
    let first = begin(&state, "job", "2026-01-01T00:00:00Z", 1_000);
    call(&state, &first, 2_000);
    let planned = begin(&state, "other", "2026-01-01T00:00:03Z", 3_000);
    call(&state, &first, 4_000);
    let last = begin(&state, "job", "2026-01-01T00:00:05Z", 5_000);
    drop(state);
    take_back(place, schema);
    let looked_at = State::look(place).unwrap().unwrap();
    assert_eq!(looked_at.last_run("job").unwrap().unwrap().id, last, "it can be looked at as it is");
    drop(looked_at);
    let state = State::open(place).unwrap();
    assert_eq!(state.last_run("job").unwrap().unwrap().id, last);
    let wrote = |run: &str| state.others_wrote("t", run, &[INSERT]).unwrap();
    assert_eq!([&first, &planned, &last].map(|run| wrote(run)), [false, true, false]);
    assert_eq!(state.written_since(&of(), "job", &planned).unwrap().as_deref(), Some(first.as_str()));
    assert_eq!(state.written_since(&of(), "job", &last).unwrap(), None);
    assert!(state.last_made("t", &[INSERT.to_owned()]).unwrap().is_some_and(|at| at >= 4_000));
    call(&state, &last, 1);
    assert!(wrote(&first), "what is written now comes behind all that");
    assert!(begin(&state, "job", "2020-01-01T00:00:00Z", 0) == state.last_run("job").unwrap().unwrap().id);
}

#[test]
fn a_state_of_the_seventh_version_keeps_the_order_of_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    is_brought_forward(&Place::File(folder.path().join("state.db")), None);
    if let Some(schema) = Schema::make() {
        is_brought_forward(&schema.place(), Some(&schema));
    }
}

/// Of what another machine made no moment is believed: one that is ahead would have everybody wait.
#[test]
fn what_another_machine_made_shows_by_the_time_of_who_opens_after_it() {
    let Some(schema) = Schema::make() else { return };
    let now = chrono::Utc::now().timestamp_millis();
    let made = || State::open(schema.place()).unwrap().last_made("t", &[INSERT.to_owned()]).unwrap().unwrap();
    let state = State::open(schema.place()).unwrap();
    let run = begin(&state, "job", "2026-01-01T00:00:00Z", 0);
    call(&state, &run, now + 60_000);
    drop(state);
    assert_eq!(made(), now + 60_000, "one believes the clock of one's own machine");
    schema.say("UPDATE writing SET machine = 'another'");
    assert!((now..now + 60_000).contains(&made()), "but not another's that is ahead");
    schema.say("UPDATE writing SET at_ms = at_ms - 120000");
    assert!(made() >= now, "nor one that is behind");
    schema.say("UPDATE writing SET at_ms = at_ms - 86400000");
    assert!(made() < now - 3_600_000, "what is long ago is long ago by any clock");
}

/// An import that is followed by another process than the one that handed it over makes its records when that one hears of it.
#[test]
fn what_is_heard_of_is_as_new_as_that_for_whoever_hears_it() {
    both(|place, kind| {
        let state = State::open(place).unwrap();
        let run = begin(&state, "job", "2026-01-01T00:00:00Z", 0);
        let now = chrono::Utc::now().timestamp_millis();
        let rows = vec![(1, "a".to_owned())];
        let call = Intent { step: 1, what: INSERT.to_owned(), rows, at_ms: now };
        let number = state.intend(&run, &[call]).unwrap()[0];
        drop(state);
        let state = State::open(place).unwrap();
        let heard_at_ms = now + 600_000;
        state.settle(&run, &of(), "job", &[(number, Answer::Unknown { heard_at_ms })], &[]).unwrap();
        assert_eq!(state.last_made("t", &[INSERT.to_owned()]).unwrap(), Some(heard_at_ms), "{kind}");
    });
}

/// Who says who is who may have a clock that is behind the run's.
#[test]
fn what_a_person_says_behind_the_beginning_of_a_run_is_behind_it_by_any_clock() {
    both(|place, kind| {
        let state = State::open(place).unwrap();
        let run = begin(&state, "job", "2026-01-01T00:01:00Z", 0);
        assert!(!state.settled_since(&of(), &run).unwrap(), "{kind}");
        let [at, by, job, name] = ["2026-01-01T00:00:00Z", "anna", "avatar", "u1"].map(str::to_owned);
        let update = Update { at, by, kind: job, name, action: "associated".to_owned(), before: None, after: None };
        let said = Said { source_id: "u1", user_gsid: Some("G1"), parted_gsid: None, update };
        state.settle_user(&of(), &[said]).unwrap();
        assert!(state.settled_since(&of(), &run).unwrap(), "{kind}");
        let next = begin(&state, "job", "2025-01-01T00:00:00Z", 0);
        assert!(!state.settled_since(&of(), &next).unwrap(), "{kind}: the next one has read it");
    });
}
