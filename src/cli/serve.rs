//! `ferry serve`: the daemon on a terminal or below an init system.

use std::sync::Arc;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use tokio::sync::watch;

use super::arguments_serve::Serve;
use super::output::{on_one_line, tell};
use super::start::Ended;
use crate::app::workspace::Setting;
use crate::daemon::options::Options;
use crate::daemon::serve::{self, Stop};
use crate::daemon::told::{Defined, Listener, Told};
use crate::run::progress::Event;

pub(super) async fn serve(setting: Setting, arguments: &Serve) -> Ended {
    let options = Options {
        stop_within: Duration::from_secs(arguments.stop_within),
        side_by_side: usize::from(arguments.side_by_side),
        ..Options::default()
    };
    let (say_stop, stop) = watch::channel(Stop::No);
    let listener: Listener = Arc::new(|told| {
        if let Some(line) = line(told) {
            tell!("{} {}", moment(Utc::now()), on_one_line(&line));
        }
    });
    let signals = tokio::spawn(async move {
        // The first asks to stop, the second does not wait.
        for word in [Stop::Soon, Stop::Now] {
            super::run::asked_to_stop().await;
            if say_stop.send(word).is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    });
    let served = serve::serve(setting, options, listener, stop).await;
    signals.abort();
    served?;
    Ok(0)
}

/// What is told, on a line; none for what is of no interest to people.
fn line(told: &Told) -> Option<String> {
    Some(match told {
        Told::Started(of) => format!("serving {}", defined(*of)),
        Told::Reloaded(of) => format!("files have changed: {}", defined(*of)),
        Told::Broken { mistakes, first } => format!(
            "files have changed and have {mistakes} mistakes, so the last right ones stay in force; `ferry check` shows them; {first}"
        ),
        Told::Unchecked { why } => {
            format!("files have changed and cannot be checked, so the last right ones stay in force: {why}")
        }
        Told::Due { name, slot, .. } => format!("\"{name}\" is due since {}", moment(*slot)),
        Told::Passed { name, slot, why } => format!("\"{name}\" of {} is {why}", moment(*slot)),
        Told::Waits { name, why } => format!("\"{name}\" waits: {why}"),
        Told::Heard { event, .. } => return heard(event),
        Told::Ended { report, .. } => {
            let counts = &report.counts;
            format!(
                "run {} of \"{}\": {}; {} rows read, {} written, {} failed{}",
                report.run,
                report.job,
                report.status.text(),
                counts.read,
                counts.sent(),
                counts.failed(),
                report.message.as_ref().map_or_else(String::new, |message| format!("; {message}"))
            )
        }
        Told::Failed { name, why } => format!("\"{name}\" did not end: {why}"),
        Told::Retried { name, at, tries } => {
            format!("\"{name}\" is tried again at {} (try {})", moment(*at), tries + 1)
        }
        Told::GivenUp { name, tries } => format!("\"{name}\" was tried {tries} times; it is due again by its schedule"),
        Told::Notice(text) => text.clone(),
        Told::Stopping { under_way: 0, .. } => "stopping".to_owned(),
        Told::Stopping { under_way, seconds } => format!("stopping: {under_way} under way, which have {seconds} s"),
        Told::Stopped { left: 0 } => "stopped".to_owned(),
        Told::Stopped { left } => {
            format!("stopped; {left} were left where they were, and the next `ferry serve` goes on with them")
        }
        Told::Turned { .. } => return None,
    })
}

fn heard(event: &Event) -> Option<String> {
    match event {
        Event::Began { run, job, goes_on: false } => Some(format!("run {run} of \"{job}\" begins")),
        Event::Began { run, job, goes_on: true } => Some(format!("run {run} of \"{job}\" goes on")),
        Event::Notice(text) => Some(text.clone()),
        Event::Advanced { .. } | Event::Ended { .. } | Event::Over => None,
    }
}

fn defined(of: Defined) -> String {
    let number = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    format!("{} and {}, {} of them scheduled", number(of.jobs, "job"), number(of.chains, "chain"), of.scheduled)
}

fn moment(at: chrono::DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
