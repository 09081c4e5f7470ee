//! What a line of the file of faults says that happens, held against what can.
//!
//! In: a line that JSON could read. Out: an effect, none where the line names none, or what is wrong and what to do.

use std::time::Duration;

use super::Fault;
use super::line::{Line, Served, Side, Touched};
use super::rule::{Close, Effect, Touch};

const RETRY_AFTER_SECONDS_AT_MOST: u64 = 86_400;
const RETRY_AFTER_CHARACTERS_AT_MOST: usize = 200;
const LATE_MS_AT_MOST: u64 = 60_000;
const OVERSIZE_KB_AT_MOST: usize = 128 * 1024;
const TOUCHED_ROWS_AT_MOST: usize = 10_000;
/// Records of one call.
const PLACES: usize = 50;

pub(super) fn effect(line: &Line) -> Result<Option<Effect>, String> {
    let mut named = named(line).into_iter().flatten();
    let effect = named.next();
    if named.next().is_some() {
        return Err("the rule does two things; give each a line of its own".to_owned());
    }
    check_status(line)?;
    check_wait(line)?;
    check_amounts(line)?;
    check_service(line)?;
    Ok(effect)
}

/// Everything that the line names.
fn named(line: &Line) -> [Option<Effect>; 14] {
    let seconds = line.retry_after.map(|seconds| seconds.to_string());
    let wait = seconds.as_deref().or(line.retry_after_text.as_deref());
    let code = line.code.as_deref();
    let fault = |status| Fault { status, retry_after: wait.map(Into::into), code: code.map(Into::into) };
    let status = line.status.map(|status| match &line.text {
        Some(text) => Effect::Text(fault(status), text.clone()),
        None => Effect::Fail(fault(status)),
    });
    let close = line.close.as_ref().map(|side| match side {
        Side::Before => Close::Before,
        Side::After => Close::After,
    });
    [
        status,
        line.html.map(|status| Effect::Page(fault(status))),
        close.map(Effect::Close),
        line.late_ms.map(|late| Effect::Late(Duration::from_millis(late))),
        line.cut.map(Effect::Cut),
        line.truncate_json.then_some(Effect::Truncate),
        line.content_type.clone().map(Effect::ContentType),
        line.oversize_kb.map(|size| Effect::Oversize(size.saturating_mul(1024))),
        line.repeat_link.then_some(Effect::RepeatLink),
        line.expire_link.then_some(Effect::ExpireLink),
        line.repeat_row.then_some(Effect::RepeatRow),
        line.touch.as_ref().map(touch).map(Effect::Touch),
        line.drop_row.then_some(Effect::DropRow).or(line.unknown_choice.then_some(Effect::UnknownChoice)),
        line.refuse_records.clone().map(Effect::RefuseRecords),
    ]
}

fn touch(touched: &Touched) -> Touch {
    Touch {
        table: touched.table.clone(),
        column: touched.column.clone(),
        value: touched.value.clone(),
        rows: touched.rows.unwrap_or(1),
    }
}

fn check_status(line: &Line) -> Result<(), String> {
    if line.status.is_some_and(|status| !(200..=599).contains(&status)) {
        return Err("`status` is no status of an answer; write one from 200 to 599".to_owned());
    }
    if line.html.is_some_and(|status| !(502..=504).contains(&status)) {
        return Err("`html` is the page of a gateway; write 502, 503 or 504".to_owned());
    }
    if line.status.is_none() && (line.code.is_some() || line.text.is_some()) {
        return Err("`code` and `text` belong to a status; name it".to_owned());
    }
    let is_bare = matches!(line.status, Some(401 | 502..=504)) || line.service == Served::Entra;
    if line.code.is_some() && is_bare {
        return Err("this error has no code to choose; leave it out, or write the whole body as `text`".to_owned());
    }
    if line.code.is_some() && line.text.is_some() {
        return Err("`text` is the whole body, the code included; keep one of code, text".to_owned());
    }
    Ok(())
}

fn check_wait(line: &Line) -> Result<(), String> {
    let has_none = line.status.is_none() && line.html.is_none();
    if line.retry_after.is_some() && has_none {
        return Err("`retry_after` belongs to a status; name it, or an html".to_owned());
    }
    if line.retry_after.is_some_and(|seconds| seconds > RETRY_AFTER_SECONDS_AT_MOST) {
        return Err(format!("`retry_after` is in seconds; write {RETRY_AFTER_SECONDS_AT_MOST} at most"));
    }
    let Some(text) = &line.retry_after_text else { return Ok(()) };
    if has_none {
        return Err("`retry_after_text` belongs to a status; name it, or an html".to_owned());
    }
    if line.retry_after.is_some() {
        return Err("the header is written twice; keep one of retry_after, retry_after_text".to_owned());
    }
    if text.len() > RETRY_AFTER_CHARACTERS_AT_MOST || !is_header(text) {
        return Err(format!(
            "`retry_after_text` is the value of a header; write {RETRY_AFTER_CHARACTERS_AT_MOST} printable ASCII characters \
             at most"
        ));
    }
    Ok(())
}

fn is_header(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn check_amounts(line: &Line) -> Result<(), String> {
    if line.late_ms.is_some_and(|late| late > LATE_MS_AT_MOST) {
        return Err(format!("`late_ms` is too long; write {LATE_MS_AT_MOST} at most"));
    }
    if line.content_type.as_ref().is_some_and(|kind| kind.is_empty() || !is_header(kind)) {
        return Err("`content_type` is the value of a header; write one such as text/html".to_owned());
    }
    if line.oversize_kb.is_some_and(|size| !(1..=OVERSIZE_KB_AT_MOST).contains(&size)) {
        return Err(format!("`oversize_kb` is the size of the answer; write 1 to {OVERSIZE_KB_AT_MOST}"));
    }
    let rows = line.touch.as_ref().and_then(|touch| touch.rows).unwrap_or(1);
    if !(1..=TOUCHED_ROWS_AT_MOST).contains(&rows) {
        return Err(format!("`rows` of a touch counts rows; write 1 to {TOUCHED_ROWS_AT_MOST}"));
    }
    let is_place = |places: &Vec<usize>| !places.is_empty() && places.iter().all(|place| *place < PLACES);
    if line.refuse_records.as_ref().is_some_and(|places| !is_place(places)) {
        return Err(format!("`refuse_records` lists records of a call; write at least one, from 0 to {}", PLACES - 1));
    }
    if line.drop_row && line.unknown_choice {
        return Err("the rule does two things; give each a line of its own".to_owned());
    }
    Ok(())
}

fn check_service(line: &Line) -> Result<(), String> {
    let of_rows =
        [("touch", line.touch.is_some()), ("drop_row", line.drop_row), ("unknown_choice", line.unknown_choice)];
    if line.service != Served::Dynamics {
        if line.repeat_link || line.expire_link || line.repeat_row {
            return Err("only Dynamics links to a next page; name service dynamics, or another fault".to_owned());
        }
        if let Some((name, _)) = of_rows.iter().find(|(_, is_named)| *is_named) {
            return Err(format!("`{name}` is about rows of Dynamics; name service dynamics, or another fault"));
        }
    }
    if line.refuse_records.is_some() && line.service != Served::Gainsight {
        return Err(
            "`refuse_records` is about writes to Gainsight; name service gainsight, or another fault".to_owned()
        );
    }
    Ok(())
}
