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
    /// The object that it writes.
    pub(super) object: String,
}

impl Import {
    /// As the ledger keeps it.
    pub(super) fn written(&self) -> String {
        let Self { call, rows, id, object } = self;
        format!("{call} {rows} {id} {object}")
    }

    /// What the ledger keeps; none of an import that is settled, or was never taken.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut words = text.splitn(4, ' ');
        let (call, rows) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { call, rows, id: words.next()?.to_owned(), object: words.next()?.to_owned() })
    }
}

/// Waits for the end of an import.
pub(super) async fn ended(gainsight: &Gainsight, clock: Clock, id: &str) -> Result<Standing, Error> {
    let [mut pause, longest] = IMPORT_LOOK_MS;
    let mut waited = 0;
    loop {
        match gainsight.import_standing(id).await? {
            Standing::UnderWay if waited >= IMPORT_STUCK_MS => {
                return Err(Error::ImportStuck { id: id.to_owned(), hours: IMPORT_STUCK_MS / 3_600_000 });
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
        ended(services.target(job)?, services.clock, id).await?;
        // A run that can be gone on with still has to settle its rows, and finds the import at its end.
        if ledger.begun(&other)?.is_none() {
            ledger.note(&other, UNDER_WAY, "")?;
        }
    }
    Ok(())
}
