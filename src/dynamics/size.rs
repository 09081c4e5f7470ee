//! How large a table is, and when its newest row came: what decides whether it is read in ranges.

use chrono::DateTime;
use serde::Deserialize;

use super::assumptions::CREATED;
use super::client::Dynamics;
use super::error::Error;
use super::odata::Query;

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
struct Newest {
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

    /// The second in which the newest row of a query was created; nothing if no row says.
    pub(super) async fn newest(&self, query: &Query) -> Result<Option<i64>, Error> {
        let set = &query.table.set_name;
        let mut tail = format!("{set}?$select={CREATED}&$orderby={CREATED}%20desc&$top=1");
        if let Some(filter) = query.encoded_filter() {
            tail.push_str("&$filter=");
            tail.push_str(&filter);
        }
        let newest: Newest = self.json(self.api(&tail)?, None, set).await?;
        let moment = newest.value.first().and_then(|row| row.createdon.as_deref());
        Ok(moment.and_then(|text| DateTime::parse_from_rfc3339(text).ok()).map(|at| at.timestamp()))
    }
}
