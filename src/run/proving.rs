//! Proof of rows that were handed over as files: the target is read again, and the plan is made again over the same source rows.
//!
//! A row that would be left as it is now has arrived, whatever objects its records are of. In: the plan that was handed over, and the target
//! of now. Out: outcomes of the rows that have arrived, and how many have not.

use tokio::sync::watch;

use super::changes::Changes;
use super::columns;
use super::error::Error;
use super::extract::{read_target_again, remember};
use super::handing::{Handed, actions, stays};
use super::item::Item;
use super::job::Working;
use super::load::{Load, to_send};
use super::plan::plan;
use super::staging::Staging;
use crate::gainsight::assumptions::FILES_TAKEN_WITHIN_MS;
use crate::model::dataset::{self, ROW, changes};
use crate::model::job::Job;
use crate::model::outcome::{Counts, Outcome};
use crate::model::reject::RejectCode;
use crate::store::aside::ASIDE;
use crate::store::dataset::RunFolder;
use crate::store::ledger::{Lost, Recorded, Settled};
use crate::store::sift::Sift;

/// What is made again, and set aside meanwhile.
pub(super) const MADE_AGAIN: [&str; 7] = [
    dataset::TARGETS,
    dataset::AVATARS,
    dataset::LINKS,
    dataset::REFUSED,
    dataset::MAPPED,
    dataset::CHANGES,
    dataset::QUEUE,
];

/// Rows whose outcomes are written down together.
const TOGETHER: usize = 1_000;

impl Working<'_> {
    /// Settles the rows that have arrived, and those that have not for too long; gives how many are waited for.
    pub(super) async fn prove(
        &self,
        load: &mut Load<'_>,
        folder: &RunFolder,
        planned: &Counts,
        handed: &Handed,
        url: &str,
    ) -> Result<u64, Error> {
        self.progress.notice(format!("{} rows were handed over as files; Gainsight is read again", handed.rows));
        folder.set_aside(&MADE_AGAIN).await?;
        let left = match self.planned_again(folder, planned).await {
            Ok(()) => load.settle_proven(folder, self.late(handed, url).as_ref()).await,
            Err(error) => Err(error),
        };
        // What was planned is what counts, for the error file and for whoever looks again.
        folder.put_back().await?;
        left
    }

    /// Makes the plan again, of the target of now, beside the one that was handed over.
    async fn planned_again(&self, folder: &RunFolder, planned: &Counts) -> Result<(), Error> {
        let (job, services) = (self.job, self.services);
        let staging = Staging {
            folder,
            ledger: self.ledger,
            run: &self.one.run,
            progress: self.progress,
            source_rows: watch::Sender::new(None),
        };
        remember(job, &services.tenancy(job), None, &staging).await?;
        read_target_again(job, services, &staging).await?;
        plan(job, folder, planned.read, None, services, 0, self.progress).await?;
        Ok(())
    }

    /// Why a row has failed that has not arrived by now; none as long as it may still come.
    fn late(&self, handed: &Handed, url: &str) -> Option<Lost> {
        let passed = self.services.clock.now().timestamp_millis() - handed.at_ms;
        (passed >= FILES_TAKEN_WITHIN_MS).then(|| Lost {
            code: RejectCode::NotImported,
            message: format!(
                "it was handed over as a file in {url}, and Gainsight does not hold it as it was handed over"
            ),
        })
    }
}

