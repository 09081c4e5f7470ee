//! `CREATE TEST`: the job, the objects and fields that it names, and values that fit them.

use std::collections::BTreeMap;

use super::Context;
use super::chain::unknown_job;
use super::items::shown;
use super::mapping::target_field;
use super::scope::field_of;
use super::target::object;
use crate::diagnostic::code::{LITERAL, MAPPED_TWICE, TEST, UNKNOWN_CONNECTION, UNKNOWN_OBJECT};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::{self, Name, Row, Rows};
use crate::lang::suggest::nearest;
use crate::model::expression::Literal;
use crate::model::field::{Field, FieldKind};
use crate::model::job::{Job, Target};
use crate::model::moment;
use crate::model::test::{Column, Expect, Expected, Given, Test};

/// The column of an expectation that stands for the code of the reason.
const REASON: &str = "reason";

/// The checked test; none if something in it is wrong, or if its job is.
pub(in crate::lang) fn check(
    written: &ast::Test,
    jobs: &BTreeMap<String, Job>,
    context: &Context<'_>,
    out: &mut Diagnostics,
) -> Option<Test> {
    let Some(job) = jobs.get(&written.job.text) else {
        // A job with a mistake has been reported, and its tests wait for it.
        if !context.jobs.contains(written.job.text.as_str()) {
            out.push(unknown_job(&written.job, context.jobs));
        }
        return None;
    };
    let now_millis = match &written.now[..] {
        [] => None,
        [now, ..] => Some(moment_of(now, job, out)?),
    };
    let given: Vec<Option<Given>> = written.given.iter().map(|one| given(one, context, out)).collect();
    let expect: Vec<Option<Expect>> = written.expect.iter().map(|one| expect(one, job, context, out)).collect();
    Some(Test {
        name: written.name.text.clone(),
        job: job.name.clone(),
        now_millis,
        given: given.into_iter().collect::<Option<_>>()?,
        expect: expect.into_iter().collect::<Option<_>>()?,
        place: context.sources.place(written.name.span),
    })
}

fn moment_of(now: &Name, job: &Job, out: &mut Diagnostics) -> Option<i64> {
    let zone = moment::zone(&job.zone).unwrap_or(chrono_tz::UTC);
    let read = moment::read_moment(&now.text).and_then(|m| m.map_or_else(|wall| moment::moment_of(wall, zone), Some));
    if read.is_none() {
        let message = format!("'{}' is not a moment", now.text);
        out.push(Diagnostic::error(LITERAL, now.span, message).help("GIVEN NOW '2026-01-31 10:00'"));
    }
    read
}

fn given(written: &ast::Given, context: &Context<'_>, out: &mut Diagnostics) -> Option<Given> {
    let name = &written.object.connection;
    let Some((connection, _)) = context.connections.iter().find(|(key, _)| key.eq_ignore_ascii_case(&name.text)) else {
        let message = format!("no connection is named `{}`", name.text);
        let wrong = Diagnostic::error(UNKNOWN_CONNECTION, name.span, message);
        out.push(match nearest(&name.text, context.connections.keys().map(String::as_str)) {
            Some(near) => wrong.label(format!("did you mean `{near}`?")),
            None => wrong.help("declare it with CREATE CONNECTION"),
        });
        return None;
    };
    let found = object(connection, &written.object, context, out)?;
    let mut fields: Vec<Field> = Vec::new();
    for column in &written.rows.columns {
        // Which table a column points at is the text of a column beside it.
        let (base, is_type) = column.text.strip_suffix("@type").map_or((column.text.as_str(), false), |b| (b, true));
        let base = Name { text: base.to_owned(), span: column.span };
        let mut field = field_of(found, &base, out)?.clone();
        if is_type {
            (field.name, field.kind) = (crate::model::dataset::type_column(&field.name), FieldKind::Text);
        }
        if fields.iter().any(|f| f.name == field.name) {
            out.push(Diagnostic::error(MAPPED_TWICE, column.span, "this column stands here twice"));
            return None;
        }
        fields.push(field);
    }
    let rows = rows(&written.rows, &fields, out)?;
    Some(Given { connection: connection.clone(), object: found.name.clone(), fields, rows })
}

fn expect(written: &ast::Expect, job: &Job, context: &Context<'_>, out: &mut Diagnostics) -> Option<Expect> {
    let what = match &written.what {
        ast::Expected::Records(object) => Expected::Records(target(object, job, out)?),
        ast::Expected::Rejects => Expected::Rejects,
        ast::Expected::Errors => Expected::Errors,
        ast::Expected::Unchanged => Expected::Unchanged,
    };
    let place = context.sources.place(written.span);
    let Some(written) = &written.rows else {
        return Some(Expect { what, columns: Vec::new(), rows: Vec::new(), place });
    };
    let columns: Vec<Option<(Column, Field)>> =
        written.columns.iter().map(|name| column(name, what, job, context, out)).collect();
    let (columns, fields): (Vec<Column>, Vec<Field>) =
        columns.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
    Some(Expect { what, columns, rows: rows(written, &fields, out)?, place })
}

