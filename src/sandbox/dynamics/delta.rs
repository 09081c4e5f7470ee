//! The two tokens of change tracking: the one of a delta link, and the one by which its pages go on.
//!
//! What a token leads to is decided in `tracking`. In: versions, keys and times. Out: their text, and back.

use chrono::{DateTime, NaiveDateTime};

use super::cookie::{self, Mark};
use super::guid::Guid;
use super::row::Row;

const TIME: &str = "%m/%d/%Y %H:%M:%S";

/// What a delta link says: up to which version its reader has seen everything, and when it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) struct Token {
    pub(in crate::sandbox) version: i64,
    pub(in crate::sandbox) given_ms: i64,
}

impl Token {
    /// Percent-encoded as the service does it, in small letters.
    pub(in crate::sandbox) fn write(self) -> String {
        let given = DateTime::from_timestamp_millis(self.given_ms).unwrap_or_default();
        let time = given.format(TIME).to_string();
        format!("{}%21{}", self.version, time.replace('/', "%2f").replace(' ', "%20").replace(':', "%3a"))
    }

    /// Reads a token that the query string's encoding was taken off.
    pub(in crate::sandbox) fn read(text: &str) -> Option<Self> {
        let (version, time) = text.split_once('!')?;
        let given = NaiveDateTime::parse_from_str(time, TIME).ok()?.and_utc();
        Some(Token { version: version.parse().ok()?, given_ms: given.timestamp_millis() })
    }
}

/// What a page before has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Phase {
    /// Rows by key, in a first read.
    Keys,
    /// Changed rows by version.
    Rows,
    /// Deleted rows by version.
    Deletions,
}

impl Phase {
    /// The name that the position has in the cookie.
    fn name(self) -> &'static str {
        match self {
            Phase::Keys => "fullversion",
            Phase::Rows => "versionnumber",
            Phase::Deletions => "deletedversion",
        }
    }
}

/// Where a page goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) struct Turn {
    pub(in crate::sandbox) page: usize,
    pub(in crate::sandbox) phase: Phase,
    /// The version of the last entry of the page before.
    pub(in crate::sandbox) position: i64,
    /// Its key.
    pub(in crate::sandbox) key: Guid,
    /// The version that the delta link will name as things stand.
    pub(in crate::sandbox) as_of: i64,
    /// Whether the entry that ended the page before is given again, which only a fault does.
    pub(in crate::sandbox) again: bool,
}

/// Where a page goes on behind these entries, if there are any.
pub(in crate::sandbox) fn next(
    before: Option<&Turn>,
    is_delta: bool,
    rows: &[(Guid, &Row)],
    gone: &[(i64, Guid)],
    as_of: i64,
) -> Option<Turn> {
    let page = before.map_or(1, |turn| turn.page);
    let (phase, position, key) = match (gone.last(), rows.last()) {
        (Some((version, id)), _) => (Phase::Deletions, *version, *id),
        (None, Some((id, row))) => (if is_delta { Phase::Rows } else { Phase::Keys }, row.version, *id),
        (None, None) => return None,
    };
    Some(Turn { page, phase, position, key, as_of, again: false })
}

impl Turn {
    /// The token, percent-encoded for a link.
    pub(in crate::sandbox) fn write(&self, key: &str) -> String {
        let mark =
            |name: &str, value: String| Mark { name: name.to_owned(), first: Some(value.clone()), last: Some(value) };
        let marks = [
            mark(self.phase.name(), self.position.to_string()),
            mark("asofversion", self.as_of.to_string()),
            mark(key, format!("{{{}}}", self.key.text().to_uppercase())),
        ];
        cookie::write_tracking(self.page, &marks)
    }

    /// Reads a token that the query string's encoding was taken off.
    pub(in crate::sandbox) fn read(token: &str) -> Option<Self> {
        let resume = cookie::read_tracking(token)?;
        let [(phase, Some(position)), (_, Some(as_of)), (_, Some(key))] = resume.last.as_slice() else { return None };
        let phase = [Phase::Keys, Phase::Rows, Phase::Deletions].into_iter().find(|known| known.name() == phase)?;
        let (position, as_of) = (position.parse().ok()?, as_of.parse().ok()?);
        let key = Guid::parse(key.trim_matches(['{', '}']))?;
        Some(Turn { page: resume.page, phase, position, key, as_of, again: false })
    }
}
