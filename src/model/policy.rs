//! What a job says of the cases that go wrong: repeated keys, errors, unknown choices, rows that the source loses.

use super::expression::Expression;
use super::job::Mapping;
use super::place::Place;

/// What a job does with its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// New ones are inserted, known ones updated.
    Upsert,
    /// New ones are inserted; a known one rejects its row.
    Insert,
    /// Known ones are updated; a new one rejects its row.
    Update,
}

/// `WHEN DUPLICATE KEY THEN …`
#[derive(Debug, Clone, PartialEq)]
pub enum DuplicateKey {
    /// Each of the rows is an error: what holds where a script says nothing.
    Error,
    /// Each of the rows is rejected.
    Reject,
    /// The row with the greatest value is written, of equals the one with the greatest id; the others are superseded.
    KeepLatest(Expression),
}

/// `ON ERROR …`
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OnError {
    /// However many rows are in error, the run goes on: what holds where a script says nothing.
    Continue,
    /// The first row in error ends the run.
    Stop,
    /// More rows in error than this end the run.
    UpToRows(u64),
    /// A greater share of the planned rows, in percent, ends the run before anything is written.
    UpToPercent(f64),
}

/// `ON SOURCE DELETE …`, `ON SOURCE LEAVE …`
#[derive(Debug, Clone, PartialEq)]
pub enum OnSource {
    /// Nothing happens: what holds where a script says nothing.
    Ignore,
    /// The record is deleted. The place is the clause's.
    Delete(Place),
    /// Fields of the record are set to constants. The place is the clause's.
    Set(Vec<Mapping>, Place),
}

/// What something unknown becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The row is an error: what holds where a script says nothing.
    Error,
    /// A null.
    Null,
    /// The code itself, as a text.
    Text,
}

impl OnSource {
    /// Whether anything happens at all.
    #[must_use]
    pub fn acts(&self) -> bool {
        !matches!(self, Self::Ignore)
    }

    /// The fields that are set, if it is that what happens.
    #[must_use]
    pub fn assigned(&self) -> &[Mapping] {
        if let Self::Set(all, _) = self { all } else { &[] }
    }

    /// The places of the clause and of the fields that it sets.
    pub fn places(&mut self) -> Vec<&mut Place> {
        match self {
            Self::Ignore => Vec::new(),
            Self::Delete(place) => vec![place],
            Self::Set(all, place) => all.iter_mut().map(|one| &mut one.place).chain([place]).collect(),
        }
    }

    /// Where the clause stands, if it says that anything happens.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Ignore => None,
            Self::Delete(place) | Self::Set(_, place) => Some(place),
        }
    }
}

impl OnError {
    /// Whether this many rows in error, of that many planned ones, are too many.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn is_too_many(self, errors: u64, planned: u64) -> bool {
        match self {
            Self::Continue => false,
            Self::Stop => errors > 0,
            Self::UpToRows(most) => errors > most,
            Self::UpToPercent(share) => errors as f64 * 100.0 > share * planned as f64,
        }
    }

    /// The clause as a script says it.
    #[must_use]
    pub fn shown(self) -> String {
        match self {
            Self::Continue => "ON ERROR CONTINUE".to_owned(),
            Self::Stop => "ON ERROR STOP".to_owned(),
            Self::UpToRows(most) => format!("ON ERROR CONTINUE UP TO {most} ROWS"),
            Self::UpToPercent(share) => format!("ON ERROR CONTINUE UP TO {share} PERCENT"),
        }
    }
}

/// By which of Gainsight's roads records are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Via {
    /// The object API, some records a call.
    #[default]
    Api,
    /// A bulk import: files of many records, which a job of the tenant's takes in.
    Bulk {
        /// The job, as Gainsight's administrator made it.
        job_id: String,
    },
    /// Files in a bucket, which a connector of Gainsight's own takes in.
    Files {
        /// The place: `s3://acme/to-gainsight`.
        url: String,
    },
    /// Whichever of the first two is done sooner.
    Auto {
        /// See [`Via::Bulk`].
        job_id: String,
    },
}
