//! What a run did: one object for people and programs alike.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::outcome::{Calls, Counts, Records, Status};

/// The report of one run. As JSON it is what `--json` prints.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The run's number.
    pub run: String,
    /// The job's name.
    pub job: String,
    /// How it ended.
    pub status: Status,
    /// Source rows, one outcome each.
    pub counts: Counts,
    /// Records of each target object.
    pub records: BTreeMap<String, Records>,
    /// Calls spent.
    pub calls: Calls,
    /// The error file, if any row is in it.
    pub error_file: Option<PathBuf>,
    /// How long it took.
    pub seconds: f64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// How many processes worked on it before this one: it was interrupted and gone on with.
    #[serde(skip_serializing_if = "is_none", default)]
    pub resumed: u64,
    /// How many source rows it was about, if not all: the others are counted as filtered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub chosen: Option<u64>,
    /// How it read its source, as far as it came to that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub read: Option<ReadHow>,
    /// Rows that failed in earlier runs and were tried again, if there were any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retried: Option<Retried>,
}

impl Report {
    /// The report of a run that ended as soon as it had begun, and did nothing.
    #[must_use]
    pub fn of_nothing(run: String, job: String, status: Status, message: String) -> Self {
        Self {
            run,
            job,
            status,
            counts: Counts::default(),
            records: BTreeMap::new(),
            calls: Calls::default(),
            error_file: None,
            seconds: 0.0,
            message: Some(message),
            resumed: 0,
            chosen: None,
            read: None,
            retried: None,
        }
    }
}

/// How a run read its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadHow {
    /// Why everything was read; none if it was what changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub full: Option<String>,
    /// Rows that changed or are new, where only changes were read.
    pub changed: u64,
    /// Rows that are gone, where only changes were read.
    pub gone: u64,
}

/// Rows that were due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// How many there were.
    pub rows: u64,
    /// How many of them are due no more.
    pub fixed: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_none(times: &u64) -> bool {
    *times == 0
}
