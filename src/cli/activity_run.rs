//! `ferry activity RUN`: one run on one screen, for whoever has to know why it is as it is, and what to do.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::activity::{clock, for_programs, report, seconds};
use super::output;
use super::output::{on_one_line, say};
use super::plan::cut;
use super::run::body;
use super::start::Ended;
use super::table::{Paint, number, wrapped};
use super::timeline::{Bar, length, timeline};
use super::typed::{quoted, typed};
use crate::app::activity::{self, Shown};
use crate::app::workspace::Setting;
use crate::model::outcome::{Counts, Status};
use crate::store::error_rows::ReasonRows;
use crate::store::ledger::{Phase, Tally};
use crate::store::runs::Run;
use crate::store::standing::Standing;

/// Seconds by which the times of calls and of the stage that they belong to may differ: they are told by two clocks.
const SLACK: f64 = 0.1;
/// Lines of a screen, with the one that the command was typed in.
const LINES: usize = 40;
/// Reasons that are shown however long all of it becomes; others are shown as far as there is room, and are all in the JSON.
const REASONS_AT_LEAST: usize = 2;

pub(super) async fn show(setting: &Setting, id: &str, as_json: bool) -> Ended {
    let shown = activity::show(setting, id).await?;
    if as_json {
        say!("{}", whole(setting, &shown));
    } else {
        output::text(&for_people(setting, &shown, Paint::of_stdout()));
    }
    Ok(0)
}

/// Who or what started a run, in words.
pub(super) fn by_words(run: &Run) -> Option<String> {
    run.by
        .as_deref()
        .map(|by| if by == "schedule" { "by schedule".to_owned() } else { format!("by {}", on_one_line(by)) })
}

fn for_people(setting: &Setting, shown: &Shown, paint: Paint) -> String {
    let run = &shown.run;
    let status = Status::parse(&run.status);
    let title = format!("{} · run {} · {}", on_one_line(&run.job), run.id, status.map_or("?", Status::text));
    let mut text = format!("\n{}\n{}", paint.bold(&title), head(shown));
    text.push_str(&timeline(bars(shown, setting.clock.now()), paint));
    if let Some(report) = report(run) {
        text.push_str(&body(&report));
    }
    if let Some(standing) = &shown.standing {
        text.push_str(&stands(standing));
    }
    let rest = rest(setting, shown, paint);
    let room = LINES.saturating_sub(text.lines().count() + rest.lines().count() + 1);
    text.push_str(&why(&shown.reasons, room, paint));
    text.push_str(&rest);
    text
}

/// What stands below the reasons: what is gone, who was told, why it stopped, what to do.
fn rest(setting: &Setting, shown: &Shown, paint: Paint) -> String {
    let run = &shown.run;
    let mut text = String::new();
    let had_errors = report(run).is_some_and(|report| report.error_file.is_some());
    if had_errors && shown.kept.error_file.is_none() {
        text.push_str("  its error file was cleaned away\n");
    } else if !shown.kept.has_rows && run.ended.is_some() && shown.standing.is_none() {
        text.push_str("  its rows and its plan were cleaned away\n");
    }
    for one in &shown.told {
        let state = one.state.replace('_', " ");
        let said = one.message.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
        let tries = if one.state == "delivered" { String::new() } else { format!(", {} tries", one.tries) };
        let words = format!("notice to {} {state}{tries}{said}", one.address);
        text.push_str(&wrapped(&on_one_line(&words), "  ", "      "));
    }
    if let Some((by, at)) = &shown.approved {
        text.push_str(&format!("  allowed by {} at {}\n", on_one_line(by), clock(at)));
    }
    if let Some(message) = run.message.as_ref().filter(|_| run.status != Status::Success.word()) {
        text.push_str(&format!("\n{}", paint.bold_lines(&wrapped(&on_one_line(message), "  ", "  "))));
    }
    let next = next(shown);
    if !next.is_empty() {
        text.push_str(&format!("\n  {}\n", paint.dim("what to do")));
    }
    for (command, what) in next {
        text.push_str(&format!("    {}\n      {what}\n", paint.bold(&typed(setting, &command))));
    }
    text
}

