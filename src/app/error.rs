//! Why a verb could not be carried out, and the exit code that says so.

use crate::diagnostic::report::Diagnostics;
use crate::diagnostic::source::Sources;
use crate::{dynamics, gainsight, http, notice, run, sandbox, store};

/// A verb that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments.
    #[error("{0}")]
    Usage(String),
    /// The text of the project.
    #[error("the project has mistakes")]
    Text(Box<(Diagnostics, Sources)>),
    /// A secret that nobody has set.
    #[error("the secret '{name}' is not set; set the environment variable {variable}, or `ferry secret set {name}`")]
    Secret {
        /// Its name in scripts.
        name: String,
        /// Where it is looked for.
        variable: String,
    },
    /// A connection does not work.
    #[error("connection `{name}`: {cause}")]
    Connection {
        /// Its identifier.
        name: String,
        /// What it says.
        #[source]
        cause: Box<run::error::Error>,
    },
    /// A connection that may not be used.
    #[error("connection `{name}` was revoked at {at}; `ferry connection authorize {name}` lifts that")]
    Revoked {
        /// Its identifier.
        name: String,
        /// When.
        at: String,
    },
    /// A connection that leads elsewhere than before.
    #[error(
        "connection `{name}` was established with {known} and leads to {found} now; what this home remembers belongs to the \
         first: give the other a connection and a home of its own"
    )]
    OtherOrganization {
        /// Its identifier.
        name: String,
        /// The organisation or tenant that it was established with.
        known: String,
        /// The one that answers now.
        found: String,
    },
    /// The user, or the system, asked the process to stop.
    #[error("interrupted; what was done is kept, and `ferry resume` goes on with it")]
    Interrupted,
    /// A notice that was sent as a test.
    #[error("no notice arrives at {address}: {cause}")]
    Notice {
        /// Where it was sent.
        address: String,
        /// Why it did not arrive.
        #[source]
        cause: notice::error::Error,
    },
    /// A run.
    #[error(transparent)]
    Run(#[from] run::error::Error),
    /// A process of a cluster.
    #[error("{0}")]
    Cluster(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] sandbox::Error),
}

impl From<store::error::Error> for Error {
    fn from(error: store::error::Error) -> Self {
        Self::Run(error.into())
    }
}

impl Error {
    /// The exit code: 2 text or arguments, 3 a service, 4 our bug, 5 already running, 6 ownership lost, 7 disk or memory.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Text(_) => 2,
            Self::Notice { .. }
            | Self::Secret { .. }
            | Self::Revoked { .. }
            | Self::OtherOrganization { .. }
            | Self::Interrupted
            | Self::Cluster(_) => 3,
            Self::Connection { cause, .. } => run_code(cause),
            Self::Run(error) => run_code(error),
            Self::Sandbox(_) => 2,
        }
    }
}

fn run_code(error: &run::error::Error) -> u8 {
    match error {
        run::error::Error::Dynamics(dynamics::error::Error::Http(http::error::Error::Setup(_))) => 4,
        run::error::Error::Gainsight(gainsight::error::Error::Http(http::error::Error::Setup(_))) => 4,
        run::error::Error::Gainsight(gainsight::error::Error::Spent(_)) => 7,
        run::error::Error::Dynamics(_) | run::error::Error::Files(_) | run::error::Error::Gainsight(_) => 3,
        run::error::Error::Drift(_) | run::error::Error::Quota { .. } | run::error::Error::ImportStuck { .. } => 3,
        run::error::Error::HandedOver { .. } => 3,
        run::error::Error::TooManyErrors { .. } | run::error::Error::TooManyChanges { .. } => 3,
        run::error::Error::PlanChanged { .. } | run::error::Error::Unfinished(_) => 3,
        run::error::Error::Skipped { .. } => 3,
        run::error::Error::NotApplicable { .. } | run::error::Error::Moved { .. } => 3,
        run::error::Error::Store(
            store::error::Error::Busy { .. }
            | store::error::Error::Followed { .. }
            | store::error::Error::OlderState { .. },
        ) => 5,
        run::error::Error::Store(store::error::Error::OwnershipLost) => 6,
        run::error::Error::Store(store::error::Error::NotResumable { .. }) => 2,
        run::error::Error::Store(
            store::error::Error::Secrets(_)
            | store::error::Error::Occupied { .. }
            | store::error::Error::Taken { .. }
            | store::error::Error::NotOurs { .. }
            | store::error::Error::OfServer { .. }
            | store::error::Error::NoBackup { .. },
        ) => 2,
        run::error::Error::Store(store::error::Error::Bucket { .. }) => 3,
        run::error::Error::Store(store::error::Error::State { source, .. }) if source.is_of_service() => 3,
        run::error::Error::Store(_) => 7,
        run::error::Error::Engine(error) if error.is_out_of_memory() => 7,
        run::error::Error::Engine(error) if error.is_of_place() || error.is_elsewhere() => 3,
        run::error::Error::Engine(_) | run::error::Error::Books(_) | run::error::Error::NotOpen(_) => 4,
    }
}
