//! Protection of the target: a run that would change a large part of what is there waits to be told so.
//!
//! A wrong mapping shows here first. Small targets are not guarded, nor are insertions: a first load fills an empty object.
//! In: what the plan would do, how many records the target has, and which shares its connection allows. Out: leave, or the
//! error that asks for it.

use std::collections::BTreeMap;

use super::error::Error;
use super::plan::Plan;
use crate::model::connection::Limits;
use crate::model::job::Job;
use crate::model::sabotage::{self, Bug};

/// Objects with fewer records than this are not guarded.
const RECORDS_AT_LEAST: u64 = 100;

/// Whether a plan may be carried out unasked. `there` is how many records each object has, by API name.
///
/// # Errors
/// [`Error::TooManyChanges`], of the first object of which more would be updated or deleted than the limits allow.
pub fn admit(job: &Job, planned: &Plan, there: &BTreeMap<String, u64>, limits: &Limits) -> Result<(), Error> {
    if sabotage::has(Bug::NoGuard) {
        return Ok(());
    }
    for target in &job.targets {
        let object = &target.object.label;
        let records = there.get(&target.object.name).copied().unwrap_or(0);
        let Some(of) = planned.records.get(object).filter(|_| records >= RECORDS_AT_LEAST) else { continue };
        let deeds = [
            ("change", of.updated, "updates_percent", limits.updates_percent),
            ("delete", of.deleted, "deletes_percent", limits.deletes_percent),
        ];
        for (deed, touched, limit, percent) in deeds {
            if touched.saturating_mul(100) > records.saturating_mul(u64::from(percent)) {
                let share = share(touched, records);
                return Err(Error::TooManyChanges {
                    deed,
                    object: object.as_str().into(),
                    touched,
                    records,
                    share: share.into(),
                    limit,
                    percent,
                    allow: "ferry run --yes".into(),
                });
            }
        }
    }
    Ok(())
}

/// The same error with the command that allows what it is about.
pub(super) fn allowed_by(error: Error, command: String) -> Error {
    match error {
        Error::TooManyChanges { deed, object, touched, records, share, limit, percent, .. } => {
            Error::TooManyChanges { deed, object, touched, records, share, limit, percent, allow: command.into() }
        }
        other => other,
    }
}

/// A share in per cent, with a tenth where it is not whole: rounded up, so that it never looks like the limit that it exceeds.
fn share(touched: u64, records: u64) -> String {
    let tenths = touched.saturating_mul(1_000).div_ceil(records);
    if tenths.is_multiple_of(10) { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
}
