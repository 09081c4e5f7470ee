//! Company resolution: the field that a widget on the account form looks for must be filled by somebody.

use super::scope::field_of;
use super::{Context, target};
use crate::diagnostic::code::{CONNECTION, RESOLUTION_UNFILLED};
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::diagnostic::source::Span;
use crate::lang::ast::{ObjectName, Statement};
use crate::lang::project::Project;

/// Holds `RESOLVED BY` against the schemas, as far as they were asked for.
pub(in crate::lang) fn fields(statements: &[Statement], context: &Context<'_>, out: &mut Diagnostics) {
    for statement in statements {
        let Statement::Connection(written) = statement else { continue };
        if let Some([column, connection, object, field]) = &written.company_resolution {
            if let Some(account) = context.catalog.object(&written.name.text, "account") {
                field_of(account, column, out);
            }
            let span = Span { end: object.span.end, ..connection.span };
            let named = ObjectName { connection: connection.clone(), object: object.clone(), span };
            // An object that no job uses was not asked for: of that only the name can be held against the service.
            let names = context.catalog.names.get(&connection.text).map_or(&[][..], Vec::as_slice);
            let is = |name: &str| name.eq_ignore_ascii_case(&object.text);
            let is_named = names.iter().any(|n| is(&n.name) || is(&n.label));
            match context.catalog.object(&connection.text, &object.text) {
                Some(object) => drop(field_of(object, field, out)),
                None if is_named || names.is_empty() => {}
                None => drop(target::object(&connection.text, &named, context, out)),
            }
        }
        for resolved in &written.person_resolution {
            let is_person = resolved.object.as_ref().is_none_or(|o| o.text.eq_ignore_ascii_case("person"));
            if let Some(named) = resolved.object.as_ref().filter(|_| !is_person) {
                let message = format!("a person is resolved by fields of Person, and this is of \"{}\"", named.text);
                out.push(Diagnostic::error(CONNECTION, named.span, message).help("write Person.\"Email\""));
            } else if let Some(person) = context.catalog.object(&written.name.text, "person") {
                field_of(person, &resolved.field, out);
            }
        }
    }
}

/// Warns about a resolution field that no job of the project fills.
pub(in crate::lang) fn company(project: &Project, statements: &[Statement], out: &mut Diagnostics) {
    for statement in statements {
        let Statement::Connection(written) = statement else { continue };
        let Some([column, _, object, field]) = &written.company_resolution else { continue };
        let writes_company =
            |job: &&crate::model::job::Job| job.targets.iter().any(|t| t.object.name.eq_ignore_ascii_case("company"));
        let mut jobs = project.jobs.values().filter(writes_company).peekable();
        let fills = |job: &crate::model::job::Job| {
            job.mappings.iter().any(|m| m.field.label == field.text || m.field.name.eq_ignore_ascii_case(&field.text))
        };
        if jobs.peek().is_some() && !jobs.any(fills) {
            out.push(
                Diagnostic::warning(
                    RESOLUTION_UNFILLED,
                    field.span,
                    format!("companies are resolved by \"{}\", but no job fills it", field.text),
                )
                .help(format!("add to the job that writes {}: a.{} AS \"{}\"", object.text, column.text, field.text)),
            );
        }
    }
}
