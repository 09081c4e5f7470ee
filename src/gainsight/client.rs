//! The client of one tenant: the key, the envelope, the budgets.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

pub use super::access::Access;
use super::assumptions::SERVICE_FAILED_CODES;
use super::error::Error;
use super::scrub::words;
use super::windows::{Bucket, Day, Windows};
use crate::http;
use crate::http::client::{Answer, Client, Method, Request};
use crate::http::json;
use crate::http::quoted::quoted;
use crate::http::retry::{Repeat, TRIES_UNREADABLE, wait};
use crate::http::terms::Terms;
use crate::model::clock::Clock;
use crate::model::connection::{Connection, Limits};
use crate::model::meter::Meter;
use crate::model::outcome::Calls;
use crate::model::spent::Spent;

/// Answers of 429 that one call may get before it gives up: each waits for a window.
const THROTTLED_AT_MOST: u32 = 20;

/// A Gainsight tenant. Handles of it share its key and its windows.
#[derive(Clone)]
pub struct Gainsight {
    http: Client,
    access: Arc<Access>,
    windows: Arc<Windows>,
    max_wait: Duration,
    clock: Clock,
    /// The limits it stays within.
    pub limits: Limits,
}

/// What most bodies are.
pub(super) const JSON: Cow<'static, str> = Cow::Borrowed("application/json");

/// A call, as the modules beside this one describe it.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    /// JSON, where it is nothing else.
    pub(super) body: Option<Bytes>,
    /// What the body is.
    pub(super) kind: Cow<'static, str>,
    pub(super) bucket: Bucket,
    pub(super) repeat: Repeat,
    /// Whether it changes anything.
    pub(super) is_write: bool,
    /// What it is, for messages.
    pub(super) what: String,
}

/// The envelope of every answer. Keys that are not named here are tolerated.
#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    #[serde(default)]
    pub(super) result: bool,
    pub(super) error_code: Option<String>,
    pub(super) error_desc: Option<String>,
    pub(super) request_id: Option<String>,
    #[serde(default)]
    pub(super) data: Value,
    pub(super) title: Option<String>,
}

impl Gainsight {
    /// A client for a connection.
    ///
    /// # Errors
    /// If the HTTP client cannot be set up.
    pub fn new(connection: &Connection, access: Access, terms: &Terms) -> Result<Self, Error> {
        let limits = connection.limits;
        let http = Client::new(&connection.url, terms)?;
        Ok(Self {
            http,
            access: Arc::new(access),
            windows: Arc::new(Windows::new(&limits, terms.clock, terms.max_wait)),
            max_wait: terms.max_wait,
            clock: terms.clock,
            limits,
        })
    }

    /// Remembers calls beyond this process, and goes on from those that are remembered.
    ///
    /// # Errors
    /// If they cannot be kept.
    pub async fn remember(&self, kept: Arc<dyn Spent>) -> Result<(), Error> {
        self.windows.remember(kept).await
    }

    /// By how many seconds the tenant's clock was ahead of ours when it last answered; below zero, behind.
    #[must_use]
    pub fn seconds_ahead(&self) -> i64 {
        self.http.seconds_ahead()
    }

    /// What is left of today's calls of an API.
    pub async fn today(&self, bucket: Bucket) -> Day {
        self.windows.today(bucket).await
    }

    /// The same tenant, with what is spent from here on counted apart as well.
    #[must_use]
    pub fn metered(&self) -> Self {
        Self { http: self.http.metered(), ..self.clone() }
    }

    /// Calls spent so far.
    #[must_use]
    pub fn calls(&self) -> Calls {
        let meter = self.http.meter();
        Calls {
            dynamics: 0,
            gainsight: meter.sent(),
            gainsight_writes: meter.writes(),
            retries: meter.retries(),
            throttled: meter.throttled(),
            waited_ms: meter.waited_ms(),
        }
    }

    /// The path of a link that the service gave: on its own host, and below this path.
    pub(super) fn own_path(&self, link: &str, below: &str) -> Result<String, Error> {
        let url = self.http.own_link(link, &self.http.url("/")?, below)?;
        Ok(match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        })
    }

    /// Counts and waits what a call has to wait for.
    pub(crate) async fn wait(&self, long: Duration) {
        self.http.meter().wait(long);
        self.clock.sleep(long).await;
    }

    /// Waits until something unreadable is asked for the second time, and counts it.
    pub(super) async fn wait_to_retry(&self) {
        self.wait(wait(1)).await;
        self.http.meter().retry();
    }

    /// Makes a call. An envelope that says `result: false` is given back like any other: only the caller knows whether
    /// it means refused records or an empty list.
    pub(super) async fn call(&self, call: &Call) -> Result<(u16, Envelope), Error> {
        self.call_judged(call, async |answer| judged(call, &answer)).await
    }

    /// Makes a call whose answer somebody else reads. What is unreadable to him is asked for again, where that is harmless.
    pub(super) async fn call_judged<T>(
        &self,
        call: &Call,
        judge: impl AsyncFn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let body = call.body.clone().map(|body| (body, call.kind.clone()));
        let mut request = Request {
            method: call.method,
            url: self.http.url(&call.path)?,
            headers: Vec::new(),
            body,
            repeat: call.repeat,
        };
        let meter: &Meter = self.http.meter();
        let enter = async || {
            let waited = self.windows.enter(call.bucket).await?;
            meter.wait(waited);
            if call.is_write {
                meter.write();
            }
            Ok(())
        };
        let (mut refused, mut waited, mut unreadable) = (None::<String>, Duration::ZERO, 0);
        for _ in 0..THROTTLED_AT_MOST {
            let (name, value) = self.access.header(&self.http, refused.as_deref()).await?;
            request.headers = vec![("accept", "application/json".to_owned(), false), (name, value.clone(), true)];
            let answer = self.http.send_within(&request, enter).await.map_err(|error| unclear(call, error))?;
            match answer.status {
                429 => match answer.retry_after() {
                    Some(pause) => {
                        meter.throttle();
                        waited = waited.saturating_add(pause);
                        if waited > self.max_wait {
                            return Err(throttled(call, &format!("it asks to wait {} s", pause.as_secs())));
                        }
                        self.wait(pause).await;
                    }
                    None => {
                        meter.throttle();
                        self.windows.refused(call.bucket).await;
                    }
                },
                // Nothing was done, so this may be sent again, a write too.
                401 if refused.is_none() && self.access.is_renewable() => refused = Some(value),
                _ => {
                    let is_worth_it = !call.is_write && answer.is_success() && unreadable + 1 < TRIES_UNREADABLE;
                    match judge(answer).await {
                        // A page of sign-in, a body that breaks off: the next answer may be whole.
                        Err(Error::Unreadable { .. }) if is_worth_it => {
                            unreadable += 1;
                            self.wait(wait(unreadable)).await;
                            meter.retry();
                        }
                        judged => return judged,
                    }
                }
            }
        }
        Err(throttled(call, "it kept answering so"))
    }

    /// Makes a call whose refusal is an error of its own.
    pub(super) async fn expect(&self, call: &Call) -> Result<Value, Error> {
        let (status, envelope) = self.call(call).await?;
        if envelope.result { Ok(envelope.data) } else { Err(refused(call, status, envelope)) }
    }
}

