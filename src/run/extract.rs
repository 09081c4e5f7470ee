//! Extraction: pages of both services become datasets of the run folder.
//!
//! The source, the tables that paths lead to, and the target's objects are read side by side, within what the connections
//! may have under way.

use std::collections::BTreeMap;

use crate::dynamics::client::Dynamics;
use crate::dynamics::odata::{Query, queries};
use crate::dynamics::pages::Whole;
use crate::gainsight::client::Gainsight;
use crate::model::dataset;
use crate::model::field::Field;
use crate::model::job::{Job, Route};
use crate::store::dataset::RunFolder;
use crate::store::state::{State, Tenancy};

use super::error::Error;
use super::progress::{Event, Progress};
use super::services::Services;

/// What was read.
pub(super) struct Extracted {
    /// Rows of the source.
    pub(super) rows: u64,
    /// Records of each Gainsight object, by API name.
    pub(super) records: BTreeMap<String, u64>,
}

/// Reads everything that the job needs.
pub(super) async fn extract(
    job: &Job,
    services: &Services,
    folder: &RunFolder,
    progress: &Progress,
) -> Result<Extracted, Error> {
    first_rows(job, services, folder, usize::MAX, progress).await
}

/// The same, but of the source only pages until there are this many rows.
pub(super) async fn first_rows(
    job: &Job,
    services: &Services,
    folder: &RunFolder,
    most: usize,
    progress: &Progress,
) -> Result<Extracted, Error> {
    let (dynamics, gainsight) = (services.source(job)?, services.target(job)?);
    let source = async {
        let tables = queries(job).into_iter().map(|query| {
            let most = if query.is_numbered() { most } else { usize::MAX };
            table(dynamics, query, folder, most, progress)
        });
        // The source comes first among the queries, and so among the counts.
        let rows = futures::future::try_join_all(tables).await?;
        Ok::<u64, Error>(rows.first().copied().unwrap_or(0))
    };
    let target = async {
        let mut counts = BTreeMap::new();
        for (object, fields) in dataset::objects(job) {
            let count = records(gainsight, &object, &fields, folder).await?;
            counts.insert(object, count);
        }
        Ok::<_, Error>(counts)
    };
    let (rows, records) = futures::try_join!(source, target)?;
    Ok(Extracted { rows, records })
}

/// Copies what the plan needs of the state: it reads run folders only.
pub(super) async fn remember(job: &Job, of: &Tenancy, state: &State, folder: &RunFolder) -> Result<(), Error> {
    let refused = state.refusals(of, &job.name)?;
    keep(folder, dataset::REFUSED, refused).await?;
    if job.target_by_route(Route::Avatar).is_some() {
        keep(folder, dataset::AVATARS, state.identities(of)?).await?;
    }
    Ok(())
}

async fn keep(folder: &RunFolder, name: &str, batch: arrow::record_batch::RecordBatch) -> Result<(), Error> {
    let mut writer = folder.write(name, batch.schema());
    writer.add(batch).await?;
    writer.finish().await?;
    Ok(())
}

async fn table(
    dynamics: &Dynamics,
    query: Query,
    folder: &RunFolder,
    most: usize,
    progress: &Progress,
) -> Result<u64, Error> {
    let is_source = query.is_numbered();
    let name = query.dataset.clone();
    // Of a part of the table only the beginning is read, which one chain does.
    let mut pages = match most {
        usize::MAX => dynamics.read_whole(query, None).await?,
        _ => Whole::Chain(Box::new(dynamics.read(query)?), None),
    };
    let mut writer = folder.write(&name, pages.schema());
    while let Some(page) = pages.next().await? {
        writer.add(page.rows).await?;
        if is_source {
            progress(Event::Advanced { stage: "extract", rows: writer.rows, of: None });
        }
        if writer.rows >= most as u64 {
            break;
        }
    }
    Ok(writer.finish().await?)
}

async fn records(gainsight: &Gainsight, object: &str, fields: &[Field], folder: &RunFolder) -> Result<u64, Error> {
    let mut records = gainsight.read(object, fields);
    let mut writer = folder.write(&dataset::target(object), dataset::object_schema(fields));
    while let Some(batch) = records.next().await? {
        writer.add(batch).await?;
    }
    Ok(writer.finish().await?)
}
