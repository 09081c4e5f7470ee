//! What a preview reads: the first rows of the source, and all of what its lookups and paths need.

use super::error::Error;
use super::extract::first_rows;
use super::progress::Progress;
use super::services::Services;
use crate::model::job::Job;
use crate::store::dataset::RunFolder;
use crate::store::home::Home;

/// Reads into the home's preview folder, which is emptied first; gives the folder and the number of source rows.
///
/// # Errors
/// If a service or the disk says no.
pub async fn read(
    job: &Job,
    services: &Services,
    home: &Home,
    limit: usize,
    progress: &Progress,
) -> Result<(RunFolder, u64), Error> {
    let folder = RunFolder::open(&home.preview_folder()?)?;
    let read = first_rows(job, services, &folder, limit, progress).await?;
    Ok((folder, read.rows))
}