/// An envelope as the error that it is.
pub(super) fn refused(call: &Call, status: u16, envelope: Envelope) -> Error {
    Error::Refused {
        what: call.what.clone(),
        code: envelope.error_code.or(envelope.title).map_or_else(|| "none".to_owned(), |code| quoted(&code)),
        message: envelope.error_desc.map_or_else(|| "no reason given".to_owned(), |said| words(call, &said)),
        status,
        request: envelope.request_id.map_or_else(|| "unknown".to_owned(), |id| quoted(&id)),
    }
}

/// A call that was never let in.
fn throttled(call: &Call, said: &str) -> Error {
    Error::Refused {
        what: call.what.clone(),
        code: "GU_2400".to_owned(),
        message: format!("too many calls were made, and {said}"),
        status: 429,
        request: "unknown".to_owned(),
    }
}

/// A broken connection leaves open whether a write was done, and so does an answer that was not read; where nobody could be reached, it was not.
fn unclear(call: &Call, error: Error) -> Error {
    use http::error::Error::{Broken, Excessive, TimedOut};
    match error {
        Error::Http(error @ (TimedOut { .. } | Broken { .. } | Excessive { .. })) if call.is_write => {
            Error::Unclear { what: call.what.clone(), detail: error.to_string() }
        }
        other => other,
    }
}

/// Whether an envelope says that the service itself failed.
fn has_failed(envelope: &Envelope) -> bool {
    envelope.error_code.as_deref().is_some_and(|code| SERVICE_FAILED_CODES.contains(&code))
}

/// An answer that leaves open whether a write was done.
fn doubtful(call: &Call, status: u16, said: &str) -> Error {
    let detail = if said.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {said}") };
    Error::Unclear { what: call.what.clone(), detail }
}

/// An answer as the envelope that it should be.
pub(super) fn judged(call: &Call, answer: &Answer) -> Result<(u16, Envelope), Error> {
    let envelope = json::read::<Envelope>(&answer.body);
    let said = |e: &Envelope| words(call, e.error_desc.as_deref().or(e.error_code.as_deref()).unwrap_or_default());
    match (answer.status, envelope) {
        (401, envelope) => Err(Error::Key(envelope.as_ref().map(said).unwrap_or_default())),
        (403, Ok(envelope)) if envelope.error_code.as_deref() == Some("GS_APIG_2402") => {
            Err(Error::Address(said(&envelope)))
        }
        // Not about a record: the route, the method, the size or the permission.
        (403 | 404 | 405 | 413, Ok(envelope)) => Err(refused(call, answer.status, envelope)),
        // A gateway that gave up says nothing of what the service behind it did, and its page may be JSON too.
        (408 | 500.., envelope) if call.is_write => {
            let said = envelope.as_ref().map(said).unwrap_or_default();
            Err(doubtful(call, answer.status, &said))
        }
        // Taken for a refusal, it would be kept as one, and the records not sent again until they change.
        (status, Ok(envelope)) if call.is_write && !envelope.result && has_failed(&envelope) => {
            Err(doubtful(call, status, &said(&envelope)))
        }
        // Success, but not in a form that says so.
        (200..=299, Err(error)) if call.is_write => Err(doubtful(call, answer.status, &error)),
        (status, Ok(envelope)) if call.is_write && !envelope.result && envelope.error_code.is_none() => match status {
            200..=299 => Err(doubtful(call, status, &said(&envelope))),
            _ => Err(refused(call, status, envelope)),
        },
        (status, Ok(envelope)) => Ok((status, envelope)),
        // An answer of success is made of rows: of that, nothing is said.
        (status @ 200..=299, Err(error)) => {
            Err(Error::Unreadable { what: call.what.clone(), detail: format!("HTTP {status}, {error}") })
        }
        (status, Err(error)) => Err(Error::Unreadable {
            what: call.what.clone(),
            detail: format!("HTTP {status}, {error}: {}", words(call, &answer.beginning())),
        }),
    }
}
