//! The catalog of functions that a mapping may call, with their signatures.
//!
//! In: `engine` fills it with what it can compute. Out: `lang` checks calls against it. Each function has a value for every
//! row, or is guarded by the bounds of its arguments, or is refused with the reason.

use std::collections::BTreeMap;

use super::value::ValueType;

/// Every function that is known, by its name in capitals.
#[derive(Debug, Clone, Default)]
pub struct Functions(pub BTreeMap<String, Function>);

/// One function.
#[derive(Debug, Clone)]
pub enum Function {
    /// It may be called in these ways.
    Offered(Vec<Signature>),
    /// It is known, and may not be called; what to do instead.
    Refused(String),
}

/// One way to call a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// What it takes, from left to right.
    pub parameters: Vec<Parameter>,
    /// Whether the last parameter may be repeated.
    pub repeats: bool,
    /// What it gives: none is the common type of its `Same` parameters.
    pub returns: Option<ValueType>,
}

/// What one argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// A value of this type.
    Value(ValueType),
    /// A whole number between these two: another one fails the row.
    Between(i64, i64),
    /// A value of the type that all such arguments have in common.
    Same,
    /// A constant text that is a regular expression.
    Pattern,
    /// A constant text that is a format of dates (`%Y-%m-%d`).
    Format,
    /// A constant text that names a part of a date.
    DatePart,
    /// A constant text that names a length to cut a moment down to.
    TruncatePart,
}

/// The parts that `DATE_PART` knows.
pub const DATE_PARTS: [&str; 10] =
    ["year", "quarter", "month", "week", "day", "dow", "doy", "hour", "minute", "second"];
/// The lengths that `DATE_TRUNC` knows.
pub const TRUNCATE_PARTS: [&str; 8] = ["year", "quarter", "month", "week", "day", "hour", "minute", "second"];

impl Functions {
    /// The function of a name, in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.0.get(&name.to_ascii_uppercase())
    }

    /// The names that may be called.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|(_, f)| matches!(f, Function::Offered(_))).map(|(name, _)| name.as_str())
    }
}

impl Signature {
    /// The parameter of an argument, if there is one.
    #[must_use]
    pub fn parameter(&self, argument: usize) -> Option<Parameter> {
        let last = self.parameters.len().saturating_sub(1);
        let at = if self.repeats { argument.min(last) } else { argument };
        self.parameters.get(at).copied()
    }

    /// Whether it takes this many arguments.
    #[must_use]
    pub fn takes(&self, arguments: usize) -> bool {
        if self.repeats { arguments >= self.parameters.len() } else { arguments == self.parameters.len() }
    }

    /// The signature in words: `LEFT(TEXT, INTEGER)`.
    #[must_use]
    pub fn shown(&self, name: &str) -> String {
        let parameters: Vec<&str> = self.parameters.iter().map(|p| p.word()).collect();
        let more = if self.repeats { ", …" } else { "" };
        format!("{name}({}{more})", parameters.join(", "))
    }
}

impl Parameter {
    /// The word that messages use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Value(of) => of.word(),
            Self::Between(..) => "INTEGER",
            Self::Same => "value",
            Self::Pattern => "'pattern'",
            Self::Format => "'format'",
            Self::DatePart | Self::TruncatePart => "'part'",
        }
    }
}
