//! Records of an object, 5,000 a call, in stored form.
//!
//! Pages follow the GSID, not an offset: a record that comes or goes during the read moves no other.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::ahead::{Ahead, last_of_full};
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
    /// Whether all records are wanted, so that the next page may be asked for before anybody wants it.
    is_to_end: bool,
    ahead: Option<Ahead>,
}

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
            is_to_end: false,
            ahead: None,
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
    /// The page of a query, which is decoded beside the others: one core would hold them all up. It may have been asked for already.
    async fn page(&mut self, body: Value) -> Result<Page, Error> {
        let call = asking(&self.object, body);
        let asked = self.ahead.take().filter(|ahead| self.after.as_ref() == Some(&ahead.after));
        let asked = match asked {
            Some(ahead) => ahead.answer().await,
            None => None,
        };
        // What cannot be read is asked for once more.
        let is_again = asked.is_some();
        let judge = async |answer: Answer| {
            if answer.is_success() {
                let mut ahead = self.asked_ahead(&answer);
                let (bytes, layout) = (answer.body.clone(), Arc::clone(&self.layout));
                let decoding = tokio::task::spawn_blocking(move || decode(&bytes, &layout));
                let decoded = match &mut ahead {
                    Some(ahead) => ahead.beside(decoding).await,
                    None => decoding.await,
                };
                if let Ok(Ok(page)) = decoded {
                    return Ok(Read::Page(page, ahead));
                }
            }
            judged(&call, &answer).map(|(status, envelope)| Read::Envelope(status, envelope))
        };
        let early = match asked {
            Some(answer) => {
                let answer = answer?;
                let is_success = answer.is_success();
                match judge(answer).await {
                    Err(Error::Unreadable { .. }) if is_success => None,
                    judged => Some(judged),
                }
            }
            None => None,
        };
        let read = match early {
            Some(read) => read,
            None => {
                if is_again {
                    self.gainsight.wait_to_retry().await;
                }
                self.gainsight.call_judged(&call, judge).await
            }
        };
        // What is not plainly a page is read with all that may be said of it.
        let rows = match read? {
            Read::Page(page, ahead) => {
                self.ahead = ahead;
                return Ok(page);
            }
            Read::Envelope(status, envelope) => listed(&call, status, envelope)?,
        };
        let last = rows.last().and_then(|r| r.get("Gsid")).and_then(Value::as_str).map(str::to_owned);
        let unreadable = |detail| Error::Unreadable { what: self.object.clone(), detail };
        Ok(Page { rows: batch(&rows, &self.fields).map_err(unreadable)?, last })
    }

    /// The page behind an answer, asked for if there is to be one.
    fn asked_ahead(&self, answer: &Answer) -> Option<Ahead> {
        let after = last_of_full(&answer.body).filter(|_| self.is_to_end)?;
        let call = asking(&self.object, self.question(Some(&after)));
        Some(Ahead::ask(self.gainsight, call, after))
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
    /// With the one behind it, if that is asked for.
    Page(Page, Option<Ahead>),
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

impl Records<'_> {
    /// The same, of which all pages are wanted.
    #[must_use]
    pub fn to_the_end(self) -> Self {
        Self { is_to_end: true, ..self }
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
        let Page { rows, last } = Box::pin(self.page(self.question(self.after.as_deref()))).await?;
        let is_done = rows.num_rows() < Limits::READ_ROWS;
        if !is_done && (last.is_none() || last <= self.after) {
            let detail = "paging does not advance".to_owned();
            return Err(Error::Unreadable { what: self.object.clone(), detail });
        }
        self.is_done = is_done;
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
