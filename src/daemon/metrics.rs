//! The metrics, as Prometheus reads them. The sole home of its crate.
//!
//! In: what the daemon tells, and what is measured when somebody asks. Out: text. Labels are names of jobs and chains, words of Ferry's
//! own and hosts of tenants, so there are as many series as a project has jobs. <https://prometheus.io/docs/practices/naming/>

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use chrono::Utc;
use prometheus::{
    CounterVec, Encoder, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use super::measured::{Budget, Measured};
use super::told::{Defined, Told};
use crate::model::outcome::{Outcome, Status};
use crate::run::report::Report;

/// Seconds that runs take: from one that finds nothing to do to one that waits for a day's calls.
const DURATIONS: [f64; 12] =
    [1.0, 5.0, 15.0, 60.0, 180.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 43_200.0, 86_400.0];
/// Seconds that a begin is late.
const LATENESS: [f64; 9] = [1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1_800.0, 7_200.0, 86_400.0];

/// A job that is in force.
struct Known {
    since: Instant,
    /// Seconds; see [`Defined::paces`].
    pace: Option<u64>,
}

/// All of them.
pub struct Metrics {
    registry: Registry,
    runs: IntCounterVec,
    rows: IntCounterVec,
    calls: IntCounterVec,
    request_retries: IntCounterVec,
    throttled: IntCounterVec,
    throttled_seconds: CounterVec,
    durations: HistogramVec,
    slots: IntCounterVec,
    lateness: HistogramVec,
    retries: IntCounterVec,
    given_up: IntCounterVec,
    failures: IntCounterVec,
    reload_failures: IntCounterVec,
    loaded_at: IntGauge,
    definitions: IntGaugeVec,
    under_way: IntGauge,
    waiting: IntGauge,
    has_home: IntGauge,
    age: GaugeVec,
    age_allowed: IntGaugeVec,
    known: Mutex<BTreeMap<String, Known>>,
    calls_left: IntGaugeVec,
    calls_of_day: IntGaugeVec,
    notices: IntGaugeVec,
    budgets: Mutex<Vec<Budget>>,
}

impl Metrics {
    /// All at nothing.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let build = gauges(&registry, "build_info", "The version of Ferry that runs.", &["version"]);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let metrics = Self {
            runs: counters(&registry, "runs_total", "Runs that ended or wait, by how.", &["job", "status"]),
            rows: counters(&registry, "rows_total", "Source rows of runs that ended, by outcome.", &["job", "outcome"]),
            calls: counters(&registry, "calls_total", "Requests to a service.", &["job", "service", "kind"]),
            request_retries: counters(&registry, "request_retries_total", "Requests that were made again.", &["job"]),
            throttled: counters(&registry, "throttled_total", "Requests that a service asked to wait for.", &["job"]),
            throttled_seconds: made(
                &registry,
                CounterVec::new(opts("throttled_seconds_total", "Time that runs waited for calls."), &["job"]),
            ),
            durations: histogram(&registry, "run_duration_seconds", "How long runs took.", "job", &DURATIONS),
            slots: counters(
                &registry,
                "slots_total",
                "Times of schedules that came, by what became of them.",
                &["name", "verdict"],
            ),
            lateness: histogram(
                &registry,
                "slot_lateness_seconds",
                "How long after its time what was due was taken up.",
                "name",
                &LATENESS,
            ),
            retries: counters(&registry, "retries_total", "Times that something is tried again.", &["name"]),
            given_up: counters(&registry, "given_up_total", "Times that trying again was given up.", &["name"]),
            failures: counters(&registry, "failures_total", "Times that a job or a chain broke off.", &["name"]),
            reload_failures: counters(
                &registry,
                "reload_failures_total",
                "Files that changed and were not taken, by why.",
                &["reason"],
            ),
            loaded_at: gauge(&registry, "definitions_loaded_timestamp_seconds", "When definitions were last taken."),
            definitions: gauges(&registry, "definitions", "What there is to work by.", &["kind"]),
            under_way: gauge(&registry, "under_way", "Jobs and chains that are under way."),
            waiting: gauge(&registry, "waiting", "Jobs and chains that are due and wait, or are tried again later."),
            has_home: gauge(&registry, "home_held", "Whether it has the home: 1 while something is under way."),
            age: made(
                &registry,
                GaugeVec::new(
                    opts(
                        "data_age_seconds",
                        "Time since the job last ended with a success or a partial success; if it never did, since it is known.",
                    ),
                    &["job"],
                ),
            ),
            age_allowed: gauges(
                &registry,
                "data_age_allowed_seconds",
                "The longest time between two times of the job's schedule, or of its chain's.",
                &["job"],
            ),
            known: Mutex::default(),
            calls_left: gauges(&registry, "calls_left", "Calls of today that are left.", &["tenant", "api"]),
            calls_of_day: gauges(&registry, "calls_per_day", "Calls that may be made in a day.", &["tenant", "api"]),
            notices: gauges(&registry, "notices", "Notices that are kept, by how they stand.", &["state"]),
            budgets: Mutex::default(),
            registry,
        };
        for reason in ["broken", "unchecked"] {
            metrics.reload_failures.with_label_values(&[reason]).reset();
        }
        metrics
    }

    /// Hears what happened.
    pub fn hear(&self, told: &Told) {
        match told {
            Told::Started(of) | Told::Reloaded(of) => self.defined(of),
            Told::Broken { .. } => self.reload_failures.with_label_values(&["broken"]).inc(),
            Told::Unchecked { .. } => self.reload_failures.with_label_values(&["unchecked"]).inc(),
            Told::Due { name, late_ms, .. } => {
                self.slots.with_label_values(&[name.as_str(), "begun"]).inc();
                self.lateness.with_label_values(&[name]).observe(seconds(*late_ms));
            }
            Told::Passed { name, why, .. } => self.slots.with_label_values(&[name.as_str(), why]).inc(),
            Told::Ended { report, .. } => self.ended(report),
            Told::Failed { name, .. } => self.failures.with_label_values(&[name]).inc(),
            Told::Retried { name, .. } => self.retries.with_label_values(&[name]).inc(),
            Told::GivenUp { name, .. } => self.given_up.with_label_values(&[name]).inc(),
            Told::Turned { has_home, under_way, waiting } => {
                self.has_home.set(i64::from(*has_home));
                self.under_way.set(whole(*under_way));
                self.waiting.set(whole(*waiting));
            }
            Told::Listening(_)
            | Told::Waits { .. }
            | Told::Heard { .. }
            | Told::Notice(_)
            | Told::Stopping { .. }
            | Told::Stopped { .. }
            | Told::StandsBy { .. } => {}
        }
    }

    /// Takes note of what may be spent in a day.
    pub fn set_budgets(&self, budgets: Vec<Budget>) {
        *self.budgets.lock().unwrap_or_else(PoisonError::into_inner) = budgets;
    }

    /// What may be spent in a day.
    #[must_use]
    pub fn budgets(&self) -> Vec<Budget> {
        self.budgets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The text, with what was measured now.
    #[must_use]
    pub fn text(&self, measured: &Measured) -> String {
        self.aged(measured);
        self.calls_left.reset();
        self.calls_of_day.reset();
        for (budget, left) in &measured.left {
            let labels = [budget.tenant.as_str(), budget.api];
            self.calls_left.with_label_values(&labels).set(i64::from(*left));
            self.calls_of_day.with_label_values(&labels).set(i64::from(budget.calls));
        }
        self.notices.reset();
        for state in ["due", "delivered", "given_up"] {
            let number = measured.notices.get(state).copied().unwrap_or_default();
            self.notices.with_label_values(&[state]).set(i64::try_from(number).unwrap_or(i64::MAX));
        }
        let mut text = Vec::new();
        let encoded = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        debug_assert!(encoded.is_ok(), "{encoded:?}");
        String::from_utf8(text).unwrap_or_default()
    }

    /// Ages of the jobs that are in force. One that never ended well is as old as it is known here.
    fn aged(&self, measured: &Measured) {
        self.age.reset();
        self.age_allowed.reset();
        for (job, known) in self.known.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let seconds = measured.seconds_since.get(job).copied();
            let seconds = seconds.unwrap_or_else(|| known.since.elapsed().as_secs_f64());
            self.age.with_label_values(&[job]).set(seconds);
            if let Some(pace) = known.pace {
                self.age_allowed.with_label_values(&[job]).set(i64::try_from(pace).unwrap_or(i64::MAX));
            }
        }
    }

    /// Every series that may grow is there from the beginning: one that appears with its first failure does not increase by it.
    fn defined(&self, of: &Defined) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *known);
        for (job, pace) in &of.paces {
            let since = before.remove(job).map_or_else(Instant::now, |one| one.since);
            known.insert(job.clone(), Known { since, pace: *pace });
            for status in Status::ALL {
                self.runs.with_label_values(&[job.as_str(), status.word()]).inc_by(0);
            }
            for outcome in Outcome::ALL {
                self.rows.with_label_values(&[job.as_str(), outcome.text()]).inc_by(0);
            }
        }
        drop(known);
        for name in of.paces.keys().chain(&of.chain_names) {
            for counter in [&self.retries, &self.given_up, &self.failures] {
                counter.with_label_values(&[name]).inc_by(0);
            }
        }
        self.loaded_at.set(Utc::now().timestamp());
        for (kind, number) in [("job", of.jobs), ("chain", of.chains), ("schedule", of.scheduled)] {
            self.definitions.with_label_values(&[kind]).set(whole(number));
        }
    }

    fn ended(&self, report: &Report) {
        let job = report.job.as_str();
        self.runs.with_label_values(&[job, report.status.word()]).inc();
        let calls = report.calls;
        let reads = calls.gainsight.saturating_sub(calls.gainsight_writes);
        for (service, kind, number) in [
            ("dynamics", "read", calls.dynamics),
            ("gainsight", "read", reads),
            ("gainsight", "write", calls.gainsight_writes),
        ] {
            self.calls.with_label_values(&[job, service, kind]).inc_by(number);
        }
        self.request_retries.with_label_values(&[job]).inc_by(calls.retries);
        self.throttled.with_label_values(&[job]).inc_by(calls.throttled);
        self.throttled_seconds
            .with_label_values(&[job])
            .inc_by(seconds(i64::try_from(calls.waited_ms).unwrap_or(i64::MAX)));
        // A run that waits is gone on with, and tells its rows when it ends.
        if report.status.is_waiting() {
            return;
        }
        for outcome in Outcome::ALL {
            self.rows.with_label_values(&[job, outcome.text()]).inc_by(report.counts.of(outcome));
        }
        self.durations.with_label_values(&[job]).observe(report.seconds);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("ferry")
}

/// Names are ours and each stands here once, so that none is refused.
fn made<M: prometheus::core::Collector + Clone + 'static>(registry: &Registry, metric: prometheus::Result<M>) -> M {
    let metric = metric.expect("the names of metrics and labels are right");
    registry.register(Box::new(metric.clone())).expect("each metric is registered once");
    metric
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    made(registry, IntCounterVec::new(opts(name, help), labels))
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    made(registry, IntGaugeVec::new(opts(name, help), labels))
}

fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    made(registry, IntGauge::with_opts(opts(name, help)))
}

fn histogram(registry: &Registry, name: &str, help: &str, label: &str, buckets: &[f64]) -> HistogramVec {
    let opts = HistogramOpts::new(name, help).namespace("ferry").buckets(buckets.to_vec());
    made(registry, HistogramVec::new(opts, &[label]))
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[allow(clippy::cast_precision_loss)] // Milliseconds of a lateness.
fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1_000.0
}
