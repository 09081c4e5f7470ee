//! Progress while a run runs: a line that renews itself on a terminal, a line for each stage where output is piped.

use super::output::tell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::start::is_terminal;
use crate::run::progress::{Event, Progress};

/// Whoever shows progress on stderr.
pub(super) fn listener() -> Progress {
    if is_terminal() { bars() } else { plain() }
}

fn bars() -> Progress {
    let bar = ProgressBar::new_spinner();
    let unknown = ProgressStyle::with_template("  {spinner} {prefix} · {msg}");
    let known = ProgressStyle::with_template("  {spinner} {prefix} · {msg} {wide_bar} {pos}/{len}");
    let (unknown, known) = (
        unknown.unwrap_or_else(|_| ProgressStyle::default_spinner()),
        known.unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    Arc::new(move |event| match event {
        Event::Began { job, run, .. } => {
            bar.reset();
            bar.set_style(unknown.clone());
            bar.set_prefix(format!("{run} {job}"));
            bar.set_message("starting");
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Event::Advanced { stage, rows, of: Some(of) } => {
            bar.set_style(known.clone());
            bar.set_length(of);
            bar.set_position(rows);
            bar.set_message(stage);
        }
        Event::Advanced { stage, rows, of: None } => {
            bar.set_style(unknown.clone());
            bar.set_message(format!("{stage} {rows} rows"));
        }
        Event::Notice(text) => bar.suspend(|| tell!("note: {text}")),
        Event::Ended => bar.finish_and_clear(),
    })
}

fn plain() -> Progress {
    let last: Mutex<(String, &'static str)> = Mutex::default();
    Arc::new(move |event| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Began { run, job, goes_on } => {
                tell!("{run} {job}: {}", if goes_on { "goes on" } else { "started" });
                *last = (run, "");
            }
            Event::Advanced { stage, .. } if last.1 != stage => {
                tell!("{}", format!("{} {stage}", last.0).trim_start());
                last.1 = stage;
            }
            Event::Notice(text) => tell!("note: {text}"),
            Event::Advanced { .. } | Event::Ended => {}
        }
    })
}
