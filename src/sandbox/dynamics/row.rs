//! One row, kept as the JSON text of its columns so that a page is written by copying.
//!
//! It holds only what is not null. In: a map with Web API names, as in a world file. Out: the JSON text of a column, or
//! its value for comparing.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, SecondsFormat};
use serde_json::{Map, Value};

use super::guid::Guid;
use super::schema::{Column, Kind, TableSchema};

/// What the name of a lookup is followed by where its target is named.
pub(in crate::sandbox) const TARGET: &str = "@Microsoft.Dynamics.CRM.lookuplogicalname";

struct Part {
    column: u16,
    /// Which of the column's targets a lookup points to.
    target: u8,
    end: u32,
}

/// One stored row; its parts are in the order of the columns.
pub(in crate::sandbox) struct Row {
    pub(in crate::sandbox) version: i64,
    parts: Box<[Part]>,
    text: Box<str>,
}

/// A value that can be compared; texts are folded.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) enum Comparable {
    Null,
    Text(String),
    Guid(Guid),
    Number(f64),
    Flag(bool),
    /// Seconds since 1970, also for days.
    Instant(i64),
}

impl Comparable {
    pub(in crate::sandbox) fn moment(&self) -> Option<i64> {
        match self {
            Comparable::Instant(at) => Some(*at),
            _ => None,
        }
    }

    /// Nulls come first, as in SQL Server; values of one column are always of one kind.
    pub(in crate::sandbox) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Comparable::Text(a), Comparable::Text(b)) => a.cmp(b),
            (Comparable::Guid(a), Comparable::Guid(b)) => a.cmp(b),
            (Comparable::Number(a), Comparable::Number(b)) => a.total_cmp(b),
            (Comparable::Flag(a), Comparable::Flag(b)) => a.cmp(b),
            (Comparable::Instant(a), Comparable::Instant(b)) => a.cmp(b),
            (a, b) => (*b == Comparable::Null).cmp(&(*a == Comparable::Null)),
        }
    }
}

impl Row {
    /// Builds a row from named values; the error names the column.
    pub(in crate::sandbox) fn build(
        table: &TableSchema,
        values: &Map<String, Value>,
        version: i64,
    ) -> Result<Row, String> {
        let mut cells: Vec<(u16, u8, String)> = Vec::with_capacity(values.len());
        for (name, value) in values {
            if let Some(lookup) = name.strip_suffix(TARGET) {
                table.column(lookup).ok_or_else(|| format!("unknown column '{name}'"))?;
                continue;
            }
            let index = table.column(name).ok_or_else(|| format!("unknown column '{name}'"))?;
            let column = &table.columns[index];
            if value.is_null() || column.logical == "versionnumber" {
                continue;
            }
            let text = encode(column, value).map_err(|reason| format!("column '{name}': {reason}"))?;
            let target = target(column, values).map_err(|reason| format!("column '{name}': {reason}"))?;
            cells.push((index as u16, target, text));
        }
        if let Some(index) = table.column("versionnumber") {
            cells.push((index as u16, 0, version.to_string()));
        }
        cells.sort_unstable_by_key(|cell| cell.0);
        let (mut parts, mut text) = (Vec::with_capacity(cells.len()), String::new());
        for (column, target, cell) in cells {
            text.push_str(&cell);
            parts.push(Part { column, target, end: text.len() as u32 });
        }
        Ok(Row { version, parts: parts.into(), text: text.into() })
    }

    /// The JSON text of a column and the index of its target, or nothing for null.
    pub(in crate::sandbox) fn json(&self, column: usize) -> Option<(&str, usize)> {
        let place = self.parts.binary_search_by_key(&column, |part| usize::from(part.column)).ok()?;
        let start = if place == 0 { 0 } else { self.parts[place - 1].end as usize };
        let part = &self.parts[place];
        Some((&self.text[start..part.end as usize], usize::from(part.target)))
    }

