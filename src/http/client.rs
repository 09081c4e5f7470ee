//! The client: one for each connection, bound to its origin.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::error::Error;
use super::retry::{Repeat, TRIES, TRIES_UNREACHABLE, after, is_passing, wait};
use crate::model::clock::Clock;

/// The largest answer that is read, in bytes, after decompression.
const ANSWER_BYTES_AT_MOST: usize = 64 << 20;
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client that talks to one origin only.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    origin: Url,
    timeout: Duration,
    clock: Clock,
    sent: Arc<AtomicU64>,
}

/// What to send.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `POST`, `PUT`.
    pub method: Method,
    /// Where; on the client's own origin.
    pub url: Url,
    /// Name and value. A value that must not be printed is marked by `true`.
    pub headers: Vec<(&'static str, String, bool)>,
    /// The body, and its content type.
    pub body: Option<(Bytes, &'static str)>,
    /// Whether it may be sent again.
    pub repeat: Repeat,
}

/// The methods that Ferry uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create, or ask with a body.
    Post,
    /// Update.
    Put,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, complete.
    pub body: Bytes,
    headers: HeaderMap,
}

impl Client {
    /// A client for one origin.
    ///
    /// # Errors
    /// If the origin is no URL, or TLS cannot be set up.
    pub fn new(origin: &str, timeout: Duration, clock: Clock) -> Result<Self, Error> {
        let origin = Url::parse(origin).map_err(|_| Error::BadUrl(origin.to_owned()))?;
        let inner = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .build()
            .map_err(|e| Error::Setup(e.to_string()))?;
        Ok(Self { inner, origin, timeout, clock, sent: Arc::default() })
    }

    /// A URL below the origin. `path` is ours, never data; what is data goes into the query.
    ///
    /// # Errors
    /// If the path makes no URL.
    pub fn url(&self, path: &str) -> Result<Url, Error> {
        self.origin.join(path).map_err(|_| Error::BadUrl(path.to_owned()))
    }

    /// A link that the service sent: followed byte for byte, on the same origin only.
    ///
    /// # Errors
    /// If it leads elsewhere.
    pub fn own_link(&self, link: &str) -> Result<Url, Error> {
        let url = self.url(link)?;
        let is_own = url.origin() == self.origin.origin() && url.username().is_empty() && url.password().is_none();
        if is_own {
            return Ok(url);
        }
        let found = url.origin().ascii_serialization();
        Err(Error::ForeignLink { expected: self.origin.origin().ascii_serialization(), found })
    }

    /// Requests sent so far, repeated ones included.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends a request, and sends it again where that is harmless and may help.
    ///
    /// # Errors
    /// If no complete answer came. Any status is an answer.
    pub async fn send(&self, request: &Request) -> Result<Answer, Error> {
        let mut tried = 0;
        loop {
            tried += 1;
            let result = self.once(request).await;
            let tries = match &result {
                Ok(answer) if is_passing(answer.status) => TRIES,
                Err(Error::Unreachable { .. }) => TRIES_UNREACHABLE,
                Err(Error::TimedOut { .. } | Error::Broken { .. }) => TRIES,
                _ => return result,
            };
            // Where nobody could be reached, nothing was done: that may always be tried again.
            let may = request.repeat == Repeat::Harmless || matches!(result, Err(Error::Unreachable { .. }));
            if !may || tried >= tries {
                return result;
            }
            self.clock.sleep(wait(tried)).await;
        }
    }

    async fn once(&self, request: &Request) -> Result<Answer, Error> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let mut builder = self.inner.request(method, request.url.clone());
        for (name, value, is_secret) in &request.headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| Error::Setup(format!("bad header {name}")))?;
            value.set_sensitive(*is_secret);
            builder = builder.header(HeaderName::from_static(name), value);
        }
        if let Some((body, kind)) = &request.body {
            builder = builder.header("content-type", *kind).body(body.clone());
        }
        let mut response = builder.send().await.map_err(|e| self.failure(&e))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failure(&e))? {
            if body.len() + chunk.len() > ANSWER_BYTES_AT_MOST {
                return Err(Error::TooLarge { host: self.host(), limit_bytes: ANSWER_BYTES_AT_MOST });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body: body.freeze(), headers })
    }

    fn host(&self) -> String {
        let host = self.origin.host_str().unwrap_or("the service");
        self.origin.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    fn failure(&self, error: &reqwest::Error) -> Error {
        let host = self.host();
        if error.is_timeout() && !error.is_connect() {
            return Error::TimedOut { host, after: self.timeout };
        }
        // The innermost cause is the operating system's; the outer ones repeat the URL.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let reason = cause.to_string();
        if error.is_connect() { Error::Unreachable { host, reason } } else { Error::Broken { host, reason } }
    }
}

impl Answer {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// Whether the status is one of success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// `Retry-After`, if it can be read: see [`after`].
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        after(self.header("retry-after")?, self.header("date"))
    }

    /// The beginning of the body, for a message about an answer that cannot be understood.
    #[must_use]
    pub fn beginning(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().filter(|c| !c.is_control()).take(200).collect()
    }
}
