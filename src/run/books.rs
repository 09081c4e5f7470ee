//! The books: the error file, and the proof that every row has exactly one outcome.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::changes::Changes;
use super::error::Error;
use super::failed_rows::{FailedPage, FailedRows};
use super::load::{self, Load};
use super::who::{advice, candidates};
use arrow::array::new_null_array;
use arrow::record_batch::RecordBatch;
use tokio::task::JoinSet;

use crate::engine::reason::Reasons;
use crate::model::dataset::{self, changes};
use crate::model::job::Job;
use crate::model::outcome::{Counts, Outcome};
use crate::model::place::Place;
use crate::model::reject::RejectCode;
use crate::model::sabotage::{self, Bug};
use crate::store::dataset::RunFolder;
use crate::store::error_file::{ErrorFile, Line, SourceColumns};
use crate::store::ledger::{Failed, Tally};

/// An error file that was written.
pub(super) struct Written {
    /// Where it is; nowhere, if no row failed.
    pub(super) path: Option<PathBuf>,
    /// Its rows, as they are kept until they succeed.
    pub(super) failed: Vec<Failed>,
}

/// An error file that is not in its place yet, with its rows.
struct Drawn {
    file: ErrorFile,
    failed: Vec<Failed>,
}

/// Rows that failed while they were loaded, by number.
type Failures = BTreeMap<i64, load::Failure>;

/// An error file as the plan alone has it, written while rows are loaded, which mostly waits for Gainsight. If no row fails meanwhile, also
/// where the load is stopped early, it is the run's; with the first that fails it is given up.
pub(super) struct Draft(JoinSet<Result<Drawn, Error>>);

impl Draft {
    /// Begins to write, and sweeps up what is left of earlier processes. It is given up where this is dropped, and nothing comes to the file's place before the load is over.
    pub(super) fn begin(job: &Job, run: &str, folder: &RunFolder) -> Self {
        file_of(job, run, folder).sweep();
        let (job, run, folder) = (job.clone(), run.to_owned(), folder.clone());
        let mut writing = JoinSet::new();
        writing.spawn(async move { drawn(&job, &run, &folder, &Failures::new()).await });
        Self(writing)
    }

    /// What was written. An error of it comes up again where the file is written anew.
    async fn ended(mut self) -> Option<Drawn> {
        self.0.join_next().await?.ok()?.ok()
    }
}

/// Writes the error file of a run that was planned and loaded, or puts its draft in its place.
pub(super) async fn error_file(
    job: &Job,
    run: &str,
    folder: &RunFolder,
    load: &mut Load<'_>,
) -> Result<Written, Error> {
    let draft = match load.draft.take() {
        Some(draft) => draft.ended().await,
        None => None,
    };
    let Drawn { file, failed } = match draft {
        Some(drawn) => drawn,
        None => drawn(job, run, folder, &load.failures).await?,
    };
    sabotage::place("error_file.drawn");
    // Whoever was taken over meanwhile writes over nothing of the one who goes on.
    load.recorder.ledger.is_ours()?;
    let path = file.finish()?;
    folder.keep_error_file(path.as_deref()).await?;
    Ok(Written { path, failed })
}

fn file_of(job: &Job, run: &str, folder: &RunFolder) -> ErrorFile {
    ErrorFile::new(Path::new(folder.root()), run, &job.name)
}

async fn drawn(job: &Job, run: &str, folder: &RunFolder, failures: &Failures) -> Result<Drawn, Error> {
    let (reasons, nothing) = (Reasons::of(job), nothing(job));
    let mut drawn = Drawn { file: file_of(job, run, folder), failed: Vec::new() };
    let mut pages = FailedRows::of(folder, &reasons, failures.keys().copied().collect()).await?;
    while let Some(page) = pages.next().await? {
        drawn.add(job, &reasons, failures, page, &nothing)?;
    }
    Ok(drawn)
}

impl Drawn {
    /// Adds a page of failed rows; `nothing` stands for those that the source has no more.
    fn add(
        &mut self,
        job: &Job,
        reasons: &Reasons,
        failures: &Failures,
        page: FailedPage,
        nothing: &RecordBatch,
    ) -> Result<(), Error> {
        let (source, nothing) = (SourceColumns::of(&page.source)?, SourceColumns::of(nothing)?);
        let mut at_source = 0;
        for batch in page.lines {
            let rows = Changes::new(job, batch);
            for at in 0..rows.len() {
                let is_gone = rows.lost(at) == Some(changes::DELETE);
                let (columns, place) = if is_gone { (&nothing, 0) } else { (&source, at_source) };
                at_source += usize::from(!is_gone);
                if let Some(one) = line(job, reasons, &rows, at, failures) {
                    self.file.add(&one.line, columns, place)?;
                    self.failed.push(one.kept());
                }
            }
        }
        Ok(())
    }
}

