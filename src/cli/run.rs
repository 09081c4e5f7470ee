//! `ferry run`, and how a report looks.

use std::sync::Arc;

use super::notices::deliver;
use super::output;
use super::output::{say, tell};
use super::profile::Profile;
use super::progress::Screen;
use super::start::Ended;
use super::table::{lines, number, wrapped};
use crate::app::error::Error;
use crate::app::workspace::{Setting, Workspace};
use crate::app::{applying, resuming, runs, stopping};
use crate::model::outcome::{Calls, Outcome, Status};
use crate::run::progress::{Event, Progress};
use crate::run::report::{ReadHow, Report};
use crate::run::undertaking::How;

pub(super) async fn run(setting: &Setting, name: &str, how: &How, profile: bool, json: bool) -> Ended {
    let workspace = Workspace::ready(setting).await?;
    let mut failed_rows = 0;
    let (screen, kept) = (Screen::new(), Profile::default());
    let progress = &if profile { kept.listening(Arc::clone(&screen.progress)) } else { Arc::clone(&screen.progress) };
    let run = runs::run_so(&workspace, setting, name, how, progress, |report| {
        failed_rows += screen.aside(|| shown(report, json))
    });
    let ended = ended_and_told(run, progress, setting, &workspace).await;
    if profile {
        kept.show(json);
    }
    ended?;
    Ok(u8::from(failed_rows > 0))
}

pub(super) async fn resume(setting: &Setting, run: Option<&str>, json: bool) -> Ended {
    let workspace = Workspace::ready(setting).await?;
    let mut failed_rows = 0;
    let screen = Screen::new();
    let progress = &screen.progress;
    let run = resuming::resume(&workspace, setting, run, progress, |report| {
        failed_rows += screen.aside(|| shown(report, json))
    });
    ended_and_told(run, progress, setting, &workspace).await?;
    Ok(u8::from(failed_rows > 0))
}

pub(super) async fn apply(setting: &Setting, run: &str, json: bool) -> Ended {
    let workspace = Workspace::ready(setting).await?;
    let mut failed_rows = 0;
    let screen = Screen::new();
    let progress = &screen.progress;
    let run = applying::apply(&workspace, setting, run, progress, |report| {
        failed_rows += screen.aside(|| shown(report, json))
    });
    ended_and_told(run, progress, setting, &workspace).await?;
    Ok(u8::from(failed_rows > 0))
}

pub(super) async fn replay(setting: &Setting, run: &str, codes: &[String], json: bool) -> Ended {
    let workspace = Workspace::ready(setting).await?;
    let mut failed_rows = 0;
    let screen = Screen::new();
    let progress = &screen.progress;
    let run = resuming::replay(&workspace, setting, run, codes, progress, |report| {
        failed_rows += screen.aside(|| shown(report, json))
    });
    ended_and_told(run, progress, setting, &workspace).await?;
    Ok(u8::from(failed_rows > 0))
}

/// The same, and then the notices of what has ended.
async fn ended_and_told(
    run: impl Future<Output = Result<(), Error>>,
    progress: &Progress,
    setting: &Setting,
    workspace: &Workspace,
) -> Result<(), Error> {
    let ended = until_interrupted(run, setting, progress).await;
    if !matches!(ended, Err(Error::Interrupted)) {
        deliver(setting, workspace).await;
    }
    ended
}

/// A run as far as it comes before somebody asks the process to stop. It needs no farewell: everything that it does is written down
/// before, and calls under way are asked about by whoever goes on with it.
async fn until_interrupted(
    run: impl Future<Output = Result<(), Error>>,
    setting: &Setting,
    progress: &Progress,
) -> Result<(), Error> {
    let ended = tokio::select! {
        ended = run => ended,
        () = asked_to_stop() => Err(Error::Interrupted),
        () = stopping::paused(setting) => Err(Error::Interrupted),
    };
    progress(Event::Over);
    ended
}

/// Comes back when the terminal or the system asks the process to stop.
#[cfg(unix)]
pub(super) async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
pub(super) async fn asked_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

pub(super) async fn cancel(setting: &Setting, run: &str, json: bool) -> Ended {
    let run = stopping::cancel(setting, run).await?;
    if json {
        say!("{}", serde_json::json!({ "run": run.id, "job": run.job, "status": "cancelled" }));
    } else {
        tell!("run {} of \"{}\" is given up; the next run of the job compares anew", run.id, run.job);
    }
    Ok(0)
}

