//! One field of one object, on either side, and what its type means for the values in it.
//!
//! In: metadata. Out: the Arrow type of a value read from the source, and the *stored form* of a target field: the type
//! in which a planned value and the value that Gainsight gives back are compared.

use arrow::datatypes::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use super::value::ValueType;

/// A column of a Dataverse table or a field of a Gainsight object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// API name: `numberofemployees`, `Employees`, `External_Account_ID_acme__gc`.
    pub name: String,
    /// What its users call it: `Number of Employees`.
    pub label: String,
    /// Its type.
    pub kind: FieldKind,
    /// The longest text it takes, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Digits after the point that it keeps.
    pub scale: i8,
    /// Whether a record cannot be created without it.
    pub required: bool,
    /// Whether a client may write it.
    pub writable: bool,
    /// The choices, where it has some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// The objects that a lookup may point at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

impl Field {
    /// A field of which no more is known than its names and its type, and that nobody writes.
    #[must_use]
    pub fn bare(name: &str, label: &str, kind: FieldKind) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            length: None,
            scale: 0,
            required: false,
            writable: false,
            choices: Vec::new(),
            targets: Vec::new(),
        }
    }
}

/// One entry of an option set or a picklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Dataverse: the option's number. Gainsight: the item's GSID.
    pub code: String,
    /// What people see.
    pub label: String,
}

/// The types of both services, as far as Ferry tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldKind {
    /// Dataverse String and Memo.
    Text,
    /// Dataverse Integer and BigInt.
    Integer,
    /// Dataverse Decimal and Money.
    Decimal,
    /// Dataverse Double.
    Double,
    /// Either side.
    Boolean,
    /// Either side: a moment.
    DateTime,
    /// Either side: a day.
    Date,
    /// Dataverse Uniqueidentifier.
    Guid,
    /// Dataverse Lookup, Customer and Owner: read as `_<name>_value`.
    Reference,
    /// Dataverse Picklist, State and Status: read as a number.
    Choice,
    /// Dataverse multi-select: numbers in a text.
    MultiChoice,
    /// Gainsight STRING, SFDCID.
    String,
    /// Gainsight RICHTEXTAREA.
    RichText,
    /// Gainsight EMAIL.
    Email,
    /// Gainsight URL.
    Url,
    /// Gainsight NUMBER, CURRENCY, PERCENTAGE.
    Number,
    /// Gainsight GSID: the record's own id.
    Gsid,
    /// Gainsight LOOKUP: another record's GSID.
    Lookup,
    /// Gainsight PICKLIST.
    Picklist,
    /// Gainsight MULTISELECTDROPDOWNLIST.
    MultiPicklist,
    /// Images, files and what a later version of a service may bring: cannot be used.
    Other,
}

impl Field {
    /// Whether the field may point at rows of several tables (`Customer`, `Owner`), so that its value alone does not
    /// say what it points at.
    #[must_use]
    pub fn is_polymorphic(&self) -> bool {
        self.kind == FieldKind::Reference && self.targets.len() > 1
    }

    /// The property that carries the value in a Dataverse answer: lookups are read as `_<name>_value`.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/web-api-navigation-properties>
    #[must_use]
    pub fn property(&self) -> String {
        match self.kind {
            FieldKind::Reference => format!("_{}_value", self.name),
            _ => self.name.clone(),
        }
    }
}

impl FieldKind {
    /// Whether a query of Gainsight takes a list of values for a field of this kind.
    /// <https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs/Company_and_Relationship_API/Company_API_Documentation>
    #[must_use]
    pub fn can_be_listed(self) -> bool {
        matches!(self, Self::String | Self::Email | Self::Lookup | Self::Gsid)
    }

    /// What a value of this field is inside an expression.
    #[must_use]
    pub fn value_type(self) -> ValueType {
        match self {
            Self::Integer => ValueType::Integer,
            Self::Decimal | Self::Number => ValueType::Decimal,
            Self::Double => ValueType::Double,
            Self::Boolean => ValueType::Boolean,
            Self::DateTime => ValueType::DateTime,
            Self::Date => ValueType::Date,
            Self::Guid | Self::Reference => ValueType::Guid,
            Self::Choice => ValueType::Choice,
            Self::MultiChoice => ValueType::Choices,
            Self::Gsid | Self::Lookup => ValueType::Gsid,
            _ => ValueType::Text,
        }
    }

    /// The stored form of a target field: the Arrow type that both sides of a comparison are brought to.
    #[must_use]
    pub fn stored(self, scale: i8) -> DataType {
        match self {
            Self::Number => DataType::Decimal128(38, scale),
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            _ => DataType::Utf8,
        }
    }

    /// The word that messages use for the type.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text | Self::String => "TEXT",
            Self::RichText => "RICH TEXT",
            Self::Integer => "INTEGER",
            Self::Decimal => "DECIMAL",
            Self::Double => "DOUBLE",
            Self::Number => "NUMBER",
            Self::Boolean => "BOOLEAN",
            Self::DateTime => "DATETIME",
            Self::Date => "DATE",
            Self::Guid => "GUID",
            Self::Reference => "LOOKUP (a Dynamics id)",
            Self::Choice => "CHOICE",
            Self::MultiChoice => "CHOICES",
            Self::Email => "EMAIL",
            Self::Url => "URL",
            Self::Gsid | Self::Lookup => "GSID",
            Self::Picklist => "PICKLIST",
            Self::MultiPicklist => "MULTI PICKLIST",
            Self::Other => "a type that Ferry cannot use",
        }
    }
}
