//! Whether a run through faults ends where one without them does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use ferry::model::outcome::{Counts, Records};
use ferry::run::report::Report;
use tokio::sync::OnceCell;

use super::case::{Case, World};
use super::held::{Held, difference, held, repeated};
use super::road::{Road, failed};
use crate::stage::Stage;

/// Faults end by themselves, so after so many rounds a round is quiet.
const ROUNDS_AT_MOST: usize = 40;

/// No case may take longer, however busy the machine is: a run that waits for ever would never be told.
const LONGEST: Duration = Duration::from_secs(120);

/// What a run without faults comes to.
pub struct Calm {
    totals: Vec<(Counts, BTreeMap<String, Records>)>,
    failed: BTreeSet<String>,
    /// The rows that fail when it runs again.
    failed_again: BTreeSet<String>,
    held: Held,
}

/// What a case cost.
pub struct Told {
    pub resumptions: usize,
    /// By rule, how often it struck.
    pub struck: Vec<usize>,
}

pub async fn judge(case: &Case) -> Result<Told, String> {
    let calm = calm(&case.world).await?;
    let stage = case.world.open(&case.faults.rules).await;
    let before = repeated(&stage.sandbox, case.world.keys());
    let rough =
        Rough { case, road: Road { stage: &stage, world: &case.world, by_resume: case.by_resume }, calm: &calm };
    let judged = tokio::time::timeout(LONGEST, rough.judge()).await;
    let resumptions = judged.map_err(|_| format!("it is not through after {} s", LONGEST.as_secs()))??;
    let after = repeated(&stage.sandbox, case.world.keys());
    let is_new = |(key, count): &(&String, &usize)| before.get(*key).copied().unwrap_or(1) < **count;
    if let Some((key, count)) = after.iter().find(is_new) {
        return Err(format!("{count} records have the key {key}"));
    }
    Ok(Told { resumptions, struck: stage.sandbox.struck() })
}

/// The calm run of a world, made once.
async fn calm(world: &World) -> Result<Arc<Calm>, String> {
    type Made = Arc<OnceCell<Result<Arc<Calm>, String>>>;
    static ALL: LazyLock<Mutex<HashMap<World, Made>>> = LazyLock::new(Mutex::default);
    let cell = Arc::clone(ALL.lock().unwrap_or_else(PoisonError::into_inner).entry(*world).or_default());
    cell.get_or_init(|| make_calm(world)).await.clone()
}

async fn make_calm(world: &World) -> Result<Arc<Calm>, String> {
    let stage = world.open("").await;
    let road = Road { stage: &stage, world, by_resume: false };
    let first = road.run().await.map_err(|error| format!("without faults: {error}"))?;
    if first.resumptions > 0 {
        return Err(format!("without faults, {} attempts failed: {:?}", first.resumptions, first.reports));
    }
    let again = road.run().await.map_err(|error| format!("without faults, again: {error}"))?;
    is_idle(&again.reports).map_err(|error| format!("without faults: {error}"))?;
    Ok(Arc::new(Calm {
        totals: first.reports.iter().map(|r| (r.counts, r.records.clone())).collect(),
        failed: first.reports.iter().flat_map(failed).collect(),
        failed_again: again.reports.iter().flat_map(failed).collect(),
        held: held(&stage.sandbox),
    }))
}

fn is_idle(reports: &[Report]) -> Result<(), String> {
    let busy = reports.iter().find(|r| r.calls.gainsight_writes > 0 || r.counts.inserted + r.counts.updated > 0);
    busy.map_or(Ok(()), |report| Err(format!("a further run writes: {report:?}")))
}

struct Rough<'a> {
    case: &'a Case,
    road: Road<'a>,
    calm: &'a Calm,
}

