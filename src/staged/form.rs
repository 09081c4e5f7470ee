//! The form of a file, which its name tells.

/// The form of a file of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The file format of Arrow: <https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format>.
    Arrow,
    /// Parquet, without compression.
    Parquet,
}

impl Form {
    const ALL: [Self; 2] = [Self::Arrow, Self::Parquet];

    /// What names of such files end with, behind a dot.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }

    /// The form of a file, and its name without the end that says so; none of a file that has another end.
    #[must_use]
    pub fn of(name: &str) -> Option<(Self, &str)> {
        let stem = |form: Self| name.strip_suffix(form.suffix())?.strip_suffix('.');
        Self::ALL.into_iter().find_map(|form| Some((form, stem(form)?)))
    }
}