fn target(written: &ast::ObjectName, job: &Job, out: &mut Diagnostics) -> Option<usize> {
    let is = |t: &Target| {
        let name = &written.object.text;
        let object = t.object.label.eq_ignore_ascii_case(name) || t.object.name.eq_ignore_ascii_case(name);
        object && t.connection.eq_ignore_ascii_case(&written.connection.text)
    };
    let found = job.targets.iter().position(is);
    if found.is_none() {
        let labels: Vec<&str> = job.targets.iter().map(|t| t.object.label.as_str()).collect();
        let message = format!("\"{}\" does not write {}", job.name, written.object.text);
        out.push(
            Diagnostic::error(UNKNOWN_OBJECT, written.span, message).help(format!("it writes {}", labels.join(", "))),
        );
    }
    found
}

fn column(
    name: &Name,
    what: Expected,
    job: &Job,
    context: &Context<'_>,
    out: &mut Diagnostics,
) -> Option<(Column, Field)> {
    let Expected::Records(target) = what else {
        if name.text.eq_ignore_ascii_case(REASON) {
            let reason = Field { name: REASON.to_owned(), kind: FieldKind::Text, ..crate::model::dataset::gsid() };
            return Some((Column::Reason, reason));
        }
        let table = context.catalog.object(&job.source.connection, &job.source.table.name)?;
        let field = field_of(table, name, out)?.clone();
        return Some((Column::Source(field.clone()), field));
    };
    let targets = [Some(job.targets[target].clone())];
    let written = ast::TargetField { object: None, field: name.clone(), span: name.span };
    let (_, field) = target_field(&written, &targets, out)?;
    let mapping = job.mappings_of(target).find(|(_, m)| m.field.name == field.name).map(|(index, _)| index);
    if mapping.is_none() {
        let message = format!("\"{}\" does not map \"{}\"", job.name, field.label);
        out.push(Diagnostic::error(TEST, name.span, message).help("an EXPECT names fields that the job fills"));
    }
    Some((Column::Mapping(mapping?), field))
}

/// Rows whose values fit the fields.
fn rows(written: &Rows, fields: &[Field], out: &mut Diagnostics) -> Option<Vec<Vec<Literal>>> {
    let rows: Vec<Option<Vec<Literal>>> = written.rows.iter().map(|row| one_row(row, fields, out)).collect();
    rows.into_iter().collect()
}

fn one_row(row: &Row, fields: &[Field], out: &mut Diagnostics) -> Option<Vec<Literal>> {
    if row.values.len() != fields.len() {
        let message =
            format!("this row has {} for {}", counted(row.values.len(), "value"), counted(fields.len(), "column"));
        out.push(Diagnostic::error(TEST, row.span, message));
        return None;
    }
    let values: Vec<Option<Literal>> =
        row.values.iter().zip(fields).map(|((value, span), field)| fitted(value, field, *span, out)).collect();
    values.into_iter().collect()
}

/// A value in the form that a column of the field holds; reports one that does not fit.
fn fitted(value: &Literal, field: &Field, span: Span, out: &mut Diagnostics) -> Option<Literal> {
    let made = match (value, field.kind) {
        (Literal::Null, _) => Some(Literal::Null),
        (Literal::Text(text), FieldKind::Choice) => {
            let choice = field.choices.iter().find(|c| c.label == *text);
            choice.and_then(|c| c.code.parse().ok()).map(Literal::Integer)
        }
        (Literal::Integer(_), FieldKind::Choice | FieldKind::Integer) => Some(value.clone()),
        (Literal::Integer(number), FieldKind::Decimal | FieldKind::Number | FieldKind::Double) => {
            Some(Literal::Decimal(number.to_string()))
        }
        (Literal::Decimal(_), FieldKind::Decimal | FieldKind::Number | FieldKind::Double) => Some(value.clone()),
        (Literal::Boolean(_), FieldKind::Boolean) => Some(value.clone()),
        (Literal::Date(_), FieldKind::Date) | (Literal::DateTime(_), FieldKind::DateTime) => Some(value.clone()),
        (Literal::Text(text), FieldKind::Date) => moment::read_date(text).map(Literal::Date),
        (Literal::Text(text), FieldKind::DateTime) => moment::read_moment(text)
            .map(|m| m.unwrap_or_else(|wall| wall.and_utc().timestamp_millis()))
            .map(Literal::DateTime),
        (Literal::Text(text), FieldKind::Guid | FieldKind::Reference) => {
            Some(Literal::Text(text.trim_matches(['{', '}']).to_ascii_lowercase()))
        }
        (Literal::Text(_), kind) if is_text(kind) => Some(value.clone()),
        _ => None,
    };
    if made.is_none() {
        let found = value.value_type().word();
        let message = format!("this {found} does not fit \"{}\" ({})", field.label, field.kind.word());
        let mut wrong = Diagnostic::error(TEST, span, message);
        if field.kind == FieldKind::Choice {
            wrong = wrong.help(format!("labels are {}", shown(field.choices.iter().map(|c| format!("'{}'", c.label)))));
        }
        out.push(wrong);
    }
    made
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn is_text(kind: FieldKind) -> bool {
    use FieldKind::{Email, Gsid, Lookup, MultiChoice, MultiPicklist, Picklist, RichText, String, Text, Url};
    matches!(kind, Text | String | RichText | Email | Url | Gsid | Lookup | Picklist | MultiPicklist | MultiChoice)
}
