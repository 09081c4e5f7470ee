//! Formatted values: what an annotated reply shows beside the raw value.
//!
//! The caller is taken to be an English (US) user in UTC. In: a stored value. Out: the text, or nothing where the
//! service gives none.

use chrono::{DateTime, NaiveDate};

use super::row::Row;
use super::schema::{Column, Kind, Schema};
use super::store::Store;

/// Where lookups lead when their table is not one the sandbox serves.
const CURRENCY: &str = "US Dollar";

pub(in crate::sandbox) fn formatted(
    store: &Store,
    schema: &Schema,
    row: &Row,
    column: &Column,
    index: usize,
) -> Option<String> {
    let (json, target) = row.json(index)?;
    match column.kind {
        Kind::String | Kind::Memo | Kind::Uniqueidentifier => None,
        Kind::Integer | Kind::BigInt => Some(thousands(json)),
        Kind::Money => Some(money(json.parse().ok()?)),
        Kind::Decimal | Kind::Double => {
            Some(thousands(&format!("{:.*}", column.precision as usize, json.parse::<f64>().ok()?)))
        }
        Kind::Boolean => column.choice_label(i64::from(json == "true")).map(str::to_owned),
        Kind::Picklist | Kind::State | Kind::Status => column.choice_label(json.parse().ok()?).map(str::to_owned),
        Kind::DateTime => date(column, json.trim_matches('"')),
        Kind::Lookup | Kind::Customer | Kind::Owner => match column.targets[target].as_str() {
            "transactioncurrency" => Some(CURRENCY.to_owned()),
            named => store.name_of(schema, named, row.guid(index)?),
        },
    }
}

fn money(value: f64) -> String {
    let text = thousands(&format!("{:.2}", value.abs()));
    if value < 0.0 { format!("-${text}") } else { format!("${text}") }
}

fn thousands(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut text = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

fn date(column: &Column, text: &str) -> Option<String> {
    if column.date_only {
        return Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.format("%-m/%-d/%Y").to_string());
    }
    Some(DateTime::parse_from_rfc3339(text).ok()?.format("%-m/%-d/%Y %-I:%M %p").to_string())
}
