//! Records of an object, 5,000 a call, in stored form.
//!
//! Pages follow the GSID, not an offset: a record that comes or goes during the read moves no other. Where one is asked for by an offset
//! from a GSID, as the page before it has not come yet (`ahead`), it begins with the last record of that page or is not believed.

use std::cell::RefCell;
use std::mem::take;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::ahead::{Ahead, Asked, Place, last_of_full};
use super::assumptions::{MODIFIED, NO_ROWS_CODES, NO_ROWS_WORDS};
use super::client::{Call, Envelope, Gainsight, JSON, judged, refused};
use super::error::Error;
use super::page::{Layout, Page, decode};
use super::stored::batch;
use super::windows::Bucket;
use crate::http::client::{Answer, Method};
use crate::http::retry::Repeat;
use crate::model::connection::Limits;
use crate::model::field::Field;

/// Names of conditions in a query; the first is that of paging.
const ALIASES: [&str; 10] = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];

/// An object being read.
pub struct Records<'a> {
    gainsight: &'a Gainsight,
    object: String,
    fields: Vec<Field>,
    layout: Arc<Layout>,
    since_ms: Option<i64>,
    /// A field with the values of which it must have one.
    having: Option<(String, Vec<Value>)>,
    after: Option<String>,
    is_done: bool,
    /// Pages that are wanted, if they are there, so that the next one may be asked for before anybody wants it.
    wanted_pages: usize,
    /// Whether two pages may be under way.
    takes_two: Box<dyn Fn() -> bool + 'a>,
    ahead: Ahead,
    /// Pages that were handed out, and what the last of them began behind.
    pages: usize,
    before: Option<String>,
    /// Whether the service leaves records out as it is asked to: it may, or it has given a full page like that.
    is_leaving_out: bool,
    has_left_out: bool,
}

/// Pages that are read in a row before two are asked for at once: where an object ends one is asked for in vain, and where a service counts
/// otherwise three.
const PAGES_BEFORE_TWO: usize = 20;

/// The query that reads a page of records, as it is sent. `fields` begins with the GSID.
#[must_use]
pub fn query(fields: &[Field], after: Option<&str>) -> Value {
    let select: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
    let mut body = json!({ "select": select, "orderBy": { "Gsid": "asc" }, "limit": Limits::READ_ROWS, "offset": 0 });
    if let Some(gsid) = after {
        let condition = json!({ "name": "Gsid", "alias": "A", "operator": "GT", "value": [gsid] });
        body["where"] = json!({ "conditions": [condition], "expression": "A" });
    }
    body
}

impl Gainsight {
    /// Begins to read all records of an object.
    #[must_use]
    pub fn read(&self, object: &str, fields: &[Field]) -> Records<'_> {
        self.read_from(object, fields, None)
    }

    /// Goes on to read the records behind a GSID: see [`Records::after`].
    #[must_use]
    pub fn read_from(&self, object: &str, fields: &[Field], after: Option<String>) -> Records<'_> {
        let layout = Arc::new(Layout::new(fields));
        let (object, fields) = (object.to_owned(), fields.to_vec());
        Records {
            gainsight: self,
            object,
            fields,
            layout,
            since_ms: None,
            having: None,
            after,
            is_done: false,
            wanted_pages: 1,
            takes_two: Box::new(|| false),
            ahead: Ahead::default(),
            pages: 0,
            before: None,
            is_leaving_out: true,
            has_left_out: false,
        }
    }

    /// The same for the records alone that were made or changed since a moment, in milliseconds since 1970.
    #[must_use]
    pub fn changed_since(&self, object: &str, fields: &[Field], since_ms: i64, after: Option<String>) -> Records<'_> {
        Records { since_ms: Some(since_ms), ..self.read_from(object, fields, after) }
    }

    /// The same for the records alone whose field has one of these values, which are no more than a query takes.
    #[must_use]
    pub fn having(&self, object: &str, fields: &[Field], field: &Field, values: &[String]) -> Records<'_> {
        let values = values.iter().map(|value| json!(value)).collect();
        Records { having: Some((field.name.clone(), values)), ..self.read_from(object, fields, None) }
    }

    /// The records whose field has one of these values, as the service gives them.
    ///
    /// # Errors
    /// What the service or the network says.
    pub async fn with(
        &self,
        object: &str,
        fields: &[Field],
        field: &Field,
        values: &[String],
    ) -> Result<Vec<Map<String, Value>>, Error> {
        let mut body = query(fields, None);
        let condition = json!({ "name": field.name, "alias": "A", "operator": "IN", "value": values });
        body["where"] = json!({ "conditions": [condition], "expression": "A" });
        self.rows(object, body).await
    }

    /// The records that a query finds, as the service gives them.
    pub(super) async fn rows(&self, object: &str, body: Value) -> Result<Vec<Map<String, Value>>, Error> {
        let call = asking(object, body);
        let (status, envelope) = self.call(&call).await?;
        listed(&call, status, envelope)
    }
}

