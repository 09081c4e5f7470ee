//! What can go wrong with a cluster. Each text says what happened and where; what to do about any of them is the engine's last word.

use std::time::Duration;

use crate::engine::elsewhere::Failed;

/// A cluster that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No address of a scheduler.
    #[error("--cluster {url}: {why}")]
    Address {
        /// What was written.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody answers there.
    #[error(
        "the cluster's scheduler at {url} cannot be reached ({reason}); start it with `ferry cluster scheduler`, or check the address"
    )]
    Away {
        /// Where.
        url: String,
        /// In the system's words.
        reason: String,
    },
    /// Somebody answers who is no scheduler of this version.
    #[error(
        "what answers at {url} is no scheduler of Ballista {version} ({reason}); check the address and what runs there"
    )]
    Other {
        /// Where.
        url: String,
        /// The version that is wanted.
        version: &'static str,
        /// What it answers.
        reason: String,
    },
    /// Something was asked, and no answer came.
    #[error("the cluster's scheduler at {url} did not answer within {} s when it {what}", after.as_secs())]
    Silent {
        /// Where.
        url: String,
        /// What was asked, as what the scheduler was to do.
        what: &'static str,
        /// The bound.
        after: Duration,
    },
    /// Nobody is there to do the work.
    #[error("the cluster at {url} has had no executor for {} s; start some with `ferry cluster executor --scheduler {url}`", after.as_secs())]
    NoExecutors {
        /// Where.
        url: String,
        /// The bound.
        after: Duration,
    },
    /// The scheduler did not take the job.
    #[error("the cluster's scheduler at {url} refused the plan: {reason}{hint}")]
    Refused {
        /// Where.
        url: String,
        /// In its words.
        reason: String,
        /// What that is likely to mean.
        hint: &'static str,
    },
    /// The job ended without a result.
    #[error("job {job} failed on the cluster at {url}: {reason}{hint}")]
    Job {
        /// Where.
        url: String,
        /// Its id.
        job: String,
        /// In the cluster's words.
        reason: String,
        /// What that is likely to mean.
        hint: &'static str,
    },
    /// The job does not get on.
    #[error("job {job} on the cluster at {url} was cancelled: {what} within {} s", after.as_secs())]
    Stuck {
        /// Where.
        url: String,
        /// Its id.
        job: String,
        /// What did not happen.
        what: &'static str,
        /// The bound.
        after: Duration,
    },
    /// The job is done, and its result is not to be had.
    #[error("rows that job {job} left at {host} cannot be fetched: {reason}")]
    Rows {
        /// The executor.
        host: String,
        /// The job.
        job: String,
        /// What happened.
        reason: String,
    },
    /// A plan that cannot be written down for others, which is a bug of ours.
    #[error("the plan cannot be sent: {0}")]
    Plan(String),
    /// A scheduler or an executor that cannot start.
    #[error("the {what} cannot run: {reason}")]
    Process {
        /// `scheduler` or `executor`.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// Whether a second try may go better: executors come and go, while nothing else mends itself meanwhile.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Rows { .. } => true,
            Self::Job { hint, .. } => hint.is_empty(),
            _ => false,
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { may_pass: error.may_pass(), cause: Box::new(error) }
    }
}

/// What a reason of the cluster's is likely to mean.
pub(super) fn hint(reason: &str) -> &'static str {
    if reason.contains("no UDF named") {
        "; its scheduler and executors have to know Ferry's functions: start them with `ferry cluster`, of this version"
    } else if reason.contains("No such file or directory") || reason.contains("Object at location") {
        "; every executor has to see the home's runs under the same path as this process"
    } else {
        ""
    }
}

/// The beginning of what the cluster says, on one line: it may carry a whole plan.
pub(super) fn beginning(reason: &str) -> String {
    const CHARACTERS_AT_MOST: usize = 600;
    let line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(CHARACTERS_AT_MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
