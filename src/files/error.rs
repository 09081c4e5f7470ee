//! What files can do to us, in words that say what to do.

/// A read that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection leads to no place that can be opened.
    #[error("the files of {url} cannot be opened: {detail}")]
    Location {
        /// As it is written.
        url: String,
        /// Why.
        detail: String,
    },
    /// The object store or the disk says no.
    #[error("{file} cannot be read: {detail}")]
    Store {
        /// The file, or the folder.
        file: String,
        /// In its own words.
        detail: String,
    },
    /// A file was changed while it was read.
    #[error("{0} was changed while it was read; run the job again")]
    Changed(String),
    /// There is no such table.
    #[error("there are no files of \"{0}\"")]
    NoTable(String),
    /// A table whose files say nothing of its columns.
    #[error("nothing says which columns \"{table}\" has: {why}; declare them with TABLE {table} (…)")]
    NoColumns {
        /// The table.
        table: String,
        /// Why not.
        why: String,
    },
    /// A file that is not what the connection says.
    #[error("{file} is not what it should be ({place}): {detail}")]
    Malformed {
        /// The file.
        file: String,
        /// Where in it.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// A value of a table that is needed whole: nobody could be told of its row.
    #[error("{0}; no row of this table can be left out, so mend the file, or declare the column as TEXT")]
    Unread(String),
    /// A row without a key, where the job acts on rows that are gone.
    #[error(
        "row {row} of {file} has no \"{id}\", and the job acts on rows that are gone: which row it is, nobody could tell; give it its key"
    )]
    Unnamed {
        /// The key's column.
        id: String,
        /// The file.
        file: String,
        /// The row.
        row: u64,
    },
    /// An export that cannot be read yet, or not any more.
    #[error("the export of {url} cannot be read: {detail}")]
    Export {
        /// The connection's URL.
        url: String,
        /// What is wrong, and what to do.
        detail: String,
    },
}

impl Error {
    /// An answer of an object store, in words.
    pub(super) fn of(file: &str, error: &object_store::Error) -> Self {
        match error {
            object_store::Error::Precondition { .. } => Self::Changed(file.to_owned()),
            object_store::Error::NotFound { .. } => {
                Self::Store { file: file.to_owned(), detail: "it is not there".to_owned() }
            }
            other => Self::Store { file: file.to_owned(), detail: other.to_string() },
        }
    }
}
