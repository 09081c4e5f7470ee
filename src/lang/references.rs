//! What the statements name, so that its schema can be asked for before they are checked.

use std::collections::BTreeSet;

use super::ast::{Expected, Job, ObjectName, Statement};
use super::ast_expression::{Expression, Node, Step};
use super::project::Parsed;

/// Tables, objects and paths, as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Connection and object.
    pub objects: BTreeSet<(String, String)>,
    /// Paths of two columns or more.
    pub paths: BTreeSet<Path>,
}

/// A path from a table through lookup columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The connection.
    pub connection: String,
    /// The table at which it begins.
    pub table: String,
    /// The columns, the last one included; each with the table that `TREAT` says it leads to.
    pub columns: Vec<(String, Option<String>)>,
}

impl Parsed {
    /// What the readable statements refer to.
    #[must_use]
    pub fn references(&self) -> References {
        let mut found = References::default();
        for statement in &self.statements {
            match statement {
                Statement::Job(job) => found.job(job),
                Statement::Test(test) => {
                    test.given.iter().for_each(|given| found.object(&given.object));
                    for expect in &test.expect {
                        // An avatar is an object of Ferry's own, which the job declares.
                        if let Expected::Records(object) = &expect.what {
                            found.object(object);
                        }
                    }
                }
                _ => {}
            }
        }
        found
    }
}

impl References {
    fn job(&mut self, job: &Job) {
        let from = &job.from.object;
        job.targets.iter().chain(job.lookups.iter().map(|l| &l.object)).chain([from]).for_each(|o| self.object(o));
        job.from.begins_with.iter().for_each(|o| self.object(o));
        job.expressions().for_each(|expression| self.paths_of(expression, job));
    }

    fn object(&mut self, object: &ObjectName) {
        self.objects.insert((object.connection.text.clone(), object.object.text.clone()));
    }

    fn paths_of(&mut self, expression: &Expression, job: &Job) {
        expression.walk(&mut |part| {
            let Node::Path(path) = &part.node else { return };
            if path.len() < 3 || !path[0].name.text.eq_ignore_ascii_case(&job.from.alias.text) {
                return;
            }
            let column = |step: &Step| (step.name.text.clone(), step.table.as_ref().map(|t| t.text.clone()));
            self.paths.insert(Path {
                connection: job.from.object.connection.text.clone(),
                table: job.from.object.object.text.clone(),
                columns: path[1..].iter().map(column).collect(),
            });
        });
    }
}
