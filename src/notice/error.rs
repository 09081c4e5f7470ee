//! Why a notice did not arrive.

use crate::http;

/// A delivery that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The other side says that it will never take it.
    #[error("{host} refuses it: {said}")]
    Refused {
        /// Host and port.
        host: String,
        /// In the other side's words.
        said: String,
    },
    /// The other side does not take it now.
    #[error("{host} does not take it: {said}")]
    NotTaken {
        /// Host and port.
        host: String,
        /// In the other side's words.
        said: String,
    },
    /// The mail server does not offer to encrypt.
    #[error("{0} does not offer STARTTLS, so nothing was sent; use smtps:// if it has a port for TLS")]
    NotEncrypted(String),
    /// The mail server's certificate is not one that this machine trusts, or TLS failed otherwise.
    #[error(
        "{host} cannot be talked to by TLS ({reason}), so nothing was sent; FERRY_CA_FILE names the file of an authority of your own"
    )]
    Untrusted {
        /// Host and port.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// The mail server cannot be reached, or the connection broke.
    #[error("{host}: {reason}")]
    Broken {
        /// Host and port.
        host: String,
        /// In the operating system's words.
        reason: String,
    },
    /// It takes too long.
    #[error("{0} took longer than 10 seconds")]
    TimedOut(String),
    /// An address, or the sender's, cannot be written into a mail.
    #[error("{0} cannot be used as an e-mail address")]
    Address(String),
    /// What is needed to send is not there, or cannot be used.
    #[error("{0}")]
    Unable(String),
    /// The webhook.
    #[error(transparent)]
    Http(#[from] http::error::Error),
}

impl Error {
    /// Whether another try cannot change it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Address(_))
    }
}
