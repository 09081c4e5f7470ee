//! Sample rows of a plan, with old and new values.

use serde_json::Value;

use super::output::on_one_line;
use super::plan::cut;
use super::table::{COLUMNS, Paint, number, wrapped};
use crate::run::overlay::coming;
use crate::run::plan::{EarlierPlan, SampleRow};

/// The longest value that is shown in full, in characters.
const VALUE_SHOWN: usize = 60;
/// The longest label that others are lined up with, in characters.
const LABEL_SHOWN: usize = 36;

pub(super) fn sampled(row: &SampleRow, after: &[EarlierPlan], paint: Paint) -> String {
    let head = format!("row {} · {} · {}", number(row.row.unsigned_abs()), on_one_line(&row.source_key), row.outcome);
    let mut text = format!("  {}\n", paint.bold(&head));
    if let Some(reason) = &row.reason {
        let code = row.code.unwrap_or_default();
        text.push_str(&wrapped(&on_one_line(&format!("{code}: {reason}")), "    ", "    "));
    }
    let widest = row.fields.iter().map(|change| change.field.chars().count()).max().unwrap_or(0).min(LABEL_SHOWN);
    for record in row.records.iter().filter(|record| matches!(record.action.as_str(), "insert" | "update")) {
        text.push_str(&format!("    {} · {}\n", on_one_line(&record.object), record.action));
        for change in row.fields.iter().filter(|change| change.object == record.object) {
            let field = on_one_line(&change.field);
            let blanks = " ".repeat(widest.saturating_sub(field.chars().count()));
            let (old, new) = (shown(&change.old, after), shown(&change.new, after));
            // An insert has nothing before it.
            let values = if record.action == "insert" { new } else { format!("{old} → {new}") };
            text.push_str(&broken(&format!("      {field}{blanks}  "), &values));
        }
    }
    text
}

/// A field and its values on one line if they fit, else on two.
fn broken(field: &str, values: &str) -> String {
    if field.chars().count() + values.chars().count() <= COLUMNS {
        return format!("{field}{values}\n");
    }
    format!("{}\n          {values}\n", field.trim_end())
}

/// A value for a terminal: control characters are shown, not obeyed; a reference to a record that is still to come is said in words.
fn shown(value: &Value, after: &[EarlierPlan]) -> String {
    match value {
        Value::Null => "(empty)".to_owned(),
        Value::String(text) => reference(text, after)
            .unwrap_or_else(|| format!("'{}'", cut(&text.escape_debug().to_string(), VALUE_SHOWN))),
        other => other.to_string(),
    }
}

fn reference(text: &str, after: &[EarlierPlan]) -> Option<String> {
    if let Some(row) = text.strip_prefix('~').and_then(|row| row.parse::<u64>().ok()) {
        return Some(format!("(the record of row {}, once it is inserted)", number(row)));
    }
    let (run, row) = coming(text)?;
    let job = &after.iter().find(|one| one.run == run)?.job;
    Some(format!("(the record that \"{}\" inserts, row {})", on_one_line(job), number(row.unsigned_abs())))
}
