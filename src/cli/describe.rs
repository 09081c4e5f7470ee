//! `ferry describe`.

use serde_json::json;

use super::output::{self, say, tell};
use super::start::Ended;
use super::table::left;
use crate::app::describe::{self, Described};
use crate::app::workspace::Setting;
use crate::model::dataset;
use crate::model::field::{Field, FieldKind};

/// Options of one choice that are shown without `--json`.
const OPTIONS_SHOWN: usize = 8;

pub(super) async fn describe(setting: &Setting, object: Option<&str>, as_json: bool) -> Ended {
    let Some(object) = object else { return list(setting, as_json).await };
    for described in describe::object(setting, object).await? {
        if as_json {
            say!("{}", json!(described));
        } else {
            show(&described);
        }
    }
    Ok(0)
}

async fn list(setting: &Setting, as_json: bool) -> Ended {
    for (connection, objects) in describe::list(setting).await? {
        if as_json {
            say!("{}", json!({ "connection": connection, "objects": objects }));
            continue;
        }
        say!("{connection}");
        let rows: Vec<Vec<String>> = objects.into_iter().map(|o| vec![o.label, o.name]).collect();
        output::text(&left(&["label", "API name"], &rows));
        say!();
    }
    if !as_json {
        tell!("`ferry describe NAME` shows the fields of one");
    }
    Ok(0)
}

fn show(described: &Described) {
    let object = &described.object;
    say!("{}.{} · {} · identified by {}\n", described.connection, object.name, object.label, object.primary_id);
    // Nothing is written to Dynamics, so only of Gainsight's fields it matters which may be.
    let is_target = object.primary_id == dataset::gsid().name;
    let rows: Vec<Vec<String>> = object.fields.iter().map(|f| row(f, is_target)).collect();
    output::text(&left(&["label", "API name", "type", "length", "notes"], &rows));
    say!();
}

fn row(field: &Field, is_target: bool) -> Vec<String> {
    let length = field.length.map_or_else(String::new, |length| length.to_string());
    vec![field.label.clone(), field.name.clone(), field.kind.word().to_owned(), length, notes(field, is_target)]
}

fn notes(field: &Field, is_target: bool) -> String {
    let mut notes = Vec::new();
    if field.kind == FieldKind::Gsid {
        notes.push("the record's own id".to_owned());
    }
    if !field.targets.is_empty() {
        notes.push(format!("→ {}", field.targets.join(", ")));
    }
    if field.required && is_target {
        notes.push("required".to_owned());
    }
    if !field.writable && is_target {
        notes.push("read only".to_owned());
    }
    if !field.choices.is_empty() {
        let is_number = field.choices.iter().all(|c| c.code.parse::<i64>().is_ok());
        let one = |c: &crate::model::field::Choice| {
            if is_number { format!("'{}' ({})", c.label, c.code) } else { format!("'{}'", c.label) }
        };
        let shown: Vec<String> = field.choices.iter().take(OPTIONS_SHOWN).map(one).collect();
        let more = field.choices.len().saturating_sub(OPTIONS_SHOWN);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        notes.push(format!("{}{more}", shown.join(", ")));
    }
    notes.join("; ")
}
