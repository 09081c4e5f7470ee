//! `test`: every `CREATE TEST` of a project, run without a service, and each of its expectations held against what came.

use serde::Serialize;

use super::error::Error;
use super::projects::{all_there, is_named};
use super::workspace::{Setting, Workspace};
use crate::engine::trial::{TrialRow, trial};
use crate::model::job::Job;
use crate::model::literal::Literal;
use crate::model::moment;
use crate::model::outcome::Outcome;
use crate::model::test::{Column, Expect, Expected, Given, GivenRow, Test};

/// How one test ended.
#[derive(Debug, Serialize)]
pub struct Tested {
    /// Its name.
    pub test: String,
    /// The job that it runs.
    pub job: String,
    /// Where it stands.
    pub place: String,
    /// Whether every expectation holds.
    pub passed: bool,
    /// The expectations that do not.
    pub failures: Vec<Unmet>,
}

/// An expectation that does not hold.
#[derive(Debug, Serialize)]
pub struct Unmet {
    /// Where it stands, and its words.
    pub place: String,
    /// About what.
    pub what: String,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Rows that are as expected.
    pub met: Vec<Vec<String>>,
    /// Rows that were expected and did not come.
    pub missing: Vec<Vec<String>>,
    /// Rows that came and were not expected, each with what else there is to say of it.
    pub unexpected: Vec<(Vec<String>, String)>,
    /// Where records were expected and did not come: what became of the rows that are not written.
    pub others: Vec<(String, String)>,
}

/// Runs all tests, or those whose file is among `files`.
///
/// # Errors
/// If the project has mistakes, or no snapshot of the schemas.
pub async fn run(setting: &Setting, files: &[std::path::PathBuf]) -> Result<Vec<Tested>, Error> {
    let setting = Setting { offline: true, ..setting.clone() };
    of(&Workspace::ready(&setting).await?, files).await
}

/// The same for a project that is open already.
///
/// # Errors
/// If a file that was named is none of the project's; if a plan cannot be carried out, which would be a bug.
pub async fn of(workspace: &Workspace, files: &[std::path::PathBuf]) -> Result<Vec<Tested>, Error> {
    let mut tested = Vec::new();
    all_there(&workspace.sources, files)?;
    for test in &workspace.project.tests {
        let is_wanted = is_named(&test.place.file, files);
        if let Some(job) = workspace.project.jobs.get(&test.job).filter(|_| is_wanted) {
            tested.push(one(test, job).await?);
        }
    }
    Ok(tested)
}

async fn one(test: &Test, job: &Job) -> Result<Tested, Error> {
    let job = job.at(test.now_millis.unwrap_or_default());
    let rows = trial(&job, &test.given).await.map_err(crate::run::error::Error::from)?;
    let failures: Vec<Unmet> = test.expect.iter().filter_map(|expect| unmet(expect, test, &job, &rows)).collect();
    Ok(Tested {
        test: test.name.clone(),
        job: test.job.clone(),
        place: test.place.to_string(),
        passed: failures.is_empty(),
        failures,
    })
}

/// The expectation with what is wrong about it; none if it holds.
fn unmet(expect: &Expect, test: &Test, job: &Job, rows: &[TrialRow]) -> Option<Unmet> {
    let mut came: Vec<(Vec<String>, String)> = rows
        .iter()
        .filter(|row| is_about(expect.what, row))
        .map(|row| (cells(expect, test, job, row, rows), remark(row)))
        .collect();
    let (mut met, mut missing) = (Vec::new(), Vec::new());
    for wanted in &expect.rows {
        let wanted: Vec<String> = wanted.iter().map(shown).collect();
        match came.iter().position(|(cells, _)| *cells == wanted) {
            Some(at) => met.push(came.remove(at).0),
            None => missing.push(wanted),
        }
    }
    if missing.is_empty() && came.is_empty() {
        return None;
    }
    let columns = expect.columns.iter().map(|column| match column {
        Column::Mapping(index) => job.mappings[*index].field.label.clone(),
        Column::Source(field) => field.name.clone(),
        Column::Reason => "reason".to_owned(),
    });
    let what = match expect.what {
        Expected::Records(target) => job.targets[target].object.label.clone(),
        Expected::Rejects => "rejected rows".to_owned(),
        Expected::Errors => "rows in error".to_owned(),
        Expected::Unchanged => "unchanged rows".to_owned(),
    };
    let place = format!("{}: {}", expect.place, expect.place.clause);
    let is_record = matches!(expect.what, Expected::Records(_)) && !missing.is_empty();
    let id = &job.source.table.primary_id;
    let other = |row: &&TrialRow| is_record && !is_about(expect.what, row);
    let others = rows.iter().filter(other).map(|row| (shown(&source_cell(test, job, row.row, id)), remark(row)));
    Some(Unmet { place, what, columns: columns.collect(), met, missing, unexpected: came, others: others.collect() })
}

