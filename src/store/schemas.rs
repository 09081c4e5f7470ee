//! The snapshot of both services' schemas that lies in a project, so that scripts can be checked and tested without a
//! network: `schemas/<connection>.json`, one file a connection, in an order that does not change by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{Error, Result, disk};
use crate::model::catalog::{Catalog, Object, ObjectName};

/// The folder below the project.
pub const FOLDER: &str = "schemas";

/// What one file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Snapshot {
    /// Every object of the connection, by its two names.
    names: Vec<ObjectName>,
    /// The objects that the project uses, with their fields.
    objects: BTreeMap<String, Object>,
}

/// Writes the snapshot anew; gives the files that were written.
///
/// # Errors
/// If the disk says no.
pub fn write(project: &Path, catalog: &Catalog) -> Result<Vec<PathBuf>> {
    let folder = project.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(disk("cannot create", &folder))?;
    let mut written = Vec::new();
    for (connection, objects) in &catalog.connections {
        let names = catalog.names.get(connection).cloned().unwrap_or_default();
        let snapshot = Snapshot { names, objects: objects.clone() };
        let path = folder.join(format!("{}.json", file_name(connection)));
        let mut text = serde_json::to_string_pretty(&snapshot)
            .map_err(|e| Error::Dataset { what: path.display().to_string(), detail: e.to_string() })?;
        text.push('\n');
        std::fs::write(&path, text).map_err(disk("cannot write", &path))?;
        written.push(path);
    }
    Ok(written)
}

/// Reads the snapshot of these connections; none if the project has none of one of them.
///
/// # Errors
/// If a file is there and cannot be read.
pub fn read<'a>(project: &Path, connections: impl Iterator<Item = &'a String>) -> Result<Option<Catalog>> {
    let mut catalog = Catalog::default();
    for connection in connections {
        let path = project.join(FOLDER).join(format!("{}.json", file_name(connection)));
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(&path).map_err(disk("cannot read", &path))?;
        let snapshot: Snapshot = serde_json::from_slice(&bytes).map_err(|e| Error::Dataset {
            what: path.display().to_string(),
            detail: format!("it is not a snapshot of schemas ({e}); write it anew with `ferry refresh`"),
        })?;
        catalog.names.insert(connection.clone(), snapshot.names);
        catalog.connections.insert(connection.clone(), snapshot.objects);
    }
    Ok(Some(catalog))
}

/// A connection's name as the name of a file: whatever a path could be made of is left out.
pub(super) fn file_name(connection: &str) -> String {
    connection.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}
