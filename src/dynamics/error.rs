//! What Dynamics or Entra can answer instead of rows, in words that say what to do.

use crate::http;

/// A read that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network.
    #[error(transparent)]
    Http(#[from] http::error::Error),
    /// No token.
    #[error("signing in to Dynamics failed: {message}; {help}")]
    SignIn {
        /// Entra's words, shortened.
        message: String,
        /// What to do.
        help: &'static str,
    },
    /// A connection by which a person signs in, and nobody did.
    #[error("nobody has signed in yet; run `ferry connection authorize` for it")]
    NobodySignedIn,
    /// The refresh token cannot be read or kept.
    #[error("the sign-in cannot be kept: {0}")]
    RefreshToken(String),
    /// A certificate that is none.
    #[error("the certificate cannot be used: {0}; it has to be PEM, the certificate and its RSA key in one text")]
    Certificate(String),
    /// The authority that the organisation names is none of Microsoft's.
    #[error("the organisation names {0} as the place to sign in, which is no Microsoft authority; check the URL")]
    Authority(String),
    /// A request was refused.
    #[error("Dynamics refused to read {what}: {message} (code {code}, HTTP {status}, request {request}){help}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
        /// HTTP status.
        status: u16,
        /// The service's own id of the request, for its support.
        request: String,
        /// What to do about it, where that is known.
        help: &'static str,
    },
    /// An answer that is not what the documents describe.
    #[error("Dynamics sent an answer that cannot be read ({what}): {detail}")]
    Unreadable {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A page beyond the limits of an answer.
    #[error(
        "Dynamics sent a page larger than Ferry takes ({table}: {excess}); lower page_size in LIMITS, and if one row alone is too \
         large, have it mended in Dynamics"
    )]
    TooLarge {
        /// The table.
        table: String,
        /// Which limit.
        excess: String,
    },
    /// The service does not know the link to the next page any more. The table can be read again from its beginning.
    #[error(
        "the reading of {table} cannot go on where it stood: Dynamics does not know the place any more ({message}, code {code}, \
         HTTP {status}); run the job again, which reads {table} from its beginning"
    )]
    LinkExpired {
        /// The table.
        table: String,
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
        /// HTTP status.
        status: u16,
    },
    /// The service does not know any more what changed since a link. The table has to be read whole.
    #[error(
        "Dynamics does not know any more what changed in {table} since it was last read ({message}, code {code}, HTTP {status})"
    )]
    HistoryExpired {
        /// The table.
        table: String,
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
        /// HTTP status.
        status: u16,
    },
    /// The table does not track changes, whatever its metadata say.
    #[error(
        "Dynamics does not track changes of {table} ({message}, code {code}); say BY modifiedon in the job, which asks by that column"
    )]
    NotTracked {
        /// The table.
        table: String,
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
    },
    /// A checkpoint of another query or another page size. The table can be read again from its beginning.
    #[error(
        "the reading of {table} cannot go on where it stood: it began with other columns, another filter or another page_size; run \
         the job again, which reads {table} from its beginning"
    )]
    OtherQuery {
        /// The table.
        table: String,
    },
    /// Paging goes in circles.
    #[error("paging of {table} does not advance: Dynamics sent the same link twice")]
    Loop {
        /// The table.
        table: String,
    },
    /// The table does not exist, or the application user may not see it.
    #[error("Dynamics has no table \"{0}\", or the application user may not read it")]
    NoTable(String),
}

impl Error {
    /// Whether reading the same table from its beginning is what helps.
    #[must_use]
    pub fn is_to_begin_again(&self) -> bool {
        matches!(self, Self::LinkExpired { .. } | Self::OtherQuery { .. })
    }
}
