//! The rows of one table, page by page: in one chain of links, or where the table is large, in ranges side by side.
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
use super::parallel::Ranges;
use crate::model::dataset;

/// A table being read.
pub struct Pages<'a> {
    dynamics: &'a Dynamics,
    query: Query,
    layout: Layout,
    next: Option<Url>,
    rows_so_far: i64,
    followed: Followed,
}

/// A table being read whole, in one way or the other.
pub enum Whole<'a> {
    /// In one chain, with the first page of it.
    Chain(Box<Pages<'a>>, Option<Page>),
    /// In ranges.
    Ranges(Ranges<'a>),
}

/// Digests of the links followed so far.
#[derive(Default)]
pub(super) struct Followed(HashSet<u64>);

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
        Ok(Pages { dynamics: self, query, layout, next, rows_so_far: 0, followed: Followed::default() })
    }

    /// Begins to read a whole table: in ranges if that is worth it. The first page has to come before anybody asks how
    /// large the table is, as most tables have no second.
    ///
    /// # Errors
    /// If the service refuses.
    pub async fn read_whole(&self, query: Query) -> Result<Whole<'_>, Error> {
        let mut chain = self.read(query.clone())?;
        let first = chain.next().await?;
        if chain.next.is_none() || !query.table.has_created || self.most_at_once == 1 {
            return Ok(Whole::Chain(Box::new(chain), first));
        }
        let (rows, span) = futures::try_join!(self.total(&query.table.name), self.span(&query))?;
        let rows = rows.filter(|rows| *rows >= self.ranges_from_rows);
        match rows.zip(span) {
            Some((rows, span)) => Ok(Whole::Ranges(Ranges::new(self, query, rows, span))),
            None => Ok(Whole::Chain(Box::new(chain), first)),
        }
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
            self.next = Some(self.followed.link(self.dynamics, &link, &url, what)?);
        }
        Ok(Some(Page { rows: page.rows }))
    }
}

impl Whole<'_> {
    /// The columns of every page.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        match self {
            Whole::Chain(pages, _) => pages.schema(),
            Whole::Ranges(ranges) => ranges.schema(),
        }
    }

    /// The next page; none after the last.
    ///
    /// # Errors
    /// As for [`Pages::next`].
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        match self {
            Whole::Chain(pages, first) => match first.take() {
                Some(page) => Ok(Some(page)),
                None => pages.next().await,
            },
            Whole::Ranges(ranges) => ranges.next().await,
        }
    }
}

impl Followed {
    /// A link that leads on from a page; an error if it has been followed before.
    pub(super) fn link(&mut self, dynamics: &Dynamics, link: &str, from: &Url, table: &str) -> Result<Url, Error> {
        let next = dynamics.link(link, from)?;
        let mut digest = DefaultHasher::new();
        next.as_str().hash(&mut digest);
        if next == *from || !self.0.insert(digest.finish()) {
            return Err(Error::Loop { table: table.to_owned() });
        }
        Ok(next)
    }
}

/// The schema that a query's pages have.
#[must_use]
pub fn schema_of(query: &Query) -> SchemaRef {
    let fields: Vec<_> = query.fields.iter().collect();
    let primary = (!query.is_numbered()).then_some(query.table.primary_id.as_str());
    dataset::table_schema(&fields, query.is_numbered(), primary)
}