impl Records<'_> {
    /// The next page, which is decoded beside the others: one core would hold them all up. It may have been asked for already. Tells too
    /// whether it is full.
    async fn page(&mut self) -> Result<(Page, bool), Error> {
        let mut ahead = take(&mut self.ahead);
        let is_next = |place: &Place| match place.skipped {
            0 => self.after.as_ref() == Some(&place.after),
            _ => self.before.as_ref() == Some(&place.after),
        };
        if ahead.first().is_some_and(is_next)
            && let Some(Asked { place, answer }) = ahead.next().await
        {
            if place.skipped > 0 {
                match self.overlapping(answer, &mut ahead).await {
                    Some(page) => return Ok(self.kept(page, ahead, 1)),
                    None => self.is_leaving_out = false,
                }
            } else {
                let answer = answer?;
                match self.judged(&answer, &mut ahead).await {
                    Ok(Read::Page(page)) => return Ok(self.kept(page, ahead, 0)),
                    Ok(Read::Envelope(status, envelope)) => return self.listed(status, envelope),
                    // What cannot be read is asked for once more.
                    Err(Error::Unreadable { .. }) if answer.is_success() => self.gainsight.wait_to_retry().await,
                    Err(other) => return Err(other),
                }
            }
        }
        drop(ahead);
        let call = self.asking(None);
        let ahead = RefCell::new(Ahead::default());
        let judge = async |answer: Answer| {
            let mut asked = Ahead::default();
            let read = self.judged(&answer, &mut asked).await;
            if matches!(read, Ok(Read::Page(_))) {
                ahead.replace(asked);
            }
            read
        };
        match self.gainsight.call_judged(&call, judge).await? {
            Read::Page(page) => Ok(self.kept(page, ahead.into_inner(), 0)),
            Read::Envelope(status, envelope) => self.listed(status, envelope),
        }
    }

    /// What an answer is. The pages behind it are asked for before it is decoded.
    async fn judged(&self, answer: &Answer, ahead: &mut Ahead) -> Result<Read, Error> {
        if answer.is_success() {
            self.ask_ahead(answer, ahead);
            let (bytes, layout) = (answer.body.clone(), Arc::clone(&self.layout));
            let decoding = tokio::task::spawn_blocking(move || decode(&bytes, &layout));
            if let Ok(Ok(page)) = ahead.beside(decoding).await {
                return Ok(Read::Page(page));
            }
        }
        judged(&self.asking(None), answer).map(|(status, envelope)| Read::Envelope(status, envelope))
    }

    /// A page that begins with the last record of the one before, without it. None, if it begins otherwise or did not come: it is asked for in
    /// another way then. So is the first such page if it is not full, as whoever counts otherwise may have cut it short, and it would be
    /// taken for the end.
    async fn overlapping(&mut self, answer: Result<Answer, Error>, ahead: &mut Ahead) -> Option<Page> {
        let Ok(Read::Page(page)) = self.judged(&answer.ok()?, ahead).await else { return None };
        let ids = page.rows.column_by_name("Gsid").and_then(|ids| ids.as_string_opt::<i32>())?;
        self.has_left_out |= ids.len() >= Limits::READ_ROWS;
        let begins = !ids.is_empty() && ids.is_valid(0) && self.after.as_deref() == Some(ids.value(0));
        let is_one = begins && self.has_left_out;
        is_one.then(|| Page { rows: page.rows.slice(1, page.rows.num_rows() - 1), ..page })
    }

    /// Keeps what was asked for behind a page, of which so many records were left out.
    fn kept(&mut self, page: Page, ahead: Ahead, left_out: usize) -> (Page, bool) {
        self.ahead = ahead;
        let is_full = page.rows.num_rows() + left_out >= Limits::READ_ROWS;
        (page, is_full)
    }

    /// What is not plainly a page is read with all that may be said of it.
    fn listed(&mut self, status: u16, envelope: Envelope) -> Result<(Page, bool), Error> {
        // What was asked for behind it is gone: one page is enough.
        self.is_leaving_out = false;
        let rows = listed(&self.asking(None), status, envelope)?;
        let last = rows.last().and_then(|r| r.get("Gsid")).and_then(Value::as_str).map(str::to_owned);
        let unreadable = |detail| Error::Unreadable { what: self.object.clone(), detail };
        let page = Page { rows: batch(&rows, &self.fields).map_err(unreadable)?, last };
        let is_full = page.rows.num_rows() >= Limits::READ_ROWS;
        Ok((page, is_full))
    }

    /// Asks for the pages behind an answer, if there are to be any, as far as they are not asked for yet.
    fn ask_ahead(&self, answer: &Answer, ahead: &mut Ahead) {
        // Behind the pages that were handed out, and the one that this is.
        let left = self.wanted_pages.saturating_sub(self.pages + 1);
        let Some(last) = last_of_full(&answer.body).filter(|_| left > 0) else { return };
        if ahead.first().is_none() {
            let next = Place::behind(&last);
            ahead.ask(self.gainsight, self.asking(Some(&next)), next);
        }
        if left > 1 && self.pages >= PAGES_BEFORE_TWO && self.is_leaving_out && (self.takes_two)() {
            let second = ahead.first().map(|next| next.next(&last));
            second.into_iter().for_each(|place| ahead.ask(self.gainsight, self.asking(Some(&place)), place));
        }
    }

    /// The call for a page: for the next one, if it is not said which.
    fn asking(&self, place: Option<&Place>) -> Call {
        let mut question = self.question(place.map_or(self.after.as_deref(), |place| Some(&place.after)));
        if let Some(place) = place {
            question["offset"] = place.skipped.into();
        }
        asking(&self.object, question)
    }

    fn question(&self, after: Option<&str>) -> Value {
        let mut body = query(&self.fields, after);
        if let Some(since_ms) = self.since_ms {
            narrow(&mut body, MODIFIED, "GTE", &[moment(since_ms)]);
        }
        if let Some((field, values)) = &self.having {
            narrow(&mut body, field, "IN", values);
        }
        body
    }
}

