//! What the disk and the database can do to us.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::database::{FREE_SPACE, Failure};
use super::place::Place;

/// Something could not be kept, or not be read again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system says no.
    #[error("{what} {}: {source}{}", path.display(), advice(source))]
    Disk {
        /// What was tried: `cannot create`.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// In its own words.
        source: std::io::Error,
    },
    /// Another daemon follows the schedules of the home.
    #[error(
        "another `ferry serve`{holder} follows the schedules of {}; stop it first, or give this one a home of its own with --home",
        path.display()
    )]
    Followed {
        /// The home, or the server.
        path: PathBuf,
        /// Which process, and since when, where that is known.
        holder: String,
    },
    /// Another process works on this home.
    #[error(
        "another ferry{holder} is at work on {}; wait until it has ended (`--wait` does that), or use another --home", path.display()
    )]
    Busy {
        /// The home.
        path: PathBuf,
        /// Which process, and since when, where that is known.
        holder: String,
    },
    /// Another process has opened the state since: it took the home over.
    #[error(
        "another ferry has taken this home over, so this one writes nothing more; `ferry activity` shows what became of the run"
    )]
    OwnershipLost,
    /// A run that is not in the state, or not in a form that can be gone on with.
    #[error("run {run} cannot be gone on with: {why}")]
    NotResumable {
        /// The run.
        run: String,
        /// Why.
        why: String,
    },
    /// A dataset cannot be written or read.
    #[error("the run folder cannot be used ({what}): {detail}")]
    Dataset {
        /// Which dataset.
        what: String,
        /// What is wrong.
        detail: String,
    },
    /// An object store says no, or nothing.
    #[error(
        "{what} {place} ({detail}); see that it can be reached and that the environment says how to sign in, then `ferry resume` goes on"
    )]
    Bucket {
        /// What was tried: `cannot write`.
        what: &'static str,
        /// The URL of the object or the place.
        place: String,
        /// In the store's words.
        detail: String,
    },
    /// A place for run folders that another state's are kept in.
    #[error(
        "{place} has the runs of another state (one that began at {theirs}; this one began at {ours}), which have the same numbers: give each state \
         a --home of its own"
    )]
    NotOurs {
        /// The place's URL.
        place: String,
        /// When the other state began: RFC 3339, UTC.
        theirs: String,
        /// When this one did.
        ours: String,
    },
    /// A folder that files are to be written into, and that is not free.
    #[error("{} {why}, and nothing in it is written over; name another folder with --out, or empty it first", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// `is not empty`, `is a file`.
        why: &'static str,
    },
    /// A place in an object store that files are to be written into, and that is not free.
    #[error("{place} has files already, and nothing is written over; name another place with --out")]
    Taken {
        /// Its URL.
        place: String,
    },
    /// The state database.
    #[error("the state database{} cannot be used: {source}{}", place.as_ref().map(|at| format!(" {at}")).unwrap_or_default(), source.advice())]
    State {
        /// Where it is, if that is known; of a server without the password.
        place: Option<String>,
        /// In the database's words.
        source: Failure,
    },
    /// The SQLite that this Ferry was built with can lose what was committed.
    #[error("this ferry was built with SQLite {0}, which can lose what was committed; build it with the one it brings")]
    OldSqlite(&'static str),
    /// The state database was made by a newer Ferry.
    #[error("the state database has version {found}, and this ferry knows {known}; use a newer ferry")]
    NewerState {
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The state database was made by an older Ferry, which is at work on it.
    #[error(
        "the state database has version {found}, and this ferry would make it {known}; an older ferry is at work on it: restart the service \
         first, or wait until that one has ended"
    )]
    OlderState {
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A state in a server, which is copied and put back by the server's own means.
    #[error(
        "the state is in {place}, and PostgreSQL copies it: `pg_dump` makes a copy and `pg_restore` puts it back, with every ferry stopped; \
         then `ferry state restored` has nothing gone on with that the copy did not know"
    )]
    OfServer {
        /// Where it is.
        place: String,
    },
    /// A file that is to be a copy of a state.
    #[error("{} cannot be put back: {why}; nothing was changed", path.display())]
    NoBackup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The encrypted secrets.
    #[error("{0}")]
    Secrets(String),
    /// The error file.
    #[error("the error file cannot be written or read: {0}")]
    ErrorFile(#[from] csv::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        Self::State { place: None, source: source.into() }
    }
}

impl From<Failure> for Error {
    fn from(source: Failure) -> Self {
        Self::State { place: None, source }
    }
}

impl Error {
    /// The same with the place of the state database, which no database tells.
    pub(super) fn at(self, place: &Place) -> Self {
        match self {
            Self::State { place: None, source } => Self::State { place: Some(place.to_string()), source },
            other => other,
        }
    }
}

/// What to do about the one thing that a disk says often. A limit of the process says it in other words.
fn advice(source: &std::io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => FREE_SPACE,
        _ => "",
    }
}

pub(super) type Result<T> = std::result::Result<T, Error>;

pub(super) fn disk(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Disk { what, path, source }
}
