//! `ferry fmt`.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{self, say, tell};
use super::start::Ended;
use crate::app::error::Error;
use crate::app::formatting;
use crate::app::workspace::Setting;

/// What stands for standard input, for editors.
const STDIN: &str = "-";

pub(super) fn fmt(setting: &Setting, paths: &[PathBuf], check: bool, as_json: bool) -> Ended {
    if paths == [Path::new(STDIN)] {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        read.map_err(|error| Error::Usage(format!("standard input cannot be read as text: {error}")))?;
        let anew = formatting::text(&text)?;
        if !check {
            output::text(&anew);
        }
        return Ok(u8::from(check && anew != text));
    }
    let changed = formatting::files(setting, paths, check)?;
    for name in &changed {
        if as_json {
            say!("{}", json!({ "file": name, "rewritten": !check }));
        } else {
            say!("{name}");
        }
    }
    if !as_json && check && !changed.is_empty() {
        tell!("not in canonical layout: `ferry fmt` writes it");
    }
    Ok(u8::from(check && !changed.is_empty()))
}