    /// The same for several columns, which are mostly asked for in the order in which they are kept.
    pub(in crate::sandbox) fn cells<'r>(
        &'r self,
        columns: &'r [usize],
    ) -> impl Iterator<Item = Option<(&'r str, usize)>> {
        let mut place = 0;
        columns.iter().map(move |column| {
            let at = |place: usize| self.parts.get(place).map(|part| usize::from(part.column));
            if place > 0 && at(place - 1).is_some_and(|before| before >= *column) {
                place = 0;
            }
            while at(place).is_some_and(|here| here < *column) {
                place += 1;
            }
            let part = self.parts.get(place).filter(|part| usize::from(part.column) == *column)?;
            let start = if place == 0 { 0 } else { self.parts[place - 1].end as usize };
            Some((&self.text[start..part.end as usize], usize::from(part.target)))
        })
    }

    /// The plain text of a text, date or GUID column.
    pub(in crate::sandbox) fn plain(&self, column: usize) -> Option<String> {
        let (json, _) = self.json(column)?;
        if !json.contains('\\') {
            return Some(json.trim_matches('"').to_owned());
        }
        serde_json::from_str(json).ok()
    }

    pub(in crate::sandbox) fn comparable(&self, column: &Column, index: usize) -> Comparable {
        let Some((json, _)) = self.json(index) else { return Comparable::Null };
        let found = if json.contains('\\') {
            self.plain(index).and_then(|plain| comparable(column.kind, &plain))
        } else {
            comparable(column.kind, json.trim_matches('"'))
        };
        found.unwrap_or(Comparable::Null)
    }

    /// Seconds since 1970 of a column of moments.
    pub(in crate::sandbox) fn moment(&self, column: usize) -> Option<i64> {
        instant(self.json(column)?.0.trim_matches('"'))
    }

    pub(in crate::sandbox) fn guid(&self, column: usize) -> Option<Guid> {
        Guid::parse(self.json(column)?.0.trim_matches('"'))
    }

    /// The row as a map with every column, and the target of every polymorphic lookup.
    pub(in crate::sandbox) fn map(&self, table: &TableSchema) -> Map<String, Value> {
        let mut map = Map::new();
        for (index, column) in table.columns.iter().enumerate() {
            let cell = self.json(index);
            if let (Some((_, target)), true) = (cell, column.targets.len() > 1) {
                map.insert(format!("{}{TARGET}", column.property), column.targets[target].clone().into());
            }
            let value = cell.and_then(|(json, _)| serde_json::from_str(json).ok()).unwrap_or(Value::Null);
            map.insert(column.property.clone(), value);
        }
        map
    }
}

/// Reads the plain text of a value; nothing when it is not of that kind.
pub(in crate::sandbox) fn comparable(kind: Kind, plain: &str) -> Option<Comparable> {
    Some(match kind {
        Kind::String | Kind::Memo => Comparable::Text(plain.to_lowercase()),
        Kind::Uniqueidentifier | Kind::Lookup | Kind::Customer | Kind::Owner => Comparable::Guid(Guid::parse(plain)?),
        Kind::Boolean => Comparable::Flag(plain == "true" || plain == "1"),
        Kind::DateTime => Comparable::Instant(instant(plain)?),
        Kind::MultiSelectPicklist => Comparable::Text(set(plain)?),
        _ => Comparable::Number(plain.parse().ok()?),
    })
}

/// The numbers of several options as the service gives them: each once, in ascending order.
fn set(plain: &str) -> Option<String> {
    let numbers: Option<BTreeSet<i64>> = plain.split(',').map(|number| number.trim().parse().ok()).collect();
    Some(numbers?.iter().map(i64::to_string).collect::<Vec<_>>().join(","))
}

/// Seconds since 1970 of a date or of a date and time with its offset.
pub(in crate::sandbox) fn instant(text: &str) -> Option<i64> {
    if text.len() == 10 {
        return Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?.and_utc().timestamp());
    }
    plain_instant(text.as_bytes()).or_else(|| Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp()))
}

