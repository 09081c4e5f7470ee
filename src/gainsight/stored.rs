//! Gainsight's JSON ↔ stored form: what comes back for what was sent. One table, for reading and for writing.
//!
//! Texts: `""` is null. Picklists: by label, read back as item GSIDs. Numbers: at the field's scale. Dates: days, read
//! back as epoch milliseconds. Moments: milliseconds, written as ISO 8601 with `Z`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Decimal128Builder, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, TimestampMillisecondType};
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta};
use serde_json::{Map, Number, Value};

use super::assumptions::UTC_MOMENTS;
use crate::model::dataset::object_schema;
use crate::model::field::{Field, FieldKind};

pub(super) const DAY_MS: i64 = 86_400_000;
/// Years 1 to 9999, in milliseconds since 1970: what is beyond them is counted in another unit.
pub(super) const MOMENTS_MS: RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;
/// The documented form of a moment, of which the offset has no colon.
const MOMENT: &str = "%Y-%m-%dT%H:%M:%S%.f%z";

/// Records as a batch in stored form; the error says what could not be read.
pub(super) fn batch(rows: &[Map<String, Value>], fields: &[Field]) -> Result<RecordBatch, String> {
    let columns: Result<Vec<ArrayRef>, String> = fields.iter().map(|f| column(rows, f)).collect();
    RecordBatch::try_new(object_schema(fields), columns?).map_err(|e| e.to_string())
}

fn column(rows: &[Map<String, Value>], field: &Field) -> Result<ArrayRef, String> {
    let values = rows.iter().map(|row| row.get(&field.name).unwrap_or(&Value::Null));
    let wrong = |_: &Value| format!("a value of {} is no {}", field.name, field.kind.word());
    Ok(match field.kind.stored(field.scale) {
        DataType::Decimal128(_, scale) => {
            let mut builder = Decimal128Builder::new().with_data_type(DataType::Decimal128(38, scale));
            for value in values {
                builder.append_option(optional(value, |v| decimal(v, scale)).map_err(|()| wrong(value))?);
            }
            Arc::new(builder.finish())
        }
        DataType::Boolean => {
            let mut builder = BooleanBuilder::new();
            for value in values {
                builder.append_option(optional(value, Value::as_bool).map_err(|()| wrong(value))?);
            }
            Arc::new(builder.finish())
        }
        DataType::Date32 => {
            let mut builder = Date32Builder::new();
            let day = |v: &Value| i32::try_from(moment(v)?.div_euclid(DAY_MS)).ok();
            for value in values {
                builder.append_option(optional(value, day).map_err(|()| wrong(value))?);
            }
            Arc::new(builder.finish())
        }
        DataType::Timestamp(..) => {
            let mut builder = TimestampMillisecondBuilder::new().with_timezone("UTC");
            for value in values {
                builder.append_option(optional(value, moment).map_err(|()| wrong(value))?);
            }
            Arc::new(builder.finish())
        }
        _ => {
            let mut builder = StringBuilder::new();
            for value in values {
                builder.append_option(text(value, field));
            }
            Arc::new(builder.finish())
        }
    })
}

fn optional<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Result<Option<T>, ()> {
    if value.is_null() { Ok(None) } else { read(value).map(Some).ok_or(()) }
}

/// A text, with the labels of items; none for an empty one.
pub(super) fn text(value: &Value, field: &Field) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        // The items of a multi-select, in another form.
        Value::Array(items) if field.kind == FieldKind::MultiPicklist => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(";"),
        other => other.to_string(),
    };
    if text.is_empty() {
        return None;
    }
    match field.kind {
        FieldKind::Picklist => Some(label(&text, field)),
        FieldKind::MultiPicklist => Some(text.split(';').map(|t| label(t, field)).collect::<Vec<_>>().join(";")),
        _ => Some(text),
    }
}

/// The label of an item; what is no item stays as it is.
fn label(item: &str, field: &Field) -> String {
    field.choices.iter().find(|c| c.code == item).map_or_else(|| item.to_owned(), |c| c.label.clone())
}

/// Epoch milliseconds, or one of the written forms.
pub(super) fn moment(value: &Value) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number).filter(|at| MOMENTS_MS.contains(at));
    }
    let text = value.as_str()?;
    let with_offset = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, MOMENT));
    if let Ok(time) = with_offset {
        return Some(time.timestamp_millis());
    }
    let without = UTC_MOMENTS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN));
    Some(without.or_else(day)?.and_utc().timestamp_millis())
}

/// A number at a scale, rounded half away from zero.
pub(super) fn decimal(value: &Value, scale: i8) -> Option<i128> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.replace(',', ""),
        _ => return None,
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m.to_owned(), e.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
    // A sign that stands behind the point would else be taken for one before it.
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = exponent.checked_add(i32::from(scale))?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 {
        return digits.checked_mul(power);
    }
    let half = power / 2 * digits.signum();
    Some(digits.checked_add(half)? / power)
}

/// One stored value as Gainsight takes it.
pub(super) fn json(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => Value::String(array.as_string::<i32>().value(row).to_owned()),
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Decimal128(..) => number(&array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Date32 => {
            let days = i64::from(array.as_primitive::<Date32Type>().value(row));
            let date = NaiveDate::default().checked_add_signed(TimeDelta::days(days));
            date.map_or(Value::Null, |d| Value::String(d.format("%Y-%m-%d").to_string()))
        }
        DataType::Timestamp(..) => {
            let millis = array.as_primitive::<TimestampMillisecondType>().value(row);
            let time = DateTime::from_timestamp_millis(millis);
            time.map_or(Value::Null, |t| Value::String(t.to_rfc3339_opts(SecondsFormat::Millis, true)))
        }
        _ => Value::Null,
    }
}

/// A decimal as a JSON number: a whole one without a point.
fn number(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return Value::Number(whole.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}
