//! A world from a folder: three files of JSON lines with Dataverse's names, and of each object of Gainsight one below `gainsight/`, by API
//! names, where it is not to start empty.
//!
//! Business unit, currencies and teams are added to it; other tables are empty. In: the folder and the seed. Out: rows in Dynamics and
//! records in Gainsight, or the file and line that is wrong.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::super::dynamics::Dynamics;
use super::super::gainsight::Gainsight;
use super::super::options::Error;
use super::reference;

const FILES: [(&str, &str); 3] =
    [("systemusers.jsonl", "systemuser"), ("accounts.jsonl", "account"), ("contacts.jsonl", "contact")];

/// The folder with what Gainsight holds.
const RECORDS: &str = "gainsight";

pub(in crate::sandbox) fn read_folder(
    folder: &Path,
    seed: u64,
    dynamics: &Dynamics,
    gainsight: &Gainsight,
) -> Result<(), Error> {
    for (name, table) in FILES {
        read_lines(&folder.join(name), |row| dynamics.load(table, row))?;
    }
    for file in records_of(folder)? {
        let object = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        read_lines(&file, |record| gainsight.load(&object, record))?;
    }
    for (table, row) in reference::rows(seed, dynamics.business_unit(), &[]) {
        // A shipped row that does not fit is a mistake in the shipped schema.
        dynamics.load(table, &row).map_err(|reason| Error::Schema { line: 0, reason: format!("{table}: {reason}") })?;
    }
    Ok(())
}

/// The files of Gainsight's objects, in one order.
fn records_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let below = folder.join(RECORDS);
    if !below.exists() {
        return Ok(Vec::new());
    }
    let unreadable = |source| Error::World { file: below.clone(), source };
    let entries: Result<Vec<PathBuf>, _> =
        below.read_dir().map_err(unreadable)?.map(|entry| Ok(entry?.path())).collect();
    let mut files = entries.map_err(unreadable)?;
    files.sort();
    Ok(files)
}

/// Hands each line of a file over as an object.
fn read_lines(file: &Path, mut load: impl FnMut(&Map<String, Value>) -> Result<(), String>) -> Result<(), Error> {
    let unreadable = |source| Error::World { file: file.to_owned(), source };
    let lines = BufReader::new(File::open(file).map_err(unreadable)?).lines();
    for (number, line) in lines.enumerate() {
        let line = line.map_err(unreadable)?;
        let wrong = |reason| Error::Line { file: file.to_owned(), line: number + 1, reason };
        if line.trim().is_empty() {
            continue;
        }
        let row: Map<String, Value> = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        load(&row).map_err(wrong)?;
    }
    Ok(())
}
