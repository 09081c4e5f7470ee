//! The ledger: what a run has done so far, so that whoever goes on with it knows. The protocol's store, as operations.
//!
//! A run asks for nothing else than what stands here, so a test can put a ledger of its own in the place of `State`, in whichever database
//! that is. Each operation is one transaction that is on disk when it returns. In: what is about to be done, then what came of it.
//! Out: what was done before.

use arrow::record_batch::RecordBatch;

use super::dataset::Part;
use super::due::Due;
use super::error::Result;
use super::links::Relink;
use super::notices::ToTell;
use super::refusals::Refused;
use super::runs::{Run, Stage};
use super::state::Tenancy;
use super::users::Identity;
use crate::model::reject::RejectCode;

/// The note of a run that begins before it may look at the target (see [`Ledger::note`]): empty until then, then the moment in
/// milliseconds since 1970. A run without one looks when it begins.
pub const LOOKED: &str = "looked";

/// A run that begins.
#[derive(Debug, Clone)]
pub struct Begin<'a> {
    /// The day, which begins its number: `20261123`.
    pub day: &'a str,
    /// The job's name.
    pub job: &'a str,
    /// The chain that it is part of.
    pub chain: Option<&'a str>,
    /// Who or what started it: a name of the operating system's, or `schedule`.
    pub by: &'a str,
    /// The time that it was due at by its schedule, in milliseconds since 1970.
    pub slot_ms: Option<i64>,
    /// Whose state it belongs to.
    pub of: &'a Tenancy,
    /// RFC 3339, UTC.
    pub started: &'a str,
    /// The moment that is `NOW` for it, in milliseconds since 1970.
    pub now_ms: i64,
    /// A digest of the job with everything that it relies on.
    pub job_digest: &'a str,
    /// What the job relies on of both services' schemas, as JSON.
    pub relied: &'a str,
    /// The primary keys of the source rows that it is about, as JSON; all, if there are none here.
    pub chosen: Option<&'a str>,
    /// Whether it can be gone on with when it is interrupted.
    pub can_resume: bool,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It reads.
    Extracting,
    /// Everything was read.
    Extracted,
    /// The plan is made, and records are being sent.
    Loading,
    /// Nothing is left to be done for it.
    Ended,
    /// It only plans: nothing is gone on with.
    Planning,
}

/// A run that was interrupted, or failed in a way that can be gone on from.
#[derive(Debug, Clone)]
pub struct Unfinished {
    /// The run as it is listed.
    pub run: Run,
    /// How far it came.
    pub phase: Phase,
    /// See [`Begin::job_digest`].
    pub job_digest: String,
    /// See [`Begin::now_ms`].
    pub now_ms: i64,
    /// See [`Begin::relied`].
    pub relied: Option<String>,
    /// See [`Begin::chosen`].
    pub chosen: Option<String>,
    /// The plan's counts as JSON, once it was made.
    pub planned: Option<String>,
    /// The digest of its changes, once they were made.
    pub plan_digest: Option<String>,
    /// How many processes have worked on it.
    pub attempts: i64,
}

/// How far the reading of one dataset has come.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Its pages, in order.
    pub parts: Vec<Part>,
    /// Where it goes on, in the words of the service's client.
    pub checkpoint: String,
    /// Rows so far.
    pub rows: u64,
    /// Whether that was all.
    pub is_done: bool,
}

/// A call that is about to be made.
#[derive(Debug, Clone)]
pub struct Intent {
    /// 1, or 2 for fields that point at records of the first.
    pub step: u8,
    /// What is written, such as `insert company`.
    pub what: String,
    /// Its rows: number and primary key of the source.
    pub rows: Vec<(i64, String)>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// What is known of a call that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It was carried out.
    Acknowledged,
    /// It was refused, and nothing was done.
    Refused,
    /// It was not made, or certainly not carried out.
    Withdrawn,
    /// Nobody knows yet.
    Unknown {
        /// When it was clear that no answer comes, in milliseconds since 1970: it had been sent by then.
        heard_at_ms: i64,
    },
}

/// What became of one row's record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// The row's number.
    pub row: i64,
    /// See [`Intent::step`].
    pub step: u8,
    /// The row's primary key in the source.
    pub source_id: String,
    /// The record's GSID, if it is new and known.
    pub gsid: Option<String>,
    /// Gainsight's refusal; none if the record was written.
    pub refused: Option<Refused>,
    /// Why it could not be written although nobody refused it.
    pub lost: Option<Lost>,
    /// What is to be remembered of the Dynamics user.
    pub identity: Option<Identity>,
    /// What becomes of the row's links; nothing, if the record was not written.
    pub links: Vec<Relink>,
}

/// Why a record could not be written although nobody refused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What it is in the error file.
    pub code: RejectCode,
    /// In words.
    pub message: String,
}

