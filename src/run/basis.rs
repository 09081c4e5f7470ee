//! The run that a run begins with, and what the next one begins with.
//!
//! A run's folder has every table and object as it was then, so the next run of the job reads only what changed since. In: a job, its
//! run, the ledger. Out: ways for everything that is read; and once every row has an outcome, the base of the next run.

use tokio::sync::watch;

use super::begun_with::export_of;
use super::error::Error;
use super::handing::Handed;
use super::job::Working;
use super::refreshing::{Refreshing, again, cursors, delta, keys, read_how};
use super::report::ReadHow;
use super::services::Services;
use super::staging::Staging;
use super::undertaking::Undertaking;
use super::ways::{Ahead, Cursors, Full, Ways, is_logged, why_full};
use crate::model::job::Job;
use crate::model::reject::RejectCode;
use crate::store::dataset::RunFolder;
use crate::store::home::Home;
use crate::store::ledger::{Base, Failed, Ledger, Phase};

impl Working<'_> {
    pub(super) fn staging<'s>(&'s self, folder: &'s RunFolder) -> Staging<'s> {
        Staging {
            folder,
            ledger: self.ledger,
            run: &self.one.run,
            progress: self.progress,
            source_rows: watch::Sender::new(Some(0)),
        }
    }

    /// Whether everything was read, and if not, what changed.
    pub(super) async fn read_how(&self) -> Result<Option<ReadHow>, Error> {
        // A place that does not answer is what stopped the run, and is told as that.
        let Ok(Some(folder)) = self.home.runs().find(&self.one.run).await else { return Ok(None) };
        read_how(&self.staging(&folder))
    }

    /// What nobody should do: the next run begins behind changes that are not dealt with.
    pub(super) fn move_cursors_only(&self, folder: &RunFolder) -> Result<(), Error> {
        let of = self.services.tenancy(self.job);
        let next = next(self.job, self.one, &self.staging(folder), false)?;
        match (next, self.ledger.base(&of, &self.job.name)?) {
            (Some(next), Some(base)) => {
                Ok(self.ledger.rebase(&of, &self.job.name, &Base { cursors: next.cursors, ..base })?)
            }
            _ => Ok(()),
        }
    }

    /// Where the next run begins, if this one dealt with every row.
    pub(super) async fn next_base(&self, failed: &[Failed]) -> Result<Option<Base>, Error> {
        let Some(folder) = self.home.runs().find(&self.one.run).await? else { return Ok(None) };
        // What was read of the target to prove files is not what the run's folder holds.
        let is_doubtful = failed.iter().any(|one| one.code == RejectCode::TargetGone.text())
            || Handed::of(self.ledger, &self.one.run)?.rows > 0;
        next(self.job, self.one, &self.staging(&folder), is_doubtful)
    }
}

/// Has the next run of a job read the target whole: what is known of it is wrong.
pub(super) fn doubt(job: &Job, services: &Services, ledger: &dyn Ledger) -> Result<(), Error> {
    let of = services.tenancy(job);
    let Some(base) = ledger.base(&of, &job.name)? else { return Ok(()) };
    let mut cursors: Cursors = serde_json::from_str(&base.cursors).unwrap_or_default();
    cursors.objects.clear();
    let cursors = serde_json::to_string(&cursors).map_err(|e| Error::Books(e.to_string()))?;
    Ok(ledger.rebase(&of, &job.name, &Base { cursors, ..base })?)
}

/// Where what is read comes from: as the run began with, or as is decided now.
pub(super) async fn begin<'a>(
    job: &'a Job,
    one: &Undertaking,
    services: &'a Services,
    home: &Home,
    staging: Staging<'a>,
) -> Result<Refreshing<'a>, Error> {
    let ledger = staging.ledger;
    let kept = Refreshing::kept(&staging)?;
    let is_decided = kept.is_some();
    let ways = match kept {
        Some(ways) => ways,
        None => decided(job, one, services, home, &staging).await?,
    };
    let ways =
        if is_decided && one.phase == Phase::Extracting { still(ways, job, &staging, home).await? } else { ways };
    let base = match &ways.base {
        Some(run) => home.runs().find(run).await?,
        None => None,
    };
    let export = export_of(services, job.source.begins_with.as_ref().map(|table| table.connection.as_str()));
    let refreshing = Refreshing { staging, job, base, export, ways: ways.into(), now_ms: one.now_ms };
    if one.phase == Phase::Extracting {
        ledger.is_ours()?;
        refreshing.keep()?;
    }
    Ok(refreshing)
}

