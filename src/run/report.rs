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
}
