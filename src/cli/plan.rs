//! `ferry plan`.

use super::output;
use super::output::say;
use serde_json::{Value, json};

use super::progress::listener;
use super::start::Ended;
use super::table::{lines, number};
use crate::app::runs;
use crate::app::workspace::{Setting, Workspace};
use crate::run::plan::{Plan, SampleRow};
use crate::run::report::Report;
use crate::run::undertaking::How;

pub(super) async fn plan(setting: &Setting, job: &str, how: &How, sample: usize, as_json: bool) -> Ended {
    let workspace = Workspace::ready(setting).await?;
    let (report, plan) = runs::plan(&workspace, setting, job, how, sample, &listener()).await?;
    if as_json {
        say!("{}", json!({ "run": report.run, "job": report.job, "plan": plan }));
    } else {
        output::text(&for_people(&report, &plan));
    }
    Ok(u8::from(plan.counts.failed() > 0))
}

fn for_people(report: &Report, plan: &Plan) -> String {
    let mut text = format!("\n{} · plan {} · nothing was written\n", report.job, report.run);
    let rows: Vec<Vec<String>> = plan
        .records
        .iter()
        .map(|(object, r)| vec![object.clone(), number(r.inserted), number(r.updated), number(r.unchanged)])
        .collect();
    text.push_str(&lines(&["to do", "insert", "update", "unchanged"], &rows));
    let counts = &plan.counts;
    text.push_str(&format!(
        "  rows: {} read, {} to insert, {} to update, {} unchanged, {} filtered, {} rejected, {} in error\n",
        number(counts.read),
        number(counts.inserted),
        number(counts.updated),
        number(counts.unchanged),
        number(counts.filtered),
        number(counts.rejected),
        number(counts.error)
    ));
    for (code, rows) in &plan.reasons {
        text.push_str(&format!("    {code}: {}\n", number(*rows)));
    }
    text.push_str(&format!(
        "  costs {} write calls, about {} min within the documented limits\n",
        number(plan.calls),
        number(plan.minutes)
    ));
    plan.sample.iter().for_each(|row| text.push_str(&sampled(row)));
    text
}

fn sampled(row: &SampleRow) -> String {
    let mut text = format!("\n  row {} {} · {}", row.row, row.source_key, row.outcome);
    if let Some(reason) = &row.reason {
        text.push_str(&format!(": {reason}"));
    }
    text.push('\n');
    for (field, old, new) in &row.fields {
        text.push_str(&format!("    {field}: {} → {}\n", shown(old), shown(new)));
    }
    text
}

/// A value for a terminal: control characters are shown, not obeyed; a reference to a row of this run is said in words.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "(empty)".to_owned(),
        Value::String(text) => match text.strip_prefix('~').and_then(|row| row.parse::<u64>().ok()) {
            Some(row) => format!("(the record of row {row}, once it is inserted)"),
            None => format!("'{}'", text.escape_debug()),
        },
        other => other.to_string(),
    }
}
