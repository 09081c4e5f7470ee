//! The client: one for each connection, bound to its origin.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use url::{Host, Url};

use super::address::{self, Forbidden, Lookup, Resolver};
use super::error::Error;
pub use super::exchange::{Answer, Method, Request};
use super::retry::{Repeat, TRIES, TRIES_UNREACHABLE, is_passing, wait};
use super::terms::Terms;
use super::unpack::{Excess, Unpacking};
use crate::model::connection::is_loopback;
use crate::model::meter::Meter;

/// How rustls begins to say what is wrong with a certificate. <https://docs.rs/rustls/0.23/rustls/enum.Error.html>
const UNTRUSTED: &str = "invalid peer certificate: ";
/// The longest pause that a service may ask for before a request is sent again.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client that talks to one origin only.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    origin: Url,
    terms: Terms,
    meter: Arc<Meter>,
    seconds_ahead: Arc<AtomicI64>,
}

impl Client {
    /// A client for one origin.
    ///
    /// # Errors
    /// If the origin is no URL or must not be connected to, or TLS cannot be set up.
    pub fn new(origin: &str, terms: &Terms) -> Result<Self, Error> {
        Self::resolving(origin, terms, address::system())
    }

    /// The same with another way to find the addresses of a name.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn resolving(origin: &str, terms: &Terms, lookup: Lookup) -> Result<Self, Error> {
        let origin = Url::parse(origin).map_err(|_| Error::BadUrl(origin.to_owned()))?;
        let is_here = is_loopback(&origin);
        match origin.host() {
            Some(Host::Domain(_)) => {}
            Some(_) if is_here => {}
            Some(address) => return Err(Error::Literal(address.to_string())),
            None => return Err(Error::BadUrl(origin.to_string())),
        }
        if origin.scheme() != "https" && !(is_here && origin.scheme() == "http") {
            return Err(Error::Insecure(origin.host_str().unwrap_or_default().to_owned()));
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Resolver { lookup, is_here }))
            .https_only(!is_here)
            .min_tls_version(reqwest::tls::Version::TLS_1_2)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(terms.timeout);
        for authority in authorities(terms)? {
            builder = builder.add_root_certificate(authority);
        }
        let inner = builder.build().map_err(|e| Error::Setup(e.to_string()))?;
        Ok(Self { inner, origin, terms: terms.clone(), meter: Arc::default(), seconds_ahead: Arc::default() })
    }

    /// A URL below the origin. `path` is ours, never data; what is data goes into the query.
    ///
    /// # Errors
    /// If the path makes no URL.
    pub fn url(&self, path: &str) -> Result<Url, Error> {
        self.origin.join(path).map_err(|_| Error::BadUrl(path.to_owned()))
    }

    /// A link that the service sent with an answer of `from`: followed as it is, on the same origin and below the same path
    /// only. What is not absolute leads on from there.
    ///
    /// # Errors
    /// If it leads elsewhere.
    pub fn own_link(&self, link: &str, from: &Url, below: &str) -> Result<Url, Error> {
        let bad = || Error::BadUrl(link.chars().take(200).collect());
        // `http:here` means different things to different readers, so it means nothing here.
        let head = link.split(['/', '?', '#']).next().unwrap_or_default();
        if head.contains(':') && !link[head.len()..].starts_with("//") {
            return Err(bad());
        }
        let url = from.join(link).map_err(|_| bad())?;
        // The path has no `..` any more; what a server could still take for a slash must not stand in it either.
        let slashes = ["%2f", "%2F", "%5c", "%5C"];
        let is_below = url.path().starts_with(below) && !slashes.iter().any(|slash| url.path().contains(slash));
        if self.is_own(&url) && is_below {
            return Ok(url);
        }
        let expected = format!("{}{below}", self.origin.origin().ascii_serialization());
        // What the link asks for may carry values of a row: the place is enough.
        let found: String = format!("{}{}", url.origin().ascii_serialization(), url.path()).chars().take(200).collect();
        Err(Error::ForeignLink { expected, found })
    }

    fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.origin.origin() && url.username().is_empty() && url.password().is_none()
    }

    /// The same client, with what is spent from here on counted apart as well.
    #[must_use]
    pub fn metered(&self) -> Self {
        Self { meter: Meter::below(&self.meter), ..self.clone() }
    }

    /// What was spent so far.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// By how many seconds the service's clock was ahead of ours when it last answered; below zero, behind.
    #[must_use]
    pub fn seconds_ahead(&self) -> i64 {
        self.seconds_ahead.load(Ordering::Relaxed)
    }

    /// Sends a request, and sends it again where that is harmless and may help.
    ///
    /// # Errors
    /// If no complete answer came. Any status is an answer.
    pub async fn send(&self, request: &Request) -> Result<Answer, Error> {
        self.send_within(request, async || Ok(())).await
    }

    /// The same within a budget: each try passes `enter` first.
    ///
    /// # Errors
    /// As [`Client::send`], or what `enter` says.
    pub async fn send_within<E: From<Error>>(
        &self,
        request: &Request,
        enter: impl AsyncFn() -> Result<(), E>,
    ) -> Result<Answer, E> {
        let mut tried = 0;
        loop {
            tried += 1;
            enter().await?;
            let result = self.once(request).await;
            let tries = match &result {
                Ok(answer) if is_passing(answer.status) => TRIES,
                Err(Error::Unreachable { .. }) => TRIES_UNREACHABLE,
                Err(Error::TimedOut { .. } | Error::Broken { .. }) => TRIES,
                _ => return result.map_err(E::from),
            };
            // Where nobody could be reached, nothing was done: that may always be tried again.
            let may = request.repeat == Repeat::Harmless || matches!(result, Err(Error::Unreachable { .. }));
            if !may || tried >= tries {
                return result.map_err(E::from);
            }
            let asked = result.ok().and_then(|answer| answer.retry_after()).unwrap_or_default();
            let pause = wait(tried).max(asked.min(LONGEST_PAUSE));
            self.meter.wait(pause);
            self.terms.clock.sleep(pause).await;
            self.meter.retry();
        }
    }

    async fn once(&self, request: &Request) -> Result<Answer, Error> {
        if !self.is_own(&request.url) {
            let expected = self.origin.origin().ascii_serialization();
            return Err(Error::ForeignLink { expected, found: request.url.origin().ascii_serialization() });
        }
        self.meter.send();
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.inner.request(method, request.url.clone()).header("accept-encoding", "gzip");
        for (name, value, is_secret) in &request.headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| Error::Setup(format!("bad header {name}")))?;
            value.set_sensitive(*is_secret);
            builder = builder.header(HeaderName::from_static(name), value);
        }
        if let Some((body, kind)) = &request.body {
            builder = builder.header("content-type", kind.as_ref()).body(body.clone());
        }
        let response = builder.send().await.map_err(|e| self.failure(&e))?;
        if response.status().is_redirection() {
            let to = response.headers().get("location").and_then(|v| v.to_str().ok()).and_then(|l| self.url(l).ok());
            let to = to.map_or_else(|| "nowhere".to_owned(), |url| url.origin().ascii_serialization());
            return Err(Error::Redirected { host: self.host(), status: response.status().as_u16(), to });
        }
        if let Some(date) = response.headers().get("date").and_then(|v| v.to_str().ok())
            && let Ok(theirs) = chrono::DateTime::parse_from_rfc2822(date)
        {
            let ahead = theirs.timestamp().saturating_sub(self.terms.clock.now().timestamp());
            self.seconds_ahead.store(ahead, Ordering::Relaxed);
        }
        let mut answer = self.complete(response).await?;
        if !answer.is_success() || !answer.is_json() {
            let secrets = request.headers.iter().filter(|(_, _, is_secret)| *is_secret);
            secrets.for_each(|(_, value, _)| answer.forget(value.trim_start_matches("Bearer ")));
        }
        Ok(answer)
    }

    async fn complete(&self, mut response: reqwest::Response) -> Result<Answer, Error> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let excessive = |excess| match excess {
            Excess::Damaged => Error::Broken { host: self.host(), reason: excess.to_string() },
            _ => Error::Excessive { host: self.host(), excess },
        };
        let encoding = headers.get("content-encoding").map(|v| v.to_str().unwrap_or("unreadable"));
        let mut body = Unpacking::of(encoding).map_err(excessive)?.expecting(response.content_length());
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failure(&e))? {
            body.take(&chunk).map_err(excessive)?;
        }
        Ok(Answer::new(status, body.finish().map_err(excessive)?.into(), headers))
    }

    fn host(&self) -> String {
        let host = self.origin.host_str().unwrap_or("the service");
        self.origin.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    fn failure(&self, error: &reqwest::Error) -> Error {
        let host = self.host();
        if error.is_timeout() && !error.is_connect() {
            return Error::TimedOut { host, after: self.terms.timeout };
        }
        // The innermost cause is the operating system's; the outer ones repeat the URL.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        if let Some(Forbidden(address)) = cause.downcast_ref() {
            return Error::ForbiddenAddress { host, address: *address };
        }
        let reason = cause.to_string();
        if let Some(reason) = reason.strip_prefix(UNTRUSTED) {
            return Error::Untrusted { host, reason: reason.to_owned() };
        }
        if error.is_connect() { Error::Unreachable { host, reason } } else { Error::Broken { host, reason } }
    }
}

/// The authorities that are trusted beside the public ones.
fn authorities(terms: &Terms) -> Result<Vec<reqwest::Certificate>, Error> {
    let Some(pem) = &terms.authorities else { return Ok(Vec::new()) };
    let found = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default();
    if found.is_empty() { Err(Error::Authorities) } else { Ok(found) }
}
