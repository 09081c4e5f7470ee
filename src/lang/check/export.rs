//! `BEGIN WITH lake.contact`: an export whose rows the first reading of a Dynamics table begins with.

use super::scope::{Scope, table_ref};
use super::target::{self, Side};
use crate::diagnostic::code::{CLAUSE, TYPE, UNKNOWN_FIELD};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{From, ObjectName};
use crate::model::catalog::Object;
use crate::model::dataset::VERSION_NUMBER;
use crate::model::field::FieldKind;
use crate::model::job::TableRef;

/// The table of the export; none if it cannot stand for the job's own. Every column that the job reads is known by now.
pub(super) fn check(written: &ObjectName, from: &From, scope: &Scope<'_>, out: &mut Diagnostics) -> Option<TableRef> {
    let connection = target::connection(&written.connection, Side::Source, scope.context, out)?;
    let export = target::object(&connection, written, scope.context, out)?;
    let source = scope.source?;
    let mut wrong = |message: String, help: &str| {
        out.push(Diagnostic::error(CLAUSE, written.span, message).help(help));
    };
    if !from.changes {
        wrong("BEGIN WITH is about what a run finds changed since an export".to_owned(), "write FROM CHANGES OF …");
    }
    if source.is_of_files {
        wrong("BEGIN WITH is for a table of Dynamics: files have their own changes".to_owned(), "remove it");
        return None;
    }
    if !export.is_of_files || export.by_name(VERSION_NUMBER).is_none() {
        let message = format!("{}.{} is no export of Synapse Link", written.connection.text, export.name);
        wrong(message, "only such an export says up to which moment it is whole");
        return None;
    }
    if !export.name.eq_ignore_ascii_case(&source.name) {
        let message = format!("this is an export of {}, and the job reads {}", export.name, source.name);
        wrong(message, "name the export of the same table");
        return None;
    }
    if source.by_name(VERSION_NUMBER).is_none() {
        wrong(format!("{} has no versionnumber to compare the export by", source.label), "leave BEGIN WITH out");
        return None;
    }
    if from.by.is_none() && source.by_name("modifiedon").is_none() {
        let message = format!("{} has no column that says what changed since the export", source.label);
        wrong(message, "name it with BY");
    }
    columns(written, export, scope, out);
    // An export calls every key after its table, and activities have one of their own.
    Some(TableRef { primary_id: source.primary_id.clone(), ..table_ref(&connection, export) })
}

/// The export has every column that the job reads, with values that it can hold.
fn columns(written: &ObjectName, export: &Object, scope: &Scope<'_>, out: &mut Diagnostics) {
    for column in scope.columns.iter().filter(|column| column.relation.is_none()) {
        let (name, kind) = (&column.field.name, column.field.kind);
        let Some(found) = export.by_name(name) else {
            let message = format!("the export of {} has no column \"{name}\", which the job reads", export.name);
            let help = "add it to the export, or leave BEGIN WITH out: then everything is read from Dynamics";
            out.push(Diagnostic::error(UNKNOWN_FIELD, written.span, message).help(help));
            continue;
        };
        if !holds(found.kind, kind) {
            let message = format!("\"{name}\" is {} in the export, and {} in Dynamics", found.kind.word(), kind.word());
            out.push(Diagnostic::error(TYPE, written.span, message).help("leave BEGIN WITH out"));
        }
    }
}

/// Whether values of a column of an export are those of one of Dynamics. An export knows fewer types.
fn holds(export: FieldKind, dynamics: FieldKind) -> bool {
    use FieldKind::{Choice, Date, DateTime, Decimal, Double, Guid, Integer, MultiChoice, Reference, Text};
    export == dynamics
        || matches!(
            (export, dynamics),
            (DateTime, Date)
                | (Integer, Choice | Decimal | Double)
                | (Guid, Reference)
                | (Decimal, Double)
                | (Text, MultiChoice)
                | (MultiChoice, Text)
        )
}