/// A row of the source without a value: what is left of one that is gone.
fn nothing(job: &Job) -> RecordBatch {
    let schema = dataset::table_schema(&dataset::table_fields(job, None), false, None);
    let columns = schema.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
    RecordBatch::try_new(schema, columns).expect("every column of the source may be null")
}

/// A row that failed.
struct Failure {
    line: Line,
    code: RejectCode,
    /// The users that it could be.
    candidates: Vec<String>,
}

impl Failure {
    /// The row as it is kept until it succeeds.
    fn kept(self) -> Failed {
        Failed {
            source_id: self.line.source_key,
            code: self.line.code,
            retried: self.code.retried().word(),
            message: self.line.message,
            candidates: self.candidates,
        }
    }
}

/// The clause that a lost row is dealt with by, and what there is to say of how it was lost.
fn parting<'a>(job: &'a Job, rows: &Changes<'_>, at: usize) -> Option<(&'a Place, String)> {
    let lost = rows.lost(at)?;
    let clause = if lost == changes::LEAVE { &job.on_leave } else { &job.on_delete };
    Some((clause.place().unwrap_or(&job.place), rows.loss(at)?))
}

fn line(job: &Job, reasons: &Reasons, rows: &Changes<'_>, at: usize, failures: &Failures) -> Option<Failure> {
    let row = rows.row(at);
    let source_key = rows.id(at);
    let parting = parting(job, rows, at);
    let said = |message: &str| match &parting {
        Some((_, words)) => format!("{words}: {message}"),
        None => message.to_owned(),
    };
    if let Some(failure) = failures.get(&row) {
        let place = parting.as_ref().map_or_else(|| place_of(job, &failure.field), |(place, _)| *place);
        let line = Line {
            row,
            source_key,
            outcome: Outcome::Error.text(),
            code: failure.code.text().to_owned(),
            message: said(&failure.message),
            script: place.to_string(),
            clause: place.clause.clone(),
            target_field: failure.field.clone(),
            value: failure.value.clone(),
            attempts: 1,
        };
        return Some(Failure { line, code: failure.code, candidates: Vec::new() });
    }
    let reason = reasons.get(rows.why(at)?)?;
    let code = reason.code?;
    if reason.outcome == Outcome::Rejected && sabotage::has(Bug::RejectedForgotten) {
        return None;
    }
    let advice = advice(reason, rows, at).unwrap_or_default();
    let mut message = said(&format!("{}{advice}", reason.message));
    let mut place = &reason.place;
    let mut target_field = reason.field.clone().unwrap_or_default();
    if let Some(words) = rows.text(changes::MESSAGE, at) {
        message = format!("{message}. {words}");
        target_field = rows.text(changes::FIELD, at).unwrap_or_default().to_owned();
        place = place_of(job, &target_field);
    }
    if let Some((clause, _)) = &parting {
        place = clause;
    }
    let line = Line {
        row,
        source_key,
        outcome: reason.outcome.text(),
        code: code.text().to_owned(),
        message,
        script: place.to_string(),
        clause: place.clause.clone(),
        target_field,
        value: rows.text(changes::VALUE, at).unwrap_or_default().to_owned(),
        attempts: 0,
    };
    Some(Failure { candidates: candidates(reason, rows, at), line, code })
}

/// The mapping that fills a field, or the whole job where Gainsight named none.
fn place_of<'a>(job: &'a Job, label: &str) -> &'a Place {
    job.mappings.iter().find(|m| m.field.label == label).map_or(&job.place, |m| &m.place)
}

/// Holds the invariant of every run, in release builds too. `tally` is what the ledger says of the rows that were to be written.
pub(super) fn audit(counts: &Counts, planned: &Counts, lines: u64, tally: &Tally) -> Result<(), Error> {
    if sabotage::has(Bug::NoAudit) {
        return Ok(());
    }
    if !counts.balance() {
        return Err(Error::Books(format!("{} rows were read, and their outcomes are {counts:?}", counts.read)));
    }
    let (sent, settled) = (planned.sent(), counts.sent());
    let lost = counts.error.checked_sub(planned.error);
    if lost.is_none_or(|lost| settled + lost != sent) {
        return Err(Error::Books(format!("{sent} rows were to be written, {settled} were acknowledged")));
    }
    let kept = Tally { written: settled, failed: lost.unwrap_or_default(), open: 0 };
    if *tally != kept {
        return Err(Error::Books(format!("the ledger says {tally:?}, and the run counted {kept:?}")));
    }
    if lines != counts.failed() {
        return Err(Error::Books(format!("{} rows failed, {lines} are in the error file", counts.failed())));
    }
    Ok(())
}
