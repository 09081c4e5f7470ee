//! One value of a record, as Gainsight writes it → one value of a column in stored form.
//!
//! The forms in which nearly all values come are read from their bytes; the others go through `stored.rs`, which is the rule for all. In: a
//! scan that stands at the value, and its column. Out: the column with one more row, or what should have been there.

use std::collections::HashMap;

use arrow::datatypes::DataType;
use serde_json::Value;

use super::stored::{self, DAY_MS, MOMENTS_MS};
use crate::decode::column::{Column, Texts};
use crate::decode::scan::Scan;
use crate::decode::{Fault, Kind, moment, number};
use crate::model::field::{Field, FieldKind};

/// Digits that a double keeps: of a number with a point so many are what `serde_json` would make of it.
const DIGITS_OF_A_DOUBLE: usize = 15;

/// How a field is kept.
#[derive(Debug)]
pub(super) struct Kept {
    field: Field,
    scale: i8,
    /// The labels of items by their GSIDs, of a field that has one of them.
    labels: Option<HashMap<String, String>>,
}

impl Kept {
    pub(super) fn new(field: &Field) -> Self {
        let scale = if let DataType::Decimal128(_, scale) = field.kind.stored(field.scale) { scale } else { 0 };
        let labels = (field.kind == FieldKind::Picklist).then(|| {
            // Of items with one GSID the first stands.
            let choices = field.choices.iter().rev();
            choices.map(|choice| (choice.code.clone(), choice.label.clone())).collect()
        });
        Self { field: field.clone(), scale, labels }
    }

    /// Takes the value in. The fault names the column by its place in the layout.
    #[inline]
    pub(super) fn take(&self, column: &mut Column, place: usize, scan: &mut Scan<'_>) -> Result<(), Fault> {
        let start = scan.at();
        if scan.byte() == b'n' {
            scan.word(b"null")?;
            column.null();
            return Ok(());
        }
        if let Column::Texts(texts) = column {
            return self.take_text(texts, scan);
        }
        let is_text = scan.byte() == b'"';
        let said = scan.scalar()?;
        // What is no short number or plain moment is read as it always was.
        let other = || serde_json::from_slice::<Value>(scan.since(start)).unwrap_or_default();
        let is_taken = match column {
            Column::Decimals(c) => {
                let short = self.decimal(&said, is_text);
                short.or_else(|| stored::decimal(&other(), self.scale)).map(|number| c.push(number))
            }
            Column::Booleans(c) => other().as_bool().map(|truth| c.push(truth)),
            Column::Days(c) => {
                let at = at_ms(&said, is_text).or_else(|| stored::moment(&other()));
                at.and_then(|at| i32::try_from(at.div_euclid(DAY_MS)).ok()).map(|day| c.push(day))
            }
            Column::Moments(c) => at_ms(&said, is_text).or_else(|| stored::moment(&other())).map(|at| c.push(at)),
            Column::Texts(_) | Column::Wholes(_) | Column::Doubles(_) => None,
        };
        is_taken.ok_or(Fault { at: start, kind: Kind::Column(place, self.field.kind.word()) })
    }

    fn take_text(&self, texts: &mut Texts, scan: &mut Scan<'_>) -> Result<(), Fault> {
        let start = scan.at();
        if scan.byte() == b'"' && self.field.kind != FieldKind::MultiPicklist {
            let Some(labels) = &self.labels else { return texts.take_some(scan) };
            let said = scan.text()?.into_string();
            if !said.is_empty() {
                return texts.push(labels.get(&said).unwrap_or(&said), scan);
            }
            texts.null();
            return Ok(());
        }
        scan.skip()?;
        let value = serde_json::from_slice(scan.since(start)).unwrap_or_default();
        match stored::text(&value, &self.field) {
            Some(text) => texts.push(&text, scan)?,
            None => texts.null(),
        }
        Ok(())
    }

    /// A short number at the scale of the field.
    #[inline]
    fn decimal(&self, said: &[u8], is_text: bool) -> Option<i128> {
        let (digits, behind) = number::short(said)?;
        if !is_text && behind > 0 && said.len() > DIGITS_OF_A_DOUBLE + 1 {
            return None;
        }
        let shift = u32::try_from(i64::from(self.scale) - i64::try_from(behind).ok()?).ok()?;
        i128::from(digits).checked_mul(10_i128.checked_pow(shift)?)
    }
}

/// Milliseconds since 1970, from such a number, a plain moment or a plain day.
#[inline]
fn at_ms(said: &[u8], is_text: bool) -> Option<i64> {
    if !is_text {
        return number::whole(said).filter(|at| MOMENTS_MS.contains(at) && said != b"-0");
    }
    if let Ok(day) = <&[u8; 10]>::try_from(said) {
        return moment::days(day).map(|days| i64::from(days) * DAY_MS);
    }
    moment::moment(said)
}