/// What a run before this process knows of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It was written; the GSID, if it was new and known.
    Written(Option<String>),
    /// It was refused.
    Refused(Refused),
    /// It could not be written: why.
    Lost(Lost),
    /// Its call was sent, and no answer came.
    Open,
}

/// What the outcomes of a run amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows whose records were written.
    pub written: u64,
    /// Rows whose records were not.
    pub failed: u64,
    /// Rows whose calls have no answer.
    pub open: u64,
}

/// A row that failed, as it is kept until it succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Its primary key in the source.
    pub source_id: String,
    /// The code of the error file.
    pub code: String,
    /// When it is tried again: `time`, `change`, `never`.
    pub retried: &'static str,
    /// What happened.
    pub message: String,
    /// Of a user that could be one of several, their GSIDs.
    pub candidates: Vec<String>,
}

/// A run that ends.
#[derive(Debug, Clone)]
pub struct End<'a> {
    /// Its number.
    pub run: &'a str,
    /// Whose state it belongs to.
    pub of: &'a Tenancy,
    /// The job's name.
    pub job: &'a str,
    /// RFC 3339, UTC.
    pub ended: &'a str,
    /// `success`, `partial`, `failed`, `planned`.
    pub status: &'a str,
    /// Its report as JSON.
    pub report: &'a str,
    /// Why it failed.
    pub message: Option<&'a str>,
    /// Whether it can be gone on with.
    pub can_resume: bool,
    /// The rows that it leaves undone.
    pub failed: &'a [Failed],
    /// Whether these are all: of a run that was stopped they are those that are known.
    pub are_all: bool,
    /// The rows that it was about; all, if there are none here.
    pub chosen: Option<&'a [String]>,
    /// Where the next run begins to read; none if that stays as it is. Moved with the end, so that no change is passed over of which a
    /// row has no outcome.
    pub base: Option<&'a Base>,
    /// Who is to be told.
    pub notices: &'a [ToTell],
}

impl<'a> End<'a> {
    /// The end of a run that did nothing: it is not gone on with, leaves no row undone, and moves nothing.
    #[must_use]
    pub fn of_nothing(run: &'a str, of: &'a Tenancy, job: &'a str, ended: &'a str, status: &'a str) -> Self {
        Self {
            run,
            of,
            job,
            ended,
            status,
            report: "",
            message: None,
            can_resume: false,
            failed: &[],
            are_all: false,
            chosen: None,
            base: None,
            notices: &[],
        }
    }
}

/// Where a job's next run begins to read: from the rows of an earlier one, and what changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The run in whose folder the rows lie.
    pub run: String,
    /// A digest of the job by which they were read.
    pub digest: String,
    /// When everything was last read, in milliseconds since 1970.
    pub full_at_ms: i64,
    /// Where each dataset's changes begin, as JSON.
    pub cursors: String,
}

