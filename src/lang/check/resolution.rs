//! Company resolution: the field that a widget on the account form looks for must be filled by somebody.

use crate::diagnostic::code::RESOLUTION_UNFILLED;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::Statement;
use crate::lang::project::Project;

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
