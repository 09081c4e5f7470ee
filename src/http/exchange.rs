//! One request and its answer: plain data, and what both services read of an answer alike.
//!
//! Not here: how it is sent, and what a body means.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use url::Url;

use super::quoted::{cut, plain};
use super::retry::{Repeat, after};

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
    pub body: Option<(Bytes, Cow<'static, str>)>,
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
    /// Remove.
    Delete,
}

/// What came back. It has no `Debug`: a body may be a token.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, complete.
    pub body: Bytes,
    headers: HeaderMap,
}

impl Answer {
    pub(super) fn new(status: u16, body: Bytes, headers: HeaderMap) -> Self {
        Self { status, body, headers }
    }

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

    /// Whether it says that it is JSON, or says nothing of what it is.
    #[must_use]
    pub fn is_json(&self) -> bool {
        let Some(kind) = self.headers.get("content-type") else { return true };
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || kind.ends_with("+json")
    }

    /// `Retry-After`, if it can be read: see [`after`].
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        after(self.header("retry-after")?, self.header("date"))
    }

    /// The beginning of the body, for a message about a refusal that cannot be understood.
    #[must_use]
    pub fn beginning(&self) -> String {
        cut(&plain(&String::from_utf8_lossy(&self.body)), 200)
    }

    /// A page of errors or of sign-in may repeat what it was asked with, and its words go into messages.
    pub(super) fn forget(&mut self, secret: &str) {
        let text = String::from_utf8_lossy(&self.body);
        if !secret.is_empty() && text.contains(secret) {
            self.body = text.replace(secret, "(secret)").into();
        }
    }
}
