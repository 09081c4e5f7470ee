//! Files as tables: in which form they are, and which tables they hold.
//!
//! In: `CREATE CONNECTION … TO FILES`. Out: what `files` reads by.

use super::field::Field;

/// What a connection says of its files.
#[derive(Debug, Clone, PartialEq)]
pub struct FilesLayout {
    /// Their form.
    pub format: FileFormat,
    /// The tables that are declared; others are found by the names of files and folders.
    pub tables: Vec<FileTable>,
}

/// In which form the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFormat {
    /// Texts with separators.
    Csv(CsvForm),
    /// Objects, one a line, or one list of them.
    Json,
    /// Parquet.
    Parquet,
    /// What Azure Synapse Link for Dataverse writes.
    /// <https://learn.microsoft.com/power-apps/maker/data-platform/azure-synapse-link-data-lake>
    SynapseLink,
}

/// How CSV is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvForm {
    /// Whether the first row of each file names the columns.
    pub has_header: bool,
    /// What stands between two values.
    pub delimiter: u8,
    /// A label of <https://encoding.spec.whatwg.org/#names-and-labels>; none for UTF-8, or what a byte order mark says.
    pub encoding: Option<String>,
    /// What stands for no value, beside nothing at all.
    pub null: Option<String>,
}

impl Default for CsvForm {
    fn default() -> Self {
        Self { has_header: true, delimiter: b',', encoding: None, null: None }
    }
}

/// `TABLE mapping (code TEXT, since DATE) KEY (code) AT 'maps/*.csv'`
#[derive(Debug, Clone, PartialEq)]
pub struct FileTable {
    /// What scripts call it.
    pub name: String,
    /// Its columns, if they are declared: in the order of the file, where it has no header.
    pub columns: Vec<Field>,
    /// The column that names a row.
    pub key: Option<String>,
    /// Which files below the connection's folder hold it; `*` stands for any part of a name.
    pub at: Option<String>,
}

impl FileFormat {
    /// Its word in scripts.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Csv(_) => "CSV",
            Self::Json => "JSON",
            Self::Parquet => "PARQUET",
            Self::SynapseLink => "SYNAPSE LINK",
        }
    }

    /// How the names of its files end, beside `.gz`.
    #[must_use]
    pub fn extensions(&self) -> &'static [&'static str] {
        match self {
            Self::Csv(_) | Self::SynapseLink => &["csv"],
            Self::Json => &["json", "jsonl", "ndjson"],
            Self::Parquet => &["parquet"],
        }
    }
}
