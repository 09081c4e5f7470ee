//! What the world can do to a request.

use std::net::IpAddr;
use std::time::Duration;

use super::unpack::Excess;

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
    /// Its certificate is not one that this machine trusts.
    #[error(
        "{host} shows a certificate that is not trusted ({reason}), so nothing was sent; check the URL, and ask your network's \
         administrator whether a proxy opens encrypted connections: FERRY_CA_FILE names the file of an authority of your own"
    )]
    Untrusted {
        /// Host and port.
        host: String,
        /// What is wrong with the certificate.
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
    /// The answer is larger than any honest one, or cannot be unpacked.
    #[error("{host} sent an answer {excess}; it was not read to its end")]
    Excessive {
        /// Host and port.
        host: String,
        /// What is wrong with it.
        excess: Excess,
    },
    /// The answer leads elsewhere.
    #[error(
        "{host} answers with a redirect to {to} (HTTP {status}), which is not followed: keys and rows would go along; check the connection's URL"
    )]
    Redirected {
        /// Host and port.
        host: String,
        /// 301, 302, 307, 308.
        status: u16,
        /// The origin that it leads to.
        to: String,
    },
    /// The host is none that a connection may lead to.
    #[error(
        "{host} is no host of the service (*{known}); if it is your organisation's own domain, the administrator names it in \
         FERRY_ALLOWED_HOSTS"
    )]
    UnknownHost {
        /// The host.
        host: String,
        /// Where the service lives.
        known: String,
    },
    /// The URL has an address where a name belongs.
    #[error("{0} is an address, and a connection leads to a name: write the URL as the service shows it in a browser")]
    Literal(String),
    /// The name leads to an address that must not be reached.
    #[error(
        "{host} leads to {address}, which is no public address, and is not connected to; check the URL and the DNS"
    )]
    ForbiddenAddress {
        /// Host and port.
        host: String,
        /// What the name stands for.
        address: IpAddr,
    },
    /// Plain http to another machine.
    #[error("{0} is not asked without TLS; write the URL with https")]
    Insecure(String),
    /// A link leads away from the connection's own origin.
    #[error("a link leads from {expected} to {found}; links are followed at the connection's own address only")]
    ForeignLink {
        /// The connection's origin, and the path that links stay below.
        expected: String,
        /// Where the link leads.
        found: String,
    },
    /// Something that is not a URL.
    #[error("this is not a URL: {0}")]
    BadUrl(String),
    /// The file of authorities holds none.
    #[error("the file that FERRY_CA_FILE names holds no certificate; it has to be PEM")]
    Authorities,
    /// The client could not be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Setup(String),
}
