//! One line of the file of faults, held against what a rule may say: which requests it is about, and when it strikes.
//!
//! What it does is read in `effect`; `file` says what all of it means. In: the text of a line. Out: a rule, or what is wrong
//! with it and what to do.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::super::calls::Service;
use super::effect::effect;
use super::rule::{Rule, Strike, When, millionths};

const LATENCY_MS_AT_MOST: u64 = 60_000;
const STALE_MS_AT_MOST: u64 = 60_000;

/// A line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) service: Served,
    method: Option<String>,
    path: Option<String>,
    probability: Option<f64>,
    every: Option<usize>,
    nth: Option<Vec<usize>>,
    in_a_row: Option<usize>,
    times: Option<usize>,
    latency_ms: Option<u64>,
    stale_ms: Option<u64>,
    pub(super) status: Option<u16>,
    pub(super) code: Option<String>,
    pub(super) text: Option<String>,
    pub(super) html: Option<u16>,
    pub(super) retry_after: Option<u64>,
    pub(super) retry_after_text: Option<String>,
    pub(super) close: Option<Side>,
    pub(super) late_ms: Option<u64>,
    pub(super) cut: Option<usize>,
    #[serde(default)]
    pub(super) truncate_json: bool,
    pub(super) content_type: Option<String>,
    pub(super) oversize_kb: Option<usize>,
    #[serde(default)]
    pub(super) repeat_link: bool,
    #[serde(default)]
    pub(super) expire_link: bool,
    #[serde(default)]
    pub(super) repeat_row: bool,
    pub(super) touch: Option<Touched>,
    #[serde(default)]
    pub(super) drop_row: bool,
    #[serde(default)]
    pub(super) unknown_choice: bool,
    pub(super) refuse_records: Option<Vec<usize>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Served {
    Dynamics,
    Entra,
    Gainsight,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Side {
    Before,
    After,
}

/// Rows that change, as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Touched {
    pub(super) table: String,
    pub(super) column: String,
    pub(super) value: Value,
    pub(super) rows: Option<usize>,
}

pub(super) fn rule(line: &str) -> Result<Rule, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| unreadable(&error))?;
    if line.method.as_ref().is_some_and(|method| method.is_empty() || method.to_uppercase() != *method) {
        return Err("`method` is no method; write it in capitals, such as GET".to_owned());
    }
    if line.path.as_ref().is_some_and(|path| !path.starts_with('/') || path.contains('?')) {
        return Err("`path` is the beginning of a path; begin it with / and leave the query out".to_owned());
    }
    if line.in_a_row == Some(0) || line.times == Some(0) {
        return Err("`in_a_row` and `times` count strikes; write 1 or more, or leave the rule out".to_owned());
    }
    if line.latency_ms.is_some_and(|latency| latency > LATENCY_MS_AT_MOST) {
        return Err(format!("`latency_ms` is too long; write {LATENCY_MS_AT_MOST} at most"));
    }
    if line.stale_ms.is_some_and(|stale| stale > STALE_MS_AT_MOST) {
        return Err(format!("`stale_ms` is too long; write {STALE_MS_AT_MOST} at most"));
    }
    if line.stale_ms.is_some() && line.service != Served::Gainsight {
        return Err("only Gainsight is written to; name service gainsight, or another fault than stale_ms".to_owned());
    }
    let service = match line.service {
        Served::Dynamics => Service::Dynamics,
        Served::Entra => Service::Entra,
        Served::Gainsight => Service::Gainsight,
    };
    let wait = |ms: Option<u64>| Duration::from_millis(ms.unwrap_or(0));
    let (latency, stale, effect) = (wait(line.latency_ms), wait(line.stale_ms), effect(&line)?);
    if effect.is_none() && line.latency_ms.is_none() && line.stale_ms.is_none() {
        return Err("the rule does nothing; name one of status, html, close, late_ms, cut, truncate_json, content_type, \
                    oversize_kb, repeat_link, expire_link, repeat_row, touch, drop_row, unknown_choice, refuse_records, \
                    stale_ms, latency_ms"
            .to_owned());
    }
    let does = Strike { latency, stale, effect, draw: 0 };
    let when = when(&line)?;
    let (method, path) = (line.method, line.path.unwrap_or_default());
    let (in_a_row, left) = (line.in_a_row.unwrap_or(1), line.times.unwrap_or(usize::MAX));
    Ok(Rule { service, method, path, when, in_a_row, left, struck: 0, does, seen: 0, row_ends: 0 })
}

fn when(line: &Line) -> Result<When, String> {
    match (line.probability, line.every, &line.nth) {
        (None, None, None) => Ok(When::Always),
        (Some(probability), None, None) => millionths(probability)
            .map(When::Chance)
            .ok_or_else(|| "`probability` is a share; write a number from 0 to 1".to_owned()),
        (None, Some(0), None) => Err("`every` counts requests; write 1 or more".to_owned()),
        (None, Some(every), None) => Ok(When::Every(every)),
        (None, None, Some(list)) if list.is_empty() || list.contains(&0) => {
            Err("`nth` lists the numbers of requests; write at least one, and count from 1".to_owned())
        }
        (None, None, Some(list)) => Ok(When::Nth(list.clone())),
        _ => Err("the rule says twice when it strikes; keep one of probability, every, nth".to_owned()),
    }
}

/// What `serde_json` says, with the column for its place: the line is the file's.
fn unreadable(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    format!("{said} (column {}); a rule is one JSON object on one line", error.column())
}
