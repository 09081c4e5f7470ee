//! Extraction: the source, the tables that paths lead to, and the target's objects become datasets of the run folder, whole and as
//! they are now.
//!
//! They are read side by side, within what the connections may have under way: whole, or from the rows of an earlier run and what
//! changed since (`ways` says which). A run that goes on reads on after the last page that is kept, in the way that it began with.

use std::collections::BTreeMap;

use arrow::array::AsArray;

use crate::dynamics::odata::{Query, queries};
use crate::gainsight::client::Gainsight;
use crate::model::dataset;
use crate::model::job::{Job, Route};
use crate::store::dataset::RunFolder;
use crate::store::state::Tenancy;

use super::error::Error;
use super::refreshing::{Came, Refreshing};
use super::services::{Services, Source};
use super::staging::Staging;
use super::timed::Timed;
use super::turn::Turn;

/// What was read.
pub(super) struct Extracted {
    /// Rows of the source.
    pub(super) rows: u64,
    /// Rows of the source that changed, and that are gone, where only changes were read.
    pub(super) came: Option<Came>,
    /// Records of each Gainsight object, by API name.
    pub(super) records: BTreeMap<String, u64>,
    /// When the source was read to its end.
    pub(super) source_read: Timed,
    /// When the target could be looked at.
    pub(super) looked: Timed,
}

/// Reads everything that the job needs, as far as it was not read before. Nothing of the target is read before `look` says so.
pub(super) async fn extract(
    job: &Job,
    services: &Services,
    refreshing: &Refreshing<'_>,
    turn: &Turn,
    look: impl Future<Output = Result<Timed, Error>>,
) -> Result<Extracted, Error> {
    let gainsight: &Gainsight = services.target(job)?;
    let source = async {
        let table = async |query: Query| match services.connected(&query.table.connection)? {
            Source::Dynamics(dynamics) => refreshing.table(dynamics, query).await,
            Source::Files(files) => refreshing.file_table(files, query).await,
        };
        let tables = queries(job).into_iter().map(table);
        // The source comes first among the queries, and so among the counts.
        let read = futures::future::try_join_all(tables).await?;
        refreshing.staging.source_rows.send_replace(None);
        let read = read.into_iter().next().unwrap_or_default();
        if !turn.has_come() {
            refreshing.staging.progress.advanced("wait", read.0, None);
        }
        Ok::<_, Error>((read, Timed::begin(services)))
    };
    let target = async {
        let looked = look.await?;
        refreshing.deletions(gainsight).await?;
        let (mut counts, mut large, mut later) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (object, fields) in dataset::objects(job) {
            match refreshing.object(gainsight, &object, &fields).await? {
                Some(count) => _ = counts.insert(object, count),
                None => large.push((object, fields)),
            }
        }
        let read = large.iter().map(|(object, fields)| refreshing.beside_source(gainsight, object, fields));
        let read = futures::future::try_join_all(read).await?;
        for ((object, fields), count) in large.into_iter().zip(read) {
            match count {
                Some(count) => _ = counts.insert(object, count),
                None => later.push((object, fields)),
            }
        }
        Ok::<_, Error>((counts, later, looked))
    };
    // Should the run not be let in, what is left of the source is not read either.
    let (((rows, came), source_read), (mut records, large, looked)) =
        futures::try_join!(Box::pin(source), Box::pin(target))?;
    for (object, fields) in large {
        let count = refreshing.rest(gainsight, &object, &fields).await?;
        records.insert(object, count);
    }
    Ok(Extracted { rows, came, records, source_read, looked })
}

/// Reads the target's records again, whatever was read of them before; gives their numbers by the API name of the object.
pub(super) async fn read_target_again(
    job: &Job,
    services: &Services,
    staging: &Staging<'_>,
) -> Result<BTreeMap<String, u64>, Error> {
    let gainsight = services.target(job)?;
    let mut counts = BTreeMap::new();
    for (object, fields) in dataset::objects(job) {
        staging.ledger.read_again(staging.run, &dataset::target(&object))?;
        let count = staging.records(gainsight, &object, &fields).await?;
        counts.insert(object, count);
    }
    Ok(counts)
}

/// Copies what the plan needs of the state: it reads run folders only. What was refused of `chosen` rows is left out, as they are
/// to be tried again.
pub(super) async fn remember(
    job: &Job,
    of: &Tenancy,
    chosen: Option<&[String]>,
    staging: &Staging<'_>,
) -> Result<(), Error> {
    let refused = staging.ledger.refusals(of, &job.name)?;
    let refused = if chosen.is_some() { refused.slice(0, 0) } else { refused };
    keep(staging.folder, dataset::REFUSED, refused).await?;
    if job.keeps_links() {
        keep_links(job, of, staging).await?;
    }
    if job.target_by_route(Route::Avatar).is_some() {
        keep(staging.folder, dataset::AVATARS, staging.ledger.identities(of)?).await?;
    }
    Ok(())
}

/// The links of the job, part by part: there may be as many as the source has rows.
async fn keep_links(job: &Job, of: &Tenancy, staging: &Staging<'_>) -> Result<(), Error> {
    staging.folder.clear(dataset::LINKS).await?;
    let mut writer = staging.folder.write(dataset::LINKS, dataset::link_schema());
    let mut after: Option<(String, String)> = None;
    loop {
        let behind = after.as_ref().map(|(id, object)| (id.as_str(), object.as_str()));
        let batch = staging.ledger.links(of, &job.name, behind)?;
        let Some(last) = batch.num_rows().checked_sub(1) else { break };
        let text = |column: usize| batch.column(column).as_string::<i32>().value(last).to_owned();
        after = Some((text(0), text(1)));
        writer.add(batch).await?;
    }
    writer.finish().await?;
    Ok(())
}

async fn keep(folder: &RunFolder, name: &str, batch: arrow::record_batch::RecordBatch) -> Result<(), Error> {
    folder.clear(name).await?;
    let mut writer = folder.write(name, batch.schema());
    writer.add(batch).await?;
    writer.finish().await?;
    Ok(())
}
