//! `ferry explain`.

use super::start::Ended;
use crate::app::explain::explain as explained;
use crate::app::workspace::{Setting, Workspace};

pub(super) async fn explain(setting: &Setting, job: &str, json: bool) -> Ended {
    let workspace = Workspace::ready(setting).await?;
    let explanation = explained(&workspace, job)?;
    if json {
        println!("{}", serde_json::json!(explanation));
        return Ok(0);
    }
    println!("{}\n", explanation.job);
    println!("Asked of Dynamics");
    for (url, prefer) in &explanation.dynamics {
        println!("  GET {url}\n      Prefer: {prefer}");
    }
    println!("\nRead from Gainsight");
    for (path, body) in &explanation.gainsight {
        println!("  {path}\n      {body}");
    }
    println!("\nWritten to Gainsight");
    for (object, road) in &explanation.writes {
        println!("  {object}: {road}");
    }
    for (stage, plan) in &explanation.plans {
        println!("\nPlan: {stage}");
        for line in plan.lines() {
            println!("  {line}");
        }
    }
    Ok(0)
}
