//! Links at the end of a run: those of rows of which nothing had to be written.
//!
//! Rows that were written have theirs since they were acknowledged. What is left are unchanged rows whose links are not what they
//! should be, and lost rows about which nothing had to be done. In: the changes. Out: links in the ledger; doing it twice is
//! doing it once.

use super::changes::Changes;
use super::columns;
use super::error::Error;
use super::item::links_of;
use crate::model::dataset::{self, changes};
use crate::model::job::Job;
use crate::model::outcome::Outcome;
use crate::store::dataset::RunFolder;
use crate::store::ledger::Ledger;
use crate::store::links::Relink;
use crate::store::state::Tenancy;

/// Links that are written down together.
const TOGETHER: usize = 10_000;

/// Brings the links of a job up to date with a run that has loaded.
pub(super) async fn relink(job: &Job, folder: &RunFolder, ledger: &dyn Ledger, of: &Tenancy) -> Result<(), Error> {
    if !job.keeps_links() {
        return Ok(());
    }
    let mut all: Vec<Relink> = Vec::new();
    let mut files = folder.sift(dataset::CHANGES, columns::links()).await?;
    while let Some(file) = files.next().await? {
        let rows = Changes::new(job, file.rows.clone());
        let is_quiet = |at: &usize| matches!(rows.outcome(*at), Some(Outcome::Unchanged | Outcome::Filtered));
        let wanted = (0..rows.len()).filter(|at| rows.link(*at).is_some()).filter(is_quiet);
        for batch in file.pick(&wanted.collect::<Vec<_>>(), Some(columns::linked(job))).await? {
            let rows = Changes::new(job, batch);
            for at in 0..rows.len() {
                match (rows.outcome(at), rows.link(at)) {
                    (Some(Outcome::Unchanged), Some(changes::TO)) => all.extend(links_of(&rows, at)),
                    (Some(Outcome::Filtered), Some(changes::LEFT)) => all.push(Relink::Left(rows.id(at))),
                    (Some(Outcome::Filtered), Some(changes::CUT)) => all.push(Relink::Cut(rows.id(at))),
                    _ => {}
                }
            }
            if all.len() >= TOGETHER {
                ledger.relink(of, &job.name, &std::mem::take(&mut all))?;
            }
        }
    }
    if all.is_empty() { Ok(()) } else { Ok(ledger.relink(of, &job.name, &all)?) }
}