/// When, by whom, in which chain, with how many processes.
fn head(shown: &Shown) -> String {
    let run = &shown.run;
    let mut parts = vec![format!("began {} UTC", clock(&run.started))];
    parts.extend(by_words(run));
    parts.extend(seconds(run).map(|seconds| format!("{} in all", length(seconds))));
    if shown.run.attempts > 1 {
        parts.push(format!("{} processes", shown.run.attempts));
    }
    let mut text = wrapped(&parts.join(" · "), "  ", "  ");
    if let Some(due) = run.slot_ms.and_then(DateTime::from_timestamp_millis) {
        text.push_str(&format!("  due by its schedule at {} UTC\n", due.format("%Y-%m-%d %H:%M:%S")));
    }
    if let Some(chain) = &run.chain {
        text.push_str(&format!("  part of the chain {}\n", on_one_line(chain)));
    }
    text.push('\n');
    text
}

/// Its stages, and what a process loaded that did not come to the end of it.
#[allow(clippy::cast_precision_loss)]
fn bars(shown: &Shown, now: DateTime<Utc>) -> Vec<Bar> {
    let since_1970 =
        |at: &str| DateTime::parse_from_rfc3339(at).map_or(0.0, |at| at.timestamp_millis() as f64 / 1_000.0);
    let stages = shown.stages.iter().map(|stage| Bar {
        name: stage.name.clone(),
        began: since_1970(&stage.started),
        seconds: stage.seconds,
        note: if stage.rows == 0 { String::new() } else { format!("{} rows", number(stage.rows.unsigned_abs())) },
        is_whole: true,
    });
    let mut bars: Vec<Bar> = stages.collect();
    let is_running = shown.run.status == Status::Running.word();
    for one in &shown.loaded {
        let (began, ended) = (one.first_ms as f64 / 1_000.0, one.last_ms as f64 / 1_000.0);
        let is_in =
            |bar: &Bar| bar.name == "load" && began >= bar.began - SLACK && ended <= bar.began + bar.seconds + SLACK;
        if bars.iter().any(is_in) {
            continue;
        }
        let is_last = shown.loaded.last() == Some(one) && is_running;
        let seconds = if is_last { now.timestamp_millis() as f64 / 1_000.0 - began } else { ended - began };
        let note = format!("{} calls, {}", number(one.calls), if is_last { "goes on" } else { "broke off" });
        bars.push(Bar { name: "load".to_owned(), began, seconds, note, is_whole: false });
    }
    let phase = shown.standing.as_ref().map(|standing| standing.phase);
    if let (true, Some(phase @ (Phase::Extracting | Phase::Extracted))) = (is_running, phase) {
        let began = bars.iter().map(|bar| bar.began + bar.seconds).fold(since_1970(&shown.run.started), f64::max);
        let name = if phase == Phase::Extracting { "extract" } else { "plan" };
        let seconds = (now.timestamp_millis() as f64 / 1_000.0 - began).max(0.0);
        bars.push(Bar { name: name.to_owned(), began, seconds, note: "goes on".to_owned(), is_whole: false });
    }
    bars
}

/// Why rows failed: how many for each reason, and one of them, as far as there is room for lines.
fn why(reasons: &[ReasonRows], room: usize, paint: Paint) -> String {
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = format!("\n  {}\n", paint.dim("why rows failed"));
    for (at, one) in reasons.iter().enumerate() {
        let reason = reason(one, paint);
        if at >= REASONS_AT_LEAST && text.lines().count() + reason.lines().count() > room {
            let (more, rows) = (reasons.len() - at, reasons[at..].iter().map(|one| one.rows).sum());
            let words = format!("and {} for {more} other reasons; --json has all", number(rows));
            text.push_str(&format!("  {}\n", paint.dim(&words)));
            break;
        }
        text.push_str(&reason);
    }
    text
}

fn reason(one: &ReasonRows, paint: Paint) -> String {
    let field = if one.target_field.is_empty() { String::new() } else { format!(" · {}", one.target_field) };
    let head = format!("{:>7} {} · {} · {}{field}", number(one.rows), one.code, one.outcome, one.script);
    let mut text = format!("{}\n", paint.bold(&cut(&head, 80)));
    text.push_str(&wrapped(&cut(&one.message, 210), "          ", "          "));
    let value = Some(&one.value).filter(|value| !value.is_empty() && **value != one.source_key);
    let value = value.map(|value| format!(": '{}'", cut(value, 21))).unwrap_or_default();
    let example = format!("          such as {}{value}", cut(&one.source_key, 36));
    text.push_str(&format!("{}\n", paint.dim(&example)));
    text
}

