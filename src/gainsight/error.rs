//! What Gainsight can answer instead of data, in words that say what to do.

use crate::http;

/// A call that failed as a whole. A refused record is not one of these: see [`Refusal`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The network.
    #[error(transparent)]
    Http(#[from] http::error::Error),
    /// The key does not work.
    #[error(
        "Gainsight does not accept the access key ({0}); set the current one, or make a new one in Administration > Connectors 2.0"
    )]
    Key(String),
    /// The application does not work.
    #[error(
        "Gainsight gives the application no token (HTTP {status}); check its client_id and client_secret in Administration > M2M OAuth"
    )]
    Application {
        /// HTTP status.
        status: u16,
    },
    /// The address of this machine is not allowed.
    #[error("Gainsight does not accept calls from this machine ({0}); add its address to the access key's list")]
    Address(String),
    /// A call was refused that should not be.
    #[error("Gainsight refused {what}: {message} (code {code}, HTTP {status}, request {request})")]
    Refused {
        /// What was asked.
        what: String,
        /// The service's code.
        code: String,
        /// The service's words.
        message: String,
        /// HTTP status.
        status: u16,
        /// The service's own id of the request, for its support.
        request: String,
    },
    /// An answer that is not what the documents describe.
    #[error("Gainsight sent an answer that cannot be read ({what}): {detail}")]
    Unreadable {
        /// What was asked.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A write whose answer was lost: it may have been carried out.
    #[error(
        "a write to {what} ended without a clear answer ({detail}); it may have been carried out. Run the job again: it goes on from here, and asks Gainsight what it holds before anything is sent twice"
    )]
    Unclear {
        /// What was written.
        what: String,
        /// What came instead of an answer.
        detail: String,
    },
    /// What was spent cannot be remembered, so nothing more is spent.
    #[error("the calls that are made cannot be kept in the state: {0}")]
    Spent(String),
    /// The budget of a window is used up for longer than a call may wait.
    #[error(
        "the {limit} calls {window} of the {bucket} API are used up; the next window opens in {seconds} s, at {opens}. Run the job again then: it goes on from here"
    )]
    Budget {
        /// Which API.
        bucket: &'static str,
        /// How many.
        limit: u32,
        /// `a minute`, `an hour`, `a day`.
        window: &'static str,
        /// How long to wait.
        seconds: u64,
        /// When it opens, such as `00:00 UTC`.
        opens: String,
    },
}

impl Error {
    /// Whether a write that ended so may have been carried out.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        matches!(self, Self::Unclear { .. })
    }

    /// What came in place of an answer; the whole message, where it is no matter of an answer.
    #[must_use]
    pub fn in_place_of_an_answer(&self) -> String {
        match self {
            Self::Unclear { detail, .. } => detail.clone(),
            other => other.to_string(),
        }
    }
}

/// Why one record was refused, in Gainsight's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `GSOBJ_1008`.
    pub code: String,
    /// `Invalid field value (Employees = -5)`.
    pub message: String,
    /// The API name of the field, if Gainsight named one.
    pub field: Option<String>,
    /// The value, if Gainsight named one.
    pub value: Option<String>,
}
