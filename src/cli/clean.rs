//! `ferry clean`.

use serde_json::json;

use super::output::{say, tell};
use super::start::Ended;
use super::table::number;
use crate::app::cleaning;
use crate::app::workspace::Setting;

pub(super) async fn clean(setting: &Setting, older_than_seconds: u64, as_json: bool) -> Ended {
    let cleaned = cleaning::clean(setting, older_than_seconds).await?;
    if as_json {
        say!("{}", json!(cleaned));
        return Ok(0);
    }
    cleaned.runs.iter().for_each(|run| say!("{run}"));
    tell!("{} runs cleaned, {} kB freed", number(cleaned.runs.len() as u64), number(cleaned.bytes / 1_000));
    for run in &cleaned.kept {
        tell!("run {run} stays: it can be gone on with (`ferry resume {run}`), or given up (`ferry cancel {run}`)");
    }
    Ok(0)
}
