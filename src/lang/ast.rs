//! What was written, with the place of every part. Names are not looked up here.

use crate::diagnostic::source::Span;
use crate::model::expression::{Comparison, Literal};

/// A name as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Without its quotes.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// One statement of a project.
#[derive(Debug, Clone)]
pub enum Statement {
    /// `CREATE CONNECTION`.
    Connection(Connection),
    /// `CREATE JOB`.
    Job(Job),
    /// `CREATE CHAIN`.
    Chain(Chain),
}

/// `CREATE CONNECTION …`
#[derive(Debug, Clone)]
pub struct Connection {
    pub name: Name,
    pub label: Option<Name>,
    /// True for Dynamics, false for Gainsight.
    pub to_dynamics: bool,
    pub url: Vec<Name>,
    pub auth: Vec<Auth>,
    pub limits: Vec<(Name, Name)>,
    /// Source column, then connection, object and field of the target.
    pub company_resolution: Option<[Name; 4]>,
    pub person_resolution: Vec<TargetField>,
    pub span: Span,
}

/// `AUTH kind (…)`
#[derive(Debug, Clone)]
pub struct Auth {
    pub kind: Name,
    /// Setting, value, and whether the value is a `SECRET`.
    pub settings: Vec<(Name, Name, bool)>,
    pub span: Span,
}

/// `CREATE JOB …`
#[derive(Debug, Clone)]
pub struct Job {
    pub name: Name,
    pub comments: Vec<Name>,
    pub after: Vec<Name>,
    pub targets: Vec<ObjectName>,
    pub key: Option<KeyClause>,
    pub mappings: Vec<Mapping>,
    pub from: From,
    pub lookups: Vec<Lookup>,
    pub filter: Option<Expression>,
    pub span: Span,
}

/// `connection.object`
#[derive(Debug, Clone)]
pub struct ObjectName {
    pub connection: Name,
    pub object: Name,
    pub span: Span,
}

/// `KEY (…)`
#[derive(Debug, Clone)]
pub struct KeyClause {
    pub fields: Vec<(TargetField, bool)>,
    pub span: Span,
}

/// `"Field"` or `Object."Field"`
#[derive(Debug, Clone)]
pub struct TargetField {
    pub object: Option<Name>,
    pub field: Name,
    pub span: Span,
}

/// `expression AS target`
#[derive(Debug, Clone)]
pub struct Mapping {
    pub value: Expression,
    pub target: TargetField,
    pub span: Span,
}

/// `FROM [CHANGES OF] connection.table AS alias`
#[derive(Debug, Clone)]
pub struct From {
    pub changes: bool,
    pub object: ObjectName,
    pub alias: Name,
}

/// `LOOKUP …`
#[derive(Debug, Clone)]
pub struct Lookup {
    pub object: ObjectName,
    pub alias: Name,
    pub equalities: Vec<Equality>,
    pub after_load: bool,
    /// `USE ANY` is true, `ERROR` is false.
    pub multiple: Vec<(bool, Span)>,
    /// `USE NULL` is true, `REJECT` is false.
    pub none: Vec<(bool, Span)>,
    /// The first line: `LOOKUP … AS …`.
    pub head: Span,
    pub span: Span,
}

/// `alias."Field" = value [IGNORE CASE]`
#[derive(Debug, Clone)]
pub struct Equality {
    pub alias: Name,
    pub field: Name,
    pub value: Expression,
    pub ignore_case: bool,
    pub span: Span,
}

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
    /// `alias.column`, `alias.lookup.column`, or a single word.
    Path(Vec<Name>),
    /// A double-quoted text where a value belongs.
    Quoted(String),
    Call(Name, Vec<Expression>),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    IsNull(Box<Expression>, bool),
    In(Box<Expression>, Vec<(Literal, Span)>, bool),
    Concat(Vec<Expression>),
}

/// `CREATE CHAIN …`
#[derive(Debug, Clone)]
pub struct Chain {
    pub name: Name,
    pub stop_on_failure: bool,
    pub steps: Vec<Vec<Name>>,
    pub span: Span,
}
