//! `ferry explain`.

use super::output::say;
use super::start::Ended;
use crate::app::explain::explain as explained;
use crate::app::workspace::{Setting, Workspace};

pub(super) async fn explain(setting: &Setting, job: &str, json: bool) -> Ended {
    let workspace = Workspace::ready(setting).await?;
    let explanation = explained(&workspace, job)?;
    if json {
        say!("{}", serde_json::json!(explanation));
        return Ok(0);
    }
    say!("{}\n", explanation.job);
    say!("Asked of Dynamics");
    for (url, prefer) in &explanation.dynamics {
        say!("  GET {url}\n      Prefer: {prefer}");
    }
    say!("\nRead from Gainsight");
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
            say!("  {line}");
        }
    }
    Ok(0)
}
