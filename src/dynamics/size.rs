//! How large a table is, and when its oldest and newest rows came: what decides whether it is read in ranges.

use chrono::DateTime;
use serde::Deserialize;

use super::assumptions::CREATED;
use super::client::Dynamics;
use super::error::Error;
use super::odata::Query;
use super::range::Range;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Totals {
    entity_record_count_collection: Counts,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Counts {
    values: Vec<u64>,
}

#[derive(Deserialize)]
struct Outermost {
    value: Vec<Created>,
}

#[derive(Deserialize)]
struct Created {
    createdon: Option<String>,
}

impl Dynamics {
    /// Rows of a table, as counted up to a day ago; nothing where the service does not tell.
    /// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/count-rows>
    pub(super) async fn total(&self, table: &str) -> Result<Option<u64>, Error> {
        let mut url = self.api("RetrieveTotalRecordCount(EntityNames=@p1)")?;
        url.query_pairs_mut().append_pair("@p1", &format!("[\"{table}\"]"));
        match self.json::<Totals>(url, None, "the number of rows").await {
            Ok(totals) => Ok(totals.entity_record_count_collection.values.first().copied()),
            // Not every table is counted, and not every user may ask.
            Err(Error::Refused { .. } | Error::Unreadable { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The seconds in which the oldest and the newest row of a query were created; nothing if no row says.
    pub(super) async fn span(&self, query: &Query) -> Result<Option<(i64, i64)>, Error> {
        match futures::try_join!(self.outermost(query, "asc"), self.outermost(query, "desc")) {
            Ok((oldest, newest)) => Ok(oldest.zip(newest)),
            // Ordering a large table may be too much for the service; a chain asks for no order.
            Err(Error::Refused { .. } | Error::Unreadable { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn outermost(&self, query: &Query, way: &str) -> Result<Option<i64>, Error> {
        let set = &query.table.set_name;
        let tail = format!("{set}?$select={CREATED}&$orderby={CREATED}%20{way}&$top=1");
        let filter = query.encoded_filter_in(&Range::Between(None, None).filter());
        let rows: Outermost = self.json(self.api(&format!("{tail}&$filter={filter}"))?, None, set).await?;
        let moment = rows.value.first().and_then(|row| row.createdon.as_deref());
        Ok(moment.and_then(|text| DateTime::parse_from_rfc3339(text).ok()).map(|at| at.timestamp()))
    }
}
