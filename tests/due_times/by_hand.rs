//! The days on which clocks are changed, written down by hand.

use ferry::schedule::times::{between, longest_gap, next_after};

use super::{schedule, utc};

/// A schedule, from when to when it is looked at, and all of its times: UTC, as the almanac gives the changes.
const TABLE: &[(&str, &str, &str, &[&str])] = &[
    // New York springs forward at 02:00 EST (07:00 UTC) on 2026-03-08: 02:30 is not, so it runs at 03:00 EDT.
    (
        "EVERY DAY AT '02:30' IN 'America/New_York'",
        "2026-03-07 00:00",
        "2026-03-10 00:00",
        &["2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30"],
    ),
    // Two times in the gap and the end of the gap itself: one run.
    (
        "EVERY DAY AT '02:10', '02:50', '03:00' IN 'America/New_York'",
        "2026-03-08 00:00",
        "2026-03-09 00:00",
        &["2026-03-08 07:00"],
    ),
    // Back at 02:00 EDT (06:00 UTC) on 2026-11-01: 01:30 comes twice and runs the first time.
    (
        "EVERY DAY AT '01:30' IN 'America/New_York'",
        "2026-10-31 00:00",
        "2026-11-03 00:00",
        &["2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30"],
    ),
    (
        "CRON '30 1 * * SUN' IN 'America/New_York'",
        "2026-11-01 00:00",
        "2026-11-09 00:00",
        &["2026-11-01 05:30", "2026-11-08 06:30"],
    ),
    // Berlin: 02:00 CET becomes 03:00 CEST at 01:00 UTC on 2026-03-29. Each quarter of an hour comes, whatever the clock shows.
    (
        "CRON '*/15 * * * *' IN 'Europe/Berlin'",
        "2026-03-29 00:20",
        "2026-03-29 01:35",
        &["2026-03-29 00:30", "2026-03-29 00:45", "2026-03-29 01:00", "2026-03-29 01:15", "2026-03-29 01:30"],
    ),
    (
        "EVERY 4h IN 'Europe/Berlin'",
        "2026-03-28 22:00",
        "2026-03-29 12:00",
        &["2026-03-28 23:00", "2026-03-29 02:00", "2026-03-29 06:00", "2026-03-29 10:00"],
    ),
    ("CRON '0 2,3 * * *' IN 'Europe/Berlin'", "2026-03-29 00:00", "2026-03-29 23:59", &["2026-03-29 01:00"]),
    // Berlin: 03:00 CEST becomes 02:00 CET at 01:00 UTC on 2026-10-25.
    (
        "EVERY 30m IN 'Europe/Berlin'",
        "2026-10-24 23:50",
        "2026-10-25 02:10",
        &["2026-10-25 00:00", "2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30", "2026-10-25 02:00"],
    ),
    (
        "EVERY 2h IN 'Europe/Berlin'",
        "2026-10-24 21:00",
        "2026-10-25 06:00",
        &["2026-10-24 22:00", "2026-10-25 00:00", "2026-10-25 03:00", "2026-10-25 05:00"],
    ),
    // Lord Howe Island: back by half an hour, 02:00 to 01:30, at 15:00 UTC on 2026-04-04; on again at 15:30 UTC on 2026-10-03.
    (
        "EVERY DAY AT '01:45' IN 'Australia/Lord_Howe'",
        "2026-04-03 00:00",
        "2026-04-06 00:00",
        &["2026-04-03 14:45", "2026-04-04 14:45", "2026-04-05 15:15"],
    ),
    (
        "EVERY DAY AT '02:15' IN 'Australia/Lord_Howe'",
        "2026-10-02 00:00",
        "2026-10-05 00:00",
        &["2026-10-02 15:45", "2026-10-03 15:30", "2026-10-04 15:15"],
    ),
    (
        "EVERY 15m IN 'Australia/Lord_Howe'",
        "2026-10-03 15:10",
        "2026-10-03 16:00",
        &["2026-10-03 15:15", "2026-10-03 15:30", "2026-10-03 15:45", "2026-10-03 16:00"],
    ),
    // Beirut skips midnight of 2026-03-29: the day begins at 01:00, which is 22:00 UTC of the day before.
    (
        "EVERY DAY IN 'Asia/Beirut'",
        "2026-03-27 00:00",
        "2026-03-31 00:00",
        &["2026-03-27 22:00", "2026-03-28 22:00", "2026-03-29 21:00", "2026-03-30 21:00"],
    ),
    // The last day of shorter months; a schedule ends with its last day, and begins with its first.
    (
        "EVERY MONTH ON DAY 31 AT '09:00' IN 'Asia/Kolkata' FROM '2026-02-01' UNTIL '2026-04-30'",
        "2026-01-01 00:00",
        "2026-12-31 00:00",
        &["2026-02-28 03:30", "2026-03-31 03:30", "2026-04-30 03:30"],
    ),
    (
        "EVERY DAY AT '00:00', '23:59' IN 'Europe/Berlin' FROM '2026-07-01' UNTIL '2026-07-01'",
        "2026-01-01 00:00",
        "2026-12-31 00:00",
        &["2026-06-30 22:00", "2026-07-01 21:59"],
    ),
    // Weeks are counted from a Monday, days from the first day.
    ("EVERY 7 DAYS IN 'UTC'", "2026-01-01 00:00", "2026-01-13 00:00", &["2026-01-05 00:00", "2026-01-12 00:00"]),
    (
        "EVERY 7 DAYS IN 'UTC' FROM '2026-01-01'",
        "2025-12-01 00:00",
        "2026-01-13 00:00",
        &["2026-01-01 00:00", "2026-01-08 00:00"],
    ),
    (
        "EVERY 90s IN 'UTC' UNTIL '2026-01-01'",
        "2026-01-01 23:56:10",
        "2026-01-03 00:00",
        &["2026-01-01 23:57", "2026-01-01 23:58:30"],
    ),
];

