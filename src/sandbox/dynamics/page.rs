//! One page of an entity set, and its count.
//!
//! Every page is a query of its own: rows after the cookie's last place, as they are now. In: a request for a set, or for
//! those rows of it that a condition leaves. Out: a page with the link to the next one, if there are more rows.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::PoisonError;

use super::super::assumptions::{COUNT_LIMIT, METADATA_VERSION, PAGE_LIMIT};
use super::super::faults::Effect;
use super::super::http::{Ask, Reply};
use super::cookie::{self, Mark, Resume};
use super::errors::Refusal;
use super::expand;
use super::filter::Condition;
use super::guid::Guid;
use super::options::Options;
use super::order::{Order, read_value, value_text};
use super::place::Place;
use super::prefer::Prefer;
use super::render::Renderer;
use super::route::body;
use super::row::{Comparable, Row};
use super::schema::Schema;
use super::service::Dynamics;
use super::store::Store;

/// What a page is cut from.
pub(in crate::sandbox) struct Cut<'a> {
    pub(in crate::sandbox) store: &'a Store,
    pub(in crate::sandbox) schema: &'a Schema,
    pub(in crate::sandbox) table: usize,
    pub(in crate::sandbox) options: &'a Options,
}

pub(in crate::sandbox) fn collection(
    dynamics: &Dynamics,
    place: &Place,
    ask: &Ask,
    table: usize,
    only: Option<Condition>,
) -> Result<Reply, Refusal> {
    let schema = &dynamics.schema;
    let prefer = Prefer::read(&ask.headers)?;
    let options = Options::read(dynamics, &ask.query, table)?.only(only);
    let resume = match &options.skip_token {
        Some(_) if matches!(ask.strike.effect, Some(Effect::ExpireLink)) => return Err(cookie::invalid()),
        Some(token) if dynamics.knows_link(token) => {
            let again = matches!(ask.strike.effect, Some(Effect::RepeatRow));
            Some(Resume { again, ..cookie::read(token)? })
        }
        Some(_) => return Err(cookie::invalid()),
        None => None,
    };
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let cut = Cut { store: &store, schema, table, options: &options };
    let size = prefer.page_size.or(options.top).unwrap_or(PAGE_LIMIT);
    let endless = prefer.page_size.is_some() || options.top.is_none();
    let mut rows = cut.rows(resume.as_ref(), size + 1)?;
    let more = endless && rows.len() > size;
    rows.truncate(size);

    let mut out = opening(place, &schema.tables[table].set, &options.context(), "");
    if options.count || prefer.count {
        let counted = (options.count && resume.is_none()).then(|| cut.count());
        totals(&mut out, counted, prefer.count);
    }
    cut.write(&mut out, &rows, &prefer);
    if more {
        let page = resume.map_or(1, |resume| resume.page);
        let token = cookie::write(page, &cut.marks(&rows));
        dynamics.remember_link(&decoded(&token));
        let link = format!("{}{}?{}$skiptoken={token}", place.base, place.rest, kept(&ask.query, &["$skiptoken"]));
        out.push_str(",\"@odata.nextLink\":");
        out.push_str(&serde_json::Value::from(link).to_string());
    }
    out.push('}');
    Ok(body(out, &prefer, rows.len()))
}

/// Rows whose length says how long those of a page are.
const ROWS_MEASURED: usize = 32;

/// An index is gone by where it leaves one row of so many, and for each row of a page no more than so many.
const INDEX_SHARE: usize = 16;

/// `accounts/$count`: a bare number.
pub(in crate::sandbox) fn count(
    dynamics: &Dynamics,
    ask: &Ask,
    table: usize,
    only: Option<Condition>,
) -> Result<Reply, Refusal> {
    let options = Options::read(dynamics, &ask.query, table)?.only(only);
    let store = dynamics.store.read().unwrap_or_else(PoisonError::into_inner);
    let cut = Cut { store: &store, schema: &dynamics.schema, table, options: &options };
    Ok(Reply::new(200, "text/plain", cut.count().min(COUNT_LIMIT).to_string()))
}

