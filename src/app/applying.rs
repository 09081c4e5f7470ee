//! `apply`: the plan of an earlier `plan`, exactly that one.

use super::connections::admit;
use super::error::Error;
use super::held::Held;
use super::workspace::{Setting, Workspace};
use crate::run::apply;
use crate::run::progress::Progress;
use crate::run::report::Report;

/// Loads a plan. The report is handed out when it is there; a failure comes back as the error.
///
/// # Errors
/// If there is no such plan, or it does not hold any more, or what stopped its load.
pub async fn apply(
    workspace: &Workspace,
    setting: &Setting,
    run: &str,
    progress: &Progress,
    mut ended: impl FnMut(&Report),
) -> Result<(), Error> {
    let Held { home, state } = &Held::take(setting, progress).await?;
    let Some((found, _)) = state.run(run)? else {
        return Err(Error::Usage(format!("there is no run \"{run}\"; `ferry activity` lists the runs")));
    };
    let Some(job) = workspace.project.jobs.get(&found.job) else {
        return Err(Error::Usage(format!("the project has no job \"{}\" any more", found.job)));
    };
    admit([job], workspace, state, setting).await?;
    let (report, failed) = apply::apply(job, run, &workspace.services, home, state, progress).await?;
    ended(&report);
    failed.map_or(Ok(()), |error| Err(error.into()))
}
