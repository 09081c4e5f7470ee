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
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use url::Url;

use super::assumptions::{CREATED, PARTS_AT_MOST};
use super::checkpoint::{At, Checkpoint, Left, kept};
use super::client::Dynamics;
use super::decode::Layout;
use super::error::Error;
use super::odata::Query;
use super::page::Ask;
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
    ready: VecDeque<Ready>,
    next: Next,
    followed: Followed,
}

/// A page that waits, and the request that it came of.
struct Ready {
    asked: Asked,
    rows: RecordBatch,
}

enum Next {
    Due(Asked),
    UnderWay(Asked),
    Nothing,
}

/// A request: for the first page of a part, or for the one that a link leads to.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) part: Part,
    pub(super) link: Option<Url>,
}

struct Reading<'a> {
    dynamics: &'a Dynamics,
    query: Query,
    /// The same with the moment of creation among its columns.
    wide: Query,
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
    Linked { to: Url, from: Url },
}

impl<'a> Ranges<'a> {
    /// Begins. `rows` is how many the table has, `span` the seconds of its oldest and its newest row.
    pub(super) fn new(dynamics: &'a Dynamics, query: Query, rows: u64, span: (i64, i64)) -> Self {
        let all = Span::whole(span, rows, u64::from(dynamics.page_size));
        let unknown = Part { range: Range::Unknown, rows_expected: 0 };
        let parts = std::iter::once(unknown).chain(all.parts(i64::from(dynamics.most_at_once)));
        let left = (0..).zip(parts).map(|(number, part)| (vec![number], Asked { part, link: None })).collect();
        Self::resume(dynamics, query, span.1, left, 0)
    }

    /// Goes on with what is left: requests by their place, after so many rows.
    pub(super) fn resume(
        dynamics: &'a Dynamics,
        query: Query,
        newest: i64,
        left: BTreeMap<Vec<u16>, Asked>,
        rows_so_far: i64,
    ) -> Self {
        let schema = schema_of(&query);
        let mut wide = query.clone();
        if !wide.fields.iter().any(|f| f.name == CREATED) {
            wide.fields.push(Field::bare(CREATED, CREATED, FieldKind::DateTime));
        }
        let layout = Arc::new(Layout::new(&wide));
        let parts = left.into_iter().map(|(place, asked)| (place, Piece::due(asked))).collect();
        let reading = Arc::new(Reading { dynamics, query, wide, layout, schema, newest });
        Self { reading, parts, under_way: FuturesUnordered::new(), held: 0, rows_so_far }
    }

    /// The columns of every page.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.reading.schema)
    }

    /// The next page; none after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, Error> {
        loop {
            if let Some(mut first) = self.parts.first_entry() {
                if let Some(ready) = first.get_mut().ready.pop_front() {
                    self.held -= 1;
                    return Ok(Some(Page { rows: self.numbered(&ready.rows)?, gone: Vec::new() }));
                }
                if matches!(first.get().next, Next::Nothing) {
                    first.remove();
                    continue;
                }
            }
            self.begin();
            let Some((place, read)) = self.under_way.next().await else { return Ok(None) };
            self.take_in(&place, read)?;
        }
    }

    /// Where the reading stands: what is under way or waits to be handed out is to be asked for once more.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        let mut left = Vec::new();
        let mut above: Option<&[u16]> = None;
        for (place, piece) in &self.parts {
            // The parts below a page that is read again come of that page.
            if above.is_some_and(|above| place.starts_with(above)) {
                continue;
            }
            let asked = match (piece.ready.front(), &piece.next) {
                (Some(first), _) => {
                    above = Some(place);
                    &first.asked
                }
                (None, Next::Due(asked) | Next::UnderWay(asked)) => asked,
                (None, Next::Nothing) => continue,
            };
            left.push(Left { place: place.clone(), part: asked.part, link: asked.link.as_ref().map(kept) });
        }
        let (reading, newest) = (&self.reading, self.reading.newest);
        let at = At::Ranges { newest, left };
        Checkpoint::new(&reading.query, reading.dynamics.page_size, self.rows_so_far, at)
    }

    /// Puts a page in its place. One that did not come is due again.
    fn take_in(&mut self, place: &[u16], read: Result<Read, Error>) -> Result<(), Error> {
        let Some(piece) = self.parts.get_mut(place) else { return Ok(()) };
        let Next::UnderWay(asked) = std::mem::replace(&mut piece.next, Next::Nothing) else { return Ok(()) };
        let table = &self.reading.query.table.set_name;
        let passed = read.and_then(|read| match &read.rest {
            Rest::Linked { to, from } => piece.followed.pass(to, from, table).map(|()| read),
            Rest::Parts(_) => Ok(read),
        });
        let read = match passed {
            Ok(read) => read,
            Err(error) => {
                piece.next = Next::Due(asked);
                return Err(error);
            }
        };
        let part = asked.part;
        piece.ready.push_back(Ready { asked, rows: read.page });
        self.held += 1;
        match read.rest {
            Rest::Linked { to, .. } => piece.next = Next::Due(Asked { part, link: Some(to) }),
            Rest::Parts(parts) => {
                let below = (0..).zip(parts).map(|(number, part)| ([place, &[number]].concat(), part));
                let below = below.map(|(place, part)| (place, Piece::due(Asked { part, link: None })));
                self.parts.extend(below);
            }
        }
        Ok(())
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
            let Next::Due(asked) = &piece.next else { continue };
            let asked = asked.clone();
            piece.next = Next::UnderWay(asked.clone());
            let (place, reading) = (place.clone(), Arc::clone(&self.reading));
            self.under_way.push(Box::pin(async move { (place, reading.page(asked).await) }));
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
    fn due(asked: Asked) -> Self {
        let mut followed = Followed::default();
        if let Some(link) = &asked.link {
            followed.begin(link);
        }
        Self { ready: VecDeque::new(), next: Next::Due(asked), followed }
    }
}

impl Reading<'_> {
    /// Reads the first page of a part, or the one that a link leads to.
    async fn page(&self, asked: Asked) -> Result<Read, Error> {
        let is_link = asked.link.is_some();
        let url = match asked.link {
            Some(link) => link,
            None => self.dynamics.api(&self.wide.path_in(&asked.part.range.filter()))?,
        };
        let ask = Ask { url: &url, is_link, is_history: false, rows_before: 0 };
        let page = self.dynamics.page(&ask, &self.wide, &self.layout).await?;
        let Some(link) = page.next else { return Ok(Read { page: page.rows, rest: Rest::Parts(Vec::new()) }) };
        // Rows of the last second may go on with the next page, so they are left to it.
        if let Some(cut) = self.cut(&page.rows, asked.part) {
            let rest = Rest::Parts(cut.left.parts(PARTS_AT_MOST));
            return Ok(Read { page: page.rows.slice(0, cut.rows), rest });
        }
        let to = self.dynamics.link(&link, &url)?;
        Ok(Read { page: page.rows, rest: Rest::Linked { to, from: url } })
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

    fn unreadable(&self, detail: String) -> Error {
        Error::Unreadable { what: self.query.table.set_name.clone(), detail }
    }
}

struct Cut {
    rows: usize,
    left: Span,
}
