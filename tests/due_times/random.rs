//! Random schedules: times only go on, and are the same from wherever they are looked for.

use chrono::TimeDelta;
use ferry::model::schedule::{CatchUp, Every, Schedule};
use ferry::schedule::times::{next_after, times};

use super::{schedule, utc};
use crate::generated::dice::Dice;

const ZONES: [&str; 6] =
    ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut", "Atlantic/Azores", "Pacific/Apia"];

/// Draws schedules.
struct Draw(Dice);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        u64::try_from(self.0.below(usize::try_from(n).unwrap())).unwrap()
    }

    fn field(&mut self, least: u64, most: u64) -> String {
        let (a, b) = (least + self.below(most - least + 1), least + self.below(most - least + 1));
        match self.below(5) {
            0 => a.to_string(),
            1 => format!("{}-{}", a.min(b), a.max(b)),
            2 => format!("*/{}", 1 + self.below(most)),
            3 => format!("{a},{b}"),
            _ => "*".to_owned(),
        }
    }

    fn every(&mut self) -> String {
        let days = ["SUNDAY", "MONDAY", "FRIDAY, SATURDAY", "DAY", "WEEKDAY", "MONTH ON DAY 31", "MONTH ON DAY 1"];
        match self.below(4) {
            0 => format!("EVERY {}m", 1 + self.below(3_000)),
            1 => format!("EVERY {}h", 1 + self.below(60)),
            2 => {
                let mut text = format!("EVERY {}", self.0.pick(&days));
                for number in 0..self.below(4) {
                    let time = format!("'{:02}:{:02}'", self.below(24), self.below(60));
                    text.push_str(&format!("{} {time}", if number == 0 { " AT" } else { "," }));
                }
                text
            }
            _ => {
                // The fields of days are drawn so that some day has them.
                let day = if self.below(2) == 0 { "*".to_owned() } else { self.field(1, 28) };
                let fields = [self.field(0, 59), self.field(0, 23), day, self.field(1, 12), self.field(0, 7)];
                format!("CRON '{}'", fields.join(" "))
            }
        }
    }

    fn schedule(&mut self) -> String {
        let zone = self.0.pick(&ZONES);
        let until = if self.below(4) == 0 { " UNTIL '2026-11-15'" } else { "" };
        let from = if self.below(4) == 0 { " FROM '2026-10-03'" } else { "" };
        format!("{} IN '{zone}'{from}{until}", self.every())
    }
}

#[test]
fn times_only_go_on_and_are_the_same_from_everywhere() {
    for seed in 0..200 {
        let mut dice = Draw(Dice::of(seed));
        let text = dice.schedule();
        let schedule = schedule(&text);
        let start = utc("2026-09-25 00:00") + TimeDelta::minutes(i64::try_from(dice.below(50_000)).unwrap());
        let all: Vec<_> = times(&schedule, start).take(40).collect();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{seed}: {text}: {all:?}");
        assert!(all.first().is_none_or(|first| *first > start), "{seed}: {text}");
        for pair in all.windows(2) {
            let between = (pair[1] - pair[0]).num_milliseconds();
            for at in [0, 1, dice.below(u64::try_from(between).unwrap()).cast_signed(), between - 1] {
                let from = pair[0] + TimeDelta::milliseconds(at);
                assert_eq!(next_after(&schedule, from), Some(pair[1]), "{seed}: {text}: from {from}");
            }
        }
    }
}

/// What a schedule says of itself is a schedule with the same times.
#[test]
fn a_schedule_can_be_read_from_what_it_says_of_itself() {
    for seed in 0..300 {
        let text = Draw(Dice::of(seed)).schedule();
        let once = schedule(&text);
        assert_eq!(schedule(&once.to_string()), once, "{seed}: {text}");
    }
}

/// What the checker would refuse has no times, and does no harm.
#[test]
fn what_cannot_be_has_no_times() {
    let of = |every: Every, zone: &str| Schedule {
        every,
        at: Vec::new(),
        zone: zone.to_owned(),
        from: None,
        until: None,
        catch_up: CatchUp::One,
    };
    let now = utc("2026-01-01 00:00");
    assert_eq!(next_after(&of(Every::Day, "Nowhere/At_All"), now), None);
    assert_eq!(next_after(&of(Every::Cron("0 0 30 2 *".to_owned()), "UTC"), now), None);
    assert_eq!(next_after(&of(Every::Seconds(0), "UTC"), now), None);
    assert_eq!(next_after(&of(Every::Seconds(u64::MAX), "UTC"), now), None);
    assert_eq!(next_after(&of(Every::Days(Vec::new()), "UTC"), now), None);
}
