//! Where the reading of a table stands, so that another process can go on from there.
//!
//! Plain data: it is made after a page was handed out, kept by the caller as JSON, and given back to
//! [`Dynamics::read_whole`](super::client::Dynamics::read_whole). It says which requests are still to be sent, never what
//! came of those before: a page that was read and not handed out is asked for again. Links are kept without their host and
//! may carry values that the job filters by, so whoever keeps a checkpoint keeps it from strangers.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use url::Url;

use super::odata::{Query, Reach};
use super::range::Part;

/// Where a reading stands. What is inside is this module's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What was asked: a digest of the first request and of its page size. A link belongs to both.
    query: String,
    /// Rows handed out so far: numbers go on from there.
    pub(super) rows: i64,
    /// Pages of a chain handed out so far, those without rows among them.
    #[serde(default)]
    pub(super) pages: u64,
    pub(super) at: At,
    /// Behind the last page of a table that tracks changes: the link to what changes from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<String>,
}

/// The place in a reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum At {
    /// Nothing was handed out yet, and nobody has decided in which way to read.
    Beginning,
    /// In a chain, before the page that a link leads to.
    Linked(String),
    /// Behind the last page of a chain.
    End,
    /// In ranges.
    Ranges {
        /// The second of the newest row of the table when the reading began.
        newest: i64,
        /// What is still to be asked for, in the order of its rows. A few hundred at the most, as ranges are cut while they
        /// are read and not before.
        left: Vec<Left>,
    },
}

/// A part of a table that is still to be read, from its beginning or from a link on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Left {
    pub(super) place: Vec<u16>,
    pub(super) part: Part,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
}

impl Checkpoint {
    pub(super) fn new(query: &Query, page_size: u32, rows: i64, at: At) -> Self {
        Self { query: asked(query, page_size), rows, pages: 0, at, changes: None }
    }

    /// The link to what changes from then on, where the reading came to its end and the service gave one: what
    /// [`Reach::Changed`](super::odata::Reach::Changed) takes.
    #[must_use]
    pub fn changes(&self) -> Option<&str> {
        self.changes.as_deref()
    }

    /// Pages of a chain that came so far, those without rows among them.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Whether it stands in the reading of this query, in pages of this size.
    pub(super) fn is_of(&self, query: &Query, page_size: u32) -> bool {
        self.query == asked(query, page_size)
    }
}

/// A link as it is kept: without its host, which is the connection's.
pub(super) fn kept(link: &Url) -> String {
    let query = link.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{}{query}", link.path())
}

fn asked(query: &Query, page_size: u32) -> String {
    let link = if let Reach::Changed(link) = &query.reach { link.as_str() } else { "" };
    let text = format!("{}\n{}{link}", query.path(), query.prefer(page_size));
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
