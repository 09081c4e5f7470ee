//! `ferry run --profile`: where time and memory went.
//!
//! In: what runs tell of their stages. Out: a table, and below it the plans with what their operators counted; as JSON one line.

use std::sync::{Arc, Mutex, PoisonError};

use super::output::{self, say};
use super::table::{lines, number};
use crate::run::progress::{Event, Progress};
use crate::run::spending::Spent;

/// What was told so far: by run.
#[derive(Clone, Default)]
pub(super) struct Profile(Arc<Mutex<Vec<(String, Spent)>>>);

impl Profile {
    /// Listens, and passes everything on.
    pub(super) fn listening(&self, to: Progress) -> Progress {
        let kept = Arc::clone(&self.0);
        Arc::new(move |event| {
            if let Event::Spent { run, spent } = &event {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push((run.clone(), spent.as_ref().clone()));
            }
            to(event);
        })
    }

    /// Shows it.
    pub(super) fn show(&self, json: bool) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if json {
            let all: Vec<_> =
                kept.iter().map(|(run, spent)| serde_json::json!({ "run": run, "spent": spent })).collect();
            say!("{}", serde_json::json!({ "profile": all }));
        } else {
            output::text(&shown(&kept));
        }
    }
}

fn shown(kept: &[(String, Spent)]) -> String {
    let seconds = |ms: u64| format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10);
    let unknown = || "-".to_owned();
    let row = |(run, spent): &(String, Spent)| {
        let peak = spent.peak_bytes.map_or_else(unknown, |bytes| format!("{} MB", number(bytes >> 20)));
        let cpu = spent.cpu_ms.map_or_else(unknown, seconds);
        vec![format!("{run} {}", spent.stage), seconds(spent.wall_ms), cpu, peak]
    };
    let rows: Vec<Vec<String>> = kept.iter().map(row).collect();
    let mut text = format!("\n{}", lines(&["stage", "wall", "all cores", "peak so far"], &rows));
    for (run, spent) in kept {
        for plan in &spent.plans {
            text.push_str(&format!("\n{run} {}\n{plan}", spent.stage));
        }
    }
    text
}
