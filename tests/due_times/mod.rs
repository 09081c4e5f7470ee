//! Schedules: which times they mean, held against a second opinion, and what becomes of those that nobody was there for.
//!
//! `walk` goes through two years minute by minute and shares nothing with what it judges but the text of a schedule: it has its own
//! zones (another library, with its own copy of the database), its own calendar and its own rules, which are those of `grammar/README.md`.

mod by_hand;
mod decided;
mod forms;
mod kept;
mod lines;
mod random;
mod shown;
mod two_years;
mod walk;

use chrono::{DateTime, Utc};
use ferry::diagnostic::render::for_people;
use ferry::diagnostic::report::Diagnostics;
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::lang::scheduled::scheduled;
use ferry::model::schedule::Schedule;

/// The schedule of a text: what stands behind `SCHEDULE`.
pub fn schedule(text: &str) -> Schedule {
    let mut sources = Sources::default();
    sources.add("case.ferry".to_owned(), format!("CREATE CHAIN \"c\" SCHEDULE {text} AS RUN \"j\";"));
    let (entries, diagnostics) = scheduled(&read(&sources), &sources);
    assert!(!diagnostics.has_errors(), "{text}: {}", messages(&diagnostics, &sources));
    entries.into_iter().next().unwrap().schedule
}

fn messages(diagnostics: &Diagnostics, sources: &Sources) -> String {
    diagnostics.sorted().into_iter().map(|one| for_people(one, sources, false)).collect()
}

/// A moment of UTC: `2026-03-29 01:00`.
pub fn utc(text: &str) -> DateTime<Utc> {
    let long = if text.len() == 16 { format!("{text}:00") } else { text.to_owned() };
    chrono::NaiveDateTime::parse_from_str(&long, "%Y-%m-%d %H:%M:%S").unwrap().and_utc()
}
