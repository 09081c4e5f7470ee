//! The lease of a server's state: who has it keeps others out, whoever lost it neither reads nor writes, and time alone frees it.

use std::time::{Duration, Instant};

use ferry::store::error::Error;
use ferry::store::following::Following;
use ferry::store::ledger::{Answer, Intent, Ledger, Settled};
use ferry::store::place::Place;
use ferry::store::state::State;

use super::alike::{end, of};
use super::server::Schema;
use crate::stage::beginning;

/// How long a test waits for a heartbeat, of which there are two in a second.
const AT_MOST: Duration = Duration::from_secs(20);

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < AT_MOST, "{what} never came");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn busy(place: &Place) -> String {
    match State::open(place) {
        Err(error @ Error::Busy { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("two have it"),
    }
}

fn expire(schema: &Schema) {
    schema.say("UPDATE lease SET expires = clock_timestamp() - interval '1 second'");
}

#[test]
fn whoever_has_the_lease_keeps_others_out_until_he_leaves() {
    let Some(schema) = Schema::make() else { return };
    let first = State::open(schema.place()).unwrap();
    let told = busy(&schema.place());
    assert!(told.contains(&format!("(process {} on ", std::process::id())) && told.contains("--wait"), "{told}");
    assert!(!told.contains("not-for-people"), "{told}");
    assert!(schema.place().is_at_work().unwrap());
    // Beside him everybody may look, and say what people say.
    assert_eq!(State::look(schema.place()).unwrap().unwrap().runs(9).unwrap(), []);
    State::join(schema.place()).unwrap().upkeep("x", 1).unwrap();
    let holder = first.holder().unwrap().unwrap();
    assert!(holder.is_us() && holder.machine.is_some());
    drop(first);
    assert!(!schema.place().is_at_work().unwrap());
    drop(State::open(schema.place()).unwrap());
    assert_eq!(schema.one("SELECT epoch FROM lease WHERE name = 'home'"), "2");
}

#[test]
fn whoever_lost_the_lease_changes_nothing_and_learns_nothing() {
    let Some(schema) = Schema::make() else { return };
    let (of, begin) = (of(), beginning("job", &of()).day.to_owned());
    let one = State::open(schema.place()).unwrap();
    let run = one.begin(&beginning("job", &of)).unwrap();
    assert!(run.starts_with(&begin));
    let call = Intent { step: 1, what: "insert".to_owned(), rows: vec![(1, "a".to_owned())], at_ms: 1 };
    let numbers = one.intend(&run, std::slice::from_ref(&call)).unwrap();
    expire(&schema);
    let other = State::open(schema.place()).unwrap();
    let before = schema.say("SELECT * FROM run, batch, outcome, lease WHERE lease.name = 'home'");
    let row = Settled { row: 1, step: 1, source_id: "a".to_owned(), ..Settled::default() };
    let tried = [
        ("begin", one.begin(&beginning("job", &of)).map(drop)),
        ("take_up", one.take_up(&run)),
        ("extracted", one.extracted(&run)),
        ("extract_again", one.extract_again(&run)),
        ("intend", one.intend(&run, &[call]).map(drop)),
        ("settle", one.settle(&run, &of, "job", &[(numbers[0], Answer::Acknowledged)], &[row])),
        ("end", one.end(&end(&run, &of, &[]))),
        ("is_ours", one.is_ours()),
        ("unfinished", one.unfinished(&of, "job").map(drop)),
        ("outcome", one.outcome(&run, 1, 1).map(drop)),
        ("last_open", one.last_open(&run).map(drop)),
        ("links", one.links(&of, "job", None).map(drop)),
        ("runs", one.runs(1).map(drop)),
    ];
    for (name, result) in tried {
        assert!(matches!(result, Err(Error::OwnershipLost)), "{name}: {result:?}");
    }
    assert_eq!(schema.say("SELECT * FROM run, batch, outcome, lease WHERE lease.name = 'home'"), before);
    drop(one);
    other.extracted(&run).expect("leaving, the one who lost it takes nothing from the one who has it");
    other.is_ours().unwrap();
}

#[test]
fn a_lease_lives_as_long_as_its_owner() {
    let Some(schema) = Schema::make() else { return };
    let place = schema.place_with("lease_seconds=2");
    let state = State::open(&place).unwrap();
    let expires = || schema.one("SELECT expires FROM lease WHERE name = 'home'");
    let first = expires();
    until("a heartbeat", || expires() != first);
    let second = expires();
    until("another", || expires() != second);
    state.is_ours().unwrap();
    busy(&schema.place());
}

#[test]
fn whoever_cannot_renew_begins_no_call() {
    let Some(schema) = Schema::make() else { return };
    let state = State::open(schema.place_with("lease_seconds=2")).unwrap();
    let since = Instant::now();
    schema.say("ALTER TABLE lease RENAME COLUMN expires TO was");
    until("an end", || state.is_ours().is_err());
    // Before it has run out for anybody else.
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
    schema.say("ALTER TABLE lease RENAME COLUMN was TO expires");
    state.is_ours().expect("nobody has taken it meanwhile");
}

/// The heartbeat waits for the row that the change has locked.
#[test]
fn a_lease_does_not_run_out_under_a_change_that_takes_longer() {
    let Some(schema) = Schema::make() else { return };
    let place = schema.place_with("lease_seconds=2");
    let state = State::open(&place).unwrap();
    let run = state.begin(&beginning("job", &of())).unwrap();
    let locks = |is_granted: bool| {
        let granted = if is_granted { "granted" } else { "NOT granted" };
        let query = format!("SELECT count(*) FROM pg_locks WHERE relation = 'reading'::regclass AND {granted}");
        schema.one(&query) != "0"
    };
    std::thread::scope(|scope| {
        let holds = scope.spawn(|| schema.say("BEGIN; LOCK TABLE reading; SELECT pg_sleep(4); COMMIT"));
        until("the lock", || locks(true));
        let wants = scope.spawn(|| {
            until("the change", || locks(false));
            // Asked for while it is held, answered when the change is at its end.
            busy(&schema.place())
        });
        state.note(&run, "x", "y").unwrap();
        state.is_ours().unwrap();
        wants.join().unwrap();
        holds.join().unwrap();
    });
    state.note(&run, "x", "z").unwrap();
}

/// What the clock of another machine said is worth nothing: a call of another opening counts as sent until it was gone.
#[test]
fn no_clock_of_another_machine_is_believed() {
    let Some(schema) = Schema::make() else { return };
    let of = of();
    let now_ms = || chrono::Utc::now().timestamp_millis();
    let day_ms = 86_400_000;
    for (at_ms, answer) in [
        (1, None),
        (now_ms() - day_ms, None),
        (now_ms() + day_ms, None),
        (1, Some(Answer::Unknown { heard_at_ms: 2 })),
        (1, Some(Answer::Unknown { heard_at_ms: now_ms() + day_ms })),
    ] {
        let state = State::open(schema.place()).unwrap();
        let run = state.begin(&beginning("job", &of)).unwrap();
        let call = Intent { step: 1, what: "insert".to_owned(), rows: vec![(1, "a".to_owned())], at_ms };
        let number = state.intend(&run, &[call]).unwrap()[0];
        if let Some(answer) = answer {
            state.settle(&run, &of, "job", &[(number, answer)], &[]).unwrap();
        }
        drop(state);
        let before = now_ms();
        let state = State::open(schema.place()).unwrap();
        let after = now_ms();
        for open in [state.last_open(&run).unwrap(), state.last_open_of_others("t", "none").unwrap()] {
            let open = open.expect("nobody knows what became of it");
            assert!((before..=after).contains(&open), "{at_ms}: {open}, not from {before} to {after}");
        }
        schema.say("DELETE FROM batch; DELETE FROM outcome");
    }
}

#[test]
fn one_follows_the_schedules_and_the_next_when_he_is_gone() {
    let Some(schema) = Schema::make() else { return };
    let home = tempfile::tempdir().unwrap();
    let place = schema.place_with("lease_seconds=2");
    let first = Following::take(home.path(), &place).unwrap();
    assert!(first.is_held());
    let told = Following::take(home.path(), &schema.place()).err().expect("one follows").to_string();
    assert!(told.contains("another `ferry serve` (process"), "{told}");
    // The right to follow is not the right to run: people run jobs in between.
    drop(State::open(schema.place()).unwrap());
    schema.say("UPDATE lease SET epoch = epoch + 1 WHERE name = 'schedules'");
    until("the news", || !first.is_held());
    drop(first);
    expire(&schema);
    drop(Following::take(home.path(), &schema.place()).unwrap());
    drop(Following::take(home.path(), &schema.place()).unwrap());
}

#[test]
fn of_many_at_once_one_has_it() {
    let Some(schema) = Schema::make() else { return };
    drop(State::open(schema.place()).unwrap());
    let (place, begun) = (schema.place(), std::sync::Barrier::new(8));
    let taken = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    begun.wait();
                    let taken = State::open(&place);
                    let is_ours = taken.is_ok();
                    begun.wait();
                    is_ours
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).filter(|is_ours| *is_ours).count()
    });
    assert_eq!(taken, 1);
}

#[test]
fn many_that_make_the_state_at_once_make_one() {
    for round in 0..10 {
        let Some(schema) = Schema::make() else { return };
        let (place, begun) = (schema.place(), std::sync::Barrier::new(6));
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    // Each has looked before, and seen nothing.
                    assert!(!place.is_there().unwrap(), "round {round}");
                    begun.wait();
                    State::join(&place).unwrap();
                });
            }
        });
        assert_eq!(schema.one("SELECT count(*) FROM state"), "1", "round {round}");
    }
}
