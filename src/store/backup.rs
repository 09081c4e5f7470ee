//! Copies of the state, and whether a state or a copy of it is whole.
//!
//! A copy is made by SQLite itself while others read and write, and is of one moment. It has no secret: those are in the home's
//! encrypted file, or elsewhere. In: an open state. Out: a file that is its owner's alone.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::durable::sync_folder;
use super::error::{Error, Result, disk};
use super::home::create_owned;
use super::state::State;
use super::tables::VERSION;

/// Complaints about a damaged file that are kept.
const COMPLAINTS_AT_MOST: usize = 5;

/// A copy that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Bytes that it has.
    pub bytes: u64,
    /// The version of its tables.
    pub version: i64,
}

impl State {
    /// Copies the state into a file that is not there yet, and looks whether the copy is whole.
    ///
    /// # Errors
    /// If something is there already, if it cannot be written, or if the state is damaged.
    pub fn back_up(&self, to: &Path) -> Result<Copied> {
        self.file()?;
        // It is its owner's alone from the first moment on: SQLite takes an empty file as one that is not there.
        drop(create_owned(to).map_err(disk("cannot create", to))?);
        let copied = self.copied(to);
        if copied.is_err() {
            // Half a copy would be taken for a whole one.
            let _removed = std::fs::remove_file(to);
        }
        copied
    }

    fn copied(&self, to: &Path) -> Result<Copied> {
        self.file()?.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
        let file = std::fs::File::open(to).map_err(disk("cannot read", to))?;
        file.sync_all().map_err(disk("cannot write", to))?;
        to.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(Ok(()), sync_folder)?;
        let bytes = file.metadata().map_err(disk("cannot read", to))?.len();
        Ok(Copied { bytes, version: version_of_copy(to)? })
    }

    /// What SQLite has to say against the state; nothing, if it is whole. A server looks after its own.
    ///
    /// # Errors
    /// If it cannot be read at all.
    pub fn complaints(&self) -> Result<Vec<String>> {
        self.database.file().map_or(Ok(Vec::new()), complaints)
    }

    fn file(&self) -> Result<&Connection> {
        self.database.file().ok_or_else(|| Error::OfServer { place: self.place.to_string() })
    }
}

/// The version of a copy that is whole and can be used.
///
/// # Errors
/// If it is none, is damaged, or of a newer Ferry.
pub fn version_of_copy(path: &Path) -> Result<i64> {
    let unusable = |why: String| Error::NoBackup { path: path.to_owned(), why };
    if !path.is_file() {
        return Err(unusable("it is not there".to_owned()));
    }
    let looked = || -> Result<(i64, Vec<String>)> {
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let found = complaints(&database)?;
        Ok((database.pragma_query_value(None, "user_version", |row| row.get(0))?, found))
    };
    let (version, found) = looked().map_err(|error| unusable(error.to_string()))?;
    match found.first() {
        Some(first) => Err(unusable(format!("it is damaged: {first}"))),
        None if version <= 0 => Err(unusable("it is no state of ferry's".to_owned())),
        None if version > VERSION => Err(Error::NewerState { found: version, known: VERSION }),
        None => Ok(version),
    }
}

fn complaints(database: &Connection) -> Result<Vec<String>> {
    let mut query = database.prepare("PRAGMA quick_check(5)")?;
    let said: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<std::result::Result<_, _>>()?;
    let mut said: Vec<String> = said.into_iter().filter(|line| line != "ok").collect();
    let mut query = database.prepare("PRAGMA foreign_key_check")?;
    let mut orphans = query.query([])?;
    while let Some(row) = orphans.next()? {
        if said.len() >= COMPLAINTS_AT_MOST {
            break;
        }
        said.push(format!("a row of {} points at nothing", row.get::<_, String>(0)?));
    }
    Ok(said)
}
