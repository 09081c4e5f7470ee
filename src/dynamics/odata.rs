//! A request for rows as a URL: pure, so that `ferry explain` shows exactly what will be sent.
//!
//! Filters are built from the checked tree only; texts double their quotes before they are percent-encoded.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows>

use std::ops::RangeInclusive;

use chrono::Datelike;
use url::Url;

use super::assumptions::CREATED;
use crate::model::dataset;
use crate::model::expression::{Comparison, Expression, Literal};
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Job, TableRef};
use crate::model::moment;

/// The longest filter that is pushed down; a longer one is applied here alone. A URL may have 32,768 characters.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors>
const FILTER_CHARACTERS: usize = 8_000;

/// The years that Dataverse keeps: others are compared here alone.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/behavior-format-date-time-attribute>
const YEARS: RangeInclusive<i32> = 1753..=9999;

/// What is asked of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The table.
    pub table: TableRef,
    /// The columns.
    pub fields: Vec<Field>,
    /// The part of the job's filter that Dataverse answers just as Ferry would, or more coarsely.
    pub filter: Option<String>,
    /// All rows, or what changed.
    pub reach: Reach,
    /// Where the rows go in the run folder.
    pub dataset: String,
}

/// Which rows of a table are asked for.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems>
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All.
    Whole,
    /// All, in one chain whose end has a link to what changes from then on.
    Tracked,
    /// What changed since such a link: path and query of it, as the service gave it.
    Changed(String),
    /// Those whose moment in a column is not before this one, in milliseconds since 1970.
    Since(String, i64),
}

/// Everything that a job asks of Dynamics: the source table first, then each table that a path leads to, once.
#[must_use]
pub fn queries(job: &Job) -> Vec<Query> {
    asked(job, !job.sees_all())
}

/// The same for a look at the first rows that take part: nothing is kept of them, so `WHERE` is left to Dynamics as far as that can be.
#[must_use]
pub fn first_queries(job: &Job) -> Vec<Query> {
    asked(job, true)
}

fn asked(job: &Job, is_narrowed: bool) -> Vec<Query> {
    let fields = |table: Option<&str>| dataset::table_fields(job, table).into_iter().cloned().collect();
    let filter = job.filter.as_ref().filter(|_| is_narrowed).and_then(|f| pushed(f, job));
    let filter = filter.filter(|f| encode(f).len() <= FILTER_CHARACTERS);
    let (table, reach) = (job.source.table.clone(), Reach::Whole);
    let mut all = vec![Query { table, fields: fields(None), filter, reach, dataset: dataset::SOURCE.to_owned() }];
    for relation in &job.relations {
        if !all[1..].iter().any(|q| q.table == relation.table) {
            let fields = fields(Some(&relation.table.name));
            let dataset = dataset::related(&relation.table.name);
            all.push(Query { table: relation.table.clone(), fields, filter: None, reach: Reach::Whole, dataset });
        }
    }
    for (name, (table, fields)) in dataset::searched_tables(job) {
        all.push(Query { table, fields, filter: None, reach: Reach::Whole, dataset: dataset::searched(&name) });
    }
    all
}

impl Query {
    /// Whether rows get numbers: those of the source table do.
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        self.dataset == dataset::SOURCE
    }

    /// Path and query below the Web API's root.
    #[must_use]
    pub fn path(&self) -> String {
        let mut tail = self.selected();
        let since = match &self.reach {
            Reach::Since(column, from_ms) => moment_text(*from_ms).map(|from| format!("{column} ge {from}")),
            _ => None,
        };
        let filter: Vec<&str> = self.filter.iter().chain(&since).map(String::as_str).collect();
        if !filter.is_empty() {
            tail.push_str("&$filter=");
            tail.push_str(&encode(&filter.join(" and ")));
        }
        tail
    }

    /// The same for the rows alone that satisfy a condition on the moment of creation, in the order of that moment.
    pub(super) fn path_in(&self, range: &str) -> String {
        // The key ends the order: rows of one moment would else come twice or not at all from page to page.
        let (selected, key) = (self.selected(), &self.table.primary_id);
        format!("{selected}&$filter={}&$orderby={CREATED},{key}", self.encoded_filter_in(range))
    }

    pub(super) fn encoded_filter_in(&self, range: &str) -> String {
        encode(&self.filter.as_ref().map_or_else(|| range.to_owned(), |own| format!("{own} and {range}")))
    }

    fn selected(&self) -> String {
        let mut select: Vec<String> = self.fields.iter().map(Field::property).collect();
        if !select.contains(&self.table.primary_id) {
            select.insert(0, self.table.primary_id.clone());
        }
        format!("{}?$select={}", self.table.set_name, select.join(","))
    }

    /// The `Prefer` header, which has to be sent with every page: it is not part of the link to the next.
    #[must_use]
    pub fn prefer(&self, page_size: u32) -> String {
        let tracked = if self.reach == Reach::Tracked { "odata.track-changes," } else { "" };
        let mut prefer = format!("{tracked}odata.maxpagesize={page_size}");
        if self.fields.iter().any(Field::is_polymorphic) {
            prefer.push_str(",odata.include-annotations=\"Microsoft.Dynamics.CRM.lookuplogicalname\"");
        }
        prefer
    }
}

