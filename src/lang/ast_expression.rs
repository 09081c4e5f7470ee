//! Expressions as written, with the place of every part.

use chrono::NaiveDateTime;

use super::ast::Name;
use crate::diagnostic::source::Span;
use crate::model::expression::{Comparison, Literal};

/// An expression as written.
#[derive(Debug, Clone)]
pub struct Expression {
    pub node: Node,
    pub span: Span,
}

/// What kind of expression.
#[derive(Debug, Clone)]
pub enum Node {
    Literal(Literal),
    /// `TIMESTAMP '2026-01-31 10:00'` without a distance from UTC: a time on a wall in the job's zone.
    Wall(NaiveDateTime),
    /// A date, a moment or an interval that says nothing, with a form that does: `DATE 'soon'`.
    BadLiteral(String, &'static str),
    /// `alias.column`, `alias.lookup.column`, or a single word.
    Path(Vec<Step>),
    /// A double-quoted text where a value belongs.
    Quoted(String),
    Call(Call),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    /// The flag says that the sign was `==`.
    Compare {
        operator: Comparison,
        left: Box<Expression>,
        right: Box<Expression>,
        doubled: bool,
    },
    IsNull(Box<Expression>, bool),
    In {
        operand: Box<Expression>,
        list: Vec<Expression>,
        negated: bool,
    },
    Between {
        operand: Box<Expression>,
        low: Box<Expression>,
        high: Box<Expression>,
        negated: bool,
    },
    Like {
        operand: Box<Expression>,
        pattern: Box<Expression>,
        ignore_case: bool,
        negated: bool,
    },
    Concat(Vec<Expression>),
    /// A first operand, then signs and operands from left to right.
    Arithmetic(Box<Expression>, Vec<(Sign, Expression)>),
    Negative(Box<Expression>),
    Case {
        operand: Option<Box<Expression>>,
        arms: Vec<(Expression, Expression)>,
        otherwise: Option<Box<Expression>>,
    },
}

/// One part of a path.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: Name,
    /// The table that `TREAT` says the lookup column leads to.
    pub table: Option<Name>,
}

/// `NAME(arguments)`, and a path behind it, which only `TREAT` may have.
#[derive(Debug, Clone)]
pub struct Call {
    pub name: Name,
    pub arguments: Vec<Argument>,
    pub tail: Vec<Step>,
}

/// One argument of a call.
#[derive(Debug, Clone)]
pub enum Argument {
    /// `*`
    Star(Span),
    /// A value, and the type that `AS` names behind it.
    Value(Expression, Option<Name>),
}

/// An arithmetic sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
}

impl Expression {
    /// What it is made from, from left to right.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match &self.node {
            Node::Literal(_) | Node::Wall(_) | Node::BadLiteral(..) | Node::Path(_) | Node::Quoted(_) => Vec::new(),
            Node::Call(call) => call.arguments.iter().filter_map(Argument::value).collect(),
            Node::Not(x) | Node::IsNull(x, _) | Node::Negative(x) => vec![x],
            Node::All(list) | Node::Any(list) | Node::Concat(list) => list.iter().collect(),
            Node::Compare { left, right, .. } => vec![left, right],
            Node::In { operand, list, .. } => std::iter::once(operand.as_ref()).chain(list).collect(),
            Node::Between { operand, low, high, .. } => vec![operand, low, high],
            Node::Like { operand, pattern, .. } => vec![operand, pattern],
            Node::Arithmetic(first, rest) => {
                std::iter::once(first.as_ref()).chain(rest.iter().map(|(_, operand)| operand)).collect()
            }
            Node::Case { operand, arms, otherwise } => {
                let arms = arms.iter().flat_map(|(condition, value)| [condition, value]);
                operand.as_deref().into_iter().chain(arms).chain(otherwise.as_deref()).collect()
            }
        }
    }

    /// Calls `see` with this expression and everything below it.
    pub fn walk(&self, see: &mut dyn FnMut(&Self)) {
        see(self);
        self.children().into_iter().for_each(|child| child.walk(see));
    }
}

impl Argument {
    /// The value, if it is one.
    #[must_use]
    pub fn value(&self) -> Option<&Expression> {
        match self {
            Self::Value(value, _) => Some(value),
            Self::Star(_) => None,
        }
    }
}
