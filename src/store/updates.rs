//! Update activities: what was changed in definitions, connections and identities, when, by whom, from what to what.
//!
//! Each carries a digest of itself and of the one before it, so that one that was altered or taken out behind Ferry's back shows. They
//! may be written by any process, whether a run holds the home or not.

use ring::digest::{Context, SHA256};

use super::database::{OptionalExtension, Row, Transaction, params};
use super::error::Result;
use super::state::State;

/// One change that somebody made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// Who: a name of the operating system's, or `schedule`.
    pub by: String,
    /// `job`, `chain`, `connection`, `settings`, `avatar`, `run`, `state`.
    pub kind: String,
    /// The name of what was changed.
    pub name: String,
    /// What was done, in a word or two: `created`, `changed`, `deleted`, `associated`, `approved`.
    pub action: String,
    /// What it was before.
    pub before: Option<String>,
    /// What it is now.
    pub after: Option<String>,
}

impl State {
    /// Keeps an update activity.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn record(&self, one: &Update) -> Result<()> {
        self.aside(|change| keep_update(change, one))
    }

    /// The update activities, newest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn updates(&self, at_most: u32) -> Result<Vec<Update>> {
        if !self.has_table("change")? {
            return Ok(Vec::new());
        }
        let query = self
            .database
            .prepare("SELECT at, by, kind, name, action, before, after FROM change ORDER BY id DESC LIMIT ?1");
        query.query_map([at_most], read)
    }

    /// The number of the first update activity that is not what was written, if there is one. The oldest that is kept is believed.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn altered_update(&self) -> Result<Option<i64>> {
        let known = "SELECT at, by, kind, name, action, before, after, digest, id FROM change ORDER BY id";
        let (mut before, mut altered): (Option<String>, Option<i64>) = (None, None);
        self.database.each(known, (), |row| {
            let digest: String = row.get(7)?;
            let update = read(row)?;
            if before.as_ref().is_some_and(|before| digest_of(&update, before) != digest) {
                altered = Some(row.get(8)?);
            }
            before = Some(digest);
            Ok(altered.is_none())
        })?;
        Ok(altered)
    }

    /// Whether a change could be made; none is.
    ///
    /// # Errors
    /// Why not.
    pub fn can_write(&self) -> Result<()> {
        self.aside(|change| change.queue("DELETE FROM upkeep WHERE name = ''", ()))
            .map_err(|error| error.at(&self.place))
    }

    /// One change of what any process may write, whoever holds the home: what people say, never what a run does.
    pub(super) fn aside<T>(&self, how: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let change = self.database.begin()?;
        wait_for_turn(&change)?;
        let made = how(&change)?;
        change.commit()?;
        Ok(made)
    }
}

/// In a server several may write aside at once; what one of them looks at before it writes is not to change in between. It is always the
/// last lock that is waited for, so nobody waits in a circle.
fn wait_for_turn(change: &Transaction<'_>) -> Result<()> {
    let turn = "SELECT version FROM state";
    if change.file().is_some() { Ok(()) } else { change.query_row(&change.locking(turn), (), |_| Ok(())) }
}

/// Keeps one within a change that it belongs to.
pub(super) fn keep_update(change: &Transaction<'_>, one: &Update) -> Result<()> {
    wait_for_turn(change)?;
    let last: Option<String> =
        change.query_row("SELECT digest FROM change ORDER BY id DESC LIMIT 1", (), |row| row.get(0)).optional()?;
    let digest = digest_of(one, &last.unwrap_or_default());
    change.queue(
        "INSERT INTO change (at, by, kind, name, action, before, after, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![one.at, one.by, one.kind, one.name, one.action, one.before, one.after, digest],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Update> {
    Ok(Update {
        at: row.get(0)?,
        by: row.get(1)?,
        kind: row.get(2)?,
        name: row.get(3)?,
        action: row.get(4)?,
        before: row.get(5)?,
        after: row.get(6)?,
    })
}

/// Over everything that it says, each part with its length, and over the digest before it.
fn digest_of(one: &Update, before: &str) -> String {
    let mut context = Context::new(&SHA256);
    let parts = [&one.at, &one.by, &one.kind, &one.name, &one.action].map(|part| Some(part.as_str()));
    for part in parts.into_iter().chain([one.before.as_deref(), one.after.as_deref(), Some(before)]) {
        let length = part.map_or(-1, |part| i64::try_from(part.len()).unwrap_or(i64::MAX));
        context.update(&length.to_be_bytes());
        context.update(part.unwrap_or_default().as_bytes());
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
