//! `ferry explain`.

use super::output;
use super::output::{say, shown};
use super::start::Ended;
use super::table::wrapped;
use crate::app::error::Error;
use crate::app::explain::explain as explained;
use crate::app::lineage::Lineage;
use crate::app::workspace::{Setting, Workspace};
use crate::diagnostic::pages::page;

pub(super) async fn explain(setting: &Setting, job: &str, json: bool) -> Ended {
    if let Some(page) = page(job) {
        if json {
            say!("{}", serde_json::json!({ "code": page.code, "title": page.title, "text": page.text }));
        } else {
            say!("{}: {}\n\n{}", page.code, page.title, page.text);
        }
        return Ok(0);
    }
    if is_code(job) {
        return Err(Error::Usage(format!("there is no code {job}")));
    }
    let workspace = Workspace::ready(setting).await?;
    let explanation = explained(&workspace, setting, job)?;
    if json {
        say!("{}", serde_json::json!(explanation));
        return Ok(0);
    }
    say!("{}\n", explanation.job);
    say!("Where the fields come from");
    explanation.lineage.iter().for_each(origin);
    say!("\nWhat becomes of rows");
    for decision in &explanation.decisions {
        say!("  {decision}");
    }
    say!();
    say!("How the next run reads");
    for (what, way) in &explanation.reading {
        output::text(&wrapped(&format!("{what}: {way}"), "  ", "      "));
    }
    // A job over files asks Dynamics nothing.
    if !explanation.dynamics.is_empty() {
        say!("\nAsked of Dynamics, where it is read whole");
    }
    for (url, prefer) in &explanation.dynamics {
        say!("  GET {url}\n      Prefer: {prefer}");
    }
    say!("\nRead from Gainsight, where it is read whole");
    for (path, body) in &explanation.gainsight {
        say!("  {path}\n      {body}");
    }
    say!("\nWritten to Gainsight");
    for (object, road) in &explanation.writes {
        say!("  {object}: {road}");
    }
    for (stage, plan) in &explanation.plans {
        say!("\nPlan: {stage}");
        for line in plan.lines() {
            say!("  {}", shown(line));
        }
    }
    Ok(0)
}

/// Whether something looks like the code of a diagnostic.
fn is_code(name: &str) -> bool {
    name.len() == 4 && name.starts_with(['F', 'f']) && name[1..].bytes().all(|b| b.is_ascii_digit())
}

fn origin(lineage: &Lineage) {
    let key = if lineage.is_key { "  (key)" } else { "" };
    say!("  {}{key}", lineage.field);
    say!("      {}", lineage.mapping);
    for column in &lineage.columns {
        say!("      ← {column}");
    }
    for lookup in &lineage.lookups {
        let fields = lookup.fields.join("\", \"");
        let after = if lookup.after_load { ", after load" } else { "" };
        say!("      ← LOOKUP {}: \"{fields}\" of {}{after}", lookup.alias, lookup.object);
        for (field, columns) in &lookup.matches {
            let with = if columns.is_empty() { "a constant".to_owned() } else { columns.join(", ") };
            say!("          \"{field}\" = {with}");
        }
        say!("          several match: {}; none matches: {}", lookup.on_multiple, lookup.on_none);
    }
}