/// What a run keeps. Every operation is whole or not at all, and on disk when it returns; each fails with
/// [`super::error::Error::OwnershipLost`] for whoever was taken over.
#[allow(clippy::missing_errors_doc)]
pub trait Ledger {
    /// Begins a run and gives it its number.
    fn begin(&self, one: &Begin<'_>) -> Result<String>;
    /// The newest run of a job, if it can be gone on with.
    fn unfinished(&self, of: &Tenancy, job: &str) -> Result<Option<Unfinished>>;
    /// A run as it was begun, whatever became of it.
    fn begun(&self, run: &str) -> Result<Option<Unfinished>>;
    /// Makes a run that loads of a plan; whether it still was one.
    fn apply(&self, run: &str, at: &str) -> Result<bool>;
    /// Another run of a job that has made a call since a plan of it began, if there is one.
    fn written_since(&self, of: &Tenancy, job: &str, plan: &str) -> Result<Option<String>>;
    /// Goes on with a run.
    fn take_up(&self, run: &str) -> Result<()>;
    /// Whether somebody allowed a run to change as much as it planned.
    fn is_approved(&self, run: &str) -> Result<bool>;
    /// Gives a run up: nothing of it is gone on with.
    fn abandon(&self, run: &str, at: &str, why: &str) -> Result<()>;
    /// This process works on a run no more, which it has begun or taken up, whether it came to an end or not.
    fn left(&self, run: &str);
    /// Keeps a stage that has ended.
    fn stage(&self, run: &str, stage: &Stage) -> Result<()>;

    /// How far the reading of a dataset has come; none if it has not begun.
    fn reading(&self, run: &str, dataset: &str) -> Result<Option<Reading>>;
    /// Keeps a page, if it had rows, and where the reading goes on.
    fn page(&self, run: &str, dataset: &str, part: Option<&Part>, checkpoint: &str) -> Result<()>;
    /// Keeps a note of a run under a name, in place of an earlier one: [`Ledger::reading`] gives it as the checkpoint of that name.
    fn note(&self, run: &str, name: &str, text: &str) -> Result<()>;
    /// A run looks at its target at a moment in milliseconds since 1970: what others have written until now, it does not miss.
    fn looks(&self, run: &str, at_ms: i64) -> Result<()>;
    /// Keeps that a dataset was read to its end.
    fn read_whole(&self, run: &str, dataset: &str) -> Result<()>;
    /// Forgets what was read of a dataset.
    fn read_again(&self, run: &str, dataset: &str) -> Result<()>;
    /// Everything was read.
    fn extracted(&self, run: &str) -> Result<()>;
    /// Keeps that a run reads once more of which everything was read: it is not where it is gone on with.
    fn extract_again(&self, run: &str) -> Result<()>;
    /// The plan is made: its counts as JSON, and the digest of its changes.
    fn planned(&self, run: &str, counts: &str, digest: &str) -> Result<()>;

    /// Calls that are about to be made; gives each its number.
    fn intend(&self, run: &str, calls: &[Intent]) -> Result<Vec<i64>>;
    /// What came of calls: of each its answer. Rows of an answered call that are not among the settled ones are open no longer.
    fn settle(&self, run: &str, of: &Tenancy, job: &str, calls: &[(i64, Answer)], rows: &[Settled]) -> Result<()>;
    /// What is known of a row.
    fn outcome(&self, run: &str, row: i64, step: u8) -> Result<Option<Recorded>>;
    /// When the last call of a run without an answer may have been sent, in milliseconds since 1970.
    fn last_open(&self, run: &str) -> Result<Option<i64>>;
    /// The same for all other runs of a tenant that nobody is working on, those that were given up included.
    fn last_open_of_others(&self, tenant: &str, run: &str) -> Result<Option<i64>>;
    /// What other runs of a tenant, on which nobody is at work, have noted under a name (see [`Ledger::note`]) and not taken back: run and
    /// text.
    fn noted_by_others(&self, tenant: &str, run: &str, name: &str) -> Result<Vec<(String, String)>>;
    /// Whether another run has made such calls (see [`Intent::what`]) to a tenant since a run last made one, or looked at the target, or
    /// began; none has, if the run has not looked yet.
    fn others_wrote(&self, tenant: &str, run: &str, what: &[&str]) -> Result<bool>;
    /// When a run last made such calls (see [`Intent::what`]) to a tenant, in milliseconds since 1970.
    fn last_made(&self, tenant: &str, what: &[String]) -> Result<Option<i64>>;
    /// Whether the state is still this process's.
    fn is_ours(&self) -> Result<()>;
    /// Calls that ended runs of a tenant have sent by a moment (see [`Ledger::last_open_of_others`]) can have no effect any more.
    fn close_others(&self, tenant: &str, run: &str, sent_by_ms: i64) -> Result<()>;
    /// What a run's outcomes amount to.
    fn tally(&self, run: &str) -> Result<Tally>;
    /// Has a job's next run begin to read elsewhere.
    fn rebase(&self, of: &Tenancy, job: &str, base: &Base) -> Result<()>;
    /// Where a job's next run begins to read.
    fn base(&self, of: &Tenancy, job: &str) -> Result<Option<Base>>;
    /// Ends a run.
    fn end(&self, end: &End<'_>) -> Result<()>;

    /// Refusals that are remembered for a job, as a dataset.
    fn refusals(&self, of: &Tenancy, job: &str) -> Result<RecordBatch>;
    /// Whether somebody has said who is who since a run began, which reads that once.
    fn settled_since(&self, of: &Tenancy, run: &str) -> Result<bool>;
    /// Who is who, as a dataset.
    fn identities(&self, of: &Tenancy) -> Result<RecordBatch>;
    /// Which records a job's rows became, as datasets, one after the other: behind a source id and an object, or from the first link on.
    fn links(&self, of: &Tenancy, job: &str, after: Option<(&str, &str)>) -> Result<RecordBatch>;
    /// Links of rows of which nothing had to be written.
    fn relink(&self, of: &Tenancy, job: &str, all: &[Relink]) -> Result<()>;
    /// Rows of a job that are still to succeed.
    fn due(&self, of: &Tenancy, job: &str) -> Result<Vec<Due>>;
}

impl Phase {
    /// The phase as the state writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Extracting => "extracting",
            Self::Extracted => "extracted",
            Self::Loading => "loading",
            Self::Ended => "ended",
            Self::Planning => "planning",
        }
    }

    /// The phase of a word; ended, if it is none.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        [Self::Extracting, Self::Extracted, Self::Loading, Self::Planning]
            .into_iter()
            .find(|p| p.word() == word)
            .unwrap_or(Self::Ended)
    }
}

impl Answer {
    /// The answer as the state writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Unknown { .. } => "unknown",
        }
    }
}
