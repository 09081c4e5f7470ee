//! Expressions after all names were found: a tree over the columns of a job, with explicit types where they matter.
//!
//! In: `lang` builds it from text. Out: `engine` lowers it to DataFusion, `dynamics` turns simple parts into `$filter`.
//! A node either has a value for every row, or fails that row (`Expression::may_fail`); nothing ever fails a batch.

use super::literal::Interval;
pub use super::literal::Literal;
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
    /// The moment at which the run began: `Job::at` puts it in.
    Now,
    /// The day on which the run began, in the job's time zone.
    Today,
    /// The label of a choice column, as text: an index into `Job::columns`.
    Label(usize),
    /// The table that a lookup column points at, as text: an index into `Job::columns`.
    TypeOf(usize),
    /// `NOT x`.
    Not(Box<Expression>),
    /// All of them are true. Kept flat, so that a long chain costs no depth.
    All(Vec<Expression>),
    /// One of them is true.
    Any(Vec<Expression>),
    /// A comparison of two values of one type.
    Compare { operator: Comparison, left: Box<Expression>, right: Box<Expression> },
    /// `x IS NULL`, or `IS NOT NULL`.
    IsNull { operand: Box<Expression>, negated: bool },
    /// `x IN (…)`: the constants are of the operand's type.
    In { operand: Box<Expression>, list: Vec<Literal>, negated: bool },
    /// `x LIKE 'pattern'`.
    Like { operand: Box<Expression>, pattern: String, ignore_case: bool, negated: bool },
    /// Texts put together; a null yields null.
    Concat(Vec<Expression>),
    /// Two numbers of one type; the result is of that type too, but the quotient of whole numbers is a decimal.
    Arithmetic { operator: Arithmetic, left: Box<Expression>, right: Box<Expression>, of: ValueType },
    /// A day or a moment, moved.
    Shift { operand: Box<Expression>, by: Interval, of: ValueType },
    /// The days from one date to another.
    DaysBetween { from: Box<Expression>, to: Box<Expression> },
    /// The first arm whose condition is true; without one, `otherwise`, or null. All values are of one type.
    Case { arms: Vec<(Expression, Expression)>, otherwise: Option<Box<Expression>> },
    /// A value as another type. A lenient cast makes null of what cannot be converted; the other fails the row.
    Cast { operand: Box<Expression>, from: ValueType, to: ValueType, lenient: bool },
    /// A function of the catalog.
    Call { function: Call, arguments: Vec<Expression> },
}

/// Which function, and what its arguments must be for it to have a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its name in the catalog.
    pub name: String,
    /// The type of its value.
    pub returns: ValueType,
    /// Whether it was called with a day where it also takes a moment.
    pub of_days: bool,
    /// For each argument the least and the greatest number it takes, where it is limited.
    pub bounds: Vec<Option<(i64, i64)>>,
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

/// The five kinds of arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

impl Call {
    /// Whether it has no value for some of the values that its bounds let through: dates of far-away years, decimals of 38
    /// digits, square roots of negative numbers, a letter a million times.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        // No number that is infinite or undefined, and no text that is too long for a batch of them.
        self.returns == ValueType::Double
            || ["DATE_TRUNC", "DATETRUNC", "REPEAT", "REPLACE", "REGEXP_REPLACE"].contains(&self.name.as_str())
            || (self.name == "ROUND" && self.returns == ValueType::Decimal)
    }
}

impl Expression {
    /// Calls `see` with this expression and everything below it.
    pub fn walk(&self, see: &mut dyn FnMut(&Self)) {
        see(self);
        self.children().into_iter().for_each(|child| child.walk(see));
    }

    /// What it is made from, from left to right.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match self {
            Self::Column(_) | Self::Looked { .. } | Self::Literal(_) | Self::Now | Self::Today => Vec::new(),
            Self::Label(_) | Self::TypeOf(_) => Vec::new(),
            Self::Not(x) => vec![x],
            Self::IsNull { operand, .. } | Self::In { operand, .. } | Self::Like { operand, .. } => vec![operand],
            Self::Shift { operand, .. } | Self::Cast { operand, .. } => vec![operand],
            Self::All(list) | Self::Any(list) | Self::Concat(list) | Self::Call { arguments: list, .. } => {
                list.iter().collect()
            }
            Self::Compare { left, right, .. } | Self::Arithmetic { left, right, .. } => vec![left, right],
            Self::DaysBetween { from, to } => vec![from, to],
            Self::Case { arms, otherwise } => {
                arms.iter().flat_map(|(c, v)| [c, v]).chain(otherwise.as_deref()).collect()
            }
        }
    }

    /// The same expression with every part replaced by what `change` makes of it, from the leaves up.
    #[must_use]
    pub fn replaced(&self, change: &dyn Fn(Self) -> Self) -> Self {
        let deep = |x: &Self| Box::new(x.replaced(change));
        let each = |list: &[Self]| list.iter().map(|x| x.replaced(change)).collect::<Vec<_>>();
        let mut made = self.clone();
        match &mut made {
            Self::Column(_) | Self::Looked { .. } | Self::Literal(_) | Self::Now | Self::Today => {}
            Self::Label(_) | Self::TypeOf(_) => {}
            Self::Not(x) => *x = deep(x),
            Self::IsNull { operand, .. } | Self::In { operand, .. } | Self::Like { operand, .. } => {
                *operand = deep(operand);
            }
            Self::Shift { operand, .. } | Self::Cast { operand, .. } => *operand = deep(operand),
            Self::All(list) | Self::Any(list) | Self::Concat(list) | Self::Call { arguments: list, .. } => {
                *list = each(list);
            }
            Self::Compare { left, right, .. } | Self::Arithmetic { left, right, .. } => {
                (*left, *right) = (deep(left), deep(right));
            }
            Self::DaysBetween { from, to } => (*from, *to) = (deep(from), deep(to)),
            Self::Case { arms, otherwise } => {
                *arms = arms.iter().map(|(c, v)| (c.replaced(change), v.replaced(change))).collect();
                *otherwise = otherwise.as_deref().map(deep);
            }
        }
        change(made)
    }

    /// Whether a row can have values for which it has none: a cast, a sum out of range, a choice without a label.
    #[must_use]
    pub fn may_fail(&self) -> bool {
        let mut may = false;
        self.walk(&mut |e| {
            may |= match e {
                Self::Cast { lenient: false, from, to, .. } => !is_total(*from, *to),
                Self::Arithmetic { .. } => true,
                Self::Call { function, .. } => function.is_partial() || function.bounds.iter().any(Option::is_some),
                // A run begins far from the ends of the calendar.
                Self::Shift { operand, .. } => !matches!(**operand, Self::Now | Self::Today),
                Self::Label(_) => true,
                _ => false,
            }
        });
        may
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

/// Whether every value of the one type has its like in the other.
#[must_use]
pub fn is_total(from: ValueType, to: ValueType) -> bool {
    use ValueType::{Choice, Date, DateTime, Decimal, Double, Integer, Null, Text};
    from == to
        || matches!(
            (from, to),
            (Null, _) | (_, Text) | (Integer | Decimal | Choice, Double) | (Integer | Choice, Decimal | Integer)
        )
        || matches!((from, to), (Date, DateTime) | (DateTime, Date) | (ValueType::Boolean, Integer))
}
