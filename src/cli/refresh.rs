//! `ferry refresh`.

use serde_json::json;

use super::output::{say, tell};
use super::start::Ended;
use crate::app::snapshot;
use crate::app::workspace::Setting;

pub(super) async fn refresh(setting: &Setting, as_json: bool) -> Ended {
    let files = snapshot::refresh(setting).await?;
    for file in &files {
        if as_json {
            say!("{}", json!({ "file": file }));
        } else {
            say!("{}", file.display());
        }
    }
    if !as_json {
        tell!("put them under version control: `ferry test` and `--offline` read them");
    }
    Ok(0)
}
