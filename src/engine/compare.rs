//! Stage two, the target's side: which record each row is, what it holds now, what would have to be written.
//!
//! In: the mapped rows and what the target holds. Out: the changes, one row for each source row.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::DataFrame;

use super::error::Result;
use super::matching::{Held, matched, newest};
use super::pending;
use super::reason::Reasons;
use super::screen::{KEY, Screen, Screened, is_in_bucket, record_key};
use super::session::{Engine, Rows};
use super::verdict;
use crate::model::dataset::{self, ROW, changes};
use crate::model::job::{Job, Route};

/// The changes that a run would make, at once.
///
/// # Errors
/// If a dataset cannot be read or memory does not suffice.
pub async fn compare(engine: &Engine, job: &Job) -> Result<Rows> {
    let one = Comparison::begin(engine, job).await?;
    Comparison { buckets: 1, ..one }.at_once().await
}

/// A comparison: what is surely unchanged is known when it begins, what is left is compared in full, at once or bucket by bucket.
pub struct Comparison<'a> {
    engine: &'a Engine,
    job: &'a Job,
    screen: Option<Arc<Screen>>,
    /// Parts of equal size, by the hash of the key, in which what is left is to be compared. Each needs nothing of the others.
    pub buckets: usize,
}

impl<'a> Comparison<'a> {
    /// Looks at all rows and records once, and finds out in how many buckets they are compared.
    ///
    /// # Errors
    /// If a dataset cannot be read or memory does not suffice.
    pub async fn begin(engine: &'a Engine, job: &'a Job) -> Result<Self> {
        let (screen, left) = match Screened::of(engine, job).await? {
            Screened::Done(screen) => {
                let left = screen.left().max(screen.wanted);
                (Some(screen), left)
            }
            Screened::TooLarge => {
                let rows = engine.stored(dataset::MAPPED).await?.count().await?;
                let records = held(engine, job).await?.targets.into_iter().flatten().next();
                let records = match records {
                    Some(records) => records.count().await?,
                    None => 0,
                };
                (None, rows.max(records))
            }
            // Its rows depend on each other by more than their keys.
            Screened::Never => (None, 0),
        };
        Ok(Self { engine, job, screen, buckets: left.div_ceil(engine.means().bucket_rows).max(1) })
    }

    /// All changes, where there is one bucket.
    ///
    /// # Errors
    /// If a dataset cannot be read or memory does not suffice.
    pub async fn at_once(&self) -> Result<Rows> {
        Ok(self.bucket(0).await?.and(Vec::new(), self.settled().await?))
    }

    /// The changes of the rows that are left, of one bucket.
    ///
    /// # Errors
    /// If a dataset cannot be read or memory does not suffice.
    pub async fn bucket(&self, number: usize) -> Result<Rows> {
        let Self { engine, job, .. } = self;
        let refused = engine.dataset(dataset::REFUSED, &dataset::refused_schema()).await?;
        let mut rows = engine.stored(dataset::MAPPED).await?;
        let mut held = held(engine, job).await?;
        if let Some(screen) = &self.screen {
            rows = rows.filter(Expr::Not(Box::new(screen.is_settled())))?;
        }
        if self.buckets > 1 {
            rows = rows.filter(is_in_bucket(ident(KEY), number, self.buckets))?;
        }
        for object in &mut held.targets {
            let Some(mut records) = object.take() else { continue };
            if let Some(screen) = &self.screen {
                records = records.filter(screen.is_wanted(job))?;
            }
            if self.buckets > 1 {
                records = records.filter(is_in_bucket(record_key(job), number, self.buckets))?;
            }
            *object = Some(records);
        }
        engine.by_number(plan(job, rows, held, refused)?).await
    }

    /// What the buckets gave, each kept as a dataset, and the rows that are settled.
    ///
    /// # Errors
    /// If a dataset cannot be read or memory does not suffice.
    pub async fn together(&self, buckets: &[String]) -> Result<Rows> {
        let mut all = Vec::new();
        // Each bucket is one stream, file after file: many are read side by side.
        let engine = self.engine.on_one_thread()?;
        for bucket in buckets {
            all.push(engine.one_by_one(engine.stored(bucket).await?).await?);
        }
        let first = all.swap_remove(0);
        Ok(first.and(all, self.settled().await?))
    }

    /// All rows as they are if they are settled: those that are not have others in their place.
    async fn settled(&self) -> Result<Option<Rows>> {
        let Some(screen) = &self.screen else { return Ok(None) };
        let rows = self.engine.stored(dataset::MAPPED).await?;
        let rows = verdict::settled(self.job, &Reasons::of(self.job), rows, screen.gsid())?;
        Ok(Some(self.engine.by_number(rows).await?))
    }
}

/// What the target holds, and who is who.
pub(super) async fn held(engine: &Engine, job: &Job) -> Result<Held> {
    let objects = dataset::objects(job);
    let mut held = Held { targets: Vec::new(), avatars: None };
    for target in &job.targets {
        held.targets.push(match target.route {
            Route::Avatar => None,
            _ => {
                let schema = dataset::object_schema(&objects[&target.object.name]);
                Some(engine.dataset(&dataset::target(&target.object.name), &schema).await?)
            }
        });
    }
    if job.target_by_route(Route::Avatar).is_some() {
        held.avatars = Some(engine.dataset(dataset::AVATARS, &dataset::avatar_schema()).await?);
    }
    Ok(held)
}

/// The changes in the order in which the script wants them loaded; of equals, by row.
///
/// # Errors
/// If the changes cannot be read or memory does not suffice.
pub async fn queue(engine: &Engine, descending: bool) -> Result<Rows> {
    let order = vec![ident(changes::FIRST).sort(!descending, false), ident(ROW).sort(true, false)];
    engine.stream(engine.stored(dataset::CHANGES).await?.sort(order)?).await
}

/// The plan of the stage.
pub(super) fn plan(job: &Job, rows: DataFrame, held: Held, refused: DataFrame) -> Result<DataFrame> {
    let reasons = Reasons::of(job);
    let rows = matched(job, &reasons, rows, &held)?;
    let rows = verdict::remembered(job, rows, refused)?;
    let rows = newest(job, rows)?;
    let rows = pending::resolved(job, &reasons, rows, &held.targets)?;
    verdict::decided(job, &reasons, rows)
}