/// Percent-encoding for a query value: everything but letters, digits and a few marks that every server takes as they are.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'(' | b')' | b',' | b'\'' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// The part of a filter that can be pushed down: every row that passes the filter passes this too.
fn pushed(filter: &Expression, job: &Job) -> Option<String> {
    match filter {
        // Of several conditions that must all hold, those that Dataverse understands are a coarser filter.
        Expression::All(parts) => {
            // A condition that can fail a row must see every row, also those that Dataverse would hold back: a null there
            // decides against a row, and here leaves it to the next condition.
            if parts.iter().any(Expression::may_fail) {
                return None;
            }
            let parts: Vec<String> = parts.iter().filter_map(|p| pushed(p, job)).collect();
            if parts.is_empty() { None } else { Some(parts.join(" and ")) }
        }
        Expression::Any(parts) => {
            let all: Option<Vec<String>> = parts.iter().map(|p| pushed(p, job)).collect();
            all.map(|parts| format!("({})", parts.join(" or ")))
        }
        Expression::Compare { operator, left, right } => compared(*operator, left, right, job),
        Expression::IsNull { operand, negated } => {
            let word = if *negated { "ne" } else { "eq" };
            property(operand, job).map(|field| format!("{} {word} null", field.property()))
        }
        Expression::In { operand, list, negated: false } => {
            let field = property(operand, job)?;
            let all: Option<Vec<String>> = list
                .iter()
                .map(|l| literal(l, field).map(|value| format!("{} eq {value}", field.property())))
                .collect();
            all.map(|parts| format!("({})", parts.join(" or ")))
        }
        Expression::Not(inner) => {
            let field = property(inner, job)?;
            (field.kind == FieldKind::Boolean).then(|| format!("{} eq false", field.property()))
        }
        Expression::Column(_) => {
            let field = property(filter, job)?;
            (field.kind == FieldKind::Boolean).then(|| format!("{} eq true", field.property()))
        }
        _ => None,
    }
}

fn compared(operator: Comparison, left: &Expression, right: &Expression, job: &Job) -> Option<String> {
    let Expression::Literal(value) = right else { return None };
    let field = property(left, job)?;
    // Dataverse compares texts without case and in its own order, so only equality is a coarser filter there.
    let is_text = matches!(value, Literal::Text(_));
    let is_boolean = matches!(value, Literal::Boolean(_));
    let word = match operator {
        Comparison::Equal => "eq",
        Comparison::NotEqual if is_boolean => "ne",
        _ if is_text || is_boolean => return None,
        // `ne` keeps nulls there and drops them here, which is coarser and therefore fine.
        Comparison::NotEqual => "ne",
        Comparison::Less => "lt",
        Comparison::LessOrEqual => "le",
        Comparison::Greater => "gt",
        Comparison::GreaterOrEqual => "ge",
    };
    literal(value, field).map(|value| format!("{} {word} {value}", field.property()))
}

/// The column of the source table that an expression is. Columns of other tables are filtered here, not there.
fn property<'a>(expression: &Expression, job: &'a Job) -> Option<&'a Field> {
    let Expression::Column(index) = expression else { return None };
    let column = &job.columns[*index];
    (column.relation.is_none() && column.field.kind != FieldKind::MultiChoice).then_some(&column.field)
}

fn literal(literal: &Literal, field: &Field) -> Option<String> {
    match (literal, field.kind) {
        (Literal::Text(text), FieldKind::Text) => Some(format!("'{}'", text.replace('\'', "''"))),
        (Literal::Text(text), FieldKind::Guid | FieldKind::Reference) if is_guid(text) => Some(text.clone()),
        (Literal::Integer(number), FieldKind::Integer | FieldKind::Choice | FieldKind::Decimal | FieldKind::Double) => {
            Some(number.to_string())
        }
        (Literal::Decimal(number), FieldKind::Decimal | FieldKind::Double) => Some(number.clone()),
        (Literal::Boolean(truth), FieldKind::Boolean) => Some(truth.to_string()),
        (Literal::Date(day), FieldKind::Date) => {
            moment::date(*day).filter(|d| YEARS.contains(&d.year())).map(|d| d.to_string())
        }
        (Literal::DateTime(at), FieldKind::DateTime) => moment_text(*at),
        _ => None,
    }
}

/// A moment as Dataverse takes it; none outside of its years.
fn moment_text(at_ms: i64) -> Option<String> {
    let moment = chrono::DateTime::from_timestamp_millis(at_ms).filter(|m| YEARS.contains(&m.year()))?;
    Some(moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// Whether a text can be the name of a table at all: what a script calls a table goes into a URL before anybody knows it.
/// <https://docs.oasis-open.org/odata/odata-csdl-xml/v4.01/odata-csdl-xml-v4.01.html#sec_SimpleIdentifier>
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 128 && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

pub(super) fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|g| g.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The whole URL of a query, for people: readable, not encoded.
#[must_use]
pub fn shown(origin: &str, query: &Query) -> Option<Url> {
    Url::parse(origin).ok()?.join(&format!("{}{}", super::assumptions::API, query.path())).ok()
}
