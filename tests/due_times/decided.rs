//! What becomes of times that have come: begun, made up, missed, overlapped; each once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use ferry::model::schedule::{Followed, Schedule, Slot, Verdict};
use ferry::schedule::due::{Decided, KEPT_AT_MOST, Watch, decide};
use ferry::schedule::entries::{Declared, entries};

use super::{schedule, utc};

/// Someone who looks at one schedule and writes down what was decided.
struct Desk {
    schedule: Schedule,
    followed: Followed,
    watch: Watch,
    all: BTreeMap<DateTime<Utc>, Slot>,
}

impl Desk {
    fn at(now: &str, text: &str) -> Self {
        Self {
            schedule: schedule(text),
            followed: Followed { decided_until: utc(now), decided: BTreeSet::new() },
            watch: Watch::begin(utc(now)),
            all: BTreeMap::new(),
        }
    }

    /// One look; the verdicts that are new, by the time of day.
    fn look(&mut self, now: &str, is_under_way: bool) -> Vec<(String, Verdict)> {
        self.watch = self.watch.look(utc(now));
        self.decide(is_under_way)
    }

    /// The process ends and another begins later.
    fn again(&mut self, now: &str) {
        self.watch = Watch::begin(utc(now));
    }

    fn decide(&mut self, is_under_way: bool) -> Vec<(String, Verdict)> {
        let Decided { slots, decided_until } = decide(&self.schedule, &self.followed, self.watch, is_under_way);
        assert!(slots.iter().filter(|slot| slot.verdict.is_run()).count() <= 1, "{slots:?}");
        self.followed.decided_until = decided_until;
        let mut new = Vec::new();
        for slot in slots {
            // The state has each time once.
            if let std::collections::btree_map::Entry::Vacant(free) = self.all.entry(slot.at) {
                free.insert(slot);
                new.push((slot.at.format("%d %H:%M").to_string(), slot.verdict));
            }
        }
        self.followed.decided = self.all.keys().copied().filter(|at| *at > decided_until).collect();
        new
    }

    /// Looks each half minute until a time.
    fn watch_until(&mut self, until: &str) -> Vec<(String, Verdict)> {
        let mut all = Vec::new();
        let mut now = self.watch.now;
        while now < utc(until) {
            now = (now + TimeDelta::seconds(30)).min(utc(until));
            self.watch = self.watch.look(now);
            all.extend(self.decide(false));
        }
        all
    }
}

fn said(all: &[(&str, Verdict)]) -> Vec<(String, Verdict)> {
    all.iter().map(|(at, verdict)| ((*at).to_owned(), *verdict)).collect()
}

use Verdict::{Begun, MadeUp, Missed, Overlapped};

#[test]
fn each_time_is_begun_once_and_in_time() {
    let mut desk = Desk::at("2026-01-01 00:10", "EVERY 4h IN 'UTC'");
    assert_eq!(
        desk.watch_until("2026-01-01 12:10"),
        said(&[("01 04:00", Begun), ("01 08:00", Begun), ("01 12:00", Begun)])
    );
    assert!(desk.look("2026-01-01 12:10", false).is_empty());
}

#[test]
fn what_is_seen_for_the_first_time_has_missed_nothing() {
    let mut desk = Desk::at("2026-01-01 04:00", "EVERY 4h IN 'UTC' FROM '2020-01-01' CATCH UP ALL");
    assert!(desk.look("2026-01-01 04:00:30", false).is_empty());
}

#[test]
fn after_a_standstill_one_run_makes_up_for_all() {
    let mut desk = Desk::at("2026-01-01 00:10", "EVERY 4h IN 'UTC'");
    desk.again("2026-01-01 13:00");
    assert_eq!(
        desk.look("2026-01-01 13:00", false),
        said(&[("01 04:00", Missed), ("01 08:00", Missed), ("01 12:00", MadeUp)])
    );
    assert!(desk.look("2026-01-01 13:01", false).is_empty());
}

#[test]
fn after_a_standstill_none_is_made_up_if_none_should_be() {
    let mut desk = Desk::at("2026-01-01 00:10", "EVERY 4h IN 'UTC' CATCH UP NONE");
    desk.again("2026-01-01 09:00");
    assert_eq!(desk.look("2026-01-01 09:00", false), said(&[("01 04:00", Missed), ("01 08:00", Missed)]));
    assert_eq!(desk.watch_until("2026-01-01 12:01"), said(&[("01 12:00", Begun)]));
}

#[test]
fn after_a_standstill_each_is_made_up_in_order_if_all_should_be() {
    let mut desk = Desk::at("2026-01-01 00:10", "EVERY 4h IN 'UTC' CATCH UP ALL");
    desk.again("2026-01-01 11:59");
    assert_eq!(desk.look("2026-01-01 11:59", false), said(&[("01 04:00", MadeUp)]));
    assert!(desk.look("2026-01-01 11:59:30", true).is_empty());
    // One that comes while another is made up for is one that overlaps; those that were missed still wait.
    assert_eq!(desk.look("2026-01-01 12:00:10", true), said(&[("01 12:00", Overlapped)]));
    assert_eq!(desk.look("2026-01-01 12:01", false), said(&[("01 08:00", MadeUp)]));
    assert_eq!(desk.look("2026-01-01 12:02", false), said(&[]));
}

#[test]
fn a_second_standstill_in_the_middle_of_catching_up_loses_nothing() {
    let mut desk = Desk::at("2026-01-01 00:10", "EVERY 4h IN 'UTC' CATCH UP ALL");
    desk.again("2026-01-01 09:00");
    assert_eq!(desk.look("2026-01-01 09:00", false), said(&[("01 04:00", MadeUp)]));
    desk.again("2026-01-01 13:00");
    assert_eq!(desk.look("2026-01-01 13:00", false), said(&[("01 08:00", MadeUp)]));
    assert_eq!(desk.look("2026-01-01 13:01", false), said(&[("01 12:00", MadeUp)]));
    assert!(desk.look("2026-01-01 13:02", false).is_empty());
}

