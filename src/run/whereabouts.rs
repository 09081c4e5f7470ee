//! Whether what a run has read and planned is in this home: it may have been gone on with in another since, or its files are gone.
//!
//! A folder of the run's number is not enough: one that an earlier owner left holds what he read, and not what the ledger knows of. In: a
//! run that is to be gone on with, the home. Out: whether its files are those of the ledger. It changes nothing that the ledger has.

use super::error::Error;
use crate::dynamics::odata::queries;
use crate::model::dataset;
use crate::model::job::Job;
use crate::model::policy::Via;
use crate::store::dataset::RunFolder;
use crate::store::home::Home;
use crate::store::ledger::{Ledger, Phase, Unfinished};

/// Whether what a run needs that does not read any more is here: of one that loads its plan, or everything that the plan is made from; of
/// one that has read everything just that.
pub(super) async fn is_here(found: &Unfinished, job: &Job, home: &Home, ledger: &dyn Ledger) -> Result<bool, Error> {
    if !matches!(found.phase, Phase::Extracted | Phase::Loading) {
        return Ok(true);
    }
    let Some(folder) = home.runs().find(&found.run.id).await? else { return Ok(false) };
    if found.phase == Phase::Loading {
        // A process that ended while it compared with the target of a later moment has left that comparison.
        if matches!(job.via, Via::Files { .. }) {
            folder.put_back().await?;
        }
        // A plan of which a file cannot be read is none.
        if plan_digest(job, &folder).await.ok() == found.plan_digest {
            return Ok(true);
        }
    }
    has_read(&found.run.id, job, &folder, ledger).await
}

/// The digest of everything that is loaded.
pub(super) async fn plan_digest(job: &Job, folder: &RunFolder) -> Result<String, Error> {
    let mut digest = folder.digest(dataset::CHANGES).await?;
    if job.load_first.is_some() {
        digest.push_str(&folder.digest(dataset::QUEUE).await?);
    }
    Ok(digest)
}

/// Whether everything is there as the ledger has it that a plan is made from.
async fn has_read(run: &str, job: &Job, folder: &RunFolder, ledger: &dyn Ledger) -> Result<bool, Error> {
    let tables = queries(job).into_iter().map(|query| query.dataset);
    let objects = dataset::objects(job).into_keys().map(|object| dataset::target(&object));
    for name in tables.chain(objects) {
        let is_whole = match ledger.reading(run, &name)? {
            Some(reading) => folder.is_whole(&name, &reading.parts).await?,
            None => name != dataset::SOURCE,
        };
        if !is_whole {
            return Ok(false);
        }
    }
    Ok(true)
}
