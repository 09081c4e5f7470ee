//! What the daemon tells: the one source of its log, its metrics and its traces.
//!
//! Nothing here holds a row's values: names, numbers, codes and messages of Ferry's own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::run::progress::Event;
use crate::run::report::Report;

/// Something that happened to the daemon or to a run of its.
#[derive(Debug, Clone)]
pub enum Told {
    /// Whoever watches is answered at this address.
    Listening(SocketAddr),
    /// Another follows the schedules, or the state is away: it begins nothing until that has ended.
    StandsBy {
        /// Why.
        why: String,
    },
    /// It serves, with these definitions.
    Started(Defined),
    /// Files have changed, and are what it works by from now on.
    Reloaded(Defined),
    /// Files have changed and have mistakes: it works by what it had.
    Broken {
        /// How many mistakes.
        mistakes: usize,
        /// The first of them, with its place.
        first: String,
    },
    /// Files have changed, or are the first, and could not be checked, because a service cannot be asked; that is tried again.
    Unchecked {
        /// Why.
        why: String,
    },
    /// A time has come: this is going to run.
    Due {
        /// The job or the chain.
        name: String,
        /// When it was due.
        slot: DateTime<Utc>,
        /// How long ago that is.
        late_ms: i64,
    },
    /// A time has passed at which nothing is begun.
    Passed {
        /// The job or the chain.
        name: String,
        /// When it was due.
        slot: DateTime<Utc>,
        /// Why: `missed`, `overlapped`.
        why: &'static str,
    },
    /// It is due and cannot begin yet.
    Waits {
        /// The job or the chain.
        name: String,
        /// For what.
        why: String,
    },
    /// A run tells something.
    Heard {
        /// The job or the chain that was due.
        name: String,
        /// What it tells.
        event: Event,
    },
    /// A run has ended, or waits.
    Ended {
        /// The job or the chain that was due.
        name: String,
        /// The chain that it is part of.
        chain: Option<String>,
        /// Its report.
        report: Box<Report>,
    },
    /// A job or a chain could not be begun, or broke off.
    Failed {
        /// The job or the chain.
        name: String,
        /// Why.
        why: String,
    },
    /// It is tried again later.
    Retried {
        /// The job or the chain.
        name: String,
        /// When.
        at: DateTime<Utc>,
        /// How many times it was tried.
        tries: u32,
    },
    /// It is not tried again before it is due the next time.
    GivenUp {
        /// The job or the chain.
        name: String,
        /// How many times it was tried.
        tries: u32,
    },
    /// Something that whoever runs the daemon should know.
    Notice(String),
    /// It begins nothing more, and ends when what is under way has, or after so many seconds.
    Stopping {
        /// Jobs and chains under way.
        under_way: usize,
        /// How long it waits for them.
        seconds: u64,
    },
    /// It has stopped.
    Stopped {
        /// Jobs and chains that were left where they are; the next daemon goes on with them.
        left: usize,
    },
    /// The loop has turned: it is alive.
    Turned {
        /// Whether it has the home.
        has_home: bool,
        /// Jobs and chains under way.
        under_way: usize,
        /// Jobs and chains that are due and wait.
        waiting: usize,
    },
}

/// What there is to work by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defined {
    /// Jobs.
    pub jobs: usize,
    /// Chains.
    pub chains: usize,
    /// Jobs and chains that follow a schedule of their own.
    pub scheduled: usize,
    /// The jobs, each with the longest time in seconds between two of its times; none where it follows no schedule, not that of a chain either.
    pub paces: BTreeMap<String, Option<u64>>,
    /// The names of the chains.
    pub chain_names: BTreeSet<String>,
}

/// Who listens.
pub type Listener = Arc<dyn Fn(&Told) + Send + Sync>;