/// The start of a reply, up to its context.
pub(in crate::sandbox) fn opening(place: &Place, set: &str, select: &str, end: &str) -> String {
    let select = if select.is_empty() { String::new() } else { format!("({select})") };
    format!("{{\"@odata.context\":\"{}$metadata#{set}{select}{end}\"", place.base)
}

pub(in crate::sandbox) fn totals(out: &mut String, counted: Option<usize>, annotated: bool) {
    if let Some(count) = counted {
        out.push_str(&format!(",\"@odata.count\":{}", count.min(COUNT_LIMIT)));
    }
    if annotated {
        let total = counted.map_or("-1".to_owned(), |count| count.min(COUNT_LIMIT).to_string());
        let exceeded = counted.is_some_and(|count| count > COUNT_LIMIT);
        out.push_str(&format!(
            ",\"@Microsoft.Dynamics.CRM.totalrecordcount\":{total},\
             \"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded\":{exceeded},\
             \"@Microsoft.Dynamics.CRM.globalmetadataversion\":\"{METADATA_VERSION}\""
        ));
    }
}

/// The query as sent, without its tokens, ready for another.
pub(in crate::sandbox) fn kept(query: &str, tokens: &[&str]) -> String {
    let is_token =
        |part: &&str| url::form_urlencoded::parse(part.as_bytes()).any(|(name, _)| tokens.contains(&name.as_ref()));
    query.split('&').filter(|part| !part.is_empty() && !is_token(part)).map(|part| format!("{part}&")).collect()
}

