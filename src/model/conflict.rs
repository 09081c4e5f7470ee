//! Jobs that cannot run side by side, as one of them writes what the other writes or reads.
//!
//! Two writers would each plan over what the other is about to change, and insert one record twice. In: two checked jobs. Out: the
//! object. Whether their connections lead to one tenant is for the caller to know.

use super::dataset;
use super::job::{Job, Route};

/// The label of a Gainsight object that one of two jobs writes and the other writes or reads, if there is one.
#[must_use]
pub fn conflict<'a>(one: &'a Job, other: &'a Job) -> Option<&'a str> {
    written_and_used(one, other).or_else(|| written_and_used(other, one))
}

fn written_and_used<'a>(writer: &'a Job, user: &Job) -> Option<&'a str> {
    let used = dataset::objects(user);
    let written = writer.targets.iter().filter(|target| target.route != Route::Avatar);
    let mut written = written.map(|target| (called_together(&target.object.name), target.object.label.as_str()));
    written.find(|(name, _)| used.keys().any(|used| called_together(used) == *name)).map(|(_, label)| label)
}

/// A person's call carries the company person too, whether the job maps it or not.
fn called_together(object: &str) -> &str {
    if object == "company_person" { "person" } else { object }
}
