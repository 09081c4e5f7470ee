//! Gainsight's words about a whole call, without the values of the rows that were sent with it.
//!
//! The message of a run is kept and passed on; the values of rows belong into the error file alone. In: words and the call
//! that they answer. Out: words for a message.

use serde_json::Value;

use super::client::Call;
use super::sent::value;
use crate::http::quoted::{plain, quoted};

/// Shorter values are left: they could be part of any word, and tell nobody anything.
const VALUE_CHARACTERS_AT_LEAST: usize = 4;
/// What stands in the place of a value.
const LEFT_OUT: &str = "(…)";

/// Words for a message.
pub(super) fn words(call: &Call, said: &str) -> String {
    let mut values = Vec::new();
    match call.body.as_deref().map(value) {
        Some(body) if call.is_write => collect(&body, &mut values),
        // Of a query only what is searched for comes from rows.
        Some(body) => {
            let conditions = body.pointer("/where/conditions").and_then(Value::as_array);
            conditions.into_iter().flatten().for_each(|condition| collect(&condition["value"], &mut values));
        }
        None => {}
    }
    // The longest first: a shorter one may be a part of it.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    quoted(&values.iter().fold(plain(said), |said, value| said.replace(value.as_str(), LEFT_OUT)))
}

fn collect(value: &Value, values: &mut Vec<String>) {
    let text = match value {
        Value::Array(list) => return list.iter().for_each(|v| collect(v, values)),
        Value::Object(fields) => return fields.values().for_each(|v| collect(v, values)),
        Value::String(text) => plain(text).trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(_) | Value::Null => return,
    };
    if text.chars().count() >= VALUE_CHARACTERS_AT_LEAST {
        values.push(text);
    }
}
