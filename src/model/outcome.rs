//! What becomes of a row, and the books: one outcome a row, and counts that add up.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// The one end of a source row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// `WHERE` is not true.
    Filtered,
    /// A policy said REJECT.
    Rejected,
    /// A policy said ERROR, a value or key is bad, or Gainsight refused the record.
    Error,
    /// Written as new, and acknowledged.
    Inserted,
    /// Changed, and acknowledged.
    Updated,
    /// The target already holds these values.
    Unchanged,
    /// The source lost the row, and the job acted on its record.
    Deleted,
    /// The same source row was read again in this run, and the newer version won.
    Superseded,
}

impl Outcome {
    /// Every outcome, in the order in which counts are shown.
    pub const ALL: [Self; 8] = [
        Self::Filtered,
        Self::Rejected,
        Self::Error,
        Self::Inserted,
        Self::Updated,
        Self::Unchanged,
        Self::Deleted,
        Self::Superseded,
    ];

    /// The outcome as files and JSON write it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::Rejected => "rejected",
            Self::Error => "error",
            Self::Inserted => "inserted",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Superseded => "superseded",
        }
    }

    /// The outcome of that text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.text() == text)
    }
}

/// How many rows ended how. `read` is what came in; the rest is where it went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that the source gave.
    pub read: u64,
    /// See [`Outcome::Filtered`].
    pub filtered: u64,
    /// See [`Outcome::Rejected`].
    pub rejected: u64,
    /// See [`Outcome::Error`].
    pub error: u64,
    /// See [`Outcome::Inserted`].
    pub inserted: u64,
    /// See [`Outcome::Updated`].
    pub updated: u64,
    /// See [`Outcome::Unchanged`].
    pub unchanged: u64,
    /// See [`Outcome::Deleted`].
    pub deleted: u64,
    /// See [`Outcome::Superseded`].
    pub superseded: u64,
}

impl Counts {
    /// Rows that the run deals with: those that take part and are the newest of their kind.
    #[must_use]
    pub fn planned(&self) -> u64 {
        self.read.saturating_sub(self.filtered + self.superseded)
    }

    /// Rows for which something is written, here or in the identity map.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.inserted + self.updated + self.deleted
    }

    /// The count of one outcome.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Filtered => self.filtered,
            Outcome::Rejected => self.rejected,
            Outcome::Error => self.error,
            Outcome::Inserted => self.inserted,
            Outcome::Updated => self.updated,
            Outcome::Unchanged => self.unchanged,
            Outcome::Deleted => self.deleted,
            Outcome::Superseded => self.superseded,
        }
    }

    /// Counts one more row of this outcome. `read` is counted where rows are read, so that the books can disagree.
    pub fn add(&mut self, outcome: Outcome) {
        *self.slot(outcome) += 1;
    }

    /// Moves one row from one outcome to another: what a refused write does to a planned one.
    pub fn move_one(&mut self, from: Outcome, to: Outcome) {
        *self.slot(from) -= 1;
        *self.slot(to) += 1;
    }

    /// Whether every row read has exactly one outcome.
    #[must_use]
    pub fn balance(&self) -> bool {
        self.read == Outcome::ALL.into_iter().map(|o| self.of(o)).sum::<u64>()
    }

    /// Rows that are in the error file.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.rejected + self.error
    }

    fn slot(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Filtered => &mut self.filtered,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Error => &mut self.error,
            Outcome::Inserted => &mut self.inserted,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Deleted => &mut self.deleted,
            Outcome::Superseded => &mut self.superseded,
        }
    }
}

/// Records of one target object, counted beside the rows: a row may feed two objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// Records created.
    pub inserted: u64,
    /// Records changed.
    pub updated: u64,
    /// Records that already held these values.
    pub unchanged: u64,
    /// Records deleted.
    pub deleted: u64,
    /// Records refused.
    pub error: u64,
}

