//! What a notice says: the same for people and programs. As JSON it lies in the outbox and is what a webhook is sent.
//!
//! It names rows by their primary keys and holds no value of one; what there is of values stands in the error file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::outcome::{Counts, Status};
use super::schedule::Notify;

/// The version of this shape.
pub const VERSION: u32 = 1;

/// When somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// `ON SUCCESS`.
    Success,
    /// `ON PARTIAL`.
    Partial,
    /// `ON FAILURE`: it failed, or waits for somebody.
    Failure,
    /// Somebody tries whether notices arrive.
    Test,
}

/// A run, or the runs of a chain, as others are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// [`VERSION`].
    pub version: u32,
    /// Why it is told.
    pub event: Event,
    /// How it ended: `success`, `partial`, `failed`, `waiting_approval`, ….
    pub status: String,
    /// The job, where it ran by itself, or is told of by itself.
    pub job: Option<String>,
    /// The chain, where it is told of as a whole.
    pub chain: Option<String>,
    /// The run; of a chain the last one.
    pub run: String,
    /// Who or what started it.
    pub started_by: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub ended: String,
    /// Source rows, one outcome each; of a chain those of all its runs.
    pub counts: Counts,
    /// Why it failed, or waits.
    pub message: Option<String>,
    /// The error file on the machine that ran it; of a chain the first one.
    pub error_file: Option<PathBuf>,
    /// What to do about it: sentences with commands.
    pub next: Vec<String>,
    /// The runs, in order: one, or those of a chain.
    pub runs: Vec<Part>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number.
    pub run: String,
    /// The job.
    pub job: String,
    /// How it ended.
    pub status: String,
    /// Source rows, one outcome each.
    pub counts: Counts,
    /// Why it failed, or waits.
    pub message: Option<String>,
    /// The error file, if any row is in it.
    pub error_file: Option<PathBuf>,
    /// Why rows were not written; what concerns most rows comes first.
    pub reasons: Vec<Reason>,
}

/// Rows that were not written for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The code in the error file.
    pub code: String,
    /// How many.
    pub rows: u64,
    /// The primary key of one of them.
    pub example: String,
    /// What its line says.
    pub message: String,
}

impl Event {
    /// What an end is told as; none if nobody is to be told. What goes on by itself is no event, unless nobody is there who goes on with it.
    #[must_use]
    pub fn of(status: Status, goes_on: bool) -> Option<Self> {
        match status {
            Status::Success => Some(Self::Success),
            Status::Partial => Some(Self::Partial),
            Status::Failed | Status::WaitingApproval | Status::WaitingAuth => Some(Self::Failure),
            Status::WaitingQuota | Status::WaitingRetry | Status::WaitingTarget => (!goes_on).then_some(Self::Failure),
            Status::Running | Status::Interrupted | Status::Cancelled | Status::Planned | Status::Skipped => None,
        }
    }

    /// Whether a clause asks for it.
    #[must_use]
    pub fn is_asked_for(self, by: &Notify) -> bool {
        match self {
            Self::Success => by.on_success,
            Self::Partial => by.on_partial,
            Self::Failure => by.on_failure,
            Self::Test => true,
        }
    }
}

impl Content {
    /// What it is about: the chain, or the job.
    #[must_use]
    pub fn name(&self) -> &str {
        self.chain.as_deref().or(self.job.as_deref()).unwrap_or("Ferry")
    }
}
