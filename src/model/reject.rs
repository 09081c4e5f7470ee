//! The reasons why a row is not written: stable codes for the error file.
//!
//! A reason is data. It never stops a run; it goes to the error file beside its row.

/// Why a row was rejected or is in error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RejectCode {
    /// A lookup found nothing and its policy says REJECT.
    NoMatch,
    /// A lookup found several and its policy says ERROR.
    SeveralMatches,
    /// The contact's parent is a contact, where a company is needed.
    ParentIsContact,
    /// `REQUIRE` was not true.
    Required,
    /// A key field is null.
    NullKey,
    /// The same key stands in another row of this run.
    DuplicateKey,
    /// Several records of the target carry the key.
    AmbiguousTarget,
    /// `INSERT`, and the target has the record.
    AlreadyThere,
    /// `UPDATE`, and the target does not have the record.
    NotThere,
    /// The record with the key is another Dynamics user already.
    AvatarConflict,
    /// Somebody said that the record with the key is not this Dynamics user.
    AvatarDissociated,
    /// A field that the target requires would be empty.
    RequiredEmpty,
    /// A text is longer than the target field.
    TooLong,
    /// A value cannot become what the target field holds.
    BadValue,
    /// A text is not an item of the target's picklist.
    UnknownItem,
    /// Gainsight refused the record.
    Refused,
    /// Gainsight refused the same record before, and neither it nor its mapping has changed.
    RefusedBefore,
    /// The record that a field was to point at was not created.
    ReferenceFailed,
    /// The record was deleted in the target while the run was under way.
    TargetGone,
    /// A bulk import did not take the record, and did not say why.
    NotImported,
    /// The record of a row that the source lost has another key than the row gave it.
    KeyChanged,
}

/// When a row that failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// By the next run: time may cure it.
    Time,
    /// When something about it has changed: the row, what it looks up, its mapping, the target's schema.
    Change,
}

impl Retried {
    /// The word for it in the state and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Change => "change",
        }
    }
}

impl RejectCode {
    /// When a row of this code is tried again. Every run looks at every row that it reads, and looking costs no call; a record is
    /// sent again only if it may be accepted now. Whatever the code, `ferry replay` tries at once.
    #[must_use]
    pub fn retried(self) -> Retried {
        match self {
            Self::NoMatch | Self::ReferenceFailed | Self::TargetGone | Self::NotImported | Self::KeyChanged => {
                Retried::Time
            }
            _ => Retried::Change,
        }
    }

    /// The code of a record that nobody refused and that could not be written, by its text.
    #[must_use]
    pub fn of_lost(text: &str) -> Option<Self> {
        let lost =
            [Self::AmbiguousTarget, Self::ReferenceFailed, Self::TargetGone, Self::NotImported, Self::KeyChanged];
        lost.into_iter().find(|code| code.text() == text)
    }

    /// The code as the error file writes it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NoMatch => "NO_MATCH",
            Self::SeveralMatches => "SEVERAL_MATCHES",
            Self::ParentIsContact => "PARENT_IS_CONTACT",
            Self::Required => "REQUIRED",
            Self::NullKey => "NULL_KEY",
            Self::DuplicateKey => "DUPLICATE_KEY",
            Self::AmbiguousTarget => "AMBIGUOUS_TARGET",
            Self::AlreadyThere => "ALREADY_THERE",
            Self::NotThere => "NOT_THERE",
            Self::AvatarConflict => "AVATAR_CONFLICT",
            Self::AvatarDissociated => "AVATAR_DISSOCIATED",
            Self::RequiredEmpty => "REQUIRED_EMPTY",
            Self::TooLong => "TOO_LONG",
            Self::BadValue => "BAD_VALUE",
            Self::UnknownItem => "UNKNOWN_ITEM",
            Self::Refused => "REFUSED",
            Self::RefusedBefore => "REFUSED_BEFORE",
            Self::ReferenceFailed => "REFERENCE_FAILED",
            Self::TargetGone => "TARGET_GONE",
            Self::NotImported => "NOT_IMPORTED",
            Self::KeyChanged => "KEY_CHANGED",
        }
    }
}
