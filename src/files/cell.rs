//! One value as a file has it → one value of a column.
//!
//! In: its text, and the kind of its field. Out: the column with one more row, or false: it is no such value.

use chrono::NaiveDateTime;

use super::assumptions::CHOICE_SEPARATORS;
use crate::decode::column::Column;
use crate::decode::written::{days, decimal, moment, parsed, whole};
use crate::model::field::FieldKind;

/// Moments in the forms of spreadsheets and exports, which name no zone: they are taken for UTC.
const FORMS: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S"];

/// Takes a text in; an empty one is no value.
#[inline]
pub(super) fn take(column: &mut Column, kind: FieldKind, text: &[u8]) -> bool {
    if text.is_empty() {
        column.null();
        return true;
    }
    if let Column::Texts(texts) = column {
        return match kind {
            FieldKind::Guid | FieldKind::Reference => {
                let bare = text.strip_prefix(b"{").and_then(|t| t.strip_suffix(b"}")).unwrap_or(text);
                texts.add(&bare.to_ascii_lowercase())
            }
            FieldKind::MultiChoice => texts.add(&choices(text)),
            _ => texts.add(text),
        };
    }
    let text = text.trim_ascii();
    if text.is_empty() {
        column.null();
        return true;
    }
    let taken = match column {
        Column::Texts(_) => None,
        Column::Wholes(c) => whole(text).map(|value| c.push(value)),
        Column::Decimals(c) => decimal(text).map(|value| c.push(value)),
        Column::Doubles(c) => parsed(text).map(|value| c.push(value)),
        Column::Booleans(c) => truth(text).map(|value| c.push(value)),
        Column::Days(c) => day(text).map(|value| c.push(value)),
        Column::Moments(c) => moment(text).or_else(|| other_moment(text)).map(|value| c.push(value)),
    };
    taken.is_some()
}

/// True or false, as files have it.
pub(super) fn truth(text: &[u8]) -> Option<bool> {
    match text.to_ascii_lowercase().as_slice() {
        b"true" | b"1" | b"yes" => Some(true),
        b"false" | b"0" | b"no" => Some(false),
        _ => None,
    }
}

/// The numbers of choices, with commas between them.
fn choices(text: &[u8]) -> Vec<u8> {
    let parts = text.split(|byte| CHOICE_SEPARATORS.contains(byte)).map(<[u8]>::trim_ascii);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&b',')
}

/// A day; one with a time beside it that is not midnight is none.
fn day(text: &[u8]) -> Option<i32> {
    let rest = text.get(10..).unwrap_or_default();
    let is_midnight = rest.iter().all(|byte| matches!(byte, b'T' | b' ' | b'0' | b':' | b'.' | b'Z' | b'+'));
    is_midnight.then(|| days(text)).flatten()
}

fn other_moment(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    // `0:00:00 PM` is what an export writes for midnight.
    let text = if let Some((day, time)) = text.split_once(' ') {
        match time.strip_prefix("0:").or_else(|| time.strip_prefix("00:")) {
            Some(rest) => match rest.strip_suffix("AM").or_else(|| rest.strip_suffix("PM")) {
                Some(rest) => format!("{day} 12:{rest}AM"),
                None => text.to_owned(),
            },
            None => text.to_owned(),
        }
    } else {
        text.to_owned()
    };
    let read = FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok());
    read.map(|moment| moment.and_utc().timestamp_millis())
}
