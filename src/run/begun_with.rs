//! A Dynamics table that begins with an export: its rows, and over them what changed since the moment up to which it is whole.
//!
//! No row is missed. What changed in Dynamics after that moment is asked for, as are the keys of all rows, and what changed while these
//! came. A row whose key is there, and of which neither the export nor a change tells, is a gap: everything is read from Dynamics
//! then. In: a query. Out: the dataset, and where the next run begins.

use super::error::Error;
use super::refreshing::{Came, Refreshing, again, delta, keys};
use super::services::{Services, Source};
use super::ways::TableWay;
use crate::dynamics::client::Dynamics;
use crate::dynamics::odata::{Query, Reach};
use crate::dynamics::pages::schema_of;
use crate::files::assumptions::EXPORT_BEHIND_SECONDS;
use crate::files::client::Files;

/// The export that a job begins with.
pub(super) fn export_of<'s>(services: &'s Services, connection: Option<&str>) -> Option<&'s Files> {
    match services.connected(connection?) {
        Ok(Source::Files(files)) => Some(files),
        _ => None,
    }
}

impl Refreshing<'_> {
    /// Reads the table so.
    pub(super) async fn begun_with(
        &self,
        dynamics: &Dynamics,
        query: Query,
        column: &str,
    ) -> Result<(u64, Option<Came>), Error> {
        let (name, id) = (query.dataset.as_str(), query.table.primary_id.as_str());
        let begins_with = self.job.source.begins_with.as_ref();
        let (Some(files), Some(table)) = (self.export, begins_with) else {
            let missing = begins_with.map_or(&self.job.source.connection, |table| &table.connection);
            return Err(Error::NotOpen(missing.clone()));
        };
        let begun = format!("begun/{name}");
        let rows = Query { dataset: begun.clone(), table: table.clone(), ..query.clone() };
        let complete_to_ms = self.export_rows(files, rows, id).await?;
        let ask = |reach: Reach, dataset: String| Query { reach, dataset, filter: None, ..query.clone() };
        let from_ms = complete_to_ms.saturating_sub(EXPORT_BEHIND_SECONDS.saturating_mul(1_000));
        self.staging.table(dynamics, ask(Reach::Since(column.to_owned(), from_ms), delta(name))).await?;
        let only_keys = Query { fields: Vec::new(), ..ask(Reach::Whole, keys(name)) };
        let all = self.staging.table(dynamics, only_keys).await?;
        let now_ms = self.began_ms(self.ways.borrow().ahead.dynamics, dynamics.seconds_ahead());
        let lag_ms = i64::try_from(self.lag_seconds()).unwrap_or(i64::MAX).saturating_mul(1_000);
        let while_read = Reach::Since(column.to_owned(), now_ms.saturating_sub(lag_ms));
        self.staging.table(dynamics, ask(while_read, again(name))).await?;
        let earlier = (self.staging.folder, begun.as_str());
        let staged = [delta(name), again(name)];
        let (rows, came) = self.merged(name, earlier, &staged, Some(&keys(name)), id, schema_of(&query)).await?;
        if rows < all {
            let missing = all - rows;
            self.staging.progress.notice(format!(
                "the export lacks {missing} rows that Dynamics has, and that did not change since; everything is read from Dynamics"
            ));
            self.change_way(name, TableWay::Tracked)?;
            return self.tracked(dynamics, query).await;
        }
        self.note(dynamics, &query, None, rows)?;
        Ok((rows, Some(came)))
    }

    /// The rows of the export as a dataset of their own; gives the moment up to which they are whole.
    async fn export_rows(&self, files: &Files, rows: Query, id: &str) -> Result<i64, Error> {
        let noted = format!("whole/{}", rows.dataset);
        let kept = self.staging.ledger.reading(self.staging.run, &noted)?;
        if let Some(at) = kept.and_then(|kept| kept.checkpoint.parse().ok())
            && self.is_whole(&rows.dataset).await?
        {
            return Ok(at);
        }
        let complete_to_ms = self.exported(files, &rows, id).await?;
        self.staging.ledger.note(self.staging.run, &noted, &complete_to_ms.to_string())?;
        Ok(complete_to_ms)
    }
}
