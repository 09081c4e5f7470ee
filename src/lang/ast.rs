//! What was written, with the place of every part. Names are not looked up here.

use super::ast_expression::Expression;
use super::ast_files::{FilesTable, Format};
use crate::diagnostic::source::Span;
use crate::model::expression::Literal;

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
    Connection(Box<Connection>),
    /// `CREATE JOB`.
    Job(Box<Job>),
    /// `CREATE CHAIN`.
    Chain(Chain),
    /// `CREATE TEST`.
    Test(Test),
    /// `CREATE SETTINGS`.
    Settings(Settings),
}

/// `CREATE CONNECTION …`
#[derive(Debug, Clone)]
pub struct Connection {
    pub name: Name,
    pub label: Option<Name>,
    pub service: Service,
    pub url: Vec<Name>,
    pub auth: Vec<Auth>,
    pub limits: Vec<(Name, Name)>,
    /// Source column, then connection, object and field of the target.
    pub company_resolution: Option<[Name; 4]>,
    pub person_resolution: Vec<TargetField>,
    /// `FROM 'address'`, of a mail connection.
    pub sender: Vec<Name>,
    /// `FORMAT CSV (…)`, of files.
    pub format: Vec<Format>,
    /// `TABLE mapping (…)`, of files.
    pub tables: Vec<FilesTable>,
    pub span: Span,
}

/// What a connection leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Dynamics,
    Files,
    Gainsight,
    Smtp,
}

/// `AUTH kind (…)`
#[derive(Debug, Clone)]
pub struct Auth {
    pub kind: Name,
    /// Setting, value, and whether the value is a `SECRET`.
    pub settings: Vec<(Name, Name, bool)>,
    pub span: Span,
}

/// `CREATE SETTINGS (…)`
#[derive(Debug, Clone)]
pub struct Settings {
    pub settings: Vec<Setting>,
    pub span: Span,
}

/// `name = value`
#[derive(Debug, Clone)]
pub struct Setting {
    pub name: Name,
    pub value: SettingValue,
    pub span: Span,
}

/// What stands behind a setting's `=`.
#[derive(Debug, Clone)]
pub enum SettingValue {
    Text(Name),
    Secret(Name),
    Length(Length),
}

/// `5m`, `7 DAYS`
#[derive(Debug, Clone, Copy)]
pub struct Length {
    /// Whole seconds; none if they are too many to count.
    pub seconds: Option<u64>,
    pub span: Span,
}

/// `CREATE JOB …`
#[derive(Debug, Clone)]
pub struct Job {
    pub name: Name,
    pub head: Vec<HeadClause>,
    pub verb: Verb,
    pub targets: Vec<ObjectName>,
    pub key: Option<KeyClause>,
    pub duplicate_key: Option<DuplicateKey>,
    pub mappings: Vec<Mapping>,
    pub from: From,
    pub lookups: Vec<Lookup>,
    pub filter: Option<Expression>,
    pub requires: Vec<Require>,
    pub late: Vec<LateClause>,
    pub span: Span,
}

/// A clause between the name of a job or a chain and its `AS`.
#[derive(Debug, Clone)]
pub enum HeadClause {
    Comment(Name),
    After(Vec<Name>),
    Schedule(Schedule),
    Notify(Notify),
    TimeZone(Name),
    OnFailure { stop: bool, span: Span },
}

/// `SCHEDULE …`
#[derive(Debug, Clone)]
pub struct Schedule {
    pub every: Every,
    pub at: Vec<Name>,
    pub zone: Option<Name>,
    pub from: Option<Name>,
    pub until: Option<Name>,
    pub catch_up: Option<CatchUp>,
    pub span: Span,
}

/// When a schedule is due.
#[derive(Debug, Clone)]
pub enum Every {
    Cron(Name),
    Length(Length),
    Day,
    Weekday,
    /// The number of the day.
    Month(Name),
    Days(Vec<Name>),
}

/// What becomes of times that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    One,
    All,
    None,
}

/// `NOTIFY 'address' ON PARTIAL, FAILURE`
#[derive(Debug, Clone)]
pub struct Notify {
    pub to: Vec<Name>,
    /// `SUCCESS`, `PARTIAL`, `FAILURE`, in capitals.
    pub events: Vec<Name>,
    pub span: Span,
}

/// What a job does with its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Upsert,
    Insert,
    Update,
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