fn is_about(what: Expected, row: &TrialRow) -> bool {
    match what {
        Expected::Records(target) => {
            matches!(row.outcome, Outcome::Inserted | Outcome::Updated)
                && matches!(row.actions[target].as_deref(), Some("insert" | "update"))
        }
        Expected::Rejects => row.outcome == Outcome::Rejected,
        Expected::Errors => row.outcome == Outcome::Error,
        Expected::Unchanged => row.outcome == Outcome::Unchanged,
    }
}

fn cells(expect: &Expect, test: &Test, job: &Job, row: &TrialRow, all: &[TrialRow]) -> Vec<String> {
    let cell = |column: &Column| match column {
        Column::Mapping(index) => match &row.values[*index] {
            Literal::Text(text) => shown(&Literal::Text(pending(text, test, job, all))),
            value => shown(value),
        },
        Column::Source(field) => shown(&source_cell(test, job, row.row, &field.name)),
        Column::Reason => shown(&row.code.map_or(Literal::Null, |c| Literal::Text(c.text().to_owned()))),
    };
    expect.columns.iter().map(cell).collect()
}

/// The GSID of a record that this run is going to insert is written as `~` and the source row's id.
fn pending(text: &str, test: &Test, job: &Job, all: &[TrialRow]) -> String {
    let number = text.strip_prefix('~').and_then(|digits| digits.parse::<i64>().ok());
    let Some(row) = number.filter(|n| all.iter().any(|r| r.row == *n)) else { return text.to_owned() };
    match source_cell(test, job, row, &job.source.table.primary_id) {
        Literal::Text(id) => format!("~{id}"),
        _ => text.to_owned(),
    }
}

fn source_cell(test: &Test, job: &Job, row: i64, field: &str) -> Literal {
    let source = &job.source;
    let is_source = |g: &&Given| g.object == source.table.name && g.connection == source.connection;
    let place = usize::try_from(row - 1).unwrap_or_default();
    let Some(row) = GivenRow::at(place, test.given.iter().filter(is_source)) else { return Literal::Null };
    match row.value(field) {
        Some(value) => value.clone(),
        None if field == source.table.primary_id => row.unnamed(field),
        None => Literal::Null,
    }
}

/// What else there is to say of a row that came unexpectedly.
fn remark(row: &TrialRow) -> String {
    match row.code {
        Some(code) => format!("{}: {}", code.text(), row.message),
        None => row.outcome.text().to_owned(),
    }
}

/// A constant as a script writes it; an empty text is stored as none at all.
fn shown(value: &Literal) -> String {
    match value {
        Literal::Text(text) if text.is_empty() => "NULL".to_owned(),
        Literal::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Literal::Integer(number) => number.to_string(),
        Literal::Decimal(written) => crate::engine::trial::plain(written),
        Literal::Boolean(truth) => truth.to_string().to_uppercase(),
        Literal::Date(day) => moment::date(*day).map_or_else(|| "NULL".to_owned(), |d| format!("DATE '{d}'")),
        Literal::DateTime(at) => {
            let moment = chrono::DateTime::from_timestamp_millis(*at);
            moment.map_or_else(|| "NULL".to_owned(), |m| format!("TIMESTAMP '{}'", m.format("%Y-%m-%dT%H:%M:%S%.fZ")))
        }
        Literal::Interval(_) | Literal::Null => "NULL".to_owned(),
    }
}
