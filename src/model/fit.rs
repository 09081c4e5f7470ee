//! Which values go into which target fields: the matrix of types, in one place.
//!
//! In: the type of an expression and the kind of a Gainsight field. Out: fine, fine with a cast, or refused with what to do
//! instead. `grammar/README.md` shows the same table, and a test holds the two together.

use super::field::FieldKind;
use super::value::ValueType;

/// Whether a value may be mapped into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// As it is.
    Fine,
    /// After `CAST(… AS type)`, or `TRY_CAST`.
    Cast(ValueType),
    /// Never; what to do instead, or nothing if there is nothing.
    Refused(&'static str),
}

/// The kinds of Gainsight fields that a mapping may fill, in the order of [`MATRIX`]'s cells.
pub const TARGETS: [FieldKind; 11] = [
    FieldKind::String,
    FieldKind::RichText,
    FieldKind::Email,
    FieldKind::Url,
    FieldKind::Number,
    FieldKind::Boolean,
    FieldKind::Date,
    FieldKind::DateTime,
    FieldKind::Lookup,
    FieldKind::Picklist,
    FieldKind::MultiPicklist,
];

const FINE: Fit = Fit::Fine;
const NO: Fit = Fit::Refused("");
const AS_TEXT: Fit = Fit::Cast(ValueType::Text);
const FIND: Fit = Fit::Refused("only a GSID goes there: find the record with a LOOKUP and map its \"GSID\"");
const OWN: Fit = Fit::Refused("a GSID goes into a field of type GSID only");
const LABELS: Fit = Fit::Refused("a choice is a number; LABEL(…) is its text");
const ITEMS: Fit = Fit::Refused("the column holds several choices; LABEL(…) is their texts");
const CASES: Fit = Fit::Refused("name an item for each case: CASE WHEN … THEN 'item' ELSE 'other item' END");

/// A row for each type of value, a cell for each of [`TARGETS`].
#[rustfmt::skip]
pub const MATRIX: [(ValueType, [Fit; 11]); 11] = [
    //                     STRING  RICH    EMAIL   URL     NUMBER  BOOLEAN DATE    DATETIME GSID  PICKLIST MULTI
    (ValueType::Text,     [FINE,   FINE,   FINE,   FINE,   Fit::Cast(ValueType::Decimal), Fit::Cast(ValueType::Boolean), Fit::Cast(ValueType::Date), Fit::Cast(ValueType::DateTime), FIND, FINE, FINE]),
    (ValueType::Integer,  [FINE,   FINE,   NO,     NO,     FINE,   NO,     NO,     NO,     FIND,   AS_TEXT, NO]),
    (ValueType::Decimal,  [FINE,   FINE,   NO,     NO,     FINE,   NO,     NO,     NO,     FIND,   AS_TEXT, NO]),
    (ValueType::Double,   [FINE,   FINE,   NO,     NO,     FINE,   NO,     NO,     NO,     FIND,   NO,      NO]),
    (ValueType::Boolean,  [FINE,   FINE,   NO,     NO,     Fit::Cast(ValueType::Integer), FINE, NO, NO, FIND, CASES, NO]),
    (ValueType::Date,     [FINE,   FINE,   NO,     NO,     NO,     NO,     FINE,   FINE,   FIND,   NO,      NO]),
    (ValueType::DateTime, [FINE,   FINE,   NO,     NO,     NO,     NO,     Fit::Cast(ValueType::Date), FINE, FIND, NO, NO]),
    (ValueType::Guid,     [FINE,   FINE,   NO,     NO,     NO,     NO,     NO,     NO,     FIND,   NO,      NO]),
    (ValueType::Gsid,     [OWN,    OWN,    OWN,    OWN,    OWN,    OWN,    OWN,    OWN,    FINE,   OWN,     OWN]),
    (ValueType::Choice,   [FINE,   FINE,   LABELS, LABELS, FINE,   NO,     NO,     NO,     FIND,   LABELS,  LABELS]),
    (ValueType::Choices,  [ITEMS,  ITEMS,  ITEMS,  ITEMS,  ITEMS,  ITEMS,  ITEMS,  ITEMS,  FIND,   ITEMS,   ITEMS]),
];

/// The cell of the matrix. `NULL` goes everywhere; an interval goes nowhere.
#[must_use]
pub fn fit(value: ValueType, target: FieldKind) -> Fit {
    if value == ValueType::Null {
        return Fit::Fine;
    }
    let target = if target == FieldKind::Gsid { FieldKind::Lookup } else { target };
    let column = TARGETS.iter().position(|kind| *kind == target);
    let row = MATRIX.iter().find(|(kind, _)| *kind == value);
    match (row, column) {
        (Some((_, cells)), Some(column)) => cells[column],
        _ => Fit::Refused(""),
    }
}

/// Whether `CAST(value AS type)` has a meaning.
#[must_use]
pub fn can_cast(from: ValueType, to: ValueType) -> bool {
    use ValueType::{Boolean, Choice, Date, DateTime, Decimal, Double, Gsid, Guid, Integer, Null, Text};
    matches!(
        (from, to),
        (Null, _)
            | (Integer | Decimal | Double | Text, Integer | Decimal | Double)
            | (Text, Boolean | Date | DateTime)
            | (Date | DateTime, Date | DateTime)
            | (Boolean, Integer | Boolean)
            | (Choice, Integer)
            | (Guid, Guid)
            | (Gsid, Gsid)
            | (Text | Integer | Decimal | Double | Boolean | Date | DateTime | Guid | Choice, Text)
    )
}

/// The type that both of two values become where one type is needed: in a comparison, in the arms of a `CASE`.
#[must_use]
pub fn common(left: ValueType, right: ValueType) -> Option<ValueType> {
    use ValueType::{Choice, Date, DateTime, Decimal, Double, Gsid, Guid, Integer, Null, Text};
    match (left, right) {
        (a, b) if a == b => Some(a),
        (Null, other) | (other, Null) => Some(other),
        (Integer, Choice) | (Choice, Integer) => Some(Integer),
        (Integer | Choice, Decimal) | (Decimal, Integer | Choice) => Some(Decimal),
        (Integer | Decimal | Choice, Double) | (Double, Integer | Decimal | Choice) => Some(Double),
        (Date, DateTime) | (DateTime, Date) => Some(DateTime),
        (Text | Guid, Text | Guid) | (Text, Gsid) | (Gsid, Text) => Some(Text),
        _ => None,
    }
}
