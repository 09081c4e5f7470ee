//! A refused batch: who is to blame, so that one bad record does not take 49 good ones with it.
//!
//! Gainsight refuses a call as a whole. Where it names a field and a value, the records that carry them are the culprits;
//! where it names nothing, the batch is halved until one record stands alone.
//! <https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs/Company_and_Relationship_API/Company_API_Documentation>

use serde_json::{Map, Value};

use super::client::Envelope;
use super::error::Refusal;
use super::write::Judged;
use crate::http::quoted::quoted;

/// Judges a refused call with these records.
pub(super) fn judge(records: &[&Map<String, Value>], envelope: &Envelope) -> Judged {
    if records.len() <= 1 {
        let named = named(envelope).into_iter().next();
        return Judged::Blamed(vec![(0, named.unwrap_or_else(|| whole(envelope)))]);
    }
    let mut blamed: Vec<(usize, Refusal)> = Vec::new();
    for refusal in named(envelope) {
        let (Some(field), Some(value)) = (&refusal.field, &refusal.value) else { continue };
        let carriers: Vec<usize> = (0..records.len())
            .filter(|i| records[*i].get(field).is_some_and(|v| shown(v) == *value))
            .filter(|i| !blamed.iter().any(|(b, _)| b == i))
            .collect();
        // One entry is one record: where several carry the value, the entry does not say which of them it means.
        if let [index] = carriers[..] {
            blamed.push((index, refusal.clone()));
        }
    }
    if blamed.is_empty() { Judged::Halve } else { Judged::Blamed(blamed) }
}

/// The call's own refusal, for a record that stands alone.
pub(super) fn whole(envelope: &Envelope) -> Refusal {
    Refusal {
        code: envelope.error_code.as_deref().map_or_else(|| "none".to_owned(), quoted),
        message: envelope.error_desc.as_deref().map_or_else(|| "no reason given".to_owned(), quoted),
        field: None,
        value: None,
    }
}

/// The refusals that `data.errors` lists: a list for each refused record, of its refused fields.
fn named(envelope: &Envelope) -> Vec<Refusal> {
    let mut all = Vec::new();
    collect(&envelope.data["errors"], &mut all);
    all
}

fn collect(value: &Value, all: &mut Vec<Refusal>) {
    match value {
        Value::Array(list) => list.iter().for_each(|v| collect(v, all)),
        Value::Object(entry) => {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
            if let Some(message) = text("errorMessage") {
                all.push(Refusal {
                    code: text("errorCode").map_or_else(|| "none".to_owned(), |code| quoted(&code)),
                    message: quoted(&message),
                    field: text("fieldName"),
                    value: entry.get("invalidValue").map(shown),
                });
            }
            if let Some(inner) = entry.get("errors") {
                collect(inner, all);
            }
        }
        _ => {}
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
