//! The outbox: notices that are due, delivered or given up.
//!
//! A notice is kept in the transaction that ends its run, or right after the last run of a chain; there is one for each run, address and
//! event, whoever keeps it. Whoever delivers one takes it first, so that two processes do not deliver it at once; a process that
//! dies meanwhile has it delivered again. In: notices, and what came of them. Out: those that are due.

use super::database::{OptionalExtension, Row, Transaction, params};
use super::error::Result;
use super::state::State;

/// A notice to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToTell {
    /// The run; of a chain the last one.
    pub run: String,
    /// Whom it goes to.
    pub address: String,
    /// The name of the job or the chain, and how it ended: told once of each run and address.
    pub event: String,
    /// What it says, as JSON.
    pub content: String,
    /// When it is due first, in milliseconds since 1970.
    pub due_ms: i64,
    /// When it was made: RFC 3339, UTC.
    pub at: String,
}

/// A notice in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// See [`ToTell::run`].
    pub run: String,
    /// See [`ToTell::address`].
    pub address: String,
    /// See [`ToTell::event`].
    pub event: String,
    /// See [`ToTell::content`].
    pub content: String,
    /// `due`, `delivered`, `given_up`.
    pub state: String,
    /// How many times it was tried.
    pub tries: u32,
    /// When it is tried next, in milliseconds since 1970.
    pub next_ms: i64,
    /// When its state was reached: RFC 3339, UTC.
    pub at: String,
    /// What the other side said last.
    pub message: Option<String>,
}

/// What came of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried<'a> {
    /// It arrived; in the other side's words.
    Delivered(&'a str),
    /// It did not, and is tried again when it is due next.
    Later(&'a str),
    /// It did not, and is not tried again.
    GivenUp(&'a str),
}

impl State {
    /// Keeps notices; those that are there stay as they are.
    ///
    /// # Errors
    /// If they cannot be kept.
    pub fn tell(&self, all: &[ToTell]) -> Result<()> {
        if all.is_empty() { Ok(()) } else { self.aside(|change| keep(change, all)) }
    }

    /// Notices that are due at a moment, in milliseconds since 1970; those of one run come first, then the oldest.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn due_notices(&self, now_ms: i64, at_most: u32) -> Result<Vec<Notice>> {
        if !self.has_table("notice")? {
            return Ok(Vec::new());
        }
        let query = self
            .database
            .prepare("SELECT * FROM notice WHERE state = 'due' AND next_ms <= ?1 ORDER BY tries, next_ms, id LIMIT ?2");
        query.query_map(params![now_ms, at_most], notice)
    }

    /// When the next notice is due, in milliseconds since 1970.
    ///
    /// # Errors
    /// If that cannot be read.
    pub fn next_notice_ms(&self) -> Result<Option<i64>> {
        if !self.has_table("notice")? {
            return Ok(None);
        }
        let next = "SELECT min(next_ms) FROM notice WHERE state = 'due'";
        self.database.query_row(next, (), |row| row.get(0))
    }

    /// The newest notices, newest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn notices(&self, at_most: u32) -> Result<Vec<Notice>> {
        if !self.has_table("notice")? {
            return Ok(Vec::new());
        }
        let query = self.database.prepare("SELECT * FROM notice ORDER BY id DESC LIMIT ?1");
        query.query_map([at_most], notice)
    }

    /// Takes a notice that is due, to try it: until `next_ms` nobody else does. Says whether it was still to be taken.
    ///
    /// # Errors
    /// If it cannot be taken.
    pub fn take_notice(&self, one: &Notice, next_ms: i64) -> Result<bool> {
        self.aside(|change| {
            let taken = change.execute(
                "UPDATE notice SET tries = tries + 1, next_ms = ?3 WHERE id = ?1 AND state = 'due' AND tries = ?2",
                params![one.id, one.tries, next_ms],
            )?;
            Ok(taken == 1)
        })
    }

    /// Keeps what came of a try.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn tried_notice(&self, id: i64, tried: Tried<'_>, at: &str) -> Result<()> {
        let (state, message) = match tried {
            Tried::Delivered(said) => ("delivered", said),
            Tried::Later(why) => ("due", why),
            Tried::GivenUp(why) => ("given_up", why),
        };
        self.aside(|change| {
            change.queue(
                "UPDATE notice SET state = ?2, message = ?3, at = ?4 WHERE id = ?1",
                params![id, state, message, at],
            )?;
            Ok(())
        })
    }

    /// When a run began: RFC 3339, UTC.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn began(&self, run: &str) -> Result<Option<String>> {
        let began = self.database.query_row("SELECT started FROM run WHERE id = ?1", [run], |row| row.get(0));
        began.optional()
    }
}

/// Keeps notices within a change that they belong to.
pub(super) fn keep(change: &Transaction<'_>, all: &[ToTell]) -> Result<()> {
    let keep = change.prepare(
        "INSERT INTO notice (run, address, event, content, state, tries, next_ms, at) VALUES (?1, ?2, ?3, ?4, 'due', 0, ?5, ?6)
         ON CONFLICT (run, address, event) DO NOTHING",
    );
    for one in all {
        keep.queue(params![one.run, one.address, one.event, one.content, one.due_ms, one.at])?;
    }
    Ok(())
}

fn notice(row: &Row<'_>) -> Result<Notice> {
    Ok(Notice {
        id: row.get("id")?,
        run: row.get("run")?,
        address: row.get("address")?,
        event: row.get("event")?,
        content: row.get("content")?,
        state: row.get("state")?,
        tries: row.get("tries")?,
        next_ms: row.get("next_ms")?,
        at: row.get("at")?,
        message: row.get("message")?,
    })
}
