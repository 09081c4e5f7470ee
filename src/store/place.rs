//! Where the state is: in a file of the home, or in a PostgreSQL server.

use std::fmt;
use std::path::{Path, PathBuf};

use super::database::Server;
use super::error::Result;
use super::home::is_busy;
use super::state::State;

/// Where a state is.
#[derive(Debug, Clone)]
pub enum Place {
    /// A file of SQLite's.
    File(PathBuf),
    /// A server, for several machines.
    Server(Server),
}

impl Place {
    /// Whether there is a state, of whichever version.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn is_there(&self) -> Result<bool> {
        match self {
            Self::File(path) => Ok(path.exists()),
            Self::Server(_) => Ok(State::look(self)?.is_some()),
        }
    }

    /// Whether somebody has it open for writing: of a file whoever has the home, of a server whoever has the lease.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn is_at_work(&self) -> Result<bool> {
        match self {
            // What lies beside the state of a home is nobody's but whose it is.
            Self::File(path) => {
                Ok(path.parent().is_some_and(|home| super::home::state_path(home) == *path && is_busy(home)))
            }
            Self::Server(_) => State::look(self)?.map_or(Ok(false), |state| state.is_leased()),
        }
    }

    /// Whether it is a server.
    #[must_use]
    pub fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(out),
            Self::Server(server) => server.fmt(out),
        }
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}
