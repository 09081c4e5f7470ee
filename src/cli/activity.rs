//! `ferry activity`: the runs of a home, what was changed in it, or one run.

use chrono::DateTime;
use serde_json::{Value, json};

use super::activity_run::{by_words, show};
use super::arguments_operations::Activity;
use super::output;
use super::output::{on_one_line, say, tell};
use super::spreadsheet;
use super::start::Ended;
use super::table::{COLUMNS, Paint, number, wrapped};
use super::timeline::length;
use crate::app::activity::{self, Filter, Found};
use crate::app::workspace::Setting;
use crate::model::outcome::{Counts, Outcome, Status};
use crate::run::report::Report;
use crate::store::runs::{Run, Stage};
use crate::store::updates::Update;

/// Lines of a change that are shown.
const LINES_AT_MOST: usize = 6;
/// Columns in which a status is shown.
const STATUS: usize = 16;

pub(super) async fn activity(setting: &Setting, asked: &Activity, as_json: bool) -> Ended {
    if let Some(run) = &asked.run {
        return show(setting, run, as_json).await;
    }
    let now = setting.clock.now();
    let filter = Filter {
        job: asked.job.clone(),
        chain: asked.chain.clone(),
        statuses: asked.status.iter().flat_map(|one| one.0.clone()).collect(),
        since: asked.since.map(|when| when.from(now)),
        until: asked.until.map(|when| when.from(now)),
        at_most: asked.limit,
    };
    if asked.updates {
        return updates(setting, &filter, asked.csv, as_json);
    }
    let Found { all: runs, has_more } = activity::find(setting, &filter)?;
    if asked.csv {
        spreadsheet::print(&csv_header(), &runs.iter().map(csv_row).collect::<Vec<_>>())?;
    } else if as_json {
        runs.iter().for_each(|run| say!("{}", for_programs(run, &[])));
    } else {
        let paint = Paint::of_stdout();
        output::text(&runs.iter().map(|run| line(run, paint)).collect::<String>());
    }
    said_of(setting, runs.len(), has_more, "runs");
    Ok(0)
}

/// What is to be said of a list beside its lines.
fn said_of(setting: &Setting, shown: usize, has_more: bool, what: &str) {
    if shown == 0 {
        tell!("{} has no such {what}", setting.home.display());
    } else if has_more {
        tell!("the newest {shown} {what}; --limit N shows more, --since, --until and --job show others");
    }
}

/// Two lines: which run, of what, how it ended; then when, how much, and who started it.
fn line(run: &Run, paint: Paint) -> String {
    let status = Status::parse(&run.status);
    let words = status.map_or("?", Status::text);
    let room = COLUMNS - 2 - run.id.chars().count() - 4 - STATUS.max(words.chars().count());
    let first = format!("  {}  {:room$}  {words}", run.id, super::plan::cut(&run.job, room));
    let is_well = matches!(status, Some(Status::Success | Status::Planned | Status::Cancelled | Status::Skipped));
    let first = if is_well { first } else { paint.bold(&first) };
    let mut parts = vec![clock(&run.started)];
    parts.extend(seconds(run).map(length));
    if let Some(report) = report(run).filter(|_| status != Some(Status::Skipped)) {
        let Counts { read, .. } = report.counts;
        // A plan has written nothing.
        let written = if status == Some(Status::Planned) { "-".to_owned() } else { number(report.counts.sent()) };
        parts.push(format!("{} read, {written} written, {} failed", number(read), number(report.counts.failed())));
    }
    parts.extend(by_words(run));
    parts.extend(run.chain.as_ref().map(|chain| format!("in {}", on_one_line(chain))));
    let indent = " ".repeat(2 + run.id.chars().count() + 2);
    format!("{first}\n{}", paint.dim_lines(&wrapped(&parts.join(" · "), &indent, &indent)))
}

/// How long a run took in all, from its beginning to its end.
#[allow(clippy::cast_precision_loss)]
pub(super) fn seconds(run: &Run) -> Option<f64> {
    let [began, ended] = [Some(&run.started), run.ended.as_ref()].map(|at| DateTime::parse_from_rfc3339(at?).ok());
    Some((ended? - began?).num_milliseconds() as f64 / 1_000.0)
}

