//! One line of the file of faults, held against what a rule may say.
//!
//! `file` says what that is. In: the text of a line. Out: a rule, or what is wrong with it and what to do.

use std::time::Duration;

use serde::Deserialize;

use super::super::calls::Service;
use super::Fault;
use super::rule::{Close, Effect, Rule, Strike, When, millionths};

const LATENCY_AT_MOST: u64 = 60_000;
const RETRY_AFTER_AT_MOST: u64 = 86_400;

/// A line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    service: Served,
    method: Option<String>,
    path: Option<String>,
    probability: Option<f64>,
    every: Option<usize>,
    nth: Option<Vec<usize>>,
    in_a_row: Option<usize>,
    times: Option<usize>,
    status: Option<u16>,
    code: Option<String>,
    text: Option<String>,
    html: Option<u16>,
    retry_after: Option<u64>,
    close: Option<Side>,
    cut: Option<usize>,
    #[serde(default)]
    truncate_json: bool,
    #[serde(default)]
    repeat_link: bool,
    latency_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Served {
    Dynamics,
    Entra,
    Gainsight,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Before,
    After,
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
    if line.latency_ms.is_some_and(|latency| latency > LATENCY_AT_MOST) {
        return Err(format!("`latency_ms` is too long; write {LATENCY_AT_MOST} at most"));
    }
    let service = match line.service {
        Served::Dynamics => Service::Dynamics,
        Served::Entra => Service::Entra,
        Served::Gainsight => Service::Gainsight,
    };
    let does = Strike { latency: Duration::from_millis(line.latency_ms.unwrap_or(0)), effect: effect(&line)? };
    if does.effect.is_none() && line.latency_ms.is_none() {
        return Err("the rule does nothing; name one of status, html, close, cut, truncate_json, repeat_link, \
                    latency_ms"
            .to_owned());
    }
    let when = when(&line)?;
    let (method, path) = (line.method, line.path.unwrap_or_default());
    let (in_a_row, left) = (line.in_a_row.unwrap_or(1), line.times.unwrap_or(usize::MAX));
    Ok(Rule { service, method, path, when, in_a_row, left, does, seen: 0, row_ends: 0 })
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

fn effect(line: &Line) -> Result<Option<Effect>, String> {
    let fault = |status| Fault { status, retry_after: line.retry_after, code: line.code.as_deref().map(Into::into) };
    let status = line.status.map(|status| match &line.text {
        Some(text) => Effect::Text(fault(status), text.clone()),
        None => Effect::Fail(fault(status)),
    });
    let close = line.close.as_ref().map(|side| match side {
        Side::Before => Close::Before,
        Side::After => Close::After,
    });
    let all = [
        status,
        line.html.map(|status| Effect::Page(fault(status))),
        close.map(Effect::Close),
        line.cut.map(Effect::Cut),
        line.truncate_json.then_some(Effect::Truncate),
        line.repeat_link.then_some(Effect::RepeatLink),
    ];
    let mut named = all.into_iter().flatten();
    let effect = named.next();
    if named.next().is_some() {
        return Err("the rule does two things; give each a line of its own".to_owned());
    }
    if line.status.is_some_and(|status| !(200..=599).contains(&status)) {
        return Err("`status` is no status of an answer; write one from 200 to 599".to_owned());
    }
    if line.html.is_some_and(|status| !(502..=504).contains(&status)) {
        return Err("`html` is the page of a gateway; write 502, 503 or 504".to_owned());
    }
    if line.status.is_none() && (line.code.is_some() || line.text.is_some()) {
        return Err("`code` and `text` belong to a status; name it".to_owned());
    }
    let is_bare = matches!(line.status, Some(401 | 502..=504)) || matches!(line.service, Served::Entra);
    if line.code.is_some() && is_bare {
        return Err("this error has no code to choose; leave it out, or write the whole body as `text`".to_owned());
    }
    if line.code.is_some() && line.text.is_some() {
        return Err("`text` is the whole body, the code included; keep one of code, text".to_owned());
    }
    if line.retry_after.is_some() && line.status.is_none() && line.html.is_none() {
        return Err("`retry_after` belongs to a status; name it, or an html".to_owned());
    }
    if line.retry_after.is_some_and(|seconds| seconds > RETRY_AFTER_AT_MOST) {
        return Err(format!("`retry_after` is in seconds; write {RETRY_AFTER_AT_MOST} at most"));
    }
    if line.repeat_link && !matches!(line.service, Served::Dynamics) {
        return Err("only Dynamics links to a next page; name service dynamics, or another fault".to_owned());
    }
    Ok(effect)
}

/// What `serde_json` says, with the column for its place: the line is the file's.
fn unreadable(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    format!("{said} (column {}); a rule is one JSON object on one line", error.column())
}
