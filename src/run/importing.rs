//! An import that was handed over: what is noted of it, and how it is waited for, by its own run and by others.
//!
//! An import may take hours, and nobody may look at its object meanwhile: what is read then is neither what it was nor what it will be.
//! In: a note of the ledger. Out: how it ended.

use std::collections::BTreeSet;

use super::error::Error;
use super::progress::Voice;
use super::services::Services;
use crate::gainsight::assumptions::{IMPORT_LOOK_MS, IMPORT_STUCK_MS};
use crate::gainsight::bulk::Standing;
use crate::gainsight::client::Gainsight;
use crate::model::clock::Clock;
use crate::model::dataset;
use crate::model::job::Job;
use crate::store::ledger::Ledger;

/// Under this name the ledger keeps the import of a run that is under way; empty, once it is settled.
pub(super) const UNDER_WAY: &str = "import";

/// An import that was handed over.
pub(super) struct Import {
    /// The call of the ledger.
    pub(super) call: i64,
    /// Rows of its file.
    pub(super) rows: u64,
    /// The id by which it is asked about.
    pub(super) id: String,
    /// When it was handed over, in milliseconds of the services' clock; unknown of one that an earlier version handed over.
    pub(super) since_ms: Option<i64>,
    /// The object that it writes.
    pub(super) object: String,
}

impl Import {
    /// As the ledger keeps it.
    pub(super) fn written(&self) -> String {
        let Self { call, rows, id, since_ms, object } = self;
        format!("{call} {rows} {id} {} {object}", since_ms.unwrap_or_default())
    }

    /// What the ledger keeps; none of an import that is settled, or was never taken.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let (call, rows) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let (id, next) = (words.next()?.to_owned(), words.next()?);
        // Names of objects have no blanks; an earlier version wrote down no moment.
        let (since_ms, object) = match words.next() {
            Some(object) => (next.parse().ok().filter(|since| *since > 0), object.to_owned()),
            None => (None, next.to_owned()),
        };
        Some(Self { call, rows, id, since_ms, object })
    }
}

/// Waits for the end of an import, as long as one may take since it was handed over.
pub(super) async fn ended(gainsight: &Gainsight, clock: Clock, import: &Import) -> Result<Standing, Error> {
    let [mut pause, longest] = IMPORT_LOOK_MS;
    let since_ms = import.since_ms.unwrap_or_else(|| clock.limits_now_ms());
    let mut waited = 0;
    loop {
        match gainsight.import_standing(&import.id).await? {
            // A clock that was set back is no reason to wait for ever.
            Standing::UnderWay if waited.max(clock.limits_now_ms() - since_ms) >= IMPORT_STUCK_MS => {
                return Err(Error::ImportStuck { id: import.id.clone(), hours: IMPORT_STUCK_MS / 3_600_000 });
            }
            Standing::UnderWay => {
                gainsight.wait(clock.real(pause)).await;
                waited += pause;
                pause = (pause * 2).min(longest);
            }
            ended @ Standing::Ended { .. } => return Ok(ended),
        }
    }
}

/// Waits until no import of another run is under way into an object that a job is about to look at.
pub(super) async fn wait_for_imports(
    run: &str,
    job: &Job,
    services: &Services,
    ledger: &dyn Ledger,
    progress: &Voice<'_>,
) -> Result<(), Error> {
    let tenant = services.tenancy(job).tenant;
    let objects: BTreeSet<String> = dataset::objects(job).into_keys().collect();
    for (other, note) in ledger.noted_by_others(&tenant, run, UNDER_WAY)? {
        let Some(import) = Import::read(&note).filter(|import| objects.contains(&import.object)) else { continue };
        let Import { id, object, .. } = &import;
        progress.notice(format!(
            "run {other} handed the bulk import {id} into {object} over; waiting until it is at its end"
        ));
        ended(services.target(job)?, services.clock, &import).await?;
        // A run that can be gone on with still has to settle its rows, and finds the import at its end.
        if ledger.begun(&other)?.is_none() {
            ledger.note(&other, UNDER_WAY, "")?;
        }
    }
    Ok(())
}
