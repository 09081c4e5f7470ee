//! The definitions of each project as they were last seen, so that a change of them is an update activity.
//!
//! In: the statements of a project in their canonical layout. Out: what was created, changed and deleted since, which is kept with
//! them in one change. Several projects, or environments of one, may share a home: each has definitions of its own.

use std::collections::BTreeMap;

use ring::digest::{Context, SHA256};

use super::database::{OptionalExtension, Transaction, params};
use super::error::Result;
use super::line_diff::differing;
use super::state::State;
use super::updates::{Update, keep_update};

/// Bytes of a text that an update activity has at the most.
const TEXT_BYTES_AT_MOST: usize = 4 << 10;

/// One statement: kind, name, text.
pub type Statement = (String, String, String);

/// Who looked at a project, and when.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// What the project is known by.
    pub project: &'a str,
    /// A digest of its files, by [`digest_of`].
    pub digest: &'a str,
    /// RFC 3339, UTC.
    pub at: &'a str,
    /// A name of the operating system's.
    pub by: &'a str,
}

/// A digest of files, each a name and a text.
pub fn digest_of<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut context = Context::new(&SHA256);
    for part in files.flat_map(|(name, text)| [name, text]) {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl State {
    /// Whether the files of a project are those that were seen last.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn has_seen(&self, seen: &Seen<'_>) -> Result<bool> {
        let known = "SELECT text FROM definition WHERE project = ?1 AND kind = '' AND name = ''";
        let found: Option<String> = self.database.query_row(known, [seen.project], |row| row.get(0)).optional()?;
        Ok(found.as_deref() == Some(seen.digest))
    }

    /// Keeps the definitions of a project, and gives what has changed since they were seen last.
    ///
    /// # Errors
    /// If they cannot be kept.
    pub fn note_definitions(&self, seen: &Seen<'_>, found: &[Statement]) -> Result<Vec<Update>> {
        self.aside(|change| {
            let mut before = kept(change, seen.project)?;
            let mut updates = Vec::new();
            for (kind, name, text) in found {
                let update = match before.remove(&(kind.clone(), name.clone())) {
                    Some(old) if old == *text => continue,
                    Some(old) => changed(&old, text),
                    None => ("created", None, Some(bounded(text))),
                };
                updates.push(update_of(seen, kind, name, update));
                change.queue(
                    "INSERT INTO definition (project, kind, name, text) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (project, kind, name) DO UPDATE SET text = excluded.text",
                    params![seen.project, kind, name, text],
                )?;
            }
            for ((kind, name), old) in before {
                updates.push(update_of(seen, &kind, &name, ("deleted", Some(bounded(&old)), None)));
                change.queue(
                    "DELETE FROM definition WHERE project = ?1 AND kind = ?2 AND name = ?3",
                    params![seen.project, kind, name],
                )?;
            }
            for update in &updates {
                keep_update(change, update)?;
            }
            change.queue(
                "INSERT INTO definition (project, kind, name, text) VALUES (?1, '', '', ?2)
                 ON CONFLICT (project, kind, name) DO UPDATE SET text = excluded.text",
                params![seen.project, seen.digest],
            )?;
            Ok(updates)
        })
    }
}

fn kept(change: &Transaction<'_>, project: &str) -> Result<BTreeMap<(String, String), String>> {
    let query = change.prepare("SELECT kind, name, text FROM definition WHERE project = ?1 AND kind <> ''");
    query.query_map([project], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))
}

fn changed(old: &str, new: &str) -> (&'static str, Option<String>, Option<String>) {
    let (gone, come) = differing(old, new);
    ("changed", Some(bounded(&gone.join("\n"))), Some(bounded(&come.join("\n"))))
}

fn update_of(
    seen: &Seen<'_>,
    kind: &str,
    name: &str,
    (action, before, after): (&str, Option<String>, Option<String>),
) -> Update {
    Update {
        at: seen.at.to_owned(),
        by: seen.by.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        action: action.to_owned(),
        before,
        after,
    }
}

/// The beginning of a text.
fn bounded(text: &str) -> String {
    if text.len() <= TEXT_BYTES_AT_MOST {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(TEXT_BYTES_AT_MOST - '…'.len_utf8());
    format!("{}…", &text[..end])
}