/// Shows a report as soon as it is there; gives its failed rows.
fn shown(report: &Report, json: bool) -> u64 {
    if json {
        say!("{}", serde_json::json!(report))
    } else {
        output::text(&for_people(report))
    }
    report.counts.failed()
}

/// How the source was read.
pub(super) fn read_how(read: &ReadHow) -> String {
    match &read.full {
        Some(why) => format!("read: everything ({why})"),
        None => {
            let (changed, gone) = (number(read.changed), number(read.gone));
            format!("read: what changed ({changed} rows new or changed, {gone} gone); all are compared")
        }
    }
}

/// What hindered calls, a line; nothing if nothing did.
fn hindered(calls: &Calls) -> String {
    let some = |count: u64, words: &str| (count > 0).then(|| format!("{} {words}", number(count)));
    let waited = (calls.waited_ms >= 100).then(|| {
        let tenths = calls.waited_ms / 100;
        format!("{}.{} s waited", number(tenths / 10), tenths % 10)
    });
    let said = [some(calls.throttled, "refused as too many"), some(calls.retries, "sent again"), waited];
    let said: Vec<String> = said.into_iter().flatten().collect();
    if said.is_empty() { String::new() } else { format!("  of the calls: {}\n", said.join(", ")) }
}

/// A report for people: rows, records, calls, the error file.
pub(super) fn for_people(report: &Report) -> String {
    let (job, run, status) = (&report.job, &report.run, report.status.text());
    let mut text = format!("\n{job} · run {run} · {status} · {:.1} s\n{}", report.seconds, body(report));
    if let Some(message) = &report.message {
        text.push_str(&format!("  {}\n", output::shown(message)));
    }
    text
}

/// The same without its head and its message; of a run that never began there is nothing else.
pub(super) fn body(report: &Report) -> String {
    let mut text = String::new();
    if report.status == Status::Skipped {
        return text;
    }
    let counts = &report.counts;
    let shown = |o: &Outcome| {
        matches!(o, Outcome::Rejected | Outcome::Error | Outcome::Inserted | Outcome::Updated | Outcome::Unchanged)
            || counts.of(*o) > 0
    };
    let outcomes: Vec<Outcome> = Outcome::ALL.into_iter().filter(shown).collect();
    let header: Vec<&str> = ["", "read"].into_iter().chain(outcomes.iter().map(|o| o.text())).collect();
    let mut row = vec!["rows".to_owned(), number(counts.read)];
    row.extend(outcomes.iter().map(|o| number(counts.of(*o))));
    let mut rows = vec![row];
    for (object, records) in &report.records {
        let mut row = vec![object.clone(), String::new()];
        row.extend(outcomes.iter().map(|o| match o {
            Outcome::Inserted => number(records.inserted),
            Outcome::Updated => number(records.updated),
            Outcome::Unchanged => number(records.unchanged),
            Outcome::Deleted => number(records.deleted),
            Outcome::Error => number(records.error),
            _ => String::new(),
        }));
        rows.push(row);
    }
    text.push_str(&lines(&header, &rows));
    if let Some(read) = &report.read {
        text.push_str(&format!("  {}\n", read_how(read)));
    }
    let calls = &report.calls;
    text.push_str(&format!(
        "  calls: {} to Dynamics, {} to Gainsight, {} of them writes\n",
        number(calls.dynamics),
        number(calls.gainsight),
        number(calls.gainsight_writes)
    ));
    text.push_str(&hindered(calls));
    if let Some(file) = &report.error_file {
        // Of a run that was stopped the counts end where it did, and the file has what the plan knew of the rest too.
        let rows = if matches!(report.status, Status::Failed | Status::WaitingQuota) {
            String::new()
        } else {
            format!(" ({} rows)", number(counts.failed()))
        };
        text.push_str(&format!("  error file: {}{rows}\n", file.display()));
    }
    if report.resumed > 0 {
        let times = if report.resumed == 1 { "once".to_owned() } else { format!("{} times", report.resumed) };
        let words = format!("it was interrupted {times}, and gone on with; calls and seconds are of the last part");
        text.push_str(&wrapped(&words, "  ", "  "));
    }
    if let Some(chosen) = report.chosen {
        text.push_str(&format!("  {} rows were chosen; the others are counted as filtered\n", number(chosen)));
    }
    if let Some(retried) = &report.retried {
        let (rows, fixed) = (number(retried.rows), number(retried.fixed));
        text.push_str(&format!("  due from earlier runs: {rows} rows, {fixed} of them succeeded or are gone\n"));
    }
    text
}
