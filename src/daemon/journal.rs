//! The log as lines of JSON: one object for each thing that happened.
//!
//! In: what the daemon tells. Out: `time`, `level`, `event`, and of this list what there is: `name`, `kind`, `job`, `chain`, `run`, `status`, `slot`,
//! `late_ms`, `verdict`, counts of rows and calls, `seconds`, `tries`, `at`, `message`. No field holds a row's value; a message is one of Ferry's own, cut and without
//! control characters.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::told::{Defined, Told};
use crate::model::outcome::Status;
use crate::run::progress::Event;
use crate::run::report::Report;

/// Characters of a message.
const MESSAGE_AT_MOST: usize = 500;

/// The line of something that happened; none for what only says that the daemon is alive or how far a stage is.
#[must_use]
pub fn line(told: &Told, now: DateTime<Utc>) -> Option<String> {
    let (level, event, fields) = entry(told)?;
    let mut all = Map::new();
    all.insert("time".to_owned(), json!(now.to_rfc3339_opts(SecondsFormat::Millis, true)));
    all.insert("level".to_owned(), json!(level));
    all.insert("event".to_owned(), json!(event));
    if let Value::Object(fields) = fields {
        all.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Some(Value::Object(all).to_string())
}

fn entry(told: &Told) -> Option<(&'static str, &'static str, Value)> {
    Some(match told {
        Told::Listening(address) => ("info", "listening", json!({ "at": address.to_string() })),
        Told::Started(of) => ("info", "started", defined(of)),
        Told::Reloaded(of) => ("info", "reloaded", defined(of)),
        Told::Broken { mistakes, first } => {
            ("error", "reload_failed", json!({ "mistakes": mistakes, "message": cut(first) }))
        }
        Told::StandsBy { why } => ("info", "stands_by", json!({ "message": cut(why) })),
        Told::Unchecked { why } => ("error", "reload_failed", json!({ "message": cut(why) })),
        Told::Due { name, slot, late_ms } => {
            ("info", "due", json!({ "name": name, "slot": moment(*slot), "late_ms": late_ms }))
        }
        Told::Passed { name, slot, why } => {
            ("warn", "passed", json!({ "name": name, "slot": moment(*slot), "verdict": why }))
        }
        Told::Waits { name, why } => ("info", "waits", json!({ "name": name, "message": cut(why) })),
        Told::Heard { name, event } => return heard(name, event),
        Told::Ended { name, chain, report } => ended(name, chain.as_deref(), report),
        Told::Failed { name, why } => ("error", "broke_off", json!({ "name": name, "message": cut(why) })),
        Told::Retried { name, at, tries } => {
            ("warn", "retried", json!({ "name": name, "at": moment(*at), "tries": tries }))
        }
        Told::GivenUp { name, tries } => ("error", "given_up", json!({ "name": name, "tries": tries })),
        Told::Notice(text) => ("warn", "notice", json!({ "message": cut(text) })),
        Told::Stopping { under_way, seconds } => {
            ("info", "stopping", json!({ "under_way": under_way, "seconds": seconds }))
        }
        Told::Stopped { left } => ("info", "stopped", json!({ "left": left })),
        Told::Turned { .. } => return None,
    })
}

fn heard(name: &str, event: &Event) -> Option<(&'static str, &'static str, Value)> {
    match event {
        Event::Began { run, job, goes_on } => {
            let event = if *goes_on { "run_resumed" } else { "run_began" };
            Some(("info", event, json!({ "name": name, "job": job, "run": run })))
        }
        Event::Notice(text) => Some(("warn", "run_notice", json!({ "name": name, "message": cut(text) }))),
        Event::Advanced { .. } | Event::Spent { .. } | Event::Ended { .. } | Event::Over => None,
    }
}

fn ended(name: &str, chain: Option<&str>, report: &Report) -> (&'static str, &'static str, Value) {
    let level = match report.status {
        Status::Failed => "error",
        status if status.is_waiting() || status == Status::Partial => "warn",
        _ => "info",
    };
    let counts = &report.counts;
    let fields = json!({
        "name": name, "job": report.job, "chain": chain, "run": report.run, "status": report.status.word(),
        "rows_read": counts.read, "rows_written": counts.sent(), "rows_failed": counts.failed(),
        "calls_dynamics": report.calls.dynamics, "calls_gainsight": report.calls.gainsight,
        "seconds": report.seconds, "message": report.message.as_deref().map(cut),
    });
    (level, if report.status.is_waiting() { "run_waits" } else { "run_ended" }, fields)
}

fn defined(of: &Defined) -> Value {
    json!({ "jobs": of.jobs, "chains": of.chains, "scheduled": of.scheduled })
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// On one line, and not without end.
fn cut(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.take(MESSAGE_AT_MOST).collect()
}