/// A time of the state as people read it: in UTC, without the fraction of a second.
pub(super) fn clock(at: &str) -> String {
    match DateTime::parse_from_rfc3339(at) {
        Ok(at) => at.to_utc().format("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => on_one_line(at),
    }
}

pub(super) fn report(run: &Run) -> Option<Report> {
    serde_json::from_str(run.report.as_ref()?).ok()
}

pub(super) fn for_programs(run: &Run, stages: &[Stage]) -> Value {
    let stages: Vec<Value> = stages
        .iter()
        .map(|s| json!({ "name": s.name, "started": s.started, "seconds": s.seconds, "rows": s.rows }))
        .collect();
    let mut value = match report(run) {
        Some(report) => json!(report),
        None => json!({ "run": run.id, "job": run.job, "message": run.message }),
    };
    // A report keeps how the run ended; whether it still is under way is known from outside.
    value["status"] = json!(run.status);
    value["chain"] = json!(run.chain);
    value["by"] = json!(run.by);
    value["due_at"] = json!(run.slot_ms.and_then(DateTime::from_timestamp_millis).map(|at| at.to_rfc3339()));
    value["started"] = json!(run.started);
    value["ended"] = json!(run.ended);
    if !stages.is_empty() {
        value["stages"] = json!(stages);
    }
    value
}

fn csv_header() -> Vec<&'static str> {
    let head = ["run", "job", "chain", "status", "by", "due_at", "started", "ended", "seconds", "read"];
    let outcomes = Outcome::ALL.into_iter().map(Outcome::text);
    let calls = ["calls_dynamics", "calls_gainsight", "calls_gainsight_writes", "error_file", "message"];
    head.into_iter().chain(outcomes).chain(calls).collect()
}

fn csv_row(run: &Run) -> Vec<String> {
    let report = report(run);
    let of = |value: &dyn Fn(&Report) -> String| report.as_ref().map(value).unwrap_or_default();
    let due_at = run.slot_ms.and_then(DateTime::from_timestamp_millis).map(|at| at.to_rfc3339());
    let mut row = vec![
        run.id.clone(),
        run.job.clone(),
        run.chain.clone().unwrap_or_default(),
        run.status.clone(),
        run.by.clone().unwrap_or_default(),
        due_at.unwrap_or_default(),
        run.started.clone(),
        run.ended.clone().unwrap_or_default(),
        seconds(run).map(|seconds| seconds.to_string()).unwrap_or_default(),
        of(&|report| report.counts.read.to_string()),
    ];
    row.extend(Outcome::ALL.into_iter().map(|outcome| of(&|report| report.counts.of(outcome).to_string())));
    row.push(of(&|report| report.calls.dynamics.to_string()));
    row.push(of(&|report| report.calls.gainsight.to_string()));
    row.push(of(&|report| report.calls.gainsight_writes.to_string()));
    row.push(of(&|report| report.error_file.as_ref().map(|path| path.display().to_string()).unwrap_or_default()));
    row.push(run.message.clone().unwrap_or_default());
    row
}

fn updates(setting: &Setting, filter: &Filter, as_csv: bool, as_json: bool) -> Ended {
    let Found { all, has_more } = activity::updates(setting, filter)?;
    if as_csv {
        let row = |one: &Update| {
            let sides = [&one.before, &one.after].map(|side| side.clone().unwrap_or_default());
            [&one.at, &one.by, &one.kind, &one.name, &one.action].into_iter().cloned().chain(sides).collect()
        };
        let header = ["at", "by", "kind", "name", "action", "from", "to"];
        spreadsheet::print(&header, &all.iter().map(row).collect::<Vec<_>>())?;
    } else if as_json {
        for one in &all {
            say!(
                "{}",
                json!({ "at": one.at, "by": one.by, "kind": one.kind, "name": one.name, "action": one.action,
                    "from": one.before, "to": one.after })
            );
        }
    } else {
        let paint = Paint::of_stdout();
        output::text(&all.iter().map(|one| changed(one, paint)).collect::<String>());
    }
    said_of(setting, all.len(), has_more, "changes");
    Ok(0)
}

/// One change: when, what, by whom; then what it was and what it is.
fn changed(one: &Update, paint: Paint) -> String {
    let what = format!("{} {} {}", on_one_line(&one.kind), quoted(&one.name), on_one_line(&one.action));
    let mut text = format!("  {}  {} · {}\n", clock(&one.at), paint.bold(&what), on_one_line(&one.by));
    // What was created or deleted as a whole says enough by its name.
    let sides = match one.action.as_str() {
        "created" | "deleted" if one.kind != "connection" || one.before.is_none() => return text,
        _ => [("-", &one.before), ("+", &one.after)],
    };
    for (sign, side) in sides {
        let lines: Vec<&str> = side.as_deref().unwrap_or_default().lines().collect();
        for line in lines.iter().take(LINES_AT_MOST) {
            let line = super::plan::cut(line.trim_end(), COLUMNS - 26);
            text.push_str(&format!("{}\n", paint.dim(&format!("                       {sign} {line}"))));
        }
        if lines.len() > LINES_AT_MOST {
            let more =
                format!("                       {sign} … {} lines more; --json has them", lines.len() - LINES_AT_MOST);
            text.push_str(&format!("{}\n", paint.dim(&more)));
        }
    }
    text
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", on_one_line(name))
}
