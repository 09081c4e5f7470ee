//! The identity map as it will be: the users that earlier jobs of a chain are going to associate.
//!
//! In: their plans, and the run folder of a later job that asks the map. Out: the same folder with those users in its map.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};

use super::changes::Changes;
use super::error::Error;
use super::overlay::{Earlier, to_come};
use crate::model::dataset::{self, changes};
use crate::model::job::{Job, Route};
use crate::model::outcome::Outcome;
use crate::store::dataset::RunFolder;
use crate::store::state::Tenancy;

/// A Dynamics user: whether he is enabled, which Gainsight user he is, and which he is not.
type Identity = (Option<bool>, Option<String>, Option<String>);

/// Lays the users of earlier jobs over the map in a later job's folder.
pub(super) async fn lay(job: &Job, of: &Tenancy, folder: &RunFolder, earlier: &[&Earlier]) -> Result<(), Error> {
    if job.target_by_route(Route::Avatar).is_none() {
        return Ok(());
    }
    let mut coming: BTreeMap<String, (Option<bool>, Option<String>)> = BTreeMap::new();
    // The map is of an organisation too: users of another one are others, whatever their ids.
    for one in earlier.iter().filter(|one| one.of == *of) {
        users(one, &mut coming).await?;
    }
    if coming.is_empty() {
        return Ok(());
    }
    let mut all: BTreeMap<String, Identity> = BTreeMap::new();
    let mut reader = folder.read(dataset::AVATARS).await?;
    while let Some(batch) = reader.next().await? {
        let (ids, active) = (batch.column(0).as_string::<i32>(), batch.column(1).as_boolean());
        let gsid = |column: usize, at: usize| {
            let gsids = batch.column(column).as_string::<i32>();
            gsids.is_valid(at).then(|| gsids.value(at).to_owned())
        };
        for at in 0..batch.num_rows() {
            let active = active.is_valid(at).then(|| active.value(at));
            all.insert(ids.value(at).to_owned(), (active, gsid(2, at), gsid(3, at)));
        }
    }
    for (id, (active, gsid)) in coming {
        let one = all.entry(id).or_default();
        (one.0, one.1) = (active, gsid);
    }
    let schema = dataset::avatar_schema();
    let ids: StringArray = all.keys().map(Some).collect();
    let active: BooleanArray = all.values().map(|one| one.0).collect();
    let gsids: StringArray = all.values().map(|one| one.1.as_deref()).collect();
    let parted: StringArray = all.values().map(|one| one.2.as_deref()).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(active), Arc::new(gsids), Arc::new(parted)];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns);
    folder.clear(dataset::AVATARS).await?;
    let mut writer = folder.write(dataset::AVATARS, schema);
    writer.add(batch.map_err(|e| Error::Books(e.to_string()))?).await?;
    writer.finish().await?;
    Ok(())
}

async fn users(one: &Earlier, coming: &mut BTreeMap<String, (Option<bool>, Option<String>)>) -> Result<(), Error> {
    let Some(avatar) = one.job.target_by_route(Route::Avatar) else { return Ok(()) };
    let mut reader = one.folder.read(dataset::CHANGES).await?;
    while let Some(batch) = reader.next().await? {
        let rows = Changes::new(&one.job, batch);
        for at in 0..rows.len() {
            let is_written = matches!(rows.outcome(at), Some(Outcome::Inserted | Outcome::Updated));
            if rows.outcome(at) == Some(Outcome::Deleted) && rows.action(avatar, at) == Some(changes::SET) {
                coming.insert(rows.id(at), (rows.assigned_flag(at), rows.gsid(avatar, at)));
            }
            if is_written && matches!(rows.action(avatar, at), Some("insert" | "update")) {
                let gsid = rows.gsid(0, at).unwrap_or_else(|| to_come(&one.run, rows.row(at)));
                coming.insert(rows.id(at), (rows.active(at), Some(gsid)));
            }
        }
    }
    Ok(())
}