/// `WHEN DUPLICATE KEY THEN …`
#[derive(Debug, Clone)]
pub enum DuplicateKey {
    KeepLatest(Expression),
    Reject,
    Error,
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

/// `FROM [CHANGES OF] connection.table AS alias [BY column] [LAG 5m] [FULL EVERY 7d]`
#[derive(Debug, Clone)]
pub struct From {
    pub changes: bool,
    pub object: ObjectName,
    pub alias: Name,
    /// `BEGIN WITH lake.contact`
    pub begins_with: Option<ObjectName>,
    pub by: Option<Name>,
    pub lag: Option<Length>,
    pub full_every: Option<Length>,
    pub span: Span,
}

/// `LOOKUP …`
#[derive(Debug, Clone)]
pub struct Lookup {
    pub object: ObjectName,
    pub alias: Name,
    pub equalities: Vec<Equality>,
    pub after_load: bool,
    pub multiple: Vec<(WhenMultiple, Span)>,
    pub none: Vec<(WhenNone, Span)>,
    /// The first line: `LOOKUP … AS …`.
    pub head: Span,
    pub span: Span,
}

/// `WHEN MULTIPLE MATCHED THEN …`
#[derive(Debug, Clone)]
pub enum WhenMultiple {
    UseAny,
    /// Alias and field, and whether the greatest comes first.
    UseFirst(Vec<(Name, Name, bool)>),
    Error,
}

/// `WHEN NOT MATCHED THEN …`
#[derive(Debug, Clone)]
pub enum WhenNone {
    /// `USE NULL` too: the literal is null then.
    Use(Literal, Span),
    Reject,
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

/// `REQUIRE condition ELSE REJECT 'text'`
#[derive(Debug, Clone)]
pub struct Require {
    pub condition: Expression,
    pub message: Name,
    pub span: Span,
}

/// A clause after `WHERE` and `REQUIRE`.
#[derive(Debug, Clone)]
pub enum LateClause {
    /// `ON ERROR STOP`, or `CONTINUE` with a limit and whether that is a percentage.
    OnError { stop: bool, up_to: Option<(Name, bool)>, span: Span },
    /// `ON SOURCE DELETE`, or `LEAVE`.
    OnSource { delete: bool, action: SourceAction, span: Span },
    /// `ON UNKNOWN CHOICE`
    OnUnknownChoice { becomes: Unknown, span: Span },
    /// `ON UNKNOWN ITEM`
    OnUnknownItem { becomes: Unknown, span: Span },
    /// `LOAD VIA BULK (job_id = '…')`: the word in capitals, and what stands in the brackets; or `LOAD VIA FILES 's3://…'`.
    LoadVia { way: String, setting: Option<(Name, Name)>, place: Option<Name>, span: Span },
    /// `LOAD FIRST BY expression [DESC]`
    LoadFirst { by: Expression, descending: bool, span: Span },
}

/// What happens when the source loses a row.
#[derive(Debug, Clone)]
pub enum SourceAction {
    Ignore,
    Delete,
    Set(Vec<(TargetField, Expression)>),
}

/// What an unknown choice or item becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    Error,
    Null,
    Text,
}

/// `CREATE CHAIN …`
#[derive(Debug, Clone)]
pub struct Chain {
    pub name: Name,
    pub head: Vec<HeadClause>,
    pub steps: Vec<Vec<Name>>,
    pub span: Span,
}

/// `CREATE TEST …`
#[derive(Debug, Clone)]
pub struct Test {
    pub name: Name,
    pub job: Name,
    pub now: Vec<Name>,
    pub given: Vec<Given>,
    pub expect: Vec<Expect>,
    pub span: Span,
}

/// `GIVEN object (columns) VALUES rows`
#[derive(Debug, Clone)]
pub struct Given {
    pub object: ObjectName,
    pub rows: Rows,
    pub span: Span,
}

/// `EXPECT … (columns) VALUES rows`
#[derive(Debug, Clone)]
pub struct Expect {
    pub what: Expected,
    /// None for `NONE`.
    pub rows: Option<Rows>,
    pub span: Span,
}

/// What an expectation is about.
#[derive(Debug, Clone)]
pub enum Expected {
    Records(ObjectName),
    Rejects,
    Errors,
    Unchanged,
}

/// Columns and rows of literals.
#[derive(Debug, Clone)]
pub struct Rows {
    pub columns: Vec<Name>,
    pub rows: Vec<Row>,
}

/// `(value, …)`
#[derive(Debug, Clone)]
pub struct Row {
    pub values: Vec<(Literal, Span)>,
    pub span: Span,
}

impl Job {
    /// Every expression of the job, in script order.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let duplicate = match &self.duplicate_key {
            Some(DuplicateKey::KeepLatest(by)) => Some(by),
            _ => None,
        };
        let equalities = self.lookups.iter().flat_map(|l| l.equalities.iter().map(|e| &e.value));
        let late = self.late.iter().flat_map(|clause| match clause {
            LateClause::OnSource { action: SourceAction::Set(list), .. } => list.iter().map(|(_, v)| v).collect(),
            LateClause::LoadFirst { by, .. } => vec![by],
            _ => Vec::new(),
        });
        let mappings = self.mappings.iter().map(|m| &m.value);
        let requires = self.requires.iter().map(|r| &r.condition);
        duplicate.into_iter().chain(mappings).chain(equalities).chain(&self.filter).chain(requires).chain(late)
    }

    /// The jobs that its `AFTER`s name.
    pub fn after(&self) -> impl Iterator<Item = &Name> {
        self.head.iter().flat_map(|clause| if let HeadClause::After(names) = clause { &names[..] } else { &[] })
    }
}
