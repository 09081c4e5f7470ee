//! Dates and times as clients write them.
//!
//! Values without an offset are taken in the tenant's zone, which the sandbox keeps at UTC. In: a JSON value. Out:
//! milliseconds since 1970, or nothing for what the service would refuse.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Value;

/// A moment; a bare day is its midnight.
pub(in crate::sandbox) fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().filter(|millis| millis.to_string().len() == 13),
        Value::String(text) => written(text),
        _ => None,
    }
}

/// A day, as its midnight in UTC.
pub(in crate::sandbox) fn day(value: &Value) -> Option<i64> {
    let moment = moment(value)?;
    Some(moment - moment.rem_euclid(86_400_000))
}

fn written(text: &str) -> Option<i64> {
    for format in ["%Y-%m-%d", "%m-%d-%Y", "%m/%d/%Y"] {
        if text.len() == 10
            && let Ok(day) = NaiveDate::parse_from_str(text, format)
        {
            return Some(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis());
        }
    }
    if let Ok(moment) = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S") {
        return Some(moment.and_utc().timestamp_millis());
    }
    if text.len() == 13 && text.bytes().all(|digit| digit.is_ascii_digit()) {
        return text.parse().ok();
    }
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()
        .map(|moment| moment.timestamp_millis())
}
