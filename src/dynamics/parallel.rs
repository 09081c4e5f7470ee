//! One large table, read in ranges of the moment of creation side by side.
//!
//! Which ranges there are follows from the rows alone and never from timing, and pages are given out in the order of
//! their ranges: the same rows have the same numbers however many requests were under way. In: a query. Out: the same
//! pages as one chain of links would bring, in another order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{SchemaRef, TimestampMillisecondType};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use url::Url;

use super::assumptions::{CREATED, PARTS_AT_MOST};
use super::client::Dynamics;
use super::decode::{Decoded, Layout, decode};
use super::error::Error;
use super::odata::Query;
use super::pages::{Followed, Page, schema_of};
use super::range::{Part, Range, Span};
use crate::model::field::{Field, FieldKind};

/// Pages that may wait for an earlier one beside those under way: they are held in memory.
const HELD_PAGES: usize = 16;

/// A table being read in ranges.
pub struct Ranges<'a> {
    reading: Arc<Reading<'a>>,
    /// The place of each part among all: the parts of what is left of a part follow it.
    parts: BTreeMap<Vec<u16>, Piece>,
    under_way: FuturesUnordered<BoxFuture<'a, Answered>>,
    held: usize,
    rows_so_far: i64,
}

/// A part's place, and the page that came of it.
type Answered = (Vec<u16>, Result<Read, Error>);

/// A part: pages that wait to be handed out, and what follows them.
struct Piece {
    ready: VecDeque<RecordBatch>,
    next: Next,
}

enum Next {
    Asked(Part),
    Linked(Part, Link),
    UnderWay,
    Nothing,
}

/// The link from one page of a part to its next, and those followed before.
struct Link {
    url: Url,
    followed: Followed,
}

struct Reading<'a> {
    dynamics: &'a Dynamics,
    /// The query with the moment of creation among its columns.
    query: Query,
    layout: Arc<Layout>,
    schema: SchemaRef,
    newest: i64,
}

/// A page, and what is left of its part: the parts that it is cut into, or a link.
struct Read {
    page: RecordBatch,
    rest: Rest,
}

enum Rest {
    Parts(Vec<Part>),
    Linked(Part, Link),
}

impl<'a> Ranges<'a> {
    /// Begins. `rows` is how many the table has, `span` the seconds of its oldest and its newest row.
    pub(super) fn new(dynamics: &'a Dynamics, query: Query, rows: u64, span: (i64, i64)) -> Self {
        let schema = schema_of(&query);
        let mut query = query;
        if !query.fields.iter().any(|f| f.name == CREATED) {
            query.fields.push(Field::bare(CREATED, CREATED, FieldKind::DateTime));
        }
        let layout = Arc::new(Layout::new(&query));
        let all = Span::whole(span, rows, u64::from(dynamics.page_size));
        let unknown = Part { range: Range::Unknown, rows_expected: 0 };
        let parts = std::iter::once(unknown).chain(all.parts(i64::from(dynamics.most_at_once)));
        let parts = (0..).zip(parts).map(|(number, part)| (vec![number], Piece::asked(part))).collect();
        let reading = Arc::new(Reading { dynamics, query, layout, schema, newest: span.1 });
        Self { reading, parts, under_way: FuturesUnordered::new(), held: 0, rows_so_far: 0 }
    }

