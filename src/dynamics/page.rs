//! One answer: asked for, held against what it should be, and asked for again where it cannot be read.
//!
//! Proxies and pages of sign-in answer in the place of the service, and bodies break off: that passes, or it does not, so it is
//! tried a few times. What is larger than any honest page is not. In: a URL. Out: what the answer says.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use url::Url;

use super::ahead::Ahead;
use super::assumptions::{
    HISTORY_EXPIRED_CODE, LINK_EXPIRED_CODES, LINK_EXPIRED_STATUSES, NO_COOKIE_CODE, NO_PRIVILEGE_CODE,
    NOT_TRACKED_CODES,
};
use super::client::{Dynamics, detail, refusal};
use super::decode::{Decoded, Flaw, Layout, decode};
use super::error::Error;
use super::odata::{Query, Reach};
use crate::http;
use crate::http::client::Answer;
use crate::http::json;
use crate::http::quoted::quoted;
use crate::http::retry::{TRIES_UNREADABLE, wait};
use crate::http::unpack::Excess;

/// A page that is asked for.
pub(super) struct Ask<'a> {
    pub(super) url: &'a Url,
    /// Whether the URL is a link that the service gave.
    pub(super) is_link: bool,
    /// Whether it is one that an earlier reading ended with: to what changed since.
    pub(super) is_history: bool,
    /// Rows that came before.
    pub(super) rows_before: i64,
}

impl Dynamics {
    /// A page of a query's rows.
    pub(super) async fn page(&self, ask: &Ask<'_>, query: &Query, layout: &Arc<Layout>) -> Result<Decoded, Error> {
        Ok(self.page_of_chain(ask, query, layout, None, false).await?.0)
    }

    /// A page of a chain, which may have been asked for already; with what follows it, if that is to be asked for and a link to it is seen.
    pub(super) async fn page_of_chain(
        &self,
        ask: &Ask<'_>,
        query: &Query,
        layout: &Arc<Layout>,
        mut asked: Option<Ahead>,
        is_asking_ahead: bool,
    ) -> Result<(Decoded, Option<Ahead>), Error> {
        let (what, prefer) = (&query.table.set_name, query.prefer(self.page_size));
        let too_large = |excess: String| Error::TooLarge { table: what.clone(), excess };
        let mut tried = 0;
        loop {
            tried += 1;
            let answer = match asked.take() {
                Some(ahead) => ahead.answer().await,
                None => None,
            };
            let answer = match answer {
                Some(answer) => answer,
                None => self.answer(ask.url.clone(), Some(prefer.clone())).await,
            };
            let answer = match answer {
                Err(Error::Http(http::error::Error::Excessive {
                    excess: excess @ (Excess::Size | Excess::Ratio),
                    ..
                })) => {
                    return Err(too_large(excess.to_string()));
                }
                other => other?,
            };
            if !answer.is_success() {
                return Err(refused(ask, &answer, query));
            }
            let mut ahead = None;
            let read = match looked_at(&answer) {
                Ok(()) => {
                    if is_asking_ahead && tried == 1 {
                        ahead = self.ahead(&answer.body, ask.url, &prefer);
                    }
                    decoded(answer.body, layout, ask.rows_before).await
                }
                Err(flaw) => Err(flaw),
            };
            match read {
                Ok(page) => return Ok((page, ahead)),
                Err(Flaw::Excess(excess)) => return Err(too_large(excess)),
                Err(Flaw::Unreadable(_)) if tried < TRIES_UNREADABLE => self.wait_to_retry(wait(tried)).await,
                Err(Flaw::Unreadable(detail)) => return Err(Error::Unreadable { what: what.clone(), detail }),
            }
        }
    }

    /// An answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        url: Url,
        prefer: Option<String>,
        what: &str,
    ) -> Result<T, Error> {
        let mut tried = 0;
        loop {
            tried += 1;
            let answer = self.get(url.clone(), prefer.clone(), what).await?;
            let read = looked_at(&answer).and_then(|()| json::bounded(&answer.body).map_err(Flaw::Excess));
            match read.and_then(|()| json::read(&answer.body).map_err(Flaw::Unreadable)) {
                Ok(value) => return Ok(value),
                Err(Flaw::Unreadable(_)) if tried < TRIES_UNREADABLE => self.wait_to_retry(wait(tried)).await,
                Err(Flaw::Unreadable(detail) | Flaw::Excess(detail)) => {
                    return Err(Error::Unreadable { what: what.to_owned(), detail });
                }
            }
        }
    }
}

/// A page, decoded beside the others: one core would hold them all up.
async fn decoded(body: Bytes, layout: &Arc<Layout>, rows_before: i64) -> Result<Decoded, Flaw> {
    let layout = Arc::clone(layout);
    let decoded = tokio::task::spawn_blocking(move || decode(&body, &layout, rows_before)).await;
    decoded.unwrap_or_else(|error| Err(Flaw::Unreadable(error.to_string())))
}

/// Whether an answer says that it is JSON. One that says nothing may be.
fn looked_at(answer: &Answer) -> Result<(), Flaw> {
    if answer.is_json() {
        return Ok(());
    }
    let kind = quoted(answer.header("content-type").unwrap_or("nothing that can be read"));
    // Rows under a wrong name are rows all the same, and no message has a value of one.
    let beginning = answer.beginning();
    let is_json = beginning.trim_start_matches(['\u{feff}', ' ']).starts_with(['{', '[']);
    Err(Flaw::Unreadable(if is_json {
        format!("it is {kind}, not JSON")
    } else {
        format!("it is {kind}, not JSON: {beginning}")
    }))
}

/// Whether a refusal is about the link alone. The query is none of its reasons: its first page came.
fn is_expired(answer: &Answer) -> bool {
    let Some(detail) = detail(answer) else { return false };
    let code = detail.code.to_ascii_lowercase();
    let is_other = matches!(answer.status, 401 | 403 | 429 | 500..) || code == NO_COOKIE_CODE;
    !is_other && (LINK_EXPIRED_CODES.contains(&code.as_str()) || LINK_EXPIRED_STATUSES.contains(&answer.status))
}

/// What a refusal of a page is.
fn refused(ask: &Ask<'_>, answer: &Answer, query: &Query) -> Error {
    let found = detail(answer).unwrap_or_default();
    let table = query.table.set_name.clone();
    let code = if found.code.is_empty() { "none".to_owned() } else { quoted(&found.code) };
    let (message, status) = (quoted(&found.message), answer.status);
    let asked = found.code.to_ascii_lowercase();
    if ask.is_history && (asked == HISTORY_EXPIRED_CODE || is_expired(answer)) {
        Error::HistoryExpired { table, code, message, status }
    } else if query.reach == Reach::Tracked && NOT_TRACKED_CODES.contains(&asked.as_str()) {
        Error::NotTracked { table, code, message }
    } else if ask.is_link && is_expired(answer) {
        Error::LinkExpired { table, code, message, status }
    } else {
        let is_tracking = ask.is_history || query.reach == Reach::Tracked;
        match refusal(answer, &table) {
            Error::Refused { what, code, message, status, request, .. }
                if is_tracking && asked == NO_PRIVILEGE_CODE =>
            {
                let help = "; ask for a security role that may read this table, with Read at the level of the organization, which to be told of \
                            changes takes; FROM in place of FROM CHANGES OF in the job does without";
                Error::Refused { what, code, message, status, request, help }
            }
            other => other,
        }
    }
}