/// Calls spent, by service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// Requests to the Dynamics organisation.
    pub dynamics: u64,
    /// Requests to Gainsight, reads and writes.
    pub gainsight: u64,
    /// Of those, the requests that write.
    pub gainsight_writes: u64,
    /// Requests to either that were sent again, as their answers failed.
    #[serde(skip_serializing_if = "is_none", default)]
    pub retries: u64,
    /// Requests that either refused because there were too many.
    #[serde(skip_serializing_if = "is_none", default)]
    pub throttled: u64,
    /// Milliseconds that calls waited: for windows, for as long as a service asked to, to be sent again, and until one without an answer
    /// could have no more effect. Calls that wait side by side are added up.
    #[serde(skip_serializing_if = "is_none", default)]
    pub waited_ms: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl AddAssign for Calls {
    fn add_assign(&mut self, other: Self) {
        self.dynamics += other.dynamics;
        self.gainsight += other.gainsight;
        self.gainsight_writes += other.gainsight_writes;
        self.retries += other.retries;
        self.throttled += other.throttled;
        self.waited_ms += other.waited_ms;
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is under way.
    Running,
    /// It was under way when its process ended; the next run of the job goes on with it.
    Interrupted,
    /// It was given up, and nothing of it is gone on with.
    Cancelled,
    /// It was planned, and nothing was to be written.
    Planned,
    /// No row is in the error file.
    Success,
    /// At least one row is.
    Partial,
    /// The world failed.
    Failed,
    /// The target's calls are used up; the next run of the job goes on with it.
    WaitingQuota,
    /// It would change a large part of the target, and waits for somebody who allows that.
    WaitingApproval,
    /// A service was away or not to be read; it is gone on with by itself.
    WaitingRetry,
    /// A connection is revoked, or has to be signed in to again.
    WaitingAuth,
    /// What was handed over as a file is not taken in yet; it is asked about by whoever goes on.
    WaitingTarget,
    /// A job before it in its chain failed, and it was not run to its end.
    Skipped,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 13] = [
        Self::Running,
        Self::Interrupted,
        Self::Cancelled,
        Self::Planned,
        Self::Success,
        Self::Partial,
        Self::Failed,
        Self::WaitingQuota,
        Self::WaitingApproval,
        Self::WaitingRetry,
        Self::WaitingAuth,
        Self::WaitingTarget,
        Self::Skipped,
    ];

    /// Whether it is gone on with when what it waits for has come.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        matches!(
            self,
            Self::WaitingQuota | Self::WaitingApproval | Self::WaitingRetry | Self::WaitingAuth | Self::WaitingTarget
        )
    }

    /// The status as people read it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Interrupted => "Interrupted",
            Self::Cancelled => "Cancelled",
            Self::Planned => "Planned",
            Self::Success => "Success",
            Self::Partial => "Partial Success",
            Self::Failed => "Failed",
            Self::WaitingQuota => "Waiting for calls",
            Self::WaitingApproval => "Waiting for approval",
            Self::WaitingRetry => "Waiting to be tried again",
            Self::WaitingAuth => "Waiting for a sign-in",
            Self::WaitingTarget => "Waiting for the target",
            Self::Skipped => "Skipped",
        }
    }

    /// The status as the state and JSON write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
            Self::Planned => "planned",
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::WaitingQuota => "waiting_quota",
            Self::WaitingApproval => "waiting_approval",
            Self::WaitingRetry => "waiting_retry",
            Self::WaitingAuth => "waiting_auth",
            Self::WaitingTarget => "waiting_target",
            Self::Skipped => "skipped",
        }
    }

    /// Whether a run has come to its end with every row dealt with, rows in an error file included.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Self::Success | Self::Partial)
    }

    /// The worse of two, as of a chain whose jobs ended so: done, done with rows in an error file, skipped, waiting, given up, failed.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |status: Self| match status {
            Self::Success | Self::Planned => 0,
            Self::Partial => 1,
            Self::Skipped => 2,
            waiting if waiting.is_waiting() => 3,
            Self::Running | Self::Interrupted | Self::Cancelled => 4,
            _ => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }

    /// The status of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}