/// How a run stands that is not at its end.
fn stands(standing: &Standing) -> String {
    let words = match standing.phase {
        Phase::Extracting => format!("it was reading: {} rows of the source are kept", number(standing.read)),
        Phase::Extracted => {
            format!("everything is read, {} rows of the source; it was planning", number(standing.read))
        }
        Phase::Loading | Phase::Ended | Phase::Planning => {
            let planned: Option<Counts> = standing.planned.as_deref().and_then(|text| serde_json::from_str(text).ok());
            let of = planned.map_or_else(String::new, |c| format!(" of {}", number(c.sent())));
            let Tally { written, failed, open } = standing.tally;
            format!(
                "it was loading: {}{of} rows are written, {} failed, {} were sent and have no answer",
                number(written),
                number(failed),
                number(open)
            )
        }
    };
    wrapped(&words, "  ", "  ")
}

/// What can be done, each as a command and what it does.
fn next(shown: &Shown) -> Vec<(String, &'static str)> {
    let run = &shown.run;
    let id = &run.id;
    let of = |verb: &str| format!("ferry {verb} {id}");
    let again = || format!("ferry run {}", quoted(&run.job));
    let resume = (of("resume"), "goes on with it; so do the next run of the job, and `ferry serve`");
    let cancel = (of("cancel"), "gives it up; the next run of the job compares anew");
    let mut all = match Status::parse(&run.status) {
        Some(Status::Running) => vec![(of("pause"), "stops it where it is; it is under way now")],
        Some(Status::Planned) if shown.kept.has_rows => {
            vec![(of("apply"), "loads exactly this plan, for a day after it was made")]
        }
        Some(Status::WaitingApproval) => vec![(of("approve"), "allows it to change as much as it planned"), cancel],
        Some(Status::WaitingAuth) => {
            vec![
                ("ferry connection list".to_owned(), "names the connections, for `ferry connection authorize`"),
                resume,
            ]
        }
        Some(
            Status::Interrupted | Status::Failed | Status::WaitingQuota | Status::WaitingRetry | Status::WaitingTarget,
        ) => match shown.standing {
            Some(_) => vec![resume, cancel],
            None => vec![(again(), "begins anew; nothing of this run is gone on with")],
        },
        Some(Status::Skipped) => {
            let chain = run.chain.as_deref().unwrap_or_default();
            vec![(format!("ferry activity --chain {}", quoted(chain)), "shows which run before it failed")]
        }
        Some(Status::Cancelled) => vec![(again(), "begins anew")],
        _ => Vec::new(),
    };
    if let (Some(_), Some(first)) = (&shown.kept.error_file, shown.reasons.first()) {
        all.push((format!("ferry errors {id} --code {}", quoted(&first.code)), "prints the rows, with their columns"));
        if shown.standing.is_none() {
            all.push((of("replay"), "runs the rows of the error file again, once their cause is mended"));
        }
    }
    all
}

/// Everything, for programs.
fn whole(setting: &Setting, shown: &Shown) -> Value {
    let mut value = for_programs(&shown.run, &shown.stages);
    value["processes"] = json!(shown.run.attempts);
    if let Some(standing) = &shown.standing {
        value["standing"] = json!({ "phase": standing.phase.word(), "read": standing.read,
            "written": standing.tally.written, "failed": standing.tally.failed, "without_answer": standing.tally.open,
            "calls": standing.calls.0, "calls_without_answer": standing.calls.1 });
    }
    let reasons = shown.reasons.iter().map(|one| {
        json!({ "outcome": one.outcome, "code": one.code, "script": one.script, "target_field": one.target_field,
            "rows": one.rows,
            "example": { "source_key": one.source_key, "message": one.message, "value": one.value } })
    });
    value["reasons"] = reasons.collect();
    let at = |ms: i64| DateTime::from_timestamp_millis(ms).map(|at| at.to_rfc3339());
    let loaded = shown
        .loaded
        .iter()
        .map(|one| json!({ "first_call": at(one.first_ms), "last_call": at(one.last_ms), "calls": one.calls }));
    value["loaded"] = loaded.collect();
    value["files"] = json!({ "rows": shown.kept.has_rows, "error_file": shown.kept.error_file });
    let told = shown.told.iter().map(|one| {
        json!({ "address": one.address, "event": one.event, "state": one.state, "tries": one.tries, "at": one.at,
            "message": one.message })
    });
    value["notices"] = told.collect();
    value["approved"] = json!(shown.approved.as_ref().map(|(by, at)| json!({ "by": by, "at": at })));
    let next =
        next(shown).into_iter().map(|(command, what)| json!({ "command": typed(setting, &command), "does": what }));
    value["next"] = next.collect();
    value
}
