//! One page of JSON → one Arrow batch, touching only the wanted columns.
//!
//! In: the bytes of an answer. Out: a batch and the link to the next page, or what is wrong. A number is read
//! from its own digits, never through a float, so that a decimal keeps them all.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMillisecondBuilder,
};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, NaiveDate};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::odata::Query;
use super::pages::schema_of;
use crate::http::json;
use crate::model::dataset::ROW;
use crate::model::field::FieldKind;

/// Which property goes into which column.
pub struct Layout {
    schema: SchemaRef,
    /// For each property of a row: the column's position in the schema.
    columns: HashMap<String, usize>,
    /// Whether the values of a column are ids, which have no case.
    is_id: Vec<bool>,
}

/// What is wrong with an answer of success, in words that follow the name of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It is not what it should be; the next one may be.
    Unreadable(String),
    /// It is larger than it may be, and would be so again.
    Excess(String),
}

/// A decoded page.
#[derive(Debug)]
pub struct Decoded {
    /// Its rows, in the columns of the layout.
    pub rows: RecordBatch,
    /// The link to the next page, as it stands there.
    pub next: Option<String>,
    /// The link to what changes from then on.
    pub changes: Option<String>,
    /// The keys of rows that are gone.
    pub gone: Vec<String>,
}

/// What a page says beside its rows.
#[derive(Default)]
struct Around {
    next: Option<String>,
    changes: Option<String>,
    gone: Vec<String>,
}

impl Layout {
    /// The columns of [`schema_of`] the query; its URL is no matter, so that one can be made up from fields alone.
    #[must_use]
    pub fn new(query: &Query) -> Self {
        let schema = schema_of(query);
        let mut columns = HashMap::new();
        let mut is_id = vec![false; schema.fields().len()];
        if let Ok(at) = schema.index_of(&query.table.primary_id) {
            columns.insert(query.table.primary_id.clone(), at);
            is_id[at] = true;
        }
        for field in &query.fields {
            let Ok(at) = schema.index_of(&field.name) else { continue };
            columns.insert(field.property(), at);
            is_id[at] |= matches!(field.kind, FieldKind::Guid | FieldKind::Reference);
            if field.is_polymorphic() {
                columns.insert(format!("{}@Microsoft.Dynamics.CRM.lookuplogicalname", field.property()), at + 1);
            }
        }
        Self { schema, columns, is_id }
    }

    /// The columns of every page.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// Decodes a page. `rows_before` is how many rows came in the pages before: numbers go on from there.
///
/// # Errors
/// If it is beyond the bounds, or not a page of these columns.
pub fn decode(bytes: &[u8], layout: &Layout, rows_before: i64) -> Result<Decoded, Flaw> {
    json::bounded(bytes).map_err(Flaw::Excess)?;
    let mut builders: Vec<Builder> = layout.schema.fields().iter().map(|f| Builder::new(f.data_type())).collect();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let is_too_wide = Cell::new(false);
    let page = PageSeed { layout, builders: &mut builders, rows_before, is_too_wide: &is_too_wide };
    let unreadable = |error: serde_json::Error| {
        let said = json::without_value(&error);
        if is_too_wide.get() { Flaw::Excess(said) } else { Flaw::Unreadable(said) }
    };
    let Around { next, changes, gone } = page.deserialize(&mut reader).map_err(unreadable)?;
    reader.end().map_err(unreadable)?;
    let arrays = builders.into_iter().map(Builder::finish).collect();
    let rows = RecordBatch::try_new(Arc::clone(&layout.schema), arrays);
    let rows = rows.map_err(|error| Flaw::Unreadable(error.to_string()))?;
    Ok(Decoded { rows, next, changes, gone })
}

/// How the context of a row ends that stands for one that is gone.
const GONE: &str = "/$deletedEntity";

/// Names in one row at the most: 1,024 columns, each with three annotations.
const NAMES_AT_MOST: usize = 4_096;

struct PageSeed<'a> {
    layout: &'a Layout,
    builders: &'a mut Vec<Builder>,
    rows_before: i64,
    is_too_wide: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for PageSeed<'_> {
    type Value = Around;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_> {
    type Value = Around;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the rows of a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut around = Around::default();
        let mut has_rows = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "value" => {
                    has_rows = true;
                    let rows = RowsSeed {
                        layout: self.layout,
                        builders: &mut *self.builders,
                        rows: self.rows_before,
                        gone: &mut around.gone,
                        is_too_wide: self.is_too_wide,
                    };
                    map.next_value_seed(rows)?;
                }
                "@odata.nextLink" => around.next = Some(map.next_value()?),
                "@odata.deltaLink" => around.changes = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_rows { Ok(around) } else { Err(A::Error::custom("it has no list of rows")) }
    }
}

struct RowsSeed<'a> {
    layout: &'a Layout,
    builders: &'a mut Vec<Builder>,
    rows: i64,
    gone: &'a mut Vec<String>,
    is_too_wide: &'a Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<(), A::Error> {
        let mut seen = vec![false; self.builders.len()];
        while rows.next_element_seed(RowSeed { rows: &mut self, seen: &mut seen })?.is_some() {}
        Ok(())
    }
}

