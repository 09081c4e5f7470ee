//! The rows of one table, page by page: in one chain of links, or where the table is large, in ranges side by side.
//!
//! The link to the next page is followed byte for byte; the end is where no link comes, never a short page.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/page-results>

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use url::Url;

use super::ahead::Ahead;
use super::checkpoint::{At, Checkpoint, Left, kept};
use super::client::Dynamics;
use super::decode::Layout;
use super::error::Error;
use super::odata::{Query, Reach};
use super::page::Ask;
use super::parallel::{Asked, Ranges};
use crate::model::dataset;

/// A table being read.
pub struct Pages<'a> {
    dynamics: &'a Dynamics,
    query: Query,
    layout: Arc<Layout>,
    next: Next,
    /// The next page, if it is asked for already.
    ahead: Option<Ahead>,
    rows_so_far: i64,
    pages_so_far: u64,
    followed: Followed,
    /// Behind the last page of a table that tracks changes: where they are asked for.
    changes: Option<Url>,
}

/// What is asked for next.
enum Next {
    First(Url),
    /// What changed since an earlier reading.
    History(Url),
    Linked(Url),
    Nothing,
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
    /// The keys of rows that are gone, where it is about what changed.
    pub gone: Vec<String>,
}

impl Dynamics {
    /// Begins to read.
    ///
    /// # Errors
    /// If the query makes no URL.
    pub fn read(&self, query: Query) -> Result<Pages<'_>, Error> {
        let next = match &query.reach {
            Reach::Changed(kept) => Next::History(self.link(kept, &self.api("")?)?),
            _ => Next::First(self.api(&query.path())?),
        };
        let layout = Arc::new(Layout::new(&query));
        let (rows_so_far, pages_so_far, followed) = (0, 0, Followed::default());
        let (ahead, changes) = (None, None);
        Ok(Pages { dynamics: self, query, layout, next, ahead, rows_so_far, pages_so_far, followed, changes })
    }

    /// Begins to read a whole table, or goes on from a checkpoint of the same query. In ranges if that is worth it: the first
    /// page has to come before anybody asks how large the table is, as most tables have no second. From a checkpoint no page
    /// is asked for before the next one is wanted.
    ///
    /// # Errors
    /// If the service refuses, or [`Error::OtherQuery`] if the checkpoint stands in another reading.
    pub async fn read_whole(&self, query: Query, from: Option<Checkpoint>) -> Result<Whole<'_>, Error> {
        let Some(Checkpoint { rows, pages, at, changes, .. }) = self.same(&query, from)? else {
            return self.begin_whole(query).await;
        };
        let link = |kept: String| self.link(&kept, &self.api("")?);
        let next = match at {
            At::Beginning => return self.begin_whole(query).await,
            At::Ranges { newest, left } => {
                let linked =
                    |left: Left| Ok((left.place, Asked { part: left.part, link: left.link.map(link).transpose()? }));
                let left = left.into_iter().map(linked).collect::<Result<_, Error>>()?;
                return Ok(Whole::Ranges(Ranges::resume(self, query, newest, left, rows)));
            }
            At::Linked(kept) => Next::Linked(link(kept)?),
            At::End => Next::Nothing,
        };
        let changes = changes.map(link).transpose()?;
        let mut chain = Pages { next, rows_so_far: rows, pages_so_far: pages, changes, ..self.read(query)? };
        if let Next::Linked(link) = &chain.next {
            chain.followed.begin(link);
        }
        Ok(Whole::Chain(Box::new(chain), None))
    }

    /// A checkpoint, if it is one of this query.
    fn same(&self, query: &Query, from: Option<Checkpoint>) -> Result<Option<Checkpoint>, Error> {
        match from {
            Some(from) if !from.is_of(query, self.page_size) => {
                Err(Error::OtherQuery { table: query.table.set_name.clone() })
            }
            from => Ok(from),
        }
    }

    async fn begin_whole(&self, query: Query) -> Result<Whole<'_>, Error> {
        let mut chain = self.read(query.clone())?;
        let first = chain.next().await?;
        let is_one_chain = query.reach != Reach::Whole || !query.table.has_created || self.most_at_once == 1;
        if matches!(chain.next, Next::Nothing) || is_one_chain {
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
        let (url, is_link, is_history) = match &self.next {
            Next::First(url) => (url.clone(), false, false),
            Next::History(url) => (url.clone(), true, true),
            Next::Linked(url) => (url.clone(), true, false),
            Next::Nothing => return Ok(None),
        };
        let ask = Ask { url: &url, is_link, is_history, rows_before: self.rows_so_far };
        let asked = self.ahead.take().filter(|ahead| ahead.url == url);
        // Behind its first page a table may yet be read in ranges.
        let page = self.dynamics.page_of_chain(&ask, &self.query, &self.layout, asked, is_link);
        let (page, ahead) = Box::pin(page).await?;
        // Until here nothing has changed: after an error the same page is the next one.
        self.next = match page.next {
            Some(link) => {
                let next = self.dynamics.link(&link, &url)?;
                self.followed.pass(&next, &url, &self.query.table.set_name)?;
                Next::Linked(next)
            }
            None => Next::Nothing,
        };
        self.ahead = ahead;
        self.changes = page.changes.map(|link| self.dynamics.link(&link, &url)).transpose()?;
        self.pages_so_far += 1;
        self.rows_so_far += i64::try_from(page.rows.num_rows()).unwrap_or(i64::MAX);
        Ok(Some(Page { rows: page.rows, gone: page.gone }))
    }

    fn checkpoint(&self) -> Checkpoint {
        let at = match &self.next {
            Next::First(_) | Next::History(_) => At::Beginning,
            Next::Linked(link) => At::Linked(kept(link)),
            Next::Nothing => At::End,
        };
        let mut checkpoint = Checkpoint::new(&self.query, self.dynamics.page_size, self.rows_so_far, at);
        checkpoint.pages = self.pages_so_far;
        checkpoint.changes = self.changes.as_ref().map(kept);
        checkpoint
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

    /// Where the reading stands after the page that [`Whole::next`] gave last. Going on from there gives exactly the rows that
    /// are still to come, in the same order and with the same numbers.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        match self {
            Whole::Chain(pages, Some(_)) => Checkpoint::new(&pages.query, pages.dynamics.page_size, 0, At::Beginning),
            Whole::Chain(pages, None) => pages.checkpoint(),
            Whole::Ranges(ranges) => ranges.checkpoint(),
        }
    }
}

impl Followed {
    /// Counts a link as followed that a checkpoint leads to. Those before it are forgotten, so a loop that began in another
    /// process is found one turn later.
    pub(super) fn begin(&mut self, link: &Url) {
        self.0.insert(digest(link));
    }

    /// Takes a link that leads on from a page; an error if it has been followed before.
    pub(super) fn pass(&mut self, next: &Url, from: &Url, table: &str) -> Result<(), Error> {
        if next == from || !self.0.insert(digest(next)) {
            return Err(Error::Loop { table: table.to_owned() });
        }
        Ok(())
    }
}

fn digest(link: &Url) -> u64 {
    let mut digest = DefaultHasher::new();
    link.as_str().hash(&mut digest);
    digest.finish()
}

/// The schema that a query's pages have.
#[must_use]
pub fn schema_of(query: &Query) -> SchemaRef {
    let fields: Vec<_> = query.fields.iter().collect();
    let primary = (!query.is_numbered()).then_some(query.table.primary_id.as_str());
    dataset::table_schema(&fields, query.is_numbered(), primary)
}
