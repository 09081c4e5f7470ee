//! Names of statements are unique in a project: connections, tests, and what can be run.

use std::collections::HashMap;

use crate::diagnostic::code;
use crate::diagnostic::report::{Diagnostic, Diagnostics};
use crate::lang::ast::{Name, Statement};

/// Reports every statement whose name another one has taken.
pub(in crate::lang) fn unique(statements: &[Statement], out: &mut Diagnostics) {
    let mut seen: HashMap<(u8, String), &Name> = HashMap::new();
    for statement in statements {
        let (kind, word, name) = match statement {
            Statement::Connection(c) => (0, "connection", &c.name),
            Statement::Test(t) => (3, "test", &t.name),
            Statement::Settings(_) => continue,
            Statement::Job(j) => (1, "job or chain", &j.name),
            // `ferry run NAME` runs either.
            Statement::Chain(c) => (1, "job or chain", &c.name),
        };
        // Names differ by more than case, so that no two of them look alike in a list.
        if let Some(first) = seen.insert((kind, name.text.to_lowercase()), name) {
            out.push(
                Diagnostic::error(code::NAME_TAKEN, name.span, format!("another {word} is named \"{}\"", name.text))
                    .related(first.span, "it is declared here")
                    .help("all *.ferry files below the project folder form one project; rename one of the two"),
            );
        }
    }
}
