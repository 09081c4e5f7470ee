//! What is due: what becomes of the times of one schedule that have come since it was looked at last.
//!
//! In: an entry, what was decided of it before, since when somebody has been watching without a break, what now is, and whether it
//! is under way. Out: a verdict for each time, to be written down before anything is begun. A time has one verdict, ever.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use super::times::between;
use crate::model::schedule::{CatchUp, Followed, Schedule, Slot, Verdict};

/// How many times of one fate are kept one by one; also how many are made up at the most, with `CATCH UP ALL`.
pub const KEPT_AT_MOST: usize = 100;

/// A pause between two looks that is longer than this is a standstill: what came in it was missed. Whoever watches looks more often.
pub const STANDSTILL: TimeDelta = TimeDelta::seconds(90);

/// Since when somebody has been looking, and what now is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// What came until then, and was not decided, was missed.
    pub awake_since: DateTime<Utc>,
    /// The present moment.
    pub now: DateTime<Utc>,
}

impl Watch {
    /// Somebody begins to look.
    #[must_use]
    pub fn begin(now: DateTime<Utc>) -> Self {
        Self { awake_since: now, now }
    }

    /// The next look. The machine may have slept, or its clock may have been set, since the last one.
    #[must_use]
    pub fn look(self, now: DateTime<Utc>) -> Self {
        let is_break = now - self.now > STANDSTILL || now < self.awake_since;
        Self { awake_since: if is_break { now } else { self.awake_since }, now }
    }
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The times with their verdicts, in order. At most one of them is run.
    pub slots: Vec<Slot>,
    /// Everything up to this moment is decided now.
    pub decided_until: DateTime<Utc>,
}

/// Decides what has come.
#[must_use]
pub fn decide(schedule: &Schedule, followed: &Followed, watch: Watch, is_under_way: bool) -> Decided {
    // A clock that was set back: nothing has come yet, and what was decided ahead is not decided again.
    if followed.decided_until > watch.now {
        return Decided { slots: Vec::new(), decided_until: watch.now };
    }
    let came = between(schedule, followed.decided_until, watch.now).filter(|at| !followed.decided.contains(at));
    let (mut missed, mut in_time) = (Stretch::default(), Stretch::default());
    for at in came {
        if at <= watch.awake_since { missed.push(at) } else { in_time.push(at) }
    }
    let mut decided = Decisions::default();
    match (schedule.catch_up, is_under_way) {
        (CatchUp::None, true) => {
            decided.skip(missed, Verdict::Missed);
            decided.skip(in_time, Verdict::Overlapped);
        }
        // What was missed waits until it can be made up.
        (CatchUp::One, true) => {
            let newest = missed.times.pop_back();
            decided.open.extend(newest);
            decided.skip(missed, Verdict::Missed);
            decided.skip(in_time, Verdict::Overlapped);
        }
        (CatchUp::All, true) => {
            decided.leave(missed);
            decided.skip(in_time, Verdict::Overlapped);
        }
        (CatchUp::All, false) if !missed.times.is_empty() => {
            decided.leave(missed);
            let oldest = decided.open.pop_front();
            decided.run(oldest, Verdict::MadeUp);
            decided.skip(in_time, Verdict::Overlapped);
        }
        // One that begins in its time makes up for all before it.
        (_, false) if !in_time.times.is_empty() => {
            decided.run(in_time.times.pop_back(), Verdict::Begun);
            decided.skip(missed, Verdict::Missed);
            decided.skip(in_time, Verdict::Missed);
        }
        (CatchUp::One, false) => {
            decided.run(missed.times.pop_back(), Verdict::MadeUp);
            decided.skip(missed, Verdict::Missed);
        }
        (CatchUp::None | CatchUp::All, false) => decided.skip(missed, Verdict::Missed),
    }
    decided.end(followed.decided_until)
}

/// Times in order: the newest, and how many there were before them.
#[derive(Default)]
struct Stretch {
    times: VecDeque<DateTime<Utc>>,
    more: u64,
}

impl Stretch {
    fn push(&mut self, at: DateTime<Utc>) {
        if self.times.len() == KEPT_AT_MOST {
            self.times.pop_front();
            self.more += 1;
        }
        self.times.push_back(at);
    }
}

#[derive(Default)]
struct Decisions {
    slots: Vec<Slot>,
    open: VecDeque<DateTime<Utc>>,
}

impl Decisions {
    fn run(&mut self, at: Option<DateTime<Utc>>, verdict: Verdict) {
        self.slots.extend(at.map(|at| Slot { at, verdict, more: 0 }));
    }

    fn skip(&mut self, stretch: Stretch, verdict: Verdict) {
        for (number, at) in stretch.times.into_iter().enumerate() {
            self.slots.push(Slot { at, verdict, more: if number == 0 { stretch.more } else { 0 } });
        }
    }

    /// Leaves them to be decided later, but for those that are too many.
    fn leave(&mut self, mut stretch: Stretch) {
        if stretch.more > 0 {
            let oldest = stretch.times.pop_front();
            self.slots.extend(oldest.map(|at| Slot { at, verdict: Verdict::Missed, more: stretch.more }));
        }
        self.open.extend(stretch.times);
    }

    fn end(mut self, before: DateTime<Utc>) -> Decided {
        self.slots.sort_by_key(|slot| slot.at);
        let newest = self.slots.last().map_or(before, |slot| slot.at.max(before));
        let oldest_open = self.open.front().map(|at| *at - TimeDelta::milliseconds(1));
        Decided { slots: self.slots, decided_until: oldest_open.unwrap_or(newest).max(before) }
    }
}
