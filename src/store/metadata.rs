//! What both services said of their schemas when they were last asked: a file of the home for each connection, with its age.
//!
//! It saves calls while a script is being written; it is never the last word (see `app/catalog.rs`). Not the snapshot in
//! `schemas`, which belongs to the project and has no age. In and out: names and objects of one connection.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result, disk};
use super::home::owner_only;
use super::schemas::file_name;
use crate::model::catalog::{Object, ObjectName};

/// What is kept of one connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// Where it led.
    pub url: String,
    /// The oldest part of it, in seconds since 1970.
    pub asked_at: i64,
    /// Every object, by its two names; empty if nobody asked.
    pub names: Vec<ObjectName>,
    /// The objects that were in use, with their fields.
    pub objects: BTreeMap<String, Object>,
}

/// What is kept of a connection; nothing if that is of no use.
#[must_use]
pub fn read(home: &Path, connection: &str) -> Option<Kept> {
    serde_json::from_slice(&std::fs::read(path(home, connection)).ok()?).ok()
}

/// Keeps what a connection's services said, in a home that is there. A reader finds the old file or the new one, never half.
///
/// # Errors
/// If the disk says no.
pub fn write(home: &Path, connection: &str, kept: &Kept) -> Result<()> {
    if !home.is_dir() {
        return Ok(());
    }
    let path = path(home, connection);
    let folder = home.join(FOLDER);
    if !folder.exists() {
        std::fs::create_dir(&folder).map_err(disk("cannot create", &folder))?;
        owner_only(&folder)?;
    }
    let text = serde_json::to_vec(kept)
        .map_err(|e| Error::Dataset { what: path.display().to_string(), detail: e.to_string() })?;
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&temporary, text).map_err(disk("cannot write", &temporary))?;
    std::fs::rename(&temporary, &path).map_err(disk("cannot write", &path))
}

const FOLDER: &str = "metadata";

fn path(home: &Path, connection: &str) -> PathBuf {
    home.join(FOLDER).join(format!("{}.json", file_name(connection)))
}
