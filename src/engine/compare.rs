//! Stage two, the target's side: which record each row is, what it holds now, what would have to be written.
//!
//! In: the mapped rows and what the target holds. Out: the changes, one row for each source row.

use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::DataFrame;

use super::error::Result;
use super::matching::{Held, matched, newest};
use super::pending;
use super::reason::Reasons;
use super::screen::Screen;
use super::session::{Engine, Rows};
use super::verdict;
use crate::model::dataset::{self, ROW, changes};
use crate::model::job::{Job, Route};

/// The changes that a run would make.
///
/// # Errors
/// If a dataset cannot be read or memory does not suffice.
pub async fn compare(engine: &Engine, job: &Job) -> Result<Rows> {
    let refused = engine.dataset(dataset::REFUSED, &dataset::refused_schema()).await?;
    let rows = engine.stored(dataset::MAPPED).await?;
    let mut held = held(engine, job).await?;
    let Some(screen) = Screen::of(engine, job).await? else {
        return engine.by_number(plan(job, rows, held, refused)?).await;
    };
    let settled = rows.clone().filter(screen.is_settled())?;
    let settled = verdict::unchanged(job, &Reasons::of(job), settled, screen.gsid())?;
    let left = rows.filter(Expr::Not(Box::new(screen.is_settled())))?;
    for object in held.targets.iter_mut() {
        *object = object.take().map(|object| object.filter(screen.is_wanted(job))).transpose()?;
    }
    let left = engine.by_number(plan(job, left, held, refused)?).await?;
    Ok(left.and(engine.by_number(settled).await?))
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
