//! The rows as Azure Synapse Link for Dataverse exports them, with every oddity that the reference tells of.
//!
//! It writes files into a folder, as the service does into a container; nobody serves them. Rows that changed come again, some of them
//! twice or in an old version; deleted ones come once more; a folder is never finished and one is under way. In: rows as they are now.
//! Out: `model.json`, folders or snapshots, metadata.

mod description;
mod line;

use std::io;
use std::sync::PoisonError;

use chrono::{NaiveDateTime, TimeDelta};

use super::super::randomness::Chance;
use super::guid::Guid;
use super::row::Row;
use super::service::Dynamics;
use super::store::Store;
use line::{deleted, written};

/// The tables that are exported.
const TABLES: [&str; 3] = ["systemuser", "account", "contact"];
/// Made-up rows of each table that are deleted in the second folder.
const GHOSTS: usize = 5;
const FORM: &str = "%Y-%m-%dT%H.%M.%SZ";

/// An export that is being written.
#[derive(Debug)]
pub struct Export {
    seed: u64,
    /// The version behind what is exported.
    since: Option<i64>,
}

/// Which version of a row is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Newest,
    /// As it was before: with another name.
    Stale,
}

/// Takes the bytes of files: a name below the export's folder, and what follows in it.
pub type Sink<'a> = dyn FnMut(&str, &[u8]) -> io::Result<()> + 'a;

impl Export {
    /// Nothing is written yet. The same seed has the same rows come twice.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, since: None }
    }
}

impl Dynamics {
    /// Writes the folder of an interval, which ends where `next` begins: what changed since the last one. The first time that is
    /// everything, and most of it lies in a folder of an hour before.
    pub(in crate::sandbox) fn export_folder(
        &self,
        export: &mut Export,
        interval: &str,
        next: &str,
        sink: &mut Sink<'_>,
    ) -> io::Result<()> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let first = export.since.is_none().then(|| earlier(interval, 60));
        for name in TABLES {
            let Some(table) = self.schema.tables.iter().position(|known| known.logical == name) else { continue };
            match &first {
                Some(before) => self.export_all(&store, table, export, (before, interval), sink)?,
                None => self.export_changes(&store, table, export, interval, sink)?,
            }
        }
        for folder in first.iter().map(String::as_str).chain([interval]) {
            self.describe_folder(folder, &TABLES, sink)?;
        }
        self.describe_export(&TABLES, sink)?;
        export.since = Some(store.last_version());
        // The folder under way: what it has is not whole.
        sink(&format!("{next}/model.json"), b"")?;
        sink(&format!("{next}/contact/2024.csv"), b"00000000-0000-4000-8000-0000000000")?;
        sink("Changelog/changelog.info", format!("{next}\n").as_bytes())
    }

    fn export_all(
        &self,
        store: &Store,
        table: usize,
        export: &Export,
        (before, interval): (&str, &str),
        sink: &mut Sink<'_>,
    ) -> io::Result<()> {
        let schema = &self.schema.tables[table];
        let lost = earlier(interval, 30);
        let mut put = |folder: &str, file: &str, line: &str| {
            sink(&format!("{folder}/{}/{file}.csv", schema.logical), line.as_bytes())
        };
        let mut chance = Chance::of_text(export.seed, &schema.logical);
        let mut ghosts: Vec<(String, i64)> = Vec::new();
        for (id, row) in &store.tables[table].rows {
            let id = id.text();
            let file = if chance.percent(50) { "2024" } else { "2024_001" };
            let is_narrow = chance.percent(50);
            let line = |age: Age| written(schema, row, &id, row.version, age, is_narrow);
            match chance.below(100) {
                0..90 => put(before, file, &line(Age::Newest))?,
                90..95 => {
                    put(before, file, &line(Age::Stale))?;
                    put(&lost, file, &line(Age::Newest))?;
                    put(interval, file, &line(Age::Newest))?;
                }
                _ => {
                    put(before, file, &line(Age::Newest))?;
                    put(before, file, &line(Age::Stale))?;
                }
            }
            if ghosts.len() < GHOSTS {
                let ghost = chance.guid();
                put(before, file, &written(schema, row, &ghost, row.version, Age::Newest, is_narrow))?;
                ghosts.push((ghost, row.version));
            }
        }
        ghosts.into_iter().try_for_each(|(ghost, version)| put(interval, "1", &deleted(schema, &ghost, version + 1)))
    }

    fn export_changes(
        &self,
        store: &Store,
        table: usize,
        export: &Export,
        interval: &str,
        sink: &mut Sink<'_>,
    ) -> io::Result<()> {
        let schema = &self.schema.tables[table];
        let since = export.since.unwrap_or_default() + 1;
        let mut put =
            |file: &str, line: &str| sink(&format!("{interval}/{}/{file}.csv", schema.logical), line.as_bytes());
        for (id, row) in store.tables[table].since(since) {
            put("2024", &written(schema, row, &id.text(), row.version, Age::Newest, false))?;
        }
        for (version, id) in store.tables[table].deleted_since(since) {
            put("1", &deleted(schema, &id.text(), version))?;
        }
        // What was left behind comes again: rows that were deleted since stay so, and others are newer by now.
        let again = |id: &Guid, row: &Row| written(schema, row, &id.text(), row.version, Age::Stale, false);
        for (id, row) in store.tables[table].rows.iter().take(GHOSTS) {
            put("2023", &again(id, row))?;
        }
        let mut chance = Chance::of_text(export.seed, &schema.logical);
        if let Some((_, row)) = store.tables[table].rows.iter().next() {
            for _ in 0..GHOSTS {
                (0..3).for_each(|_| _ = chance.below(100));
                let ghost = chance.guid();
                put("2023", &written(schema, row, &ghost, 1, Age::Stale, false))?;
            }
        }
        Ok(())
    }

    /// Writes the snapshots of a moment (seconds since 1970), beside files that are rewritten in place.
    pub(in crate::sandbox) fn export_snapshots(&self, at: i64, sink: &mut Sink<'_>) -> io::Result<()> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        for name in TABLES {
            let Some(table) = self.schema.tables.iter().position(|known| known.logical == name) else { continue };
            let schema = &self.schema.tables[table];
            for (place, partition) in ["2024", "2024_001"].into_iter().enumerate() {
                let snapshot = format!("{name}/Snapshot/{partition}_{at}.csv");
                let rows = store.tables[table].rows.iter().enumerate().filter(|(number, _)| number % 2 == place);
                for (number, (id, row)) in rows {
                    let line = written(schema, row, &id.text(), row.version, Age::Newest, number % 7 == 0);
                    sink(&snapshot, line.as_bytes())?;
                    if number < 2 {
                        // The file under way ends in the middle of a row.
                        sink(&format!("{name}/{partition}.csv"), &line.as_bytes()[..40])?;
                    }
                }
                taken.push((name, partition.to_owned(), snapshot));
            }
        }
        self.describe_snapshots(&TABLES, &taken, sink)
    }
}

fn earlier(interval: &str, minutes: i64) -> String {
    let moment = NaiveDateTime::parse_from_str(interval, FORM).unwrap_or_default();
    (moment - TimeDelta::minutes(minutes)).format(FORM).to_string()
}