async fn decided(
    job: &Job,
    one: &Undertaking,
    services: &Services,
    home: &Home,
    staging: &Staging<'_>,
) -> Result<Ways, Error> {
    let base = staging.ledger.base(&services.tenancy(job), &job.name)?;
    let mut why = why_full(job, base.as_ref(), &one.digest, one.is_full, one.now_ms);
    if let (Some(base), None) = (&base, why)
        && !is_there(base, home, staging.ledger).await?
    {
        why = Some(Full::BaseGone);
    }
    if let Some(why @ (Full::JobChanged | Full::Due | Full::BaseGone)) = why {
        staging.progress.notice(format!("everything is read: {}", why.words()));
    }
    let mut ways = Ways::of(job, base.as_ref(), why, services.source(job)?.page_size());
    if !is_logged(&ways.objects, one.now_ms) {
        ways.objects.clear();
    }
    let (dynamics, gainsight) = (services.source(job)?.seconds_ahead(), services.target(job)?.seconds_ahead());
    ways.ahead = Ahead { dynamics, gainsight };
    Ok(ways)
}

/// The ways of a run that goes on. Should the rows have been damaged that it began with, what is not put together yet is read whole.
async fn still(ways: Ways, job: &Job, staging: &Staging<'_>, home: &Home) -> Result<Ways, Error> {
    let Some(run) = ways.base.clone() else { return Ok(ways) };
    let names: Vec<String> = ways.tables.keys().chain(ways.objects.keys()).cloned().collect();
    if are_there(&run, &names, home, staging.ledger).await? {
        return Ok(ways);
    }
    staging.progress.notice(format!("everything is read: {}", Full::BaseGone.words()));
    // Records that were found by keys would be taken for the whole object.
    for name in names.iter().chain(ways.keyed.keys()) {
        staging.ledger.read_again(staging.run, name)?;
    }
    // What was read of changes is of another beginning.
    for name in ways.tables.keys() {
        for staged in [delta(name), again(name), keys(name)] {
            staging.ledger.read_again(staging.run, &staged)?;
        }
    }
    Ok(Ways { ahead: ways.ahead, oldest: ways.oldest, ..Ways::of(job, None, Some(Full::BaseGone), 0) })
}

/// Whether the rows of a base are there as they were written.
async fn is_there(base: &Base, home: &Home, ledger: &dyn Ledger) -> Result<bool, Error> {
    let Ok(cursors) = serde_json::from_str::<Cursors>(&base.cursors) else { return Ok(false) };
    let names: Vec<String> = cursors.tables.into_keys().chain(cursors.objects.into_keys()).collect();
    are_there(&base.run, &names, home, ledger).await
}

async fn are_there(run: &str, names: &[String], home: &Home, ledger: &dyn Ledger) -> Result<bool, Error> {
    let Some(folder) = home.runs().find(run).await? else { return Ok(false) };
    for name in names {
        let Some(reading) = ledger.reading(run, name)? else { return Ok(false) };
        if !reading.is_done || !folder.is_whole(name, &reading.parts).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the next run begins with, once this one has dealt with every row. `is_target_doubtful` says that a record was not there which
/// the plan was made with: the next run reads the target whole then.
fn next(job: &Job, one: &Undertaking, staging: &Staging<'_>, is_target_doubtful: bool) -> Result<Option<Base>, Error> {
    if !job.source.changes || one.chosen.is_some() {
        return Ok(None);
    }
    let Some(ways) = Refreshing::kept(staging)? else { return Ok(None) };
    let mut cursors = cursors(job, staging)?;
    if is_target_doubtful {
        cursors.objects.clear();
    }
    // Of the rows that it began with: by now the job may have another base, with which a plan that is applied has nothing to do.
    let full_at_ms = ways.full_at_ms.unwrap_or(one.now_ms);
    let cursors = serde_json::to_string(&cursors).map_err(|e| Error::Books(e.to_string()))?;
    Ok(Some(Base { run: one.run.clone(), digest: one.digest.clone(), full_at_ms, cursors }))
}
