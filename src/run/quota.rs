//! Budgets of calls that do not suffice: what a run says before it loads, and what it is when it has to stop.
//!
//! A run waits for a window for some minutes at the most. When today's calls are used up it stops, having written down how far it is, and
//! the next run of the job goes on. In: the cost of a plan, or the error that stopped a call. Out: words, and an error of its own.

use super::cost::{Cost, bucket};
use super::error::Error;
use super::load::Load;
use crate::gainsight::error::Error as CallError;
use crate::model::job::Job;
use crate::model::outcome::Counts;

/// What to say before a plan is loaded that takes more than a day.
pub(super) fn notice(job: &Job, cost: &Cost) -> Option<String> {
    if cost.fits_today() {
        return None;
    }
    let Cost { calls, left_today, days, .. } = cost;
    let order = if job.load_first.is_some() {
        "the most valuable rows go first, by LOAD FIRST BY"
    } else {
        "a LOAD FIRST BY in the job would send the most valuable rows first"
    };
    Some(format!(
        "it takes {calls} calls and {left_today} are left today, so the load takes {days} days: when today's calls are used up the run stops, \
         and `ferry run` goes on with it the next day; {order}"
    ))
}

/// An error that says that calls are used up, as one that says how far the run is; any other as it is. `of` are the rows that were to be
/// written, if that is known already.
pub(super) fn stopped(error: Error, job: &Job, written: &Counts, of: Option<&Counts>) -> Error {
    let Error::Gainsight(cause) = error else { return error };
    let Some(why) = used_up(&cause) else { return Error::Gainsight(cause) };
    let done = match of.map(Counts::sent) {
        Some(all) => format!("{} of {all} rows are written", written.sent()),
        None => "nothing is written yet".to_owned(),
    };
    let order = if job.load_first.is_some() {
        ", the most valuable rows first, by LOAD FIRST BY"
    } else {
        "; LOAD FIRST BY in the job would send the most valuable rows first"
    };
    Error::Quota { done, why, order }
}

impl Load<'_> {
    /// Whether just two calls are left today: what is gathered of new and of changed records goes with them then, as the rows that
    /// would fill the batch of fewer are less valuable.
    pub(super) async fn is_day_ending(&self) -> bool {
        self.job.load_first.is_some() && self.gainsight.today(bucket(self.job)).await.left == 2
    }
}

/// That calls are used up, in words; none if that is not what the error says.
fn used_up(cause: &CallError) -> Option<String> {
    match cause {
        CallError::Budget { bucket, limit, window, opens, .. } => {
            let which = match *window {
                "a day" => "today's",
                "an hour" => "this hour's",
                _ => "this minute's",
            };
            Some(format!("{which} {limit} calls of the {bucket} API are used up until {opens}"))
        }
        CallError::Refused { status: 429, .. } => Some(cause.to_string()),
        _ => None,
    }
}