impl Load<'_> {
    async fn settle_proven(&mut self, folder: &RunFolder, late: Option<&Lost>) -> Result<u64, Error> {
        let mut left = 0;
        let mut now = Now::of(self.job, folder).await?;
        let before = format!("{ASIDE}/{}", dataset::CHANGES);
        let mut files = folder.sift(&before, columns::outcomes(self.job)).await?.picking(to_send);
        while let Some(file) = files.next().await? {
            let (mut arrived, mut lost) = (Vec::new(), Vec::new());
            self.count_unsent(&file);
            for batch in file.picked {
                let rows = Changes::new(self.job, batch);
                for at in 0..rows.len() {
                    let (item, all) = (self.item(&rows, at), actions(self.job, &rows, at));
                    match self.recorder.before(item.row, 1)? {
                        Some(Recorded::Written(_)) => self.count_arrived(&item, &all),
                        Some(Recorded::Lost(why)) => self.count_lost(&item, &all, why),
                        Some(recorded @ Recorded::Refused(_)) => self.count_recorded(item, recorded),
                        Some(Recorded::Open) | None => match (now.arrived(item.row).await?, late) {
                            (Some(gsid), _) => arrived.push((item, gsid, all)),
                            (None, Some(_)) => lost.push((item, all)),
                            (None, None) => left += 1,
                        },
                    }
                    if arrived.len() == TOGETHER {
                        self.settle_arrived(std::mem::take(&mut arrived))?;
                    }
                }
            }
            self.settle_arrived(arrived)?;
            if let Some(why) = late {
                self.settle_late(lost, why)?;
            }
        }
        Ok(left)
    }

    /// Settles rows whose records are as they say: each with its GSID, if the plan did not know it, and what became of its records.
    pub(super) fn settle_arrived(&mut self, arrived: Vec<Arrived>) -> Result<(), Error> {
        if arrived.is_empty() {
            return Ok(());
        }
        let rows: Vec<Settled> = arrived.iter().map(|(item, gsid, _)| self.settled(item, gsid.as_ref())).collect();
        self.recorder.settle(&[], &rows)?;
        arrived.iter().for_each(|(item, _, all)| self.count_arrived(item, all));
        Ok(())
    }

    fn settle_late(&mut self, late: Vec<(Item, Vec<(usize, String)>)>, why: &Lost) -> Result<(), Error> {
        let lost = |item: &Item| {
            let (row, source_id, lost) = (item.row, item.id.clone(), Some(why.clone()));
            Settled { row, step: 1, source_id, lost, ..Settled::default() }
        };
        let rows: Vec<Settled> = late.iter().map(|(item, _)| lost(item)).collect();
        self.recorder.settle(&[], &rows)?;
        late.iter().for_each(|(item, all)| self.count_lost(item, all, why.clone()));
        self.still_bearable()
    }

    fn count_arrived(&mut self, item: &Item, actions: &[(usize, String)]) {
        self.counts.add(item.planned);
        for (target, action) in actions {
            let count = self.record_count(*target);
            match action.as_str() {
                "insert" => count.inserted += 1,
                "update" => count.updated += 1,
                _ => count.unchanged += 1,
            }
        }
        self.advance();
    }

    fn count_lost(&mut self, item: &Item, actions: &[(usize, String)], why: Lost) {
        self.counts.add(Outcome::Error);
        for (target, _) in actions.iter().filter(|(_, action)| action != "unchanged") {
            self.record_count(*target).error += 1;
        }
        self.keep_lost(item, why);
    }
}

/// A row that has arrived, with its record and what became of all of its records.
pub(super) type Arrived = (Item, Option<String>, Vec<(usize, String)>);

/// The plan of now, in step with the one that was handed over: both have the same rows in the same order.
struct Now<'j> {
    job: &'j Job,
    files: Sift,
    rows: Option<Changes<'j>>,
    at: usize,
}

impl<'j> Now<'j> {
    async fn of(job: &'j Job, folder: &RunFolder) -> Result<Self, Error> {
        let main = changes::gsid(&job.targets[0].object.label);
        let columns = columns::outcomes(job).into_iter().chain([ROW.to_owned(), main]).collect();
        let mut files = folder.sift(dataset::CHANGES, columns).await?;
        let rows = files.next().await?.map(|file| Changes::new(job, file.rows));
        Ok(Self { job, files, rows, at: 0 })
    }

    /// Whether a row, which comes behind those that were asked for before, would be left as it is; if so, with its record.
    async fn arrived(&mut self, row: i64) -> Result<Option<Option<String>>, Error> {
        loop {
            let Some(rows) = &self.rows else {
                return Err(Error::Books(format!("row {row} is in one of two plans over the same rows only")));
            };
            while self.at < rows.len() {
                self.at += 1;
                let at = self.at - 1;
                if rows.row(at) == row {
                    // Whether the identity map follows is decided by what is settled now.
                    let is_planned = matches!(rows.outcome(at), Some(Outcome::Unchanged | Outcome::Updated));
                    return Ok((is_planned && stays(self.job, rows, at)).then(|| rows.gsid(0, at)));
                }
            }
            self.rows = self.files.next().await?.map(|file| Changes::new(self.job, file.rows));
            self.at = 0;
        }
    }
}