/// The form in which rows are kept, `2024-05-06T07:08:09Z`: orders and filters read it for every row of a table.
fn plain_instant(text: &[u8]) -> Option<i64> {
    let number = |part: &[u8]| {
        part.iter().try_fold(0_i64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day, hour, minute, second) = match text {
        [y @ .., b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'Z'] if y.len() == 4 => {
            let two = |a: &u8, b: &u8| number(&[*a, *b]);
            (number(y)?, two(m1, m2)?, two(d1, d2)?, two(h1, h2)?, two(n1, n2)?, two(s1, s2)?)
        }
        _ => return None,
    };
    let day = NaiveDate::from_ymd_opt(year as i32, month as u32, day as u32)?;
    let is_time = hour < 24 && minute < 60 && second < 60;
    let days = day.signed_duration_since(NaiveDate::default()).num_days();
    is_time.then_some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn target(column: &Column, values: &Map<String, Value>) -> Result<u8, String> {
    if column.targets.len() < 2 {
        return Ok(0);
    }
    let Some(named) = values.get(&format!("{}{TARGET}", column.property)).and_then(Value::as_str) else { return Ok(0) };
    let place = column.targets.iter().position(|target| target == named);
    place.map(|place| place as u8).ok_or_else(|| format!("'{named}' is not one of its targets"))
}

fn encode(column: &Column, value: &Value) -> Result<String, String> {
    let unfit = || format!("{value} does not fit {:?}", column.kind);
    match column.kind {
        Kind::String | Kind::Memo => {
            let text = value.as_str().ok_or_else(unfit)?;
            match column.max_length {
                Some(limit) if text.chars().count() > limit => Err(format!("longer than {limit} characters")),
                _ => Ok(value.to_string()),
            }
        }
        Kind::Uniqueidentifier | Kind::Lookup | Kind::Customer | Kind::Owner => {
            let text = value.as_str().ok_or_else(unfit)?;
            let id = Guid::parse(text).ok_or_else(unfit)?;
            let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
            Ok(if lower { format!("\"{text}\"") } else { format!("\"{}\"", id.text()) })
        }
        Kind::Boolean => value.as_bool().map(|flag| flag.to_string()).ok_or_else(unfit),
        Kind::Integer | Kind::BigInt => value.as_i64().map(|number| number.to_string()).ok_or_else(unfit),
        Kind::Picklist | Kind::State | Kind::Status => {
            let number = value.as_i64().ok_or_else(unfit)?;
            column.choice_label(number).map(|_| number.to_string()).ok_or_else(unfit)
        }
        Kind::MultiSelectPicklist => {
            let numbers = value.as_str().and_then(set).ok_or_else(unfit)?;
            let known = |number: &str| number.parse().is_ok_and(|number| column.choice_label(number).is_some());
            if numbers.split(',').all(known) { Ok(format!("\"{numbers}\"")) } else { Err(unfit()) }
        }
        Kind::Money => value.as_f64().map(|number| format!("{number:.4}")).ok_or_else(unfit),
        Kind::Decimal => value.as_f64().map(|number| format!("{number:.10}")).ok_or_else(unfit),
        Kind::Double => value.as_f64().map(|number| format!("{number:?}")).ok_or_else(unfit),
        Kind::DateTime => date(column, value.as_str().ok_or_else(unfit)?).ok_or_else(unfit),
    }
}

fn date(column: &Column, text: &str) -> Option<String> {
    if column.date_only {
        return Some(format!("\"{}\"", NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.format("%Y-%m-%d")));
    }
    if is_plain(text) {
        return Some(format!("\"{text}\""));
    }
    let moment = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    Some(format!("\"{}\"", moment.to_rfc3339_opts(SecondsFormat::Secs, true)))
}

/// Whether a date and time is already in the form the service gives; most are, and parsing them is slow.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 20
        && bytes.iter().zip(b"0000-00-00T00:00:00Z").all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        });
    let number =
        |start: usize, end: usize| text.get(start..end).and_then(|part| part.parse::<u32>().ok()).unwrap_or(99);
    shape
        && NaiveDate::from_ymd_opt(number(0, 4) as i32, number(5, 7), number(8, 10)).is_some()
        && number(11, 13) < 24
        && number(14, 16) < 60
        && number(17, 19) < 60
}
