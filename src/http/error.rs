//! What the world can do to a request.

use std::time::Duration;

/// A request that brought no usable answer. None of the texts carries a header, a body or a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers there.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// Host and port.
        host: String,
        /// In the operating system's words.
        reason: String,
    },
    /// It takes too long.
    #[error("{host} did not answer within {} seconds", after.as_secs())]
    TimedOut {
        /// Host and port.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// The connection broke while an answer was under way: the request may have been carried out.
    #[error("the connection to {host} broke before the answer was complete: {reason}")]
    Broken {
        /// Host and port.
        host: String,
        /// In the operating system's words.
        reason: String,
    },
    /// The answer is larger than any honest one.
    #[error("{host} sent an answer of more than {limit_bytes} bytes")]
    TooLarge {
        /// Host and port.
        host: String,
        /// The limit.
        limit_bytes: usize,
    },
    /// A link leads away from the connection's own origin.
    #[error("a link leads from {expected} to {found}; links are followed on the connection's own origin only")]
    ForeignLink {
        /// The connection's origin.
        expected: String,
        /// Where the link leads.
        found: String,
    },
    /// Something that is not a URL.
    #[error("this is not a URL: {0}")]
    BadUrl(String),
    /// The client could not be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
}