struct RowSeed<'a, 'b> {
    rows: &'a mut RowsSeed<'b>,
    seen: &'a mut Vec<bool>,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.seen.fill(false);
        let layout = self.rows.layout;
        let number = self.rows.rows + 1;
        let mut names = 0;
        let (mut is_gone, mut id) = (false, None);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            names += 1;
            if names > NAMES_AT_MOST {
                self.rows.is_too_wide.set(true);
                return Err(A::Error::custom(format!("row {number} has more than {NAMES_AT_MOST} names")));
            }
            match layout.columns.get(key.as_ref()) {
                Some(&at) if !self.seen[at] => {
                    let raw: &RawValue = map.next_value()?;
                    self.rows.builders[at]
                        .take(raw.get(), layout.is_id[at])
                        .map_err(|what| A::Error::custom(format!("{key} of row {number} is not {what}")))?;
                    self.seen[at] = true;
                }
                None if key == "@odata.context" => is_gone = map.next_value::<Cow<'de, str>>()?.ends_with(GONE),
                None if key == "id" => {
                    let raw: &RawValue = map.next_value()?;
                    id = serde_json::from_str::<String>(raw.get()).ok().map(|id| id.to_ascii_lowercase());
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if is_gone {
            let id = id.filter(|_| !self.seen.contains(&true));
            let id = id.ok_or_else(|| A::Error::custom("a row that is gone has no id"))?;
            self.rows.gone.push(id);
            return Ok(());
        }
        self.rows.rows += 1;
        for (at, builder) in self.rows.builders.iter_mut().enumerate() {
            if !self.seen[at] {
                if layout.schema.field(at).name() == ROW { builder.number(self.rows.rows) } else { builder.null() }
            }
        }
        Ok(())
    }
}

/// One column under construction.
enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Moment(TimestampMillisecondBuilder),
}

impl Builder {
    fn new(kind: &DataType) -> Self {
        match kind {
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            DataType::Decimal128(..) => {
                Self::Decimal(Decimal128Builder::new().with_data_type(DataType::Decimal128(38, 10)))
            }
            DataType::Float64 => Self::Double(Float64Builder::new()),
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            DataType::Date32 => Self::Date(Date32Builder::new()),
            DataType::Timestamp(..) => Self::Moment(TimestampMillisecondBuilder::new().with_timezone("UTC")),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    /// Takes a JSON value in; the error is what should have been there.
    fn take(&mut self, raw: &str, is_id: bool) -> Result<(), &'static str> {
        if raw == "null" {
            self.null();
            return Ok(());
        }
        // A number may come as a text (`IEEE754Compatible`), and a text only as one.
        let quoted = raw.starts_with('"');
        let text: Cow<'_, str> =
            if quoted { serde_json::from_str(raw).map_err(|_| "a text")? } else { Cow::Borrowed(raw) };
        match self {
            Self::Text(_) if !quoted => return Err("a text"),
            Self::Text(b) if is_id => b.append_value(text.to_ascii_lowercase()),
            Self::Text(b) => b.append_value(text),
            Self::Integer(b) => b.append_value(text.parse().map_err(|_| "a whole number")?),
            Self::Decimal(b) => b.append_value(decimal(&text).ok_or("a decimal number")?),
            Self::Double(b) => b.append_value(text.parse().map_err(|_| "a number")?),
            Self::Boolean(b) => b.append_value(text.parse().map_err(|_| "true or false")?),
            Self::Date(b) => b.append_value(days(&text).ok_or("a date")?),
            Self::Moment(b) => {
                b.append_value(DateTime::parse_from_rfc3339(&text).map_err(|_| "a time")?.timestamp_millis());
            }
        }
        Ok(())
    }

    fn null(&mut self) {
        match self {
            Self::Text(b) => b.append_null(),
            Self::Integer(b) => b.append_null(),
            Self::Decimal(b) => b.append_null(),
            Self::Double(b) => b.append_null(),
            Self::Boolean(b) => b.append_null(),
            Self::Date(b) => b.append_null(),
            Self::Moment(b) => b.append_null(),
        }
    }

    fn number(&mut self, row: i64) {
        if let Self::Integer(b) = self {
            b.append_value(row);
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut b) => Arc::new(b.finish()),
            Self::Integer(mut b) => Arc::new(b.finish()),
            Self::Decimal(mut b) => Arc::new(b.finish()),
            Self::Double(mut b) => Arc::new(b.finish()),
            Self::Boolean(mut b) => Arc::new(b.finish()),
            Self::Date(mut b) => Arc::new(b.finish()),
            Self::Moment(mut b) => Arc::new(b.finish()),
        }
    }
}

/// A decimal with ten digits after the point, as an integer of its last digit. Further digits are cut off.
fn decimal(text: &str) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = exponent.checked_add(10)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 { digits.checked_mul(power) } else { Some(digits / power) }
}

fn days(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    i32::try_from(date.signed_duration_since(epoch).num_days()).ok()
}
