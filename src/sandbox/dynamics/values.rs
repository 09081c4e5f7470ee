//! Whether a value of a body fits its column, with the service's own words where it does not.
//!
//! It looks at one value at a time; what follows from several stands in `derived`. In: a column and a value. Out: the
//! value as it is stored, or a refusal.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use serde_json::Value;

use super::super::assumptions::{CHOICE_OUT_OF_RANGE, DATE_TOO_EARLY, EARLIEST_YEAR, NUMBER_OUT_OF_RANGE};
use super::errors::Refusal;
use super::filter::edm;
use super::guid::Guid;
use super::schema::{Column, Kind, TableSchema};

/// Checks a value that is not null.
pub(in crate::sandbox) fn fit(table: &TableSchema, column: &Column, value: &Value) -> Result<Value, Refusal> {
    let unlike = || {
        let inner = format!(
            "Microsoft.OData.ODataException: Cannot convert the literal '{}' to the expected type '{}'.",
            value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            edm(column)
        );
        Refusal::payload(&table.set, &inner)
    };
    match column.kind {
        Kind::String | Kind::Memo => text(table, column, value.as_str().ok_or_else(unlike)?)?,
        Kind::Uniqueidentifier | Kind::Lookup | Kind::Customer | Kind::Owner => {
            value.as_str().and_then(Guid::parse).ok_or_else(unlike)?;
        }
        Kind::Boolean => {
            value.as_bool().ok_or_else(unlike)?;
        }
        Kind::Integer => {
            let number = value.as_i64().filter(|number| i32::try_from(*number).is_ok()).ok_or_else(unlike)?;
            if number < column.bounds.0 || number > column.bounds.1 {
                return Err(out_of_range(table, column));
            }
        }
        Kind::BigInt => {
            value.as_i64().ok_or_else(unlike)?;
        }
        Kind::Picklist | Kind::State | Kind::Status => {
            let number = value.as_i64().filter(|number| i32::try_from(*number).is_ok()).ok_or_else(unlike)?;
            choice(table, column, number)?;
        }
        Kind::MultiSelectPicklist => {
            for number in value.as_str().ok_or_else(unlike)?.split(',') {
                choice(table, column, number.trim().parse().map_err(|_| unlike())?)?;
            }
        }
        Kind::Money | Kind::Decimal | Kind::Double => {
            value.as_f64().ok_or_else(unlike)?;
        }
        Kind::DateTime => return moment(column, value.as_str().ok_or_else(unlike)?)?.ok_or_else(unlike),
    }
    Ok(value.clone())
}

fn text(table: &TableSchema, column: &Column, text: &str) -> Result<(), Refusal> {
    match column.max_length {
        Some(limit) if text.chars().count() > limit => Err(Refusal::new(
            400,
            "0x80044331",
            format!(
                "A validation error occurred.  The length of the '{}' attribute of the '{}' entity exceeded the maximum \
                 allowed length of '{limit}'.",
                column.logical, table.logical
            ),
        )),
        _ => Ok(()),
    }
}

fn choice(table: &TableSchema, column: &Column, number: i64) -> Result<(), Refusal> {
    if column.choice_label(number).is_some() {
        return Ok(());
    }
    let accepted: Vec<String> = column.choices.iter().map(|choice| choice.value.to_string()).collect();
    let text = format!(
        "A validation error occurred.  The value {number} of '{}' on record of type '{}' is outside the valid range. \
         Accepted Values: {}",
        column.logical,
        table.logical,
        accepted.join(",")
    );
    Err(Refusal::new(400, CHOICE_OUT_OF_RANGE, text))
}

fn out_of_range(table: &TableSchema, column: &Column) -> Refusal {
    let text = format!(
        "A validation error occurred.  The value of '{}' on record of type '{}' is outside the valid range.",
        column.logical, table.logical
    );
    Refusal::new(400, NUMBER_OUT_OF_RANGE, text)
}

/// A date or a moment as it is stored; nothing when the text is neither.
fn moment(column: &Column, text: &str) -> Result<Option<Value>, Refusal> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let (year, stored) = if column.date_only {
        let Some(day) = day else { return Ok(None) };
        (day.year(), text.to_owned())
    } else if day.is_some() {
        return Err(Refusal::missing("a day without a time for a column of date and time"));
    } else if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        (moment.to_utc().year(), text.to_owned())
    } else if let Ok(moment) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        // What has no offset is taken as UTC.
        (moment.year(), format!("{text}Z"))
    } else {
        return Ok(None);
    };
    if year < EARLIEST_YEAR {
        let text = format!(
            "DateTime is less than minumum value supported by CrmDateTime. Actual value: {text}, Minimum value \
             supported: 01/01/1753 00:00:00"
        );
        return Err(Refusal::new(400, DATE_TOO_EARLY, text));
    }
    Ok(Some(stored.into()))
}
