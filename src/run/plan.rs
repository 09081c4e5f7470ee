//! Planning: what the stages over a run folder amount to.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::changes::Changes;
use super::cost::{Cost, today};
use super::error::Error;
use super::progress::Voice;
use super::services::Services;
use super::session::engine_over;
use super::spending::Spending;
use super::stages::stages;
use super::tally::Tally;
use super::verifying::Drifted;
use crate::engine::elsewhere::Sending;
use crate::engine::session::SPILL;
use crate::model::job::Job;
use crate::model::outcome::{Counts, Records};
use crate::store::dataset::RunFolder;

/// What a run would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// Rows by planned outcome.
    pub counts: Counts,
    /// Records by the label of their object.
    pub records: BTreeMap<String, Records>,
    /// Of records to be updated: by the label of their object, how many of them change in which field.
    pub fields: BTreeMap<String, BTreeMap<String, u64>>,
    /// Rows that would be in the error file, by code.
    pub reasons: BTreeMap<String, u64>,
    /// The same by reason, each with an example; what concerns most rows comes first.
    pub unwritten: Vec<Unwritten>,
    /// What it costs to carry it out.
    pub cost: Cost,
    /// The plans of earlier jobs of the chain that this one sees as carried out, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<EarlierPlan>,
    /// Rows that are about records, or point at some, that those plans are going to insert: this one cannot be applied by itself.
    #[serde(skip_serializing_if = "is_nothing")]
    pub waits: u64,
    /// Why a run would have to be allowed to carry it out, if it would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
    /// What of the target is not as it was known to be, if that was asked for; of each object that is not read whole anyway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Vec<Drifted>>,
    /// The digest of everything that is loaded.
    #[serde(skip)]
    pub digest: String,
    /// The first rows that change or fail, if a sample was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<SampleRow>,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_nothing(rows: &u64) -> bool {
    *rows == 0
}

/// The plan of an earlier job of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EarlierPlan {
    /// Its run.
    pub run: String,
    /// Its job.
    pub job: String,
}

/// Rows that are not written for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unwritten {
    /// `rejected` or `error`.
    pub outcome: &'static str,
    /// The code in the error file.
    pub code: &'static str,
    /// What happened and what to do.
    pub message: String,
    /// The clause of the script that decides so.
    pub script: String,
    /// How many rows.
    pub rows: u64,
    /// One of them.
    pub example: Example,
}

/// A row that stands for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Its number in the run.
    pub row: i64,
    /// The source row's primary key.
    pub source_key: String,
    /// The value that decided, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// One row of a sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleRow {
    /// Its number in the run.
    pub row: i64,
    /// The source row's primary key.
    pub source_key: String,
    /// The planned outcome.
    pub outcome: &'static str,
    /// The code in the error file, for a row that is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// Why it is not written, or how the source lost it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The records that are written, and what is done with each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<SampleRecord>,
    /// Fields that change.
    pub fields: Vec<FieldChange>,
}

/// What is done with one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SampleRecord {
    /// The label of its object.
    pub object: String,
    /// `insert`, `update`, `unchanged`, `follow`; of a row that the source lost `delete`, `set`.
    pub action: String,
    /// Its GSID, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gsid: Option<String>,
}

/// A field that gets another value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// The label of its object.
    pub object: String,
    /// Its label.
    pub field: String,
    /// What it holds.
    pub old: serde_json::Value,
    /// What it will hold. A text `~17` stands for the GSID of the record that row 17 inserts, `~RUN:17` for one that the plan of an
    /// earlier job inserts.
    pub new: serde_json::Value,
}

/// Plans a job over an extracted run folder.
pub(super) async fn plan(
    job: &Job,
    folder: &RunFolder,
    read: u64,
    chosen: Option<&[String]>,
    services: &Services,
    sample: usize,
    progress: &Voice<'_>,
) -> Result<Plan, Error> {
    // A process that was killed has left what did not fit into its memory.
    folder.clear_beside(SPILL).await?;
    let sending = services.place.clone().map(|place| Sending::new(place, progress.teller()));
    let engine = engine_over(folder)?.sending(sending);
    let target = services.target(job)?;
    let chosen: Option<HashSet<&str>> = chosen.map(|ids| ids.iter().map(String::as_str).collect());
    let mut tally = Tally::new(job, read, sample);
    let mut spending = Spending::begin();
    let digest = stages(&engine, job, folder, chosen.as_ref(), |batch| match batch {
        Some(batch) => tally.add(&Changes::new(job, batch.clone())),
        None => {
            spending.end("map", engine.carried_out(), progress);
            progress.advanced("plan", read / 2, Some(read));
        }
    })
    .await?;
    spending.end("compare", engine.carried_out(), progress);
    progress.advanced("plan", read, Some(read));
    let today = today(job, target).await;
    Ok(Plan { digest, ..tally.plan(&target.limits, today) })
}
