//! `ferry preview`.

use serde_json::{Map, Value, json};

use super::output::{self, say, tell};
use super::progress::listener;
use super::start::Ended;
use super::table::left;
use crate::app::preview::{self, Preview};
use crate::app::workspace::{Setting, Workspace};

pub(super) async fn preview(setting: &Setting, job: &str, limit: usize, as_json: bool) -> Ended {
    let workspace = Workspace::ready(setting).await?;
    let preview = preview::preview(&workspace, setting, job, limit, &listener()).await?;
    if as_json {
        for row in &preview.rows {
            let values = preview.fields.iter().cloned().zip(row.values.iter().cloned().map(Value::from));
            let values: Map<String, Value> = values.collect();
            say!("{}", json!({ "row": row.row, "source_key": row.source_key, "reason": row.reason, "fields": values }));
        }
        return Ok(0);
    }
    show(&preview);
    Ok(0)
}

fn show(preview: &Preview) {
    let header: Vec<&str> =
        std::iter::once(preview.key.as_str()).chain(preview.fields.iter().map(String::as_str)).collect();
    let rows: Vec<Vec<String>> = preview
        .rows
        .iter()
        .map(|row| {
            let cells = row.values.iter().map(|v| v.clone().unwrap_or_else(|| "·".to_owned()));
            std::iter::once(row.source_key.clone()).chain(cells).map(|cell| output::on_one_line(&cell)).collect()
        })
        .collect();
    output::text(&left(&header, &rows));
    for row in &preview.rows {
        if let Some(reason) = &row.reason {
            say!("  {} is not written: {}", row.source_key, output::on_one_line(reason));
        }
    }
    tell!("{} of {} rows that were read; nothing was compared with the target", preview.rows.len(), preview.read);
}
