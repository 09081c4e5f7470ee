//! Progress while runs run: on a terminal a line for each that renews itself, a line for each stage where output is piped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::output::tell;
use super::start::is_terminal;
use crate::run::progress::{Event, Progress};

/// Whoever shows progress on stderr.
pub(super) fn listener() -> Progress {
    Screen::new().progress
}

/// Progress on stderr, which makes room for what is written beside it.
pub(super) struct Screen {
    pub(super) progress: Progress,
    bars: Option<MultiProgress>,
}

impl Screen {
    pub(super) fn new() -> Self {
        if !is_terminal() {
            return Self { progress: plain(), bars: None };
        }
        let bars = MultiProgress::new();
        Self { progress: moving(bars.clone()), bars: Some(bars) }
    }

    /// Writes something while runs may be under way.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

/// A line for each run that is under way.
fn moving(bars: MultiProgress) -> Progress {
    let unknown = ProgressStyle::with_template("  {spinner} {prefix} · {msg}");
    let known = ProgressStyle::with_template("  {spinner} {prefix} · {msg} {wide_bar} {pos}/{len}");
    let (unknown, known) = (
        unknown.unwrap_or_else(|_| ProgressStyle::default_spinner()),
        known.unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let shown: Mutex<BTreeMap<String, ProgressBar>> = Mutex::default();
    Arc::new(move |event| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Began { job, run, .. } => {
                let bar = begin(&bars, &unknown, format!("{run} {job}"));
                shown.insert(run, bar);
            }
            Event::Advanced { run, stage, rows, of } => {
                // What began unseen has its name only.
                let bar = shown.entry(run.clone()).or_insert_with(|| begin(&bars, &unknown, run));
                match of {
                    Some(of) => {
                        bar.set_style(known.clone());
                        bar.set_length(of);
                        bar.set_position(rows);
                        bar.set_message(stage);
                    }
                    None => {
                        bar.set_style(unknown.clone());
                        bar.set_message(format!("{stage} {rows} rows"));
                    }
                }
            }
            Event::Spent { .. } => {}
            Event::Notice(text) => bars.suspend(|| tell!("note: {text}")),
            Event::Ended { run } => {
                if let Some(bar) = shown.remove(&run) {
                    bar.finish_and_clear();
                    bars.remove(&bar);
                }
            }
            Event::Over => {
                std::mem::take(&mut *shown).into_values().for_each(|bar| bar.finish_and_clear());
            }
        }
    })
}

fn begin(bars: &MultiProgress, style: &ProgressStyle, prefix: String) -> ProgressBar {
    let bar = bars.add(ProgressBar::new_spinner().with_style(style.clone()).with_prefix(prefix));
    bar.set_message("starting");
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A line when a run begins and for each of its stages.
fn plain() -> Progress {
    let last: Mutex<BTreeMap<String, (String, &'static str)>> = Mutex::default();
    Arc::new(move |event| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Began { run, job, goes_on } => {
                let name = format!("{run} {job}");
                tell!("{name}: {}", if goes_on { "goes on" } else { "started" });
                last.insert(run, (name, ""));
            }
            Event::Advanced { run, stage, .. } => {
                let (name, told) = last.entry(run.clone()).or_insert((run, ""));
                if *told != stage {
                    tell!("{name}: {stage}");
                    *told = stage;
                }
            }
            Event::Spent { .. } => {}
            Event::Notice(text) => tell!("note: {text}"),
            Event::Ended { run } => _ = last.remove(&run),
            Event::Over => last.clear(),
        }
    })
}
