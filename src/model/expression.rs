//! Expressions after all names were found: a tree over the columns of a job, with a type at its root.
//!
//! In: `lang` builds it from text. Out: `engine` lowers it to DataFusion, `dynamics` turns simple parts into `$filter`.
//! Every node is total: no value of a row makes it fail.

use super::value::ValueType;

/// A typed expression over the columns of one job.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A source column: an index into `Job::columns`.
    Column(usize),
    /// A field that a lookup yields: the lookup's index and the index into its `yields`.
    Looked { lookup: usize, field: usize },
    /// A constant.
    Literal(Literal),
    /// The label of a choice column, as text: an index into `Job::columns`.
    Label(usize),
    /// `NOT x`.
    Not(Box<Expression>),
    /// All of them are true. Kept flat, so that a long chain costs no depth.
    All(Vec<Expression>),
    /// One of them is true.
    Any(Vec<Expression>),
    /// A comparison.
    Compare { operator: Comparison, left: Box<Expression>, right: Box<Expression> },
    /// `x IS NULL`, or `IS NOT NULL`.
    IsNull { operand: Box<Expression>, negated: bool },
    /// `x IN (…)`.
    In { operand: Box<Expression>, list: Vec<Literal>, negated: bool },
    /// Texts put together; a null yields null.
    Concat(Vec<Expression>),
    /// A function of the catalog.
    Call { function: Function, arguments: Vec<Expression> },
}

/// A constant in a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `'text'`.
    Text(String),
    /// `42`.
    Integer(i64),
    /// `4.2`, as written.
    Decimal(String),
    /// `TRUE`, `FALSE`.
    Boolean(bool),
    /// `NULL`.
    Null,
}

/// The six comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// The functions that a mapping may call. Each is total: it yields a value or null for every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `TRIM(text)`: without blanks at both ends.
    Trim,
    /// `LOWER(text)`.
    Lower,
    /// `UPPER(text)`.
    Upper,
    /// `COALESCE(a, b, …)`: the first that is not null.
    Coalesce,
}

impl Function {
    /// All functions, with the name that scripts use.
    pub const ALL: [(&'static str, Self); 4] =
        [("COALESCE", Self::Coalesce), ("LOWER", Self::Lower), ("TRIM", Self::Trim), ("UPPER", Self::Upper)];
}

impl Literal {
    /// The type of the constant.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Integer(_) => ValueType::Integer,
            Self::Decimal(_) => ValueType::Decimal,
            Self::Boolean(_) => ValueType::Boolean,
            Self::Null => ValueType::Null,
        }
    }
}

impl Expression {
    /// Calls `see` with this expression and everything below it.
    pub fn walk(&self, see: &mut dyn FnMut(&Self)) {
        see(self);
        match self {
            Self::Not(x) | Self::IsNull { operand: x, .. } | Self::In { operand: x, .. } => x.walk(see),
            Self::All(list) | Self::Any(list) | Self::Concat(list) | Self::Call { arguments: list, .. } => {
                list.iter().for_each(|x| x.walk(see));
            }
            Self::Compare { left, right, .. } => {
                left.walk(see);
                right.walk(see);
            }
            Self::Column(_) | Self::Looked { .. } | Self::Literal(_) | Self::Label(_) => {}
        }
    }

    /// Whether any part of it comes from this lookup.
    #[must_use]
    pub fn uses_lookup_number(&self, number: usize) -> bool {
        let mut found = false;
        self.walk(&mut |e| found |= matches!(e, Expression::Looked { lookup, .. } if *lookup == number));
        found
    }

    /// Whether any part of it comes from a lookup.
    #[must_use]
    pub fn uses_lookup(&self) -> bool {
        let mut found = false;
        self.walk(&mut |e| found |= matches!(e, Self::Looked { .. }));
        found
    }
}