/// What an answer turned out to be.
enum Read {
    Page(Page),
    Envelope(u16, Envelope),
}

fn asking(object: &str, body: Value) -> Call {
    Call {
        method: Method::Post,
        path: format!("/v1/data/objects/query/{object}"),
        body: Some(body.to_string().into()),
        kind: JSON,
        bucket: Bucket::Synchronous,
        repeat: Repeat::Harmless,
        is_write: false,
        what: format!("the records of {object}"),
    }
}

/// The records in an envelope.
fn listed(call: &Call, status: u16, envelope: Envelope) -> Result<Vec<Map<String, Value>>, Error> {
    if !envelope.result {
        return if says_none(&envelope) { Ok(Vec::new()) } else { Err(refused(call, status, envelope)) };
    }
    let list = match envelope.data {
        Value::Object(mut data) => data.remove("records").unwrap_or_default(),
        other => other,
    };
    let unreadable = |detail: &str| Error::Unreadable { what: call.what.clone(), detail: detail.to_owned() };
    let record = |row| if let Value::Object(row) = row { Ok(row) } else { Err(unreadable("a record is no object")) };
    match list {
        // No list is not an empty one: taken for one, it would have every record inserted once more.
        Value::Array(rows) => rows.into_iter().map(record).collect(),
        _ => Err(unreadable("there is no list of records")),
    }
}

/// A further condition of a query, which must hold as well.
pub(super) fn narrow(body: &mut Value, field: &str, operator: &str, values: &[Value]) {
    let mut conditions = body["where"]["conditions"].as_array().cloned().unwrap_or_default();
    let alias = ALIASES[conditions.len().min(ALIASES.len() - 1)];
    conditions.push(json!({ "name": field, "alias": alias, "operator": operator, "value": values }));
    let names: Vec<&str> = conditions.iter().filter_map(|c| c["alias"].as_str()).collect();
    body["where"] = json!({ "expression": names.join(" AND "), "conditions": conditions });
}

/// A moment as queries take it: with its offset, so that no time zone is guessed.
pub(super) fn moment(at_ms: i64) -> Value {
    let at = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or(DateTime::<Utc>::MIN_UTC);
    json!(at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

impl<'a> Records<'a> {
    /// The same, of which so many pages are wanted, if there are as many. Two of them may be under way while `takes_two` says so:
    /// a service answers two questions no sooner than one if it is busy with others of ours.
    #[must_use]
    pub fn ahead(self, pages: usize, takes_two: impl Fn() -> bool + 'a) -> Self {
        Self { wanted_pages: pages, takes_two: Box::new(takes_two), ..self }
    }

    /// The GSID after which the reading goes on: that of the last record handed out, if there was one.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Whether the last page has been handed out.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// The next page; none after the last.
    ///
    /// # Errors
    /// What the service or the network says, or a record that cannot be read.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        if self.is_done {
            return Ok(None);
        }
        let (Page { rows, last }, is_full) = Box::pin(self.page()).await?;
        if is_full && (last.is_none() || last <= self.after) {
            let detail = "paging does not advance".to_owned();
            return Err(Error::Unreadable { what: self.object.clone(), detail });
        }
        self.is_done = !is_full;
        self.pages += 1;
        self.before.clone_from(&self.after);
        // Behind an empty page the reading stands where it stood.
        self.after = last.or_else(|| self.after.take());
        Ok(Some(rows))
    }
}

/// Two of the three shapes in which a query says that there is nothing; the third is an empty list.
fn says_none(envelope: &Envelope) -> bool {
    let code = envelope.error_code.as_deref().unwrap_or_default();
    NO_ROWS_CODES.contains(&code) || envelope.error_desc.as_deref().unwrap_or_default().contains(NO_ROWS_WORDS)
}
