//! Spans on their way to a collector: the one thing that is sent to neither of the services.
//!
//! In: requests that the OTLP exporter makes. Out: answers. The collector is the operator's own choice, so it may be any host, and plain
//! HTTP where they say so; nothing is followed, nothing goes through a proxy, and an answer has bounds.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};

use super::error::Error;

/// Bytes of a collector's answer that are read.
const ANSWER_BYTES: usize = 64 << 10;

/// What sends them.
#[derive(Debug)]
pub struct SpanSender(reqwest::Client);

impl SpanSender {
    /// A sender that gives a request so long, and trusts these authorities beside the public ones, as PEM.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(timeout: Duration, authorities: Option<&str>) -> Result<Self, Error> {
        let mut builder =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().timeout(timeout);
        for authority in authorities.map(trusted).transpose()?.unwrap_or_default() {
            builder = builder.add_root_certificate(authority);
        }
        builder.build().map(Self).map_err(|error| Error::Setup(error.to_string()))
    }
}

fn trusted(pem: &str) -> Result<Vec<reqwest::Certificate>, Error> {
    let found = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).unwrap_or_default();
    if found.is_empty() { Err(Error::Authorities) } else { Ok(found) }
}

type Sent<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for SpanSender {
    // What `async fn` in this trait comes to; the crate's own macro is not needed for one function.
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> Sent<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.sent(request))
    }
}

impl SpanSender {
    async fn sent(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut made = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            made = made.header(name, value);
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > ANSWER_BYTES {
                return Err("the collector's answer is larger than Ferry takes".into());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(made.body(body.freeze())?)
    }
}
