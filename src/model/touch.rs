//! Which Gainsight objects a job writes and which it looks at: whether two jobs may be under way at once.
//!
//! A run plans by what its objects hold when it has read them. Whoever writes to one of them meanwhile makes that plan wrong: a record
//! would be inserted twice, or a company not be found. In: checked jobs. Out: whether one is in the other's way.

use std::collections::BTreeSet;

use super::job::Job;

/// Whether one of two jobs writes an object that the other writes or looks at. `tenant` says which tenant a connection leads to.
#[must_use]
pub fn collide<'a>(one: &'a Job, other: &'a Job, tenant: impl Fn(&'a str) -> &'a str) -> bool {
    let (writes, others) = (written(one, &tenant), written(other, &tenant));
    !writes.is_disjoint(&seen(other, &tenant)) || !others.is_disjoint(&seen(one, &tenant))
}

/// The objects that it writes, each with its tenant.
fn written<'a>(job: &'a Job, tenant: &impl Fn(&'a str) -> &'a str) -> BTreeSet<(&'a str, String)> {
    job.targets.iter().map(|target| (tenant(&target.connection), target.object.name.to_lowercase())).collect()
}

/// The objects that it writes or looks at.
fn seen<'a>(job: &'a Job, tenant: &impl Fn(&'a str) -> &'a str) -> BTreeSet<(&'a str, String)> {
    let here = tenant(&job.main_target().connection);
    let searched = job.lookups.iter().filter(|lookup| lookup.object.table.is_none());
    let searched = searched.map(|lookup| (here, lookup.object.name.to_lowercase()));
    searched.chain(written(job, tenant)).collect()
}
