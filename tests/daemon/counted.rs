//! The metrics: what they count, and that Prometheus can read them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use ferry::daemon::health::Health;
use ferry::daemon::measured::{Measured, measure};
use ferry::daemon::metrics::Metrics;
use ferry::daemon::told::{Defined, Told};
use ferry::daemon::watching::Watching;
use ferry::model::outcome::{Calls, Counts, Status};
use ferry::run::report::Report;
use ferry::store::home::state_path;
use ferry::store::state::State;
use tokio::task::LocalSet;

use super::watched::Desk;
use crate::stage::{COMPANIES, Stage};

const DAILY: &str = r#"CREATE CHAIN "Daily" SCHEDULE EVERY DAY AT '02:00' AS RUN "Company Sync_Dynamics Connection";"#;

fn report(job: &str, status: Status) -> Report {
    Report {
        run: "20260101-0001".to_owned(),
        job: job.to_owned(),
        status,
        counts: Counts { read: 10, inserted: 7, error: 3, ..Counts::default() },
        records: BTreeMap::new(),
        calls: Calls { dynamics: 4, gainsight: 9, gainsight_writes: 2, retries: 1, throttled: 2, waited_ms: 1_500 },
        error_file: None,
        seconds: 61.5,
        message: None,
        resumed: 0,
        chosen: None,
        read: None,
        retried: None,
    }
}

fn ended(job: &str, status: Status) -> Told {
    Told::Ended { name: job.to_owned(), chain: None, report: Box::new(report(job, status)) }
}

/// The value of a sample.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(sample).is_some_and(|rest| rest.starts_with(' ')));
    line.unwrap_or_else(|| panic!("no {sample} in\n{text}")).rsplit(' ').next().unwrap().parse().unwrap()
}

fn is(text: &str, sample: &str, wanted: f64) {
    let found = value(text, sample);
    assert!((found - wanted).abs() < 1e-9, "{sample} is {found}, not {wanted}");
}

