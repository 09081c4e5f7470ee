//! What stops a run. What stops a row is not here: that is data.

use super::moved::Moved;
use crate::model::outcome::Status;
use crate::{dynamics, engine, files, gainsight, store};

/// A run that could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source.
    #[error(transparent)]
    Dynamics(#[from] dynamics::error::Error),
    /// Files.
    #[error(transparent)]
    Files(#[from] files::error::Error),
    /// The target.
    #[error(transparent)]
    Gainsight(#[from] gainsight::error::Error),
    /// The plan.
    #[error(transparent)]
    Engine(#[from] engine::error::Error),
    /// The disk and the state.
    #[error(transparent)]
    Store(#[from] store::error::Error),
    /// A connection that the job names and nobody opened.
    #[error("the connection `{0}` is not open")]
    NotOpen(String),
    /// `ON ERROR` ended the run.
    #[error("{errors} of {rows} rows are in error, and the job says {clause}; the error file has them")]
    TooManyErrors {
        /// The clause.
        clause: String,
        /// Rows in error until then.
        errors: u64,
        /// Rows that the run was to deal with.
        rows: u64,
    },
    /// A schema is not what it was when the run was planned.
    #[error(
        "what the run relies on changed since it was planned, and nothing was written: {}; look at the job with `ferry check`, then run it again",
        .0.join("; ")
    )]
    Drift(Vec<String>),
    /// More of the target would change than a run may change unasked.
    #[error(
        "the run would {deed} {touched} of {records} records of {object} ({share} %), and more than {percent} % has to be allowed; nothing \
         was written; look at what `ferry plan` shows{}, then allow it with `{allow}`, or set `{limit}` in the LIMITS of the connection",
        unseen(deed)
    )]
    TooManyChanges {
        /// What would be done: `change` or `delete`.
        deed: &'static str,
        /// The object.
        object: Box<str>,
        /// Records that it would be done to.
        touched: u64,
        /// Records that are there.
        records: u64,
        /// The one of the other, in per cent.
        share: Box<str>,
        /// The name of the limit in scripts.
        limit: &'static str,
        /// The limit.
        percent: u32,
        /// The command that allows it.
        allow: Box<str>,
    },
    /// Rows were chosen of a job of which a whole run is not at its end.
    #[error(
        "run {0} of this job was interrupted and holds these rows too; `ferry resume {0}` first, or `ferry cancel {0}`"
    )]
    Unfinished(String),
    /// A run that goes on, and its plan is another than the one that it was loading.
    #[error(
        "the plan that is made again is not the one that the run was loading (now {counts}); begin anew with `ferry run --anew`, which compares \
         with what Gainsight holds"
    )]
    PlanChanged {
        /// What it would do.
        counts: String,
    },
    /// A plan that cannot be applied.
    #[error("the plan of run {run} cannot be applied: {why}")]
    NotApplicable {
        /// The run.
        run: String,
        /// Why, and what to do.
        why: String,
    },
    /// A plan that is to be applied, and would be another one now.
    #[error("{}; look at it again with `ferry plan \"{job}\"`, and apply that", .moved.told())]
    Moved {
        /// The job.
        job: String,
        /// What moved.
        moved: Moved,
    },
    /// The target's calls are used up for longer than a run waits.
    #[error("{done}; {why}; the rest follows with the next `ferry run`{order}")]
    Quota {
        /// How far it is.
        done: String,
        /// Which calls are used up, and until when.
        why: String,
        /// What comes first, or how to say so.
        order: &'static str,
    },
    /// Rows that were handed over as files, and that the target does not hold yet.
    #[error(
        "waiting for {} in {} below {place} since {since}: Gainsight does not hold them yet; once its connector has taken the files in (Administration \
         > Connectors 2.0), `ferry run` proves that by reading them, and hands nothing over twice",
        counted(*rows, "row"),
        counted(*files, "file")
    )]
    HandedOver {
        /// Rows that are not proven.
        rows: u64,
        /// Files.
        files: u64,
        /// Where they are: a URL.
        place: String,
        /// Since when: RFC 3339, UTC.
        since: String,
    },
    /// A bulk import that does not come to its end.
    #[error(
        "the bulk import {id} was handed over and is not at its end after {hours} hours; look at its log in Gainsight (Administration > \
         Connectors 2.0); `ferry run` asks about it again, and hands nothing over twice"
    )]
    ImportStuck {
        /// The status id.
        id: String,
        /// How long it was waited for.
        hours: i64,
    },
    /// A job before it in the chain failed, and the chain ends with that.
    #[error("\"{job}\" before it in the chain ended as {}, so nothing of this job was loaded; the next run of the chain reads it anew", .status.text())]
    Skipped {
        /// The job that failed.
        job: String,
        /// How it ended.
        status: Status,
    },
    /// Our own mistake: the books do not balance.
    #[error("the books of the run do not balance ({0}); this is a bug of Ferry, please report it with the run folder")]
    Books(String),
}

impl Error {
    /// Whether the run can be gone on with later: what stopped it may pass, and nothing about it has to be decided.
    #[must_use]
    pub fn can_resume(&self) -> bool {
        match self {
            Self::Dynamics(_)
            | Self::Files(_)
            | Self::Gainsight(_)
            | Self::Quota { .. }
            | Self::ImportStuck { .. }
            | Self::HandedOver { .. } => true,
            Self::Store(error) => {
                !matches!(error, store::error::Error::NotResumable { .. } | store::error::Error::NotOurs { .. })
            }
            Self::Engine(error) => error.is_out_of_memory() || error.is_of_place() || error.is_elsewhere(),
            _ => false,
        }
    }
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// What else than a deletion makes rows look gone.
fn unseen(deed: &str) -> &'static str {
    if deed == "delete" { " (rows that the sign-in may no longer read look gone too)" } else { "" }
}
