//! Formatted values: what an annotated reply shows beside the raw value.
//!
//! The caller is taken to be an English (US) user in UTC. In: a stored value. Out: the text, or nothing where the
//! service gives none.

use chrono::{DateTime, NaiveDate};

use super::row::Row;
use super::schema::{Column, Kind, Schema, TableSchema};
use super::store::Store;

/// The sign and the decimals of an amount of a row without a currency, which is one in the base currency.
const BASE: (&str, usize) = ("$", 2);

pub(in crate::sandbox) fn formatted(
    store: &Store,
    schema: &Schema,
    table: &TableSchema,
    row: &Row,
    index: usize,
) -> Option<String> {
    let column = &table.columns[index];
    let (json, target) = row.json(index)?;
    match column.kind {
        Kind::String | Kind::Memo | Kind::Uniqueidentifier => None,
        Kind::Integer | Kind::BigInt => Some(thousands(json)),
        Kind::Money => {
            let own = (!column.logical.ends_with("_base")).then(|| currency(store, schema, table, row)).flatten();
            let (sign, decimals) = own.unwrap_or((BASE.0.to_owned(), BASE.1));
            Some(money(json.parse().ok()?, &sign, decimals))
        }
        Kind::Decimal | Kind::Double => {
            Some(thousands(&format!("{:.*}", column.precision as usize, json.parse::<f64>().ok()?)))
        }
        Kind::Boolean => column.choice_label(i64::from(json == "true")).map(str::to_owned),
        Kind::Picklist | Kind::State | Kind::Status => column.choice_label(json.parse().ok()?).map(str::to_owned),
        Kind::MultiSelectPicklist => {
            let labels = json.trim_matches('"').split(',').map(|number| column.choice_label(number.parse().ok()?));
            labels.collect::<Option<Vec<_>>>().map(|labels| labels.join("; "))
        }
        Kind::DateTime => date(column, json.trim_matches('"')),
        Kind::Lookup | Kind::Customer | Kind::Owner => store.name_of(schema, &column.targets[target], row.guid(index)?),
    }
}

/// The sign and the decimals of the row's currency.
fn currency(store: &Store, schema: &Schema, table: &TableSchema, row: &Row) -> Option<(String, usize)> {
    let id = row.guid(table.column("_transactioncurrencyid_value")?)?;
    let place = schema.table("transactioncurrency")?;
    let (currencies, found) = (&schema.tables[place], store.tables[place].rows.get(&id)?);
    let sign = found.plain(currencies.column("currencysymbol")?)?;
    let decimals = found.plain(currencies.column("currencyprecision")?)?;
    Some((sign, decimals.parse().ok()?))
}

fn money(value: f64, sign: &str, decimals: usize) -> String {
    let text = thousands(&format!("{:.decimals$}", value.abs()));
    if value < 0.0 { format!("-{sign}{text}") } else { format!("{sign}{text}") }
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
