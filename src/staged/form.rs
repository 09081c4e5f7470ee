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

    /// The form and the number of a file of a dataset, `part-000017.arrow`; none of any other file.
    #[must_use]
    pub fn of_part(name: &str) -> Option<(Self, usize)> {
        let (form, stem) = Self::of(name)?;
        let digits = stem.strip_prefix("part-")?;
        let is_number = digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit());
        Some((form, is_number.then(|| digits.parse().ok())??))
    }
}