#[test]
fn what_is_told_is_counted() {
    let metrics = Metrics::new();
    metrics.hear(&ended("A", Status::Success));
    metrics.hear(&ended("A", Status::Success));
    metrics.hear(&ended("A", Status::WaitingQuota));
    metrics.hear(&Told::Started(Defined { jobs: 3, chains: 1, scheduled: 2, ..Defined::default() }));
    metrics.hear(&Told::Broken { mistakes: 2, first: String::new() });
    let name = || "C".to_owned();
    let slot = chrono::Utc::now();
    metrics.hear(&Told::Due { name: name(), slot, late_ms: 1_500 });
    metrics.hear(&Told::Passed { name: name(), slot, why: "overlapped" });
    metrics.hear(&Told::Retried { name: name(), at: slot, tries: 1 });
    metrics.hear(&Told::GivenUp { name: name(), tries: 3 });
    metrics.hear(&Told::Failed { name: name(), why: String::new() });
    let text = metrics.text(&Measured::default());
    is(&text, r#"ferry_runs_total{job="A",status="success"}"#, 2.0);
    is(&text, r#"ferry_runs_total{job="A",status="waiting_quota"}"#, 1.0);
    // A run that waits has not ended: its rows are counted once, when it does. Its calls were made.
    is(&text, r#"ferry_rows_total{job="A",outcome="inserted"}"#, 14.0);
    is(&text, r#"ferry_rows_total{job="A",outcome="error"}"#, 6.0);
    is(&text, r#"ferry_run_duration_seconds_count{job="A"}"#, 2.0);
    is(&text, r#"ferry_run_duration_seconds_bucket{job="A",le="60"}"#, 0.0);
    is(&text, r#"ferry_run_duration_seconds_bucket{job="A",le="180"}"#, 2.0);
    is(&text, r#"ferry_request_retries_total{job="A"}"#, 3.0);
    is(&text, r#"ferry_throttled_total{job="A"}"#, 6.0);
    is(&text, r#"ferry_throttled_seconds_total{job="A"}"#, 4.5);
    is(&text, r#"ferry_definitions{kind="job"}"#, 3.0);
    is(&text, r#"ferry_reload_failures_total{reason="broken"}"#, 1.0);
    is(&text, r#"ferry_reload_failures_total{reason="unchecked"}"#, 0.0);
    is(&text, r#"ferry_slots_total{name="C",verdict="begun"}"#, 1.0);
    is(&text, r#"ferry_slots_total{name="C",verdict="overlapped"}"#, 1.0);
    is(&text, r#"ferry_slot_lateness_seconds_sum{name="C"}"#, 1.5);
    is(&text, r#"ferry_retries_total{name="C"}"#, 1.0);
    is(&text, r#"ferry_given_up_total{name="C"}"#, 1.0);
    is(&text, r#"ferry_failures_total{name="C"}"#, 1.0);
    assert!(value(&text, "ferry_definitions_loaded_timestamp_seconds") > 1.7e9);
}

/// What appears with its first failure does not increase by it.
#[test]
fn series_are_there_before_anything_happens_and_ages_are_of_what_is_in_force() {
    let metrics = Metrics::new();
    let of = |job: &str, pace| Defined {
        paces: [(job.to_owned(), pace)].into(),
        chain_names: ["C".to_owned()].into(),
        ..Defined::default()
    };
    metrics.hear(&Told::Started(of("A", Some(3_600))));
    let measured = Measured { seconds_since: [("B".to_owned(), 90.0)].into(), ..Measured::default() };
    let text = metrics.text(&measured);
    for sample in [
        r#"ferry_runs_total{job="A",status="failed"}"#,
        r#"ferry_runs_total{job="A",status="waiting_auth"}"#,
        r#"ferry_rows_total{job="A",outcome="error"}"#,
        r#"ferry_given_up_total{name="C"}"#,
        r#"ferry_failures_total{name="A"}"#,
    ] {
        is(&text, sample, 0.0);
    }
    assert!(value(&text, r#"ferry_data_age_seconds{job="A"}"#) < 60.0, "it never ended well, and is known since now");
    is(&text, r#"ferry_data_age_allowed_seconds{job="A"}"#, 3_600.0);
    assert!(!text.contains(r#"ferry_data_age_seconds{job="B"}"#), "nothing declares it: {text}");
    metrics.hear(&Told::Reloaded(of("B", None)));
    let text = metrics.text(&measured);
    is(&text, r#"ferry_data_age_seconds{job="B"}"#, 90.0);
    assert!(!text.contains("ferry_data_age_allowed_seconds{"), "it follows no schedule: {text}");
    assert!(!text.contains(r#"ferry_data_age_seconds{job="A"}"#), "{text}");
}

/// What `promtool check metrics` looks at: each sample has a help and a type, counters end in `_total`, and nothing else does.
#[test]
fn each_metric_is_described_and_well_named() {
    let metrics = Metrics::new();
    metrics.hear(&ended("odd \"job\"\\ with\nlines", Status::Failed));
    let text = metrics.text(&Measured::default());
    let described: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    for (name, kind) in types {
        assert!(described.contains(name), "{name}");
        assert!(name.starts_with("ferry_"), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}: {kind}");
    }
    assert!(described.len() > 10, "{text}");
    // A label's value is one line, whatever a job is called.
    assert!(text.contains(r#"job="odd \"job\"\\ with\nlines",status="failed""#), "{text}");
    assert!(text.lines().all(|line| line.starts_with('#') || line.rsplit(' ').next().unwrap().parse::<f64>().is_ok()));
}

/// A whole daemon: it runs what is due, and what it answers agrees with what was done.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_counts_what_it_does() {
    let desk = Desk::new(Stage::seeded(20).await, DAILY);
    let setting = desk.stage.setting.clone();
    let watching = Arc::new(Watching::new(&setting, None));
    let (ear, beside) = (Arc::clone(&watching), LocalSet::new());
    let report = beside
        .run_until(async {
            let mut daemon = desk.begin_with(Desk::options(), move |told| ear.hear(told)).await;
            let at = desk.next_of("Daily").await;
            desk.set_clock(at - TimeDelta::seconds(2));
            daemon.turns().await;
            desk.set_clock(at + TimeDelta::seconds(1));
            let report = daemon.ended().await;
            daemon.turns().await;
            report
        })
        .await;
    assert_eq!(report.job, COMPANIES);
    let at = super::asked::serve(&setting.home, &watching.health, &watching.metrics, setting.clock).await;
    let (code, text) = super::asked::ask(at, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n").await;
    assert_eq!(code, 200);
    let number = |n: u64| f64::from(u32::try_from(n).unwrap());
    is(&text, &format!(r#"ferry_runs_total{{job="{COMPANIES}",status="partial"}}"#), 1.0);
    is(&text, &format!(r#"ferry_rows_total{{job="{COMPANIES}",outcome="inserted"}}"#), number(report.counts.inserted));
    is(
        &text,
        &format!(r#"ferry_calls_total{{job="{COMPANIES}",kind="read",service="dynamics"}}"#),
        number(report.calls.dynamics),
    );
    is(&text, r#"ferry_slots_total{name="Daily",verdict="begun"}"#, 1.0);
    assert!(value(&text, &format!(r#"ferry_data_age_seconds{{job="{COMPANIES}"}}"#)) < 3_600.0);
    let allowed = value(&text, &format!(r#"ferry_data_age_allowed_seconds{{job="{COMPANIES}"}}"#));
    assert!((86_400.0..=90_000.0).contains(&allowed), "its chain is due each day: {allowed}");
    let tenant = desk.stage.sandbox.gainsight_url().trim_start_matches("http://").to_owned();
    let left = value(&text, &format!(r#"ferry_calls_left{{api="object",tenant="{tenant}"}}"#));
    let of = value(&text, &format!(r#"ferry_calls_per_day{{api="object",tenant="{tenant}"}}"#));
    assert!(left < of && left > 0.0, "{left} of {of}");
}

#[test]
fn what_is_measured_comes_from_the_state() {
    let home = tempfile::tempdir().unwrap();
    let clock = ferry::model::clock::Clock::system(1.0);
    assert_eq!(
        measure(&state_path(home.path()).as_path().into(), clock, &[]).unwrap(),
        Measured::default(),
        "no state yet"
    );
    drop(State::open(&state_path(home.path())).unwrap());
    let budget = ferry::daemon::measured::Budget { tenant: "t".to_owned(), api: "object", calls: 100 };
    let measured = measure(&state_path(home.path()).as_path().into(), clock, std::slice::from_ref(&budget)).unwrap();
    assert_eq!(measured.left, [(budget, 100)], "nothing was spent today");
    let text = Metrics::new().text(&measured);
    is(&text, r#"ferry_notices{state="due"}"#, 0.0);
    drop(Health::new(clock));
}
