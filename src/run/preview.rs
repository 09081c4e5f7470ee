//! What a preview reads: the first rows of the source, and all of what its lookups and paths need. Nothing of it is gone on with.

use super::error::Error;
use super::file_preview::preview;
use super::progress::{Progress, Voice};
use super::services::{Services, Source};
use crate::dynamics::client::Dynamics;
use crate::dynamics::odata::{Query, first_queries};
use crate::dynamics::pages::schema_of;
use crate::gainsight::client::Gainsight;
use crate::model::dataset;
use crate::model::field::Field;
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
    // It is no run, so it goes by its job's name.
    let progress = &Voice::new(&job.name, false, progress).of(&job.name);
    let gainsight = services.target(job)?;
    let source = async {
        let (folder, progress) = (&folder, progress);
        let tables =
            first_queries(job).into_iter().map(async |query| match services.connected(&query.table.connection)? {
                Source::Dynamics(dynamics) => table(dynamics, query, folder, limit, progress).await,
                Source::Files(files) => preview(files, query, folder, limit, progress).await,
            });
        // The source comes first among the queries, and so among the counts.
        let rows = futures::future::try_join_all(tables).await?;
        Ok::<u64, Error>(rows.first().copied().unwrap_or(0))
    };
    let target = async {
        for (object, fields) in dataset::objects(job) {
            records(gainsight, &object, &fields, &folder).await?;
        }
        Ok::<_, Error>(())
    };
    let (rows, ()) = futures::try_join!(source, target)?;
    Ok((folder, rows))
}

/// Of the source the pages until there are so many rows, of other tables all.
async fn table(
    dynamics: &Dynamics,
    query: Query,
    folder: &RunFolder,
    limit: usize,
    progress: &Voice<'_>,
) -> Result<u64, Error> {
    let is_source = query.is_numbered();
    let mut writer = folder.write(&query.dataset, schema_of(&query));
    let mut pages = dynamics.read(query)?;
    while let Some(page) = pages.next().await? {
        writer.add(page.rows).await?;
        if is_source {
            progress.advanced("extract", writer.rows, None);
            if writer.rows >= limit as u64 {
                break;
            }
        }
    }
    Ok(writer.finish().await?)
}

async fn records(gainsight: &Gainsight, object: &str, fields: &[Field], folder: &RunFolder) -> Result<(), Error> {
    let mut records = gainsight.read(object, fields);
    let mut writer = folder.write(&dataset::target(object), dataset::object_schema(fields));
    while let Some(batch) = records.next().await? {
        writer.add(batch).await?;
    }
    writer.finish().await?;
    Ok(())
}
