//! What a database says no with, and what to do about it. Nothing in here ever holds a password or a value of a row.

use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;

/// What went wrong, of either database.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// In SQLite's words.
    #[error(transparent)]
    File(#[from] rusqlite::Error),
    /// In the server's words, or ours where it did not answer.
    #[error("{words}")]
    Server {
        /// Which kind it is.
        why: Why,
        /// What was said.
        words: String,
    },
}

/// Which kind of failure it is, as far as anybody can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No server answers there.
    Unreachable,
    /// The connection ended, or an answer did not come in time.
    Lost,
    /// The name or the password is not right, or the server lets nobody in from here.
    Refused,
    /// There is no such database.
    NoDatabase,
    /// The user may not do that.
    Forbidden,
    /// The connection would not be encrypted, or cannot be.
    Unprotected,
    /// A statement took longer than it may.
    Slow,
    /// Its disk is full.
    Full,
    /// A commit would not wait for the disk.
    Unsafe,
    /// Not every text can be kept.
    Encoding,
    /// It has no such function.
    Unsupported,
    /// No row came where there must be one.
    NoRow,
    /// A value is not what it should be.
    Unreadable,
    /// Anything else.
    Other,
}

/// What to do about a disk without room.
pub(in crate::store) const FREE_SPACE: &str = "; free some space there, then go on with `ferry resume`";

impl Failure {
    pub(super) fn of(why: Why, words: impl Into<String>) -> Self {
        Self::Server { why, words: words.into() }
    }

    /// Of a column that holds something else than it should.
    pub(in crate::store) fn unreadable(column: impl std::fmt::Display) -> Self {
        Self::of(Why::Unreadable, format!("column {column} is not what it should be"))
    }

    /// Of the server's driver. What it says of a connection never has the password in it.
    pub(super) fn said(error: &tokio_postgres::Error) -> Self {
        if let Some(said) = error.as_db_error() {
            return Self::of(kind(said.code()), format!("{} ({})", said.message(), said.code().code()));
        }
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        let why = if error.is_closed() || is_of_the_wire(error) { Why::Lost } else { Why::Other };
        Self::of(why, format!("{error}{cause}"))
    }

    /// The same, while a connection is being made.
    pub(super) fn unmade(error: &tokio_postgres::Error) -> Self {
        match Self::said(error) {
            Self::Server { why: Why::Lost | Why::Other, words } if words.contains("TLS") => {
                Self::of(Why::Unprotected, words)
            }
            Self::Server { why: Why::Lost | Why::Other, words } => Self::of(Why::Unreachable, words),
            said => said,
        }
    }

    /// Whether no row came where one was asked for.
    pub(super) fn is_no_row(&self) -> bool {
        matches!(self, Self::File(rusqlite::Error::QueryReturnedNoRows) | Self::Server { why: Why::NoRow, .. })
    }

    /// Whether it passes by itself: the server is away, restarts, or has another at work.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Server { why: Why::Unreachable | Why::Lost | Why::Slow, .. })
    }

    /// Whether it is for whoever looks after a server, and not after this machine's disk.
    #[must_use]
    pub fn is_of_service(&self) -> bool {
        matches!(self, Self::Server { .. })
    }

    /// What to do about it.
    pub(in crate::store) fn advice(&self) -> &'static str {
        match self {
            Self::File(source) => match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => FREE_SPACE,
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                    "; nothing was written over: put a copy of it back, or move the home away and begin with another, which compares with \
                     what Gainsight holds"
                }
                _ => "",
            },
            Self::Server { why, .. } => why.advice(),
        }
    }
}

impl Why {
    fn advice(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "; see that PostgreSQL is up and lets this machine in, and that --state names its host and port"
            }
            Self::Lost => "; what was committed is kept: go on with `ferry resume` when the server is there again",
            Self::Refused => "; give the right user in --state, and the password in FERRY_STATE's URL or in PGPASSWORD",
            Self::NoDatabase => "; make it first: `createdb NAME`",
            Self::Forbidden => "; the user of --state needs to own its schema: GRANT CREATE, USAGE ON SCHEMA … TO …",
            Self::Unprotected => {
                "; the connection must be encrypted: switch TLS on in PostgreSQL, and name the authority of its certificate in FERRY_CA_FILE"
            }
            Self::Slow => "; another has locked the tables for long, or the server is overloaded: try again",
            Self::Full => FREE_SPACE,
            Self::Unsafe => {
                "; a commit has to be on the disk before it counts: ALTER DATABASE … SET synchronous_commit = on"
            }
            Self::Encoding => "; it has to take every text: createdb --encoding=UTF8 --template=template0 NAME",
            Self::Unsupported | Self::NoRow | Self::Unreadable | Self::Other => "",
        }
    }
}

/// https://www.postgresql.org/docs/current/errcodes-appendix.html
fn kind(code: &SqlState) -> Why {
    let code = code.code();
    match code {
        "28P01" | "28000" => Why::Refused,
        "3D000" => Why::NoDatabase,
        "42501" => Why::Forbidden,
        "42883" | "0A000" => Why::Unsupported,
        "57014" | "55P03" | "40P01" => Why::Slow,
        "53100" => Why::Full,
        "57P01" | "57P02" | "25P03" => Why::Lost,
        "57P03" | "53300" => Why::Unreachable,
        _ if code.starts_with("08") => Why::Lost,
        _ => Why::Other,
    }
}

fn is_of_the_wire(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}
