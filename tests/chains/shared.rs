//! Several runs alive in one process: what the state says of others is meant of those that nobody is working on.

use ferry::store::ledger::{Answer, Begin, Intent, LOOKED, Ledger};
use ferry::store::state::{State, Tenancy};
use tempfile::TempDir;

use crate::stage::beginning;

const INSERT: &str = "insert company";

struct Desk {
    folder: TempDir,
    of: Tenancy,
}

impl Desk {
    fn new() -> Self {
        let of = Tenancy { organization: "o".to_owned(), tenant: "t".to_owned() };
        Self { folder: tempfile::tempdir().unwrap(), of }
    }

    fn open(&self) -> State {
        State::open(&self.folder.path().join("state.db")).unwrap()
    }

    fn begin(&self, state: &State, job: &str) -> String {
        state.begin(&beginning(job, &self.of)).unwrap()
    }
}

fn call(state: &State, run: &str, at_ms: i64) -> i64 {
    let call = Intent { step: 1, what: INSERT.to_owned(), rows: vec![(1, "a".to_owned())], at_ms };
    state.intend(run, &[call]).unwrap()[0]
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

#[test]
fn calls_of_a_run_that_is_alive_are_not_waited_for() {
    let desk = Desk::new();
    let state = desk.open();
    let (one, other) = (desk.begin(&state, "one"), desk.begin(&state, "other"));
    call(&state, &one, now());
    assert_eq!(state.last_open_of_others("t", &other).unwrap(), None);
    state.close_others("t", &other, i64::MAX).unwrap();
    assert!(state.has_open_calls(&one).unwrap(), "nor closed");
    state.left(&one);
    assert!(state.last_open_of_others("t", &other).unwrap().is_some(), "but of one that was left");
    state.take_up(&one).unwrap();
    assert_eq!(state.last_open_of_others("t", &other).unwrap(), None, "until somebody goes on with it");
    state.abandon(&one, "", "").unwrap();
    assert!(state.last_open_of_others("t", &other).unwrap().is_some());
}

#[test]
fn runs_of_a_process_that_is_gone_are_nobodys() {
    let desk = Desk::new();
    let one = {
        let state = desk.open();
        let one = desk.begin(&state, "one");
        call(&state, &one, now());
        one
    };
    let state = desk.open();
    let other = desk.begin(&state, "other");
    assert!(!state.is_alive(&one) && state.is_alive(&other));
    assert!(state.last_open_of_others("t", &other).unwrap().is_some());
}

#[test]
fn a_call_of_a_run_that_was_left_may_have_been_sent_until_then() {
    let desk = Desk::new();
    let state = desk.open();
    let (one, other) = (desk.begin(&state, "one"), desk.begin(&state, "other"));
    // It waits for its turn since half a minute.
    let written_down = now() - 30_000;
    call(&state, &one, written_down);
    let before = now();
    state.left(&one);
    assert!(state.last_open_of_others("t", &other).unwrap().unwrap() >= before);
    assert!(state.last_open(&one).unwrap().unwrap() >= before, "nor is it known by whoever goes on");
}

#[test]
fn what_is_left_while_somebody_waits_is_not_closed_with_the_rest() {
    let desk = Desk::new();
    let state = desk.open();
    let [early, late, waiting] = ["early", "late", "waiting"].map(|job| desk.begin(&state, job));
    let unknown = |run: &str, heard_at_ms: i64| {
        let number = call(&state, run, heard_at_ms - 1);
        state.settle(run, &desk.of, "", &[(number, Answer::Unknown { heard_at_ms })], &[]).unwrap();
    };
    unknown(&early, 1_000);
    state.left(&early);
    state.abandon(&early, "", "").unwrap();
    let sent_by_ms = state.last_open_of_others("t", &waiting).unwrap().unwrap();
    assert_eq!(sent_by_ms, 1_000);
    unknown(&late, 2_000);
    state.left(&late);
    state.abandon(&late, "", "").unwrap();
    state.close_others("t", &waiting, sent_by_ms).unwrap();
    assert_eq!(state.last_open_of_others("t", &waiting).unwrap(), Some(2_000));
}

#[test]
fn only_runs_that_nobody_is_working_on_can_be_gone_on_with() {
    let desk = Desk::new();
    let state = desk.open();
    let (one, other) = (desk.begin(&state, "one"), desk.begin(&state, "other"));
    let left = || state.unfinished_runs().unwrap().into_iter().map(|run| run.id).collect::<Vec<_>>();
    assert!(left().is_empty());
    state.left(&other);
    assert_eq!(left(), [other]);
    state.left(&one);
    assert_eq!(left().len(), 2);
}

#[test]
fn a_run_that_has_not_looked_at_its_target_misses_nothing() {
    let desk = Desk::new();
    let state = desk.open();
    let (early, writer) = (desk.begin(&state, "early"), desk.begin(&state, "writer"));
    state.note(&early, LOOKED, "").unwrap();
    call(&state, &writer, 500);
    let wrote = || state.others_wrote("t", &early, &[INSERT]).unwrap();
    assert!(!wrote());
    state.looks(&early, 500).unwrap();
    assert!(!wrote(), "what was written before it looked, it has seen");
    call(&state, &writer, 501);
    assert!(wrote());
}

#[test]
fn what_is_later_is_told_by_the_ledger_and_not_by_the_clocks_of_two_machines() {
    let desk = Desk::new();
    let state = desk.open();
    let (early, writer) = (desk.begin(&state, "early"), desk.begin(&state, "writer"));
    let wrote = |run: &str| state.others_wrote("t", run, &[INSERT]).unwrap();
    call(&state, &early, 5_000);
    assert!(!wrote(&early) && wrote(&writer), "one's own calls are not those of others");
    // The other machine's clock is behind by four seconds.
    call(&state, &writer, 1_000);
    assert!(wrote(&early) && !wrote(&writer));
    state.clean_run(&writer).unwrap();
    assert!(wrote(&early), "what a run wrote stays when its calls are cleaned away");
    call(&state, &early, 5_001);
    assert!(!wrote(&early) && wrote(&writer), "it has looked at what it found there before it wrote again");
    let late = desk.begin(&state, "late");
    assert!(!wrote(&late), "it began behind all of them");
}

#[test]
fn the_run_that_began_last_is_the_newest_though_its_clock_is_behind() {
    let desk = Desk::new();
    let state = desk.open();
    let begin = |started| state.begin(&Begin { started, ..beginning("job", &desk.of) }).unwrap();
    let (_first, second) = (begin("2026-01-01T00:00:09Z"), begin("2026-01-01T00:00:01Z"));
    assert_eq!(state.last_run("job").unwrap().unwrap().id, second);
    assert_eq!(state.unfinished(&desk.of, "job").unwrap().unwrap().run.id, second);
    state.left(&second);
    assert_eq!(state.unfinished_runs().unwrap()[0].id, second);
}
