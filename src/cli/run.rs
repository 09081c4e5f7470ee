//! `ferry run`, and how a report looks.

use super::output;
use super::output::say;
use super::progress::listener;
use super::start::Ended;
use super::table::{lines, number};
use crate::app::runs;
use crate::app::workspace::{Setting, Workspace};
use crate::model::outcome::Outcome;
use crate::run::report::Report;

pub(super) async fn run(setting: &Setting, name: &str, json: bool) -> Ended {
    let workspace = Workspace::ready(setting).await?;
    let mut failed_rows = 0;
    runs::run(&workspace, setting, name, &listener(), |report| {
        failed_rows += report.counts.failed();
        if json { say!("{}", serde_json::json!(report)) } else { output::text(&for_people(report)) }
    })
    .await?;
    Ok(u8::from(failed_rows > 0))
}

/// A report for people: rows, records, calls, the error file.
pub(super) fn for_people(report: &Report) -> String {
    let mut text =
        format!("\n{} · run {} · {} · {:.1} s\n", report.job, report.run, report.status.text(), report.seconds);
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
            Outcome::Error => number(records.error),
            _ => String::new(),
        }));
        rows.push(row);
    }
    text.push_str(&lines(&header, &rows));
    let calls = &report.calls;
    text.push_str(&format!(
        "  calls: {} to Dynamics, {} to Gainsight, {} of them writes\n",
        number(calls.dynamics),
        number(calls.gainsight),
        number(calls.gainsight_writes)
    ));
    if let Some(file) = &report.error_file {
        text.push_str(&format!("  error file: {} ({} rows)\n", file.display(), number(counts.failed())));
    }
    if let Some(message) = &report.message {
        text.push_str(&format!("  {}\n", output::shown(message)));
    }
    text
}
