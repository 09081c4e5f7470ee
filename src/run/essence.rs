//! What a job does, as a digest: two jobs of one digest read, map and load alike.
//!
//! It leaves out what changes none of that: where the text stands, comments, schedules, notices, how often everything is read, and
//! fields of the target that the job does not use. In: a job. Out: hexadecimal digits, by which a run is gone on with and a base is begun with.

use ring::digest::{SHA256, digest};

use crate::model::job::Job;
use crate::model::place::Place;
use crate::model::policy::OnSource;

/// The digest of a job, and of the version of Ferry that would work on it.
pub(super) fn digest_of(job: &Job) -> String {
    let text = format!("{} {:?}", env!("CARGO_PKG_VERSION"), essence(job));
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn essence(job: &Job) -> Job {
    let mut job = job.clone();
    job.comment = None;
    // An export is begun with once, and may be gone afterwards.
    job.source.begins_with = None;
    // How often everything is read says nothing of how.
    job.source.full_every_seconds = None;
    job.after = Vec::new();
    job.schedule = None;
    job.notify = Vec::new();
    let places = job.mappings.iter_mut().map(|m| &mut m.place);
    let places = places.chain(job.lookups.iter_mut().map(|l| &mut l.place));
    let places = places.chain(job.requires.iter_mut().map(|r| &mut r.place));
    let clauses = [&mut job.on_delete, &mut job.on_leave].into_iter().flat_map(OnSource::places);
    let places = places.chain(clauses);
    places.chain([&mut job.place]).for_each(|place| *place = Place::default());
    // The fields that are used stand in the mappings and lookups themselves; of the others only their order would show.
    job.targets.iter_mut().for_each(|target| target.object.fields.clear());
    job
}
