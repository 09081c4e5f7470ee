//! Schedules of faults that a seed draws.

use std::collections::BTreeSet;

use ferry::sandbox::{FaultSchedule, Options, fault_schedule, start_with};
use serde_json::Value;

fn rules(schedule: &FaultSchedule) -> Vec<Value> {
    let lines = schedule.rules.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| serde_json::from_str(line).expect("a rule is an object")).collect()
}

#[test]
fn one_seed_draws_one_schedule() {
    for seed in 0..100 {
        let (first, again) = (fault_schedule(seed), fault_schedule(seed));
        assert_eq!(first, again);
        assert_ne!(first.rules, fault_schedule(seed + 1).rules);
        assert!((2..=8).contains(&rules(&first).len()), "{}", first.rules);
        assert!(first.rules.starts_with(&format!("# Faults of seed {seed}.\n")));
    }
}

#[tokio::test]
async fn every_schedule_is_a_file_of_faults() {
    let all: String = (0..200).map(|seed| fault_schedule(seed).rules).collect();
    for part in all.lines().collect::<Vec<_>>().chunks(900) {
        start_with(Options { rows: 20, ..Options::default() }, &part.join("\n")).await.expect("the rules are read");
    }
}

#[test]
fn every_kind_occurs_and_every_rule_ends() {
    let mut seen = BTreeSet::new();
    let (mut changing, mut refusing) = (0, 0);
    for seed in 0..500 {
        let schedule = fault_schedule(seed);
        changing += usize::from(schedule.changes_source);
        refusing += usize::from(schedule.refuses_records);
        let mut names = BTreeSet::new();
        for rule in rules(&schedule) {
            let members = rule.as_object().expect("an object");
            assert!(members.contains_key("nth") || members.contains_key("times"), "{rule} never ends");
            assert!(rule["late_ms"].as_u64().unwrap_or(0) <= 120 && rule["stale_ms"].as_u64().unwrap_or(0) <= 120);
            assert!(rule["in_a_row"].as_u64().unwrap_or(1) <= 9 && rule["times"].as_u64().unwrap_or(1) <= 4);
            names.extend(members.keys().cloned());
            let service = rule["service"].as_str().expect("a service");
            seen.insert(format!("on {service}"));
        }
        let is_among = |wanted: &[&str]| wanted.iter().any(|name| names.contains(*name));
        assert_eq!(schedule.changes_source, is_among(&["touch", "drop_row", "repeat_row", "unknown_choice"]));
        assert_eq!(schedule.refuses_records, is_among(&["refuse_records"]));
        seen.extend(names);
    }
    for kind in [
        "on dynamics",
        "on entra",
        "on gainsight",
        "status",
        "code",
        "text",
        "retry_after",
        "retry_after_text",
        "html",
        "close",
        "late_ms",
        "stale_ms",
        "cut",
        "truncate_json",
        "content_type",
        "oversize_kb",
        "latency_ms",
        "repeat_link",
        "expire_link",
        "repeat_row",
        "touch",
        "drop_row",
        "unknown_choice",
        "refuse_records",
        "nth",
        "every",
        "probability",
        "in_a_row",
    ] {
        assert!(seen.contains(kind), "no schedule has {kind}");
    }
    assert!((50..200).contains(&changing) && (50..200).contains(&refusing), "{changing} {refusing}");
}

#[test]
fn lost_and_late_writes_are_the_most() {
    let all: Vec<Value> = (0..500).flat_map(|seed| rules(&fault_schedule(seed))).collect();
    let is_write = |rule: &&Value| {
        let path = rule["path"].as_str().unwrap_or("");
        rule["service"] == "gainsight" && !path.contains("/query/") && !path.contains("/meta/")
    };
    let lost =
        |rule: &&Value| ["close", "late_ms", "truncate_json", "cut"].iter().any(|name| rule.get(*name).is_some());
    let writes = all.iter().filter(is_write).count();
    assert!(writes * 2 > all.len(), "{writes} of {}", all.len());
    assert!(all.iter().filter(is_write).filter(lost).count() * 2 > writes);
    for path in ["/v1/data/objects/company", "/v1/users/services", "/v1/peoplemgmt/v1.0/people"] {
        for name in ["close", "late_ms"] {
            let found = all.iter().any(|rule| rule["path"] == path && rule.get(name).is_some());
            assert!(found, "{name} at {path}");
        }
    }
}
