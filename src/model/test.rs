//! `CREATE TEST`: rows that both services are given, and what a run of a job over them must come to.

use super::field::Field;
use super::literal::Literal;
use super::place::Place;

/// One checked test.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// The job that it runs.
    pub job: String,
    /// The moment at which the run is to begin: milliseconds since 1970, UTC.
    pub now_millis: Option<i64>,
    /// The rows that there are.
    pub given: Vec<Given>,
    /// What is expected.
    pub expect: Vec<Expect>,
    /// Where the statement stands.
    pub place: Place,
}

/// Rows of a Dataverse table or a Gainsight object.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The connection's identifier.
    pub connection: String,
    /// The table or object, by its API name.
    pub object: String,
    /// The fields that the rows fill; all others are null.
    pub fields: Vec<Field>,
    /// The rows, each with a value for every field.
    pub rows: Vec<Vec<Literal>>,
}

/// One of the rows that a test gives.
#[derive(Debug, Clone, Copy)]
pub struct GivenRow<'a> {
    of: &'a Given,
    values: &'a [Literal],
    number: usize,
}

impl<'a> GivenRow<'a> {
    /// The row at a place, from 0, among all that clauses about the same object give.
    pub fn at(place: usize, given: impl IntoIterator<Item = &'a Given>) -> Option<Self> {
        let mut left = place;
        for of in given {
            if let Some(values) = of.rows.get(left) {
                return Some(Self { of, values, number: place + 1 });
            }
            left -= of.rows.len();
        }
        None
    }

    /// What its clause says of a field; none if it does not speak of it.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&'a Literal> {
        self.of.fields.iter().position(|f| f.name == field).map(|position| &self.values[position])
    }

    /// What it is called where its clause does not speak of its id.
    #[must_use]
    pub fn unnamed(&self, id: &str) -> Literal {
        Literal::Text(format!("{}-{}", id.to_lowercase(), self.number))
    }
}

/// One expectation: exactly these rows, in any order, as far as the columns go.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// About what.
    pub what: Expected,
    /// The labels or names of the columns, as written.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Literal>>,
    /// Where the clause stands.
    pub place: Place,
}

/// What an expectation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Records of a target that are inserted or updated: an index into `Job::targets`.
    Records(usize),
    /// Source rows that are rejected.
    Rejects,
    /// Source rows in error.
    Errors,
    /// Source rows whose records hold their values already.
    Unchanged,
}

/// A column of an expectation.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// A field of the target that the job maps: an index into `Job::mappings`.
    Mapping(usize),
    /// A column of the source table.
    Source(Field),
    /// The code of the reason, as the error file has it.
    Reason,
}