/// A token as it comes back in a query string.
pub(in crate::sandbox) fn decoded(token: &str) -> String {
    let pair = format!("t={token}");
    url::form_urlencoded::parse(pair.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

impl<'a> Cut<'a> {
    /// Writes the rows as the page's value.
    pub(in crate::sandbox) fn write(&self, out: &mut String, rows: &[(Guid, &Row)], prefer: &Prefer) {
        let (store, schema, table) = (self.store, self.schema, self.table);
        out.push_str(",\"value\":[");
        let all: Vec<usize> = (0..schema.tables[table].columns.len()).collect();
        let columns = self.options.select.as_deref().unwrap_or(&all);
        let found: Vec<&Row> = rows.iter().map(|(_, row)| *row).collect();
        let expanded = expand::prepare(&self.options.expand, store, schema, &found);
        let renderer = Renderer { store, schema, table, columns, prefer, expanded: &expanded };
        for (index, (_, row)) in rows.iter().enumerate() {
            // By the first rows it can be told how long all of them are: a page that grows is copied again and again.
            if index == ROWS_MEASURED {
                let row_bytes = out.len() / ROWS_MEASURED + 1;
                out.reserve((rows.len() - index) * row_bytes + row_bytes);
            }
            out.push_str(if index == 0 { "{" } else { ",{" });
            renderer.members(out, row);
            out.push('}');
        }
        out.push(']');
    }

    fn wanted(&self, row: &Row) -> bool {
        let table = &self.schema.tables[self.table];
        self.options.filter.as_ref().is_none_or(|filter: &Condition| filter.holds(row, table))
    }

    /// Counts no further than is needed to know that the limit is passed.
    fn count(&self) -> usize {
        let rows = self.store.tables[self.table].rows.values();
        rows.filter(|row| self.wanted(row)).take(COUNT_LIMIT + 1).count()
    }

    /// The rows after a place, up to a number of them.
    pub(in crate::sandbox) fn rows(
        &self,
        resume: Option<&Resume>,
        limit: usize,
    ) -> Result<Vec<(Guid, &'a Row)>, Refusal> {
        match &self.options.order {
            Some(order) => self.rows_in(order, resume, limit),
            None => self.rows_by_key(resume, limit),
        }
    }

    fn rows_by_key(&self, resume: Option<&Resume>, limit: usize) -> Result<Vec<(Guid, &'a Row)>, Refusal> {
        let start = match resume {
            Some(resume) if resume.again => Bound::Included(self.last_key(resume, 0)?),
            Some(resume) => Bound::Excluded(self.last_key(resume, 0)?),
            None => Bound::Unbounded,
        };
        let (stored, filter) = (&self.store.tables[self.table], self.options.filter.as_ref());
        // Where an index leaves few of the rows, the others are not looked at.
        let most = (stored.rows.len() / INDEX_SHARE).min(limit.saturating_mul(INDEX_SHARE));
        let table = &self.schema.tables[self.table];
        if let Some(mut few) = stored.dated().iter().find_map(|dated| dated.few(filter, table, start, most)) {
            few.truncate(limit);
            return Ok(few);
        }
        let after = stored.rows.range((start, Bound::Unbounded)).filter(|(_, row)| self.wanted(row));
        Ok(after.map(|(id, row)| (*id, row.as_ref())).take(limit).collect())
    }

    fn rows_in(&self, order: &Order, resume: Option<&Resume>, limit: usize) -> Result<Vec<(Guid, &'a Row)>, Refusal> {
        let last = resume.map(|resume| self.last_place(resume, order)).transpose()?;
        let again = resume.is_some_and(|resume| resume.again);
        let filter = self.options.filter.as_ref();
        let mut dated = self.store.tables[self.table].dated().iter();
        if let Some((dated, descending)) = dated.find_map(|dated| Some((dated, dated.serves(order)?))) {
            let start = match last.map(|(by, id)| (by.first().and_then(Comparable::moment), id)) {
                Some(stand) if again => Bound::Included(stand),
                Some(stand) => Bound::Excluded(stand),
                None => Bound::Unbounded,
            };
            let table = &self.schema.tables[self.table];
            return Ok(match descending {
                false => dated.ascending(filter, table, start).take(limit).collect(),
                true => dated.descending(filter, table, start).take(limit).collect(),
            });
        }
        let sorted = self.store.sorted(self.schema, self.table, order);
        let before = |way: Ordering| if again { way.is_lt() } else { way.is_le() };
        let start = last.map_or(0, |last| sorted.partition_point(|entry| before(order.compare(entry, &last))));
        let rows = &self.store.tables[self.table].rows;
        let after = sorted[start..].iter().filter_map(|(_, id)| rows.get_key_value(id));
        let wanted = after.filter(|(_, row)| self.wanted(row));
        Ok(wanted.map(|(id, row)| (*id, row.as_ref())).take(limit).collect())
    }

    fn last_key(&self, resume: &Resume, before: usize) -> Result<Guid, Refusal> {
        let key = self.schema.tables[self.table].key();
        match resume.last.get(before) {
            Some((name, Some(text))) if name == key && resume.last.len() == before + 1 => {
                Guid::parse(text.trim_matches(['{', '}'])).ok_or_else(cookie::invalid)
            }
            _ => Err(mismatch()),
        }
    }

    fn last_place(&self, resume: &Resume, order: &Order) -> Result<(Vec<Comparable>, Guid), Refusal> {
        let columns = &self.schema.tables[self.table].columns;
        let mut values = Vec::with_capacity(order.by.len());
        for (place, (index, _)) in order.by.iter().enumerate() {
            let column = &columns[*index];
            let (name, value) = resume.last.get(place).ok_or_else(mismatch)?;
            if *name != column.logical {
                return Err(mismatch());
            }
            values.push(value.as_ref().map_or(Comparable::Null, |text| read_value(column, text)));
        }
        Ok((values, self.last_key(resume, order.by.len())?))
    }

    /// Where a page began and ended.
    pub(in crate::sandbox) fn marks(&self, rows: &[(Guid, &Row)]) -> Vec<Mark> {
        let (Some((first_id, first)), Some((last_id, last))) = (rows.first(), rows.last()) else { return Vec::new() };
        let table = &self.schema.tables[self.table];
        let by = self.options.order.as_ref().map_or(&[][..], |order| &order.by);
        let mut marks: Vec<Mark> = Vec::with_capacity(by.len() + 1);
        for (index, _) in by {
            let column = &table.columns[*index];
            let text = |row: &Row| value_text(self.store, self.schema, row, column, *index);
            marks.push(Mark { name: column.logical.clone(), first: text(first), last: text(last) });
        }
        let key = |id: &Guid| Some(format!("{{{}}}", id.text().to_uppercase()));
        marks.push(Mark { name: table.key().to_owned(), first: key(first_id), last: key(last_id) });
        marks
    }
}

fn mismatch() -> Refusal {
    Refusal::new(400, "0x80041129", "The paging cookie's order does not match the query's order.")
}
