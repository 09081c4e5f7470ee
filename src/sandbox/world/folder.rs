//! A world from a folder: three files of JSON lines with Dataverse's names.
//!
//! Gainsight starts empty with such a world. Business unit, currencies and teams are added to it; other tables are empty.
//! In: the folder and the seed. Out: rows in Dynamics, or the file and line that is wrong.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use super::super::dynamics::Dynamics;
use super::super::options::Error;
use super::reference;

const FILES: [(&str, &str); 3] =
    [("systemusers.jsonl", "systemuser"), ("accounts.jsonl", "account"), ("contacts.jsonl", "contact")];

pub(in crate::sandbox) fn read_folder(folder: &Path, seed: u64, dynamics: &Dynamics) -> Result<(), Error> {
    for (name, table) in FILES {
        let file = folder.join(name);
        let unreadable = |source| Error::World { file: file.clone(), source };
        let lines = BufReader::new(File::open(&file).map_err(unreadable)?).lines();
        for (number, line) in lines.enumerate() {
            let line = line.map_err(unreadable)?;
            let wrong = |reason| Error::Line { file: file.clone(), line: number + 1, reason };
            if line.trim().is_empty() {
                continue;
            }
            let row: Map<String, Value> = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
            dynamics.load(table, &row).map_err(wrong)?;
        }
    }
    for (table, row) in reference::rows(seed, dynamics.business_unit(), &[]) {
        // A shipped row that does not fit is a mistake in the shipped schema.
        dynamics.load(table, &row).map_err(|reason| Error::Schema { line: 0, reason: format!("{table}: {reason}") })?;
    }
    Ok(())
}
