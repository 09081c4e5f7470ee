//! The types that an expression can have. Which of them go into which target field is `fit`'s.

use arrow::datatypes::{DataType, TimeUnit};

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
    /// The numbers of several choices, with commas between them.
    Choices,
    /// A stretch of the calendar: stands in date arithmetic only.
    Interval,
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
            Self::Text | Self::Guid | Self::Gsid | Self::Choices | Self::Interval | Self::Null => DataType::Utf8,
        }
    }

    /// The type of a name in `CAST(x AS name)`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "TEXT" | "VARCHAR" | "STRING" => Self::Text,
            "INTEGER" | "INT" | "BIGINT" => Self::Integer,
            "DECIMAL" | "NUMERIC" | "NUMBER" => Self::Decimal,
            "DOUBLE" | "FLOAT" => Self::Double,
            "BOOLEAN" => Self::Boolean,
            "DATE" => Self::Date,
            "DATETIME" | "TIMESTAMP" => Self::DateTime,
            _ => return None,
        })
    }

    /// Whether it is a number that can be calculated with.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Double)
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
            Self::Choices => "CHOICES",
            Self::Interval => "INTERVAL",
            Self::Null => "NULL",
        }
    }
}
