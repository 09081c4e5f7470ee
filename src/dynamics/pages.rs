//! The rows of one table, page by page.
//!
//! The link to the next page is followed byte for byte; the end is where no link comes, never a short page.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/page-results>

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use url::Url;

use super::client::Dynamics;
use super::decode::{Layout, decode};
use super::error::Error;
use super::odata::Query;
use crate::model::dataset;

/// A table being read.
pub struct Pages<'a> {
    dynamics: &'a Dynamics,
    query: Query,
    layout: Layout,
    next: Option<Url>,
    rows_so_far: i64,
    /// Digests of the links followed so far.
    followed: HashSet<u64>,
}

/// One page.
pub struct Page {
    /// Its rows, in the columns of [`dataset::table_schema`].
    pub rows: RecordBatch,
}

impl Dynamics {
    /// Begins to read.
    ///
    /// # Errors
    /// If the query makes no URL.
    pub fn read(&self, query: Query) -> Result<Pages<'_>, Error> {
        let next = Some(self.api(&query.path())?);
        let layout = Layout::new(&query);
        Ok(Pages { dynamics: self, query, layout, next, rows_so_far: 0, followed: HashSet::new() })
    }
}

impl Pages<'_> {
    /// The columns of every page.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.layout.schema()
    }

    /// The next page; none after the last.
    ///
    /// # Errors
    /// If the service refuses, the answer is unreadable, or paging goes in circles.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        let Some(url) = self.next.take() else { return Ok(None) };
        let what = &self.query.table.set_name;
        let prefer = self.query.prefer(self.dynamics.page_size);
        let answer = self.dynamics.get(url.clone(), Some(prefer), what).await?;
        let page = decode(&answer.body, &self.layout, self.rows_so_far)
            .map_err(|detail| Error::Unreadable { what: what.clone(), detail })?;
        self.rows_so_far += i64::try_from(page.rows.num_rows()).unwrap_or(i64::MAX);
        if let Some(link) = page.next {
            let next = self.dynamics.link(&link)?;
            let mut digest = DefaultHasher::new();
            next.as_str().hash(&mut digest);
            if next == url || !self.followed.insert(digest.finish()) {
                return Err(Error::Loop { table: what.clone() });
            }
            self.next = Some(next);
        }
        Ok(Some(Page { rows: page.rows }))
    }
}

/// The schema that a query's pages have.
#[must_use]
pub fn schema_of(query: &Query) -> SchemaRef {
    let fields: Vec<_> = query.fields.iter().collect();
    let primary = (!query.is_numbered()).then_some(query.table.primary_id.as_str());
    dataset::table_schema(&fields, query.is_numbered(), primary)
}
