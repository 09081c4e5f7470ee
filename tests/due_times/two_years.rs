//! Two years of every form in zones with different rules: due exactly when the walk says so.

use chrono::DateTime;
use ferry::schedule::times::between;

use super::forms::{days, lines, paces};
use super::walk::{Form, Wall, walk};
use super::{schedule, utc};

/// Clocks change by an hour at night; by half an hour, in the other half of the year.
const ZONES: [&str; 3] = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"];
/// Clocks never change; they change at midnight, from one in the morning to midnight, in the hour before midnight.
const OTHERS: [&str; 4] = ["Asia/Kolkata", "Asia/Beirut", "Atlantic/Azores", "America/Nuuk"];
const YEARS: (&str, &str) = ("2026-01-01 00:00", "2028-01-01 00:00");
/// The weeks around their changes.
const WEEKS: [(&str, &str); 4] = [
    ("2026-03-20 00:00", "2026-04-10 00:00"),
    ("2026-10-20 00:00", "2026-11-05 00:00"),
    ("2027-03-20 00:00", "2027-04-10 00:00"),
    ("2027-10-20 00:00", "2027-11-05 00:00"),
];

fn minute(text: &str) -> i64 {
    utc(text).timestamp() / 60
}

/// Holds forms against the walk; returns how many times were compared.
fn compare(zone: &str, forms: Vec<(&'static str, &'static str, Form)>, from: &str, until: &str) -> usize {
    let begin = minute(from).min(minute(YEARS.0)) - 2_880;
    let wall = Wall::of(zone, begin, minute(until));
    let (texts, rules): (Vec<_>, Vec<_>) = forms.into_iter().map(|(front, back, form)| ((front, back), form)).unzip();
    // The walk begins two days before, as a day that has begun and clocks that went back have to be seen.
    let expected = walk(&wall, minute(from) - 2_880, minute(until), &rules);
    let mut compared = 0;
    for ((front, back), expected) in texts.into_iter().zip(expected) {
        let text = format!("{front} IN '{zone}' {back}");
        let schedule = schedule(&text);
        let wanted: Vec<i64> = expected.into_iter().filter(|at| *at > minute(from)).collect();
        let times: Vec<i64> = between(&schedule, utc(from), utc(until) - chrono::TimeDelta::seconds(1))
            .inspect(|at| assert_eq!(at.timestamp_subsec_nanos(), 0))
            .map(|at| {
                assert_eq!(at.timestamp() % 60, 0, "{text}: {at}");
                at.timestamp() / 60
            })
            .collect();
        if times != wanted {
            let index = times.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
            let show = |at: Option<&i64>| at.map(|at| DateTime::from_timestamp(at * 60, 0).unwrap().to_rfc3339());
            let (ours, theirs) = (show(times.get(index)), show(wanted.get(index)));
            panic!(
                "{text}: of {} and {} times the first to differ is {ours:?}, the walk has {theirs:?}",
                times.len(),
                wanted.len()
            );
        }
        compared += times.len();
    }
    compared
}

fn compare_all(forms: fn() -> Vec<(&'static str, &'static str, Form)>) -> usize {
    let whole = ZONES.iter().map(|zone| compare(zone, forms(), YEARS.0, YEARS.1));
    let weeks = OTHERS.iter().flat_map(|zone| WEEKS.iter().map(move |weeks| (zone, weeks)));
    whole.chain(weeks.map(|(zone, (from, until))| compare(zone, forms(), from, until))).sum()
}

#[test]
fn two_years_of_days_and_times() {
    let compared = compare_all(days);
    assert!(compared > 20_000, "{compared}");
}

#[test]
fn two_years_of_paces() {
    let compared = compare_all(paces);
    assert!(compared > 500_000, "{compared}");
}

#[test]
fn two_years_of_cron_lines() {
    let compared = compare_all(lines);
    assert!(compared > 300_000, "{compared}");
}

/// Zones whose clocks did what those of today do not: a day that was left out, hours that were shown twice across midnight.
#[test]
fn years_that_were_odd() {
    let odd = [
        ("Pacific/Apia", "2011-12-20 00:00", "2012-01-10 00:00"),
        ("America/Sao_Paulo", "2018-10-25 00:00", "2019-02-25 00:00"),
        ("America/St_Johns", "2010-10-20 00:00", "2010-11-20 00:00"),
        ("Antarctica/Troll", "2015-03-01 00:00", "2015-11-15 00:00"),
    ];
    for (zone, from, until) in odd {
        assert!(compare(zone, days(), from, until) > 20, "{zone}");
        assert!(compare(zone, paces(), from, until) > 20, "{zone}");
        assert!(compare(zone, lines(), from, until) > 20, "{zone}");
    }
}
