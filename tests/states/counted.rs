//! Calls that several processes spend at once out of one window.

use ferry::model::spent::Spent;
use ferry::store::state::State;
use ferry::store::windows::SpentCalls;

use super::alike::both;
use super::server::Schema;

#[test]
fn what_several_spend_at_once_adds_up() {
    both(|place, kind| {
        drop(State::open(place).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    let spent = SpentCalls::open(place, "t").unwrap();
                    for _ in 0..20 {
                        spent.add("synchronous", 60_000, 7, 2).unwrap();
                    }
                });
            }
        });
        let all = State::look(place).unwrap().unwrap().spent("t", 60_000).unwrap();
        assert_eq!(all, [("synchronous".to_owned(), 7, 240)], "{kind}");
    });
}

#[test]
fn a_machine_whose_clock_is_behind_gives_no_calls_back() {
    let Some(schema) = Schema::make() else { return };
    drop(State::open(schema.place()).unwrap());
    let [ahead, behind] = [(), ()].map(|()| SpentCalls::open(schema.place(), "t").unwrap());
    assert_eq!(ahead.add("synchronous", 60_000, 7, 5), Ok(5));
    assert_eq!(behind.add("synchronous", 60_000, 6, 3), Ok(8), "it is the same minute for both");
    assert_eq!(ahead.add("synchronous", 60_000, 7, 5), Ok(13), "what the other spent is not forgotten");
    assert_eq!(ahead.add("synchronous", 60_000, 8, 1), Ok(1), "the next minute is a new one");
}

#[test]
fn a_connection_that_ends_costs_no_call() {
    let Some(schema) = Schema::make() else { return };
    drop(State::open(schema.place()).unwrap());
    let spent = SpentCalls::open(schema.place(), "t").unwrap();
    assert_eq!(spent.add("synchronous", 60_000, 7, 5), Ok(5));
    schema.end_all_connections();
    assert_eq!(spent.add("synchronous", 60_000, 7, 5), Ok(10));
}