impl Rough<'_> {
    fn stage(&self) -> &Stage {
        self.road.stage
    }

    async fn judge(&self) -> Result<usize, String> {
        let faults = &self.case.faults;
        let first = self.road.run().await?;
        let ended = first.ended(&self.case.world.jobs())?;
        if !faults.changes_source && !faults.refuses_records {
            self.same_totals(&ended)?;
        }
        if faults.refuses_records {
            self.mend(&ended).await?;
        }
        if faults.changes_source {
            self.follows().await?;
        } else {
            self.same_end().await?;
        }
        Ok(first.resumptions)
    }

    fn same_totals(&self, ended: &[&Report]) -> Result<(), String> {
        for ((counts, records), report) in self.calm.totals.iter().zip(ended) {
            if (report.counts, &report.records) != (*counts, records) {
                return Err(format!("totals: expected {counts:?} {records:?}, found {report:?}"));
            }
        }
        same_rows(&self.calm.failed, &ended.iter().flat_map(|report| failed(report)).collect())
    }

    /// What a service refused by mistake is replayed, as its operator would, until nothing of it is left.
    async fn mend(&self, ended: &[&Report]) -> Result<(), String> {
        let mut last: Vec<Report> = ended.iter().map(|report| (*report).clone()).collect();
        for _ in 0..ROUNDS_AT_MOST {
            let struck = self.stage().sandbox.struck();
            for report in last.iter().filter(|report| report.error_file.is_some()) {
                self.road.replay(&report.run).await.map_err(|error| format!("replay: {error}"))?;
            }
            last = self.road.run().await.map_err(|error| format!("after a replay: {error}"))?.reports;
            if self.stage().sandbox.struck() == struck {
                return Ok(());
            }
        }
        Err("the faults do not end".to_owned())
    }

    /// The end is that of the calm run, and stays.
    async fn same_end(&self) -> Result<(), String> {
        let again = self.road.run().await.map_err(|error| format!("again: {error}"))?;
        is_idle(&again.reports)?;
        let again = again.ended(&self.case.world.jobs())?;
        same_rows(&self.calm.failed_again, &again.into_iter().flat_map(failed).collect())?;
        let told = difference(&self.calm.held, &held(&self.stage().sandbox));
        if told.is_empty() { Ok(()) } else { Err(format!("Gainsight holds something else:\n{told}")) }
    }

    /// The source changed on the way: once it rests, Gainsight is what a run from scratch would leave.
    async fn follows(&self) -> Result<(), String> {
        for _ in 0..ROUNDS_AT_MOST {
            let struck = self.stage().sandbox.struck();
            self.road.run().await.map_err(|error| format!("after the changes: {error}"))?;
            let before = held(&self.stage().sandbox);
            let home = tempfile::tempdir().expect("a folder");
            let setting =
                ferry::app::workspace::Setting { home: home.path().join("home"), ..self.stage().setting.clone() };
            let fresh = self.road.run_in(&setting).await.map_err(|error| format!("from scratch: {error}"))?;
            if self.stage().sandbox.struck() != struck {
                continue;
            }
            let told = difference(&before, &held(&self.stage().sandbox));
            let busy = fresh.reports.iter().find(|report| writes(report) || !told.is_empty());
            if let Some(report) = busy {
                return Err(format!("a run from scratch writes: {report:?}\n{told}"));
            }
            let again = self.road.run().await.map_err(|error| format!("again: {error}"))?;
            return is_idle(&again.reports);
        }
        Err("the faults do not end".to_owned())
    }
}

/// Whether anything of Gainsight was written. A home that is new notes who is who, which makes rows `updated` there.
fn writes(report: &Report) -> bool {
    let of_gainsight = report.records.iter().filter(|(object, _)| !object.starts_with("Avatar_"));
    of_gainsight.map(|(_, records)| records.inserted + records.updated).sum::<u64>() > 0
}

fn same_rows(expected: &BTreeSet<String>, found: &BTreeSet<String>) -> Result<(), String> {
    let lost: Vec<_> = expected.difference(found).collect();
    let new: Vec<_> = found.difference(expected).collect();
    let is_same = lost.is_empty() && new.is_empty();
    if is_same { Ok(()) } else { Err(format!("other rows failed: {lost:?} do not, {new:?} do")) }
}