#[test]
fn days_of_change_are_as_the_almanac_has_them() {
    for (text, after, until, times) in TABLE {
        let found: Vec<_> = between(&schedule(text), utc(after), utc(until)).collect();
        let wanted: Vec<_> = times.iter().map(|at| utc(at)).collect();
        assert_eq!(found, wanted, "{text}");
    }
}

#[test]
fn a_schedule_that_has_ended_has_no_next_time() {
    let over = schedule("EVERY DAY AT '02:00' IN 'UTC' UNTIL '2026-01-31'");
    assert_eq!(next_after(&over, utc("2026-01-31 01:59")), Some(utc("2026-01-31 02:00")));
    assert_eq!(next_after(&over, utc("2026-01-31 02:00")), None);
    for pace in ["EVERY 15m", "EVERY 7h", "EVERY 3d", "CRON '5 * * * *'", "CRON '5 4 * * *'", "EVERY MONTH ON DAY 1"] {
        let over = schedule(&format!("{pace} IN 'Europe/Berlin' UNTIL '2026-01-31'"));
        assert_eq!(next_after(&over, utc("2026-01-31 23:00")), None, "{pace}");
    }
}

#[test]
fn a_schedule_that_begins_in_a_far_year_is_found_at_once() {
    let far = schedule("EVERY SUNDAY AT '02:00' IN 'UTC' FROM '2150-01-01'");
    assert_eq!(next_after(&far, utc("2026-01-31 02:00")), Some(utc("2150-01-04 02:00")));
    assert_eq!(next_after(&far, chrono::DateTime::<chrono::Utc>::MAX_UTC), None);
}

#[test]
fn the_longest_gap_is_that_of_nights_weekends_and_long_months() {
    for (text, hours) in [
        ("EVERY 15m IN 'UTC'", Some(0.25)),
        ("EVERY DAY AT '02:00' IN 'UTC'", Some(24.0)),
        ("EVERY DAY AT '02:00', '08:00' IN 'UTC'", Some(18.0)),
        ("EVERY WEEKDAY AT '02:00' IN 'UTC'", Some(72.0)),
        ("CRON '* 9-17 * * 1-5' IN 'UTC'", Some(63.0 + 1.0 / 60.0)),
        ("EVERY MONTH ON DAY 1 IN 'UTC'", Some(31.0 * 24.0)),
        ("EVERY DAY IN 'UTC' UNTIL '2026-02-02'", None),
    ] {
        let gap = longest_gap(&schedule(text), utc("2026-02-01 12:00")).map(|gap| gap.as_seconds_f64() / 3_600.0);
        assert_eq!(gap, hours, "{text}");
    }
}
