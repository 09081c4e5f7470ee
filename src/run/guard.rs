//! Protection of the target: a run that would change a large part of what is there waits to be told so.
//!
//! A wrong mapping shows here first. Small targets are not guarded, nor are insertions: a first load fills an empty object.
//! In: what the plan would do, and how many records the target has. Out: leave, or the error that asks for it.

use std::collections::BTreeMap;

use super::error::Error;
use super::plan::Plan;
use crate::model::job::Job;

/// Updates of more than this share of an object's records are asked for, in per cent.
const CHANGED_PERCENT_AT_MOST: u64 = 50;
/// Objects with fewer records than this are not guarded.
const RECORDS_AT_LEAST: u64 = 100;

/// Whether a plan may be carried out unasked. `there` is how many records each object has, by API name.
pub(super) fn admit(job: &Job, planned: &Plan, there: &BTreeMap<String, u64>) -> Result<(), Error> {
    for target in &job.targets {
        let label = &target.object.label;
        let records = there.get(&target.object.name).copied().unwrap_or(0);
        let updated = planned.records.get(label).map_or(0, |records| records.updated);
        if records >= RECORDS_AT_LEAST && updated * 100 > records * CHANGED_PERCENT_AT_MOST {
            let percent = updated * 100 / records;
            return Err(Error::TooManyChanges { object: label.clone(), updated, records, percent });
        }
    }
    Ok(())
}
