//! The types that an expression can have, and which of them go into which target field.
//!
//! In: the type of an expression and a target field's kind. Out: whether the mapping is fine. A mapping that is not fine
//! never reaches a service: `lang` refuses it with the place in the script.

use arrow::datatypes::{DataType, TimeUnit};

use super::field::FieldKind;

/// What kind of value an expression yields for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Text of any length.
    Text,
    /// A whole number, 64 bits.
    Integer,
    /// A decimal number; ten digits after the point are kept.
    Decimal,
    /// A binary floating-point number.
    Double,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment, UTC, milliseconds.
    DateTime,
    /// A Dynamics id: lower-case text without braces.
    Guid,
    /// A Gainsight id.
    Gsid,
    /// The number of a choice.
    Choice,
    /// `NULL` itself.
    Null,
}

impl ValueType {
    /// The Arrow type of a column of such values.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Integer | Self::Choice => DataType::Int64,
            Self::Decimal => DataType::Decimal128(38, 10),
            Self::Double => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Self::Text | Self::Guid | Self::Gsid | Self::Null => DataType::Utf8,
        }
    }

    /// Whether two values may stand on the two sides of a comparison.
    #[must_use]
    pub fn compares_with(self, other: Self) -> bool {
        let family = |t: Self| match t {
            Self::Integer | Self::Decimal | Self::Double | Self::Choice => 1,
            Self::Text | Self::Guid | Self::Gsid => 2,
            Self::Boolean => 3,
            Self::Date | Self::DateTime => 4,
            Self::Null => 0,
        };
        family(self) == family(other) || self == Self::Null || other == Self::Null
    }

    /// Whether a value of this type may be mapped into a target field of that kind.
    #[must_use]
    pub fn fits(self, target: FieldKind) -> bool {
        match target {
            FieldKind::String | FieldKind::RichText => !matches!(self, Self::Gsid),
            FieldKind::Email | FieldKind::Url | FieldKind::Picklist | FieldKind::MultiPicklist => {
                matches!(self, Self::Text | Self::Null)
            }
            FieldKind::Number => {
                matches!(self, Self::Integer | Self::Decimal | Self::Double | Self::Choice | Self::Null)
            }
            FieldKind::Boolean => matches!(self, Self::Boolean | Self::Null),
            FieldKind::Date | FieldKind::DateTime => matches!(self, Self::Date | Self::DateTime | Self::Null),
            FieldKind::Gsid | FieldKind::Lookup => matches!(self, Self::Gsid | Self::Null),
            _ => false,
        }
    }

    /// The word that messages use for the type.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Integer => "INTEGER",
            Self::Decimal => "DECIMAL",
            Self::Double => "DOUBLE",
            Self::Boolean => "BOOLEAN",
            Self::Date => "DATE",
            Self::DateTime => "DATETIME",
            Self::Guid => "GUID",
            Self::Gsid => "GSID",
            Self::Choice => "CHOICE",
            Self::Null => "NULL",
        }
    }
}