    /// The columns of every page.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.reading.schema)
    }

    /// The next page; none after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, Error> {
        loop {
            if let Some(mut first) = self.parts.first_entry() {
                if let Some(batch) = first.get_mut().ready.pop_front() {
                    self.held -= 1;
                    return Ok(Some(Page { rows: self.numbered(&batch)? }));
                }
                if matches!(first.get().next, Next::Nothing) {
                    first.remove();
                    continue;
                }
            }
            self.begin();
            let Some((place, read)) = self.under_way.next().await else { return Ok(None) };
            let read = read?;
            self.held += 1;
            if let Some(piece) = self.parts.get_mut(&place) {
                piece.ready.push_back(read.page);
                piece.next = Next::Nothing;
                if let Rest::Linked(part, link) = read.rest {
                    piece.next = Next::Linked(part, link);
                } else if let Rest::Parts(parts) = read.rest {
                    let below = (0..).zip(parts).map(|(number, part)| ([&place[..], &[number]].concat(), part));
                    self.parts.extend(below.map(|(place, part)| (place, Piece::asked(part))));
                }
            }
        }
    }

    /// Sends for as many pages as may be under way, the earliest first.
    fn begin(&mut self) {
        let most = self.reading.dynamics.at_once();
        for (number, (place, piece)) in self.parts.iter_mut().enumerate() {
            // The first part is always sent for: everything that is held waits for it.
            let may_hold = number == 0 || self.held + self.under_way.len() < most + HELD_PAGES;
            if self.under_way.len() >= most || !may_hold {
                return;
            }
            let (part, link) = match std::mem::replace(&mut piece.next, Next::UnderWay) {
                Next::Asked(part) => (part, None),
                Next::Linked(part, link) => (part, Some(link)),
                other => {
                    piece.next = other;
                    continue;
                }
            };
            let (place, reading) = (place.clone(), Arc::clone(&self.reading));
            self.under_way.push(Box::pin(async move { (place, reading.page(part, link).await) }));
        }
    }

    /// A batch as the reader wants it: without the column that only ranges need, and with the rows' numbers.
    fn numbered(&mut self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let mut columns: Vec<ArrayRef> = batch.columns()[..self.reading.schema.fields().len()].to_vec();
        let rows = i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
        if self.reading.query.is_numbered() {
            let numbers = Int64Array::from_iter_values(self.rows_so_far + 1..=self.rows_so_far + rows);
            columns[0] = Arc::new(numbers);
        }
        self.rows_so_far += rows;
        RecordBatch::try_new(self.schema(), columns).map_err(|e| self.reading.unreadable(e.to_string()))
    }
}

impl Piece {
    fn asked(part: Part) -> Self {
        Self { ready: VecDeque::new(), next: Next::Asked(part) }
    }
}

impl Reading<'_> {
    /// Reads the first page of a part, or the one that a link leads to.
    async fn page(&self, part: Part, link: Option<Link>) -> Result<Read, Error> {
        let (url, mut followed) = match link {
            Some(link) => (link.url, link.followed),
            None => (self.dynamics.api(&self.query.path_in(&part.range.filter()))?, Followed::default()),
        };
        let answer = self.dynamics.get(url.clone(), Some(self.prefer()), &self.query.table.set_name).await?;
        let page = self.decoded(answer.body).await?;
        let Some(link) = page.next else { return Ok(Read { page: page.rows, rest: Rest::Parts(Vec::new()) }) };
        // Rows of the last second may go on with the next page, so they are left to it.
        if let Some(cut) = self.cut(&page.rows, part) {
            let rest = Rest::Parts(cut.left.parts(PARTS_AT_MOST));
            return Ok(Read { page: page.rows.slice(0, cut.rows), rest });
        }
        let url = followed.link(self.dynamics, &link, &url, &self.query.table.set_name)?;
        Ok(Read { page: page.rows, rest: Rest::Linked(part, Link { url, followed }) })
    }

    /// A page, decoded beside the others: one core would hold them all up.
    async fn decoded(&self, body: Bytes) -> Result<Decoded, Error> {
        let layout = Arc::clone(&self.layout);
        let decoded = tokio::task::spawn_blocking(move || decode(&body, &layout, 0)).await;
        decoded.map_err(|e| self.unreadable(e.to_string()))?.map_err(|detail| self.unreadable(detail))
    }

    /// Where a page is cut; nowhere if all its rows are of one second, or if they do not stand in the order asked for.
    fn cut(&self, rows: &RecordBatch, part: Part) -> Option<Cut> {
        let Range::Between(_, until) = part.range else { return None };
        let moments = rows.column_by_name(CREATED)?.as_primitive::<TimestampMillisecondType>();
        let is_ordered = moments.null_count() == 0 && moments.values().is_sorted();
        let second = |at: usize| moments.value(at).div_euclid(1_000);
        let last = second(moments.len().checked_sub(1)?);
        let kept = (0..moments.len()).take_while(|at| second(*at) < last).count();
        if !is_ordered || kept == 0 {
            return None;
        }
        let left = Span {
            from: last,
            until,
            newest: self.newest,
            rows: part.rows_expected.saturating_sub(kept as u64),
            page_rows: kept as u64,
            page_seconds: Some(last - second(0)),
        };
        Some(Cut { rows: kept, left })
    }

    fn prefer(&self) -> String {
        self.query.prefer(self.dynamics.page_size)
    }

    fn unreadable(&self, detail: String) -> Error {
        Error::Unreadable { what: self.query.table.set_name.clone(), detail }
    }
}

struct Cut {
    rows: usize,
    left: Span,
}