#[test]
fn a_time_that_comes_while_the_last_run_is_under_way_is_skipped() {
    for catch_up in ["ONE", "ALL", "NONE"] {
        let mut desk = Desk::at("2026-01-01 00:10", &format!("EVERY 15m IN 'UTC' CATCH UP {catch_up}"));
        assert_eq!(desk.look("2026-01-01 00:11", false), said(&[]));
        desk.watch = Watch { now: utc("2026-01-01 00:14:50"), ..desk.watch };
        assert_eq!(desk.look("2026-01-01 00:15", false), said(&[("01 00:15", Begun)]));
        desk.watch = Watch { now: utc("2026-01-01 00:29:50"), ..desk.watch };
        assert_eq!(desk.look("2026-01-01 00:30", true), said(&[("01 00:30", Overlapped)]), "{catch_up}");
        desk.watch = Watch { now: utc("2026-01-01 00:44:50"), ..desk.watch };
        assert_eq!(desk.look("2026-01-01 00:45", false), said(&[("01 00:45", Begun)]), "{catch_up}");
    }
}

/// A laptop that sleeps while a run is under way: what it missed is made up for once that run has ended.
#[test]
fn what_was_missed_during_a_run_is_made_up_after_it() {
    let mut desk = Desk::at("2026-01-01 00:10", "EVERY 1h IN 'UTC'");
    assert_eq!(
        desk.look("2026-01-01 03:30", true),
        said(&[("01 01:00", Missed), ("01 02:00", Missed)]),
        "the newest waits"
    );
    assert!(desk.look("2026-01-01 03:31", true).is_empty());
    assert_eq!(desk.look("2026-01-01 03:32", false), said(&[("01 03:00", MadeUp)]));
}

#[test]
fn one_that_begins_in_its_time_makes_up_for_those_before_it() {
    let mut desk = Desk::at("2026-01-01 00:10", "EVERY 1h IN 'UTC'");
    desk.again("2026-01-01 02:59:50");
    // The first look comes after the next time.
    desk.watch = desk.watch.look(utc("2026-01-01 03:00:10"));
    assert_eq!(desk.decide(false), said(&[("01 01:00", Missed), ("01 02:00", Missed), ("01 03:00", Begun)]));
}

#[test]
fn a_clock_that_is_set_back_begins_nothing_twice() {
    let mut desk = Desk::at("2026-01-01 00:10", "EVERY 1h IN 'UTC'");
    assert_eq!(desk.watch_until("2026-01-01 03:00:30").len(), 3);
    for _ in 0..2 {
        assert!(desk.look("2026-01-01 00:30", false).is_empty());
        assert!(desk.watch_until("2026-01-01 03:59").is_empty());
    }
    assert_eq!(desk.watch_until("2026-01-01 04:00"), said(&[("01 04:00", Begun)]));
}

/// A machine that believes in another year for a moment must not be silent until then.
#[test]
fn a_clock_that_was_far_ahead_for_a_moment_silences_nothing() {
    let mut desk = Desk::at("2026-01-01 00:10", "EVERY 12h IN 'UTC'");
    let ahead = desk.look("2031-01-01 00:30", false);
    assert_eq!(ahead.last(), Some(&("01 00:00".to_owned(), MadeUp)));
    assert!(desk.look("2026-01-01 00:12", false).is_empty());
    assert_eq!(desk.watch_until("2026-01-01 12:00"), said(&[("01 12:00", Begun)]));
}

#[test]
fn a_long_standstill_is_kept_in_few_lines_that_count_the_rest() {
    // A year of minutes: 525,600 times, counting the last.
    let mut desk = Desk::at("2026-01-01 00:00", "EVERY 1m IN 'UTC'");
    desk.again("2026-01-04 00:00");
    desk.look("2026-01-04 00:00", false);
    assert_eq!(desk.all.len(), KEPT_AT_MOST);
    let counted: u64 = desk.all.values().map(|slot| 1 + slot.more).sum();
    assert_eq!(counted, 3 * 24 * 60);
    let mut desk = Desk::at("2026-01-01 00:00", "EVERY 1m IN 'UTC' CATCH UP ALL");
    desk.again("2026-01-01 03:00");
    let mut made_up = 0;
    while desk.decide(false).iter().any(|(_, verdict)| *verdict == MadeUp) {
        made_up += 1;
    }
    assert_eq!(made_up, KEPT_AT_MOST - 1);
    assert_eq!(desk.all.values().map(|slot| 1 + slot.more).sum::<u64>(), 180);
}

#[test]
fn a_job_of_a_scheduled_chain_does_not_follow_its_own_schedule() {
    let daily = Some(schedule("EVERY DAY IN 'UTC'"));
    let members = ["a".to_owned(), "b".to_owned()];
    let declared = [
        Declared::chain("night", daily.clone(), members.iter()),
        Declared::chain("by hand", None, ["c".to_owned()].iter()),
        Declared::job("a", daily.clone()),
        Declared::job("b", None),
        Declared::job("c", daily.clone()),
    ];
    let entries = entries(&declared);
    let silenced: Vec<(&str, Vec<&str>)> =
        entries.iter().map(|one| (one.name.as_str(), one.silenced_by.iter().map(String::as_str).collect())).collect();
    assert_eq!(silenced, [("night", vec![]), ("a", vec!["night"]), ("c", vec![])]);
}
