//! Every form of a schedule, beside the same in the words of the walk.

use super::walk::{Day, Form, Rule};

/// The number of 2026-03-28: the day before clocks are changed in Europe.
pub const END_OF_MARCH: i64 = 20_540;
/// The number of 2026-04-06: the day after they are changed on Lord Howe Island.
const APRIL: i64 = 20_549;

fn every(_: &Day) -> bool {
    true
}

fn weekday(day: &Day) -> bool {
    day.weekday <= 5
}

fn fixed(on: fn(&Day) -> bool, at: fn(i64, i64) -> bool) -> Form {
    Form { rule: Rule::Fixed, on, at }
}

fn shown(on: fn(&Day) -> bool, at: fn(i64, i64) -> bool) -> Form {
    Form { rule: Rule::Shown, on, at }
}

fn paced(rule: Rule, on: fn(&Day) -> bool) -> Form {
    Form { rule, on, at: |_, _| true }
}

/// Days and times. What a schedule says in front of its zone, what it says behind it, and what the walk makes of it.
pub fn days() -> Vec<(&'static str, &'static str, Form)> {
    vec![
        ("EVERY DAY", "", fixed(every, |h, m| h == 0 && m == 0)),
        ("EVERY DAY AT '02:30'", "", fixed(every, |h, m| (h, m) == (2, 30))),
        (
            "EVERY DAY AT '02:10', '02:20', '03:00', '00:30'",
            "",
            fixed(every, |h, m| [(2, 10), (2, 20), (3, 0), (0, 30)].contains(&(h, m))),
        ),
        (
            "EVERY DAY AT '23:59', '23:30', '01:45'",
            "",
            fixed(every, |h, m| [(23, 59), (23, 30), (1, 45)].contains(&(h, m))),
        ),
        ("EVERY WEEKDAY AT '02:00'", "", fixed(weekday, |h, m| (h, m) == (2, 0))),
        (
            "EVERY SUNDAY AT '02:15', '00:00'",
            "",
            fixed(|d| d.weekday == 7, |h, m| (h, m) == (2, 15) || (h, m) == (0, 0)),
        ),
        ("EVERY MONDAY, FRIDAY AT '07:00'", "", fixed(|d| d.weekday == 1 || d.weekday == 5, |h, m| (h, m) == (7, 0))),
        ("EVERY MONTH ON DAY 1 AT '00:00'", "", fixed(|d| d.day == 1, |h, m| (h, m) == (0, 0))),
        ("EVERY MONTH ON DAY 31 AT '12:00'", "", fixed(|d| d.day == d.last, |h, m| (h, m) == (12, 0))),
        ("EVERY MONTH ON DAY 29 AT '02:30'", "", fixed(|d| d.day == d.last.min(29), |h, m| (h, m) == (2, 30))),
        (
            "EVERY DAY AT '02:30'",
            "FROM '2026-03-28' UNTIL '2026-11-01'",
            fixed(|d| (END_OF_MARCH..=20_758).contains(&d.number), |h, m| (h, m) == (2, 30)),
        ),
    ]
}

/// Paces.
pub fn paces() -> Vec<(&'static str, &'static str, Form)> {
    vec![
        (
            "EVERY 1m",
            "FROM '2026-03-28' UNTIL '2026-04-06'",
            paced(Rule::OfDay(1), |d| (END_OF_MARCH..=APRIL).contains(&d.number)),
        ),
        ("EVERY 15m", "", paced(Rule::OfDay(15), every)),
        ("EVERY 45 minutes", "", paced(Rule::OfDay(45), every)),
        ("EVERY 1h", "", paced(Rule::OfDay(60), every)),
        ("EVERY 90m", "", fixed(every, |h, m| (h * 60 + m) % 90 == 0)),
        ("EVERY 2h", "", fixed(every, |h, m| h % 2 == 0 && m == 0)),
        ("EVERY 4h", "", fixed(every, |h, m| h % 4 == 0 && m == 0)),
        ("EVERY 12h", "FROM '2026-06-01'", fixed(|d| d.number >= 20_605, |h, m| h % 12 == 0 && m == 0)),
        ("EVERY 1 DAY", "", fixed(every, |h, m| (h, m) == (0, 0))),
        // 2024-01-01, a Monday, has the number 19,723.
        ("EVERY 2 DAYS", "", fixed(|d| (d.number - 19_723) % 2 == 0, |h, m| (h, m) == (0, 0))),
        ("EVERY 2 weeks", "", fixed(|d| (d.number - 19_723) % 14 == 0, |h, m| (h, m) == (0, 0))),
        (
            "EVERY 3d",
            "FROM '2026-03-28'",
            fixed(|d| d.number >= END_OF_MARCH && (d.number - END_OF_MARCH) % 3 == 0, |h, m| (h, m) == (0, 0)),
        ),
        ("EVERY 7h", "FROM '2026-03-28'", paced(Rule::Since(420, END_OF_MARCH), every)),
        (
            "EVERY 25m",
            "FROM '2026-03-28' UNTIL '2026-11-01'",
            paced(Rule::Since(25, END_OF_MARCH), |d| d.number <= 20_758),
        ),
        ("EVERY 36h", "FROM '2026-03-28'", paced(Rule::Since(2_160, END_OF_MARCH), every)),
    ]
}

/// Cron lines.
pub fn lines() -> Vec<(&'static str, &'static str, Form)> {
    vec![
        ("CRON '30 2 * * *'", "", fixed(every, |h, m| (h, m) == (2, 30))),
        ("CRON '0 2 * * 1-5'", "", fixed(weekday, |h, m| (h, m) == (2, 0))),
        ("CRON '0 2 * * MON-FRI'", "", fixed(weekday, |h, m| (h, m) == (2, 0))),
        ("CRON '15 */6 * * *'", "", fixed(every, |h, m| h % 6 == 0 && m == 15)),
        ("CRON '*/20 1-3 * * *'", "", fixed(every, |h, m| (1..=3).contains(&h) && m % 20 == 0)),
        ("CRON '*/20 22-23,0 * * *'", "", fixed(every, |h, m| [22, 23, 0].contains(&h) && m % 20 == 0)),
        ("CRON '*/15 * * * *'", "", shown(every, |_, m| m % 15 == 0)),
        ("CRON '20 * * * *'", "", shown(every, |_, m| m == 20)),
        ("CRON '5-59/25 * * * SUN'", "", shown(|d| d.weekday == 7, |_, m| m == 5 || m == 30 || m == 55)),
        (
            "CRON '*/30 0-23 1 JAN-MAR,11 ?'",
            "",
            shown(|d| d.day == 1 && [1, 2, 3, 11].contains(&d.month), |_, m| m % 30 == 0),
        ),
        ("CRON '0 0 L * *'", "", fixed(|d| d.day == d.last, |h, m| (h, m) == (0, 0))),
        ("CRON '0 5 * * 7#1'", "", fixed(|d| d.weekday == 7 && d.day <= 7, |h, m| (h, m) == (5, 0))),
        ("CRON '0 5 ? * FRIL'", "", fixed(|d| d.weekday == 5 && d.day + 7 > d.last, |h, m| (h, m) == (5, 0))),
        ("CRON '0 5 13 * 5'", "", fixed(|d| d.weekday == 5 || d.day == 13, |h, m| (h, m) == (5, 0))),
        (
            "CRON '30 2 28-31 3 0'",
            "FROM '2026-03-28'",
            fixed(
                |d| d.number >= END_OF_MARCH && d.month == 3 && (d.day >= 28 || d.weekday == 7),
                |h, m| (h, m) == (2, 30),
            ),
        ),
    ]
}
