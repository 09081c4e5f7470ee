//! The least number of Gainsight calls that a job can take: full batches, a call for each person, and the cheapest correct reading.
//!
//! It knows the documented limits and the three jobs, and nothing of Ferry. In: what Gainsight held when the job began the last time,
//! what it holds before and after. Out: records that changed, and calls.

use std::collections::HashSet;

use super::held::Held;

/// Records that a write takes.
const BATCH: usize = 50;
/// Records that a query gives.
const READ: usize = 5_000;
/// Values that a query takes in a list.
const LISTED: usize = 500;

/// A job of the chain.
pub struct Job {
    pub name: &'static str,
    /// What the table calls it.
    pub short: &'static str,
    /// The table of its source.
    pub table: &'static str,
    /// The objects that it compares with, or looks into. The first is the one that it writes.
    objects: &'static [&'static str],
    /// Whether a double of its records is possible, and so has to be looked for before anything is inserted that is not known.
    looks_for_doubles: bool,
}

pub const JOBS: [Job; 3] = [
    Job {
        name: "User Sync_Dynamics Connection",
        short: "users",
        table: "systemuser",
        objects: &["gsuser"],
        looks_for_doubles: true,
    },
    Job {
        name: "Company Sync_Dynamics Connection",
        short: "companies",
        table: "account",
        objects: &["company"],
        looks_for_doubles: true,
    },
    Job {
        name: "Company Person Sync_Dynamics Connection",
        short: "people",
        table: "contact",
        objects: &["person", "company_person", "company"],
        looks_for_doubles: false,
    },
];

/// What a job needs.
pub struct Floor {
    pub changed: usize,
    pub calls: usize,
}

/// The floor of a job whose source has so many rows. `last` is what there was when it began the last time.
pub fn floor(job: &Job, rows: usize, last: Option<&Held>, before: &Held, after: &Held) -> Floor {
    let (new, changed) = after.new_and_changed(before, job.objects[0]);
    let (records, writes) = if job.table == "contact" {
        let people = people(before, after);
        (people, people)
    } else {
        // A record that points at one that the same run inserts is written once more: its GSID is known only then.
        let is_new: HashSet<&str> = new.iter().copied().collect();
        let points = |gsid: &&&str| {
            let at = after.object(job.objects[0])[**gsid].points_at.as_deref();
            at.is_some_and(|at| is_new.contains(at))
        };
        let second = new.iter().filter(points).count();
        let calls = new.len().div_ceil(BATCH) + changed.len().div_ceil(BATCH) + second.div_ceil(BATCH);
        (new.len() + changed.len(), calls)
    };
    let inserts = if job.looks_for_doubles { new.len() } else { 0 };
    Floor { changed: records, calls: writes + reads(job, rows, inserts, last, before) }
}

/// Calls for people: one for each place at a company that is new or says something else, and for each person of no such place.
fn people(before: &Held, after: &Held) -> usize {
    let (new, changed) = after.new_and_changed(before, "company_person");
    let places = || new.iter().chain(&changed);
    let met: HashSet<&str> =
        places().filter_map(|gsid| after.object("company_person")[*gsid].points_at.as_deref()).collect();
    let (new, changed) = after.new_and_changed(before, "person");
    places().count() + new.iter().chain(&changed).filter(|gsid| !met.contains(**gsid)).count()
}

/// The cheapest reading that shows everything that the job compares with: each object whole, by the keys of the source, or by what
/// changed since the last time; the last needs the log of deletions, once for all objects, and that nothing to be inserted is there.
fn reads(job: &Job, rows: usize, inserts: usize, last: Option<&Held>, before: &Held) -> usize {
    // A query that gives as many as it can does not say that there are no more.
    let queries = |records: usize| (records + 1).div_ceil(READ);
    let otherwise = |object: &str| queries(before.object(object).len()).min(rows.div_ceil(LISTED).max(1));
    let all = job.objects.iter().map(|object| otherwise(object)).sum();
    let Some(last) = last else { return all };
    let by_changes = |object: &str| {
        let doubles = if object == job.objects[0] { inserts.div_ceil(LISTED) } else { 0 };
        queries(before.touched_since(last, object)) + doubles
    };
    let best = job.objects.iter().map(|object| otherwise(object).min(by_changes(object))).sum::<usize>();
    all.min(best + 1)
}
