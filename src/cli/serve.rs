//! `ferry serve`: the daemon on a terminal or below an init system.

use std::sync::Arc;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::arguments_serve::{Listen, Log, Serve};
use super::output::{on_one_line, tell};
use super::start::Ended;
use crate::app::error::Error;
use crate::app::workspace::Setting;
use crate::daemon::answers::{self, Answers, STAYS_AT_MOST};
use crate::daemon::journal;
use crate::daemon::options::Options;
use crate::daemon::serve::{self, Stop};
use crate::daemon::told::{Defined, Listener, Told};
use crate::daemon::traces::{Collector, Traces};
use crate::daemon::watching::Watching;
use crate::run::progress::Event;

/// How long a collector has for an answer, where the standard variables do not say. <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>
const SPANS_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn serve(setting: Setting, arguments: &Serve) -> Ended {
    let options = Options {
        stop_within: Duration::from_secs(arguments.stop_within),
        side_by_side: usize::from(arguments.side_by_side),
        ..Options::default()
    };
    let (say_stop, stop) = watch::channel(Stop::No);
    let log = arguments.log;
    let watching = Arc::new(Watching::new(&setting, traces(&setting, log)));
    let answering = answering(arguments.listen, &watching, &setting, log).await?;
    let ear = Arc::clone(&watching);
    let listener: Listener = Arc::new(move |told| {
        // Whoever reads a line finds what it says.
        ear.hear(told);
        write(told, log);
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
    if let Some(answering) = answering {
        answering.abort();
        let _ = answering.await;
    }
    if let Some(watching) = Arc::into_inner(watching) {
        watching.end().await;
    }
    served?;
    Ok(0)
}

fn write(told: &Told, log: Log) {
    match log {
        Log::Json => journal::line(told, Utc::now()).into_iter().for_each(|line| tell!("{line}")),
        Log::Text => {
            if let Some(line) = line(told) {
                tell!("{} {}", moment(Utc::now()), on_one_line(&line));
            }
        }
    }
}

/// Begins to answer those who watch.
async fn answering(
    listen: Listen,
    watching: &Watching,
    setting: &Setting,
    log: Log,
) -> Result<Option<JoinHandle<()>>, Error> {
    let Listen::At(address) = listen else { return Ok(None) };
    let failed = |error: std::io::Error| {
        Error::Usage(format!("{address} cannot be listened at: {error}; --listen takes another, or none"))
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    write(&Told::Listening(bound), log);
    let answers = Answers {
        health: Arc::clone(&watching.health),
        metrics: Arc::clone(&watching.metrics),
        place: setting.place(),
        clock: setting.clock,
        stays: STAYS_AT_MOST,
    };
    Ok(Some(tokio::spawn(async move {
        if let Err(error) = answers::answer(listener, answers).await {
            write(&Told::Notice(format!("nothing answers any more: {error}")), log);
        }
    })))
}

/// Traces, where the standard variables ask for them. What is wrong with them stops nothing.
/// <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>
fn traces(setting: &Setting, log: Log) -> Option<Traces> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_off = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || set("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    let is_wanted =
        ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"].map(set).iter().any(Option::is_some);
    if is_off || !is_wanted {
        return None;
    }
    let timeout = set("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or_else(|| set("OTEL_EXPORTER_OTLP_TIMEOUT"));
    let timeout = timeout.and_then(|ms| ms.parse().ok()).map_or(SPANS_TIMEOUT, Duration::from_millis);
    let collector =
        Collector { endpoint: None, timeout, authorities: setting.authorities.clone(), place: setting.place() };
    let begun = Traces::begin(collector, move |why| write(&Told::Notice(why), log));
    begun.map_err(|error| write(&Told::Notice(error.to_string()), log)).ok()
}

/// What is told, on a line; none for what is of no interest to people.
fn line(told: &Told) -> Option<String> {
    Some(match told {
        Told::Listening(address) => {
            let whom = if address.ip().is_loopback() { "" } else { "; whoever reaches it reads the names of jobs" };
            format!("http://{address} answers /healthz, /readyz and /metrics{whom}")
        }
        Told::StandsBy { why } => format!("standing by: {why}"),
        Told::Started(of) => format!("serving {}", defined(of)),
        Told::Reloaded(of) => format!("files have changed: {}", defined(of)),
        Told::Broken { mistakes, first } => format!(
            "files have changed and have {mistakes} mistakes, so the last right ones stay in force; `ferry check` shows them; {first}"
        ),
        Told::Unchecked { why } => {
            format!(
                "files cannot be checked, which is tried again; until then those stay in force that were right: {why}"
            )
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
        Event::Advanced { .. } | Event::Spent { .. } | Event::Ended { .. } | Event::Over => None,
    }
}

fn defined(of: &Defined) -> String {
    let number = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    format!("{} and {}, {} of them scheduled", number(of.jobs, "job"), number(of.chains, "chain"), of.scheduled)
}

fn moment(at: chrono::DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
