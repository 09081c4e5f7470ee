//! The rows as Azure Synapse Link for Dataverse exports them, with every oddity that the reference tells of.
//!
//! It writes files into a folder, as the service does into a container; nobody serves them. Rows that changed come again, some of them
//! twice or in an old version; deleted ones come once more; a folder is never finished and one is under way. In: rows as they are now.
//! Out: `model.json`, folders or snapshots, metadata.

mod description;
mod line;

use std::collections::HashMap;
use std::fs::{File, create_dir_all};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
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
    folder: PathBuf,
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

/// The files of one table of a folder, by their names.
struct Files {
    folder: PathBuf,
    open: HashMap<&'static str, BufWriter<File>>,
}

impl Files {
    fn new(folder: &Path, table: &str) -> Self {
        Self { folder: folder.join(table), open: HashMap::new() }
    }

    fn put(&mut self, file: &'static str, line: &str) -> io::Result<()> {
        if !self.open.contains_key(file) {
            create_dir_all(&self.folder)?;
            let made = File::create(self.folder.join(format!("{file}.csv")))?;
            self.open.insert(file, BufWriter::new(made));
        }
        if let Some(open) = self.open.get_mut(file) {
            open.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    fn close(self) -> io::Result<()> {
        self.open.into_values().try_for_each(|mut file| file.flush())
    }
}

impl Export {
    /// Nothing is written yet. The same seed has the same rows come twice.
    #[must_use]
    pub fn new(folder: &Path, seed: u64) -> Self {
        Self { folder: folder.to_owned(), seed, since: None }
    }
}

impl Dynamics {
    /// Writes the folder of an interval, which ends where `next` begins: what changed since the last one. The first time that is
    /// everything, and most of it lies in a folder of an hour before.
    pub(in crate::sandbox) fn export_folder(&self, export: &mut Export, interval: &str, next: &str) -> io::Result<()> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let first = export.since.is_none().then(|| earlier(interval, 60));
        for name in TABLES {
            let Some(table) = self.schema.tables.iter().position(|known| known.logical == name) else { continue };
            match &first {
                Some(before) => self.export_all(&store, table, export, before, interval)?,
                None => self.export_changes(&store, table, export, interval)?,
            }
        }
        for folder in first.iter().map(String::as_str).chain([interval]) {
            self.describe_folder(&export.folder.join(folder), &TABLES)?;
        }
        self.describe_export(&export.folder, &TABLES)?;
        export.since = Some(store.last_version());
        // The folder under way: what it has is not whole.
        create_dir_all(export.folder.join(next).join("contact"))?;
        std::fs::write(export.folder.join(next).join("model.json"), "")?;
        std::fs::write(export.folder.join(next).join("contact/2024.csv"), "00000000-0000-4000-8000-0000000000")?;
        create_dir_all(export.folder.join("Changelog"))?;
        std::fs::write(export.folder.join("Changelog/changelog.info"), format!("{next}\n"))
    }

    fn export_all(&self, store: &Store, table: usize, export: &Export, before: &str, interval: &str) -> io::Result<()> {
        let schema = &self.schema.tables[table];
        let lost = earlier(interval, 30);
        let mut old = Files::new(&export.folder.join(before), &schema.logical);
        let mut unfinished = Files::new(&export.folder.join(lost), &schema.logical);
        let mut new = Files::new(&export.folder.join(interval), &schema.logical);
        let mut chance = Chance::of_text(export.seed, &schema.logical);
        let mut ghosts: Vec<(String, i64)> = Vec::new();
        for (id, row) in &store.tables[table].rows {
            let id = id.text();
            let file = if chance.percent(50) { "2024" } else { "2024_001" };
            let is_narrow = chance.percent(50);
            let line = |age: Age| written(schema, row, &id, row.version, age, is_narrow);
            match chance.below(100) {
                0..90 => old.put(file, &line(Age::Newest))?,
                90..95 => {
                    old.put(file, &line(Age::Stale))?;
                    unfinished.put(file, &line(Age::Newest))?;
                    new.put(file, &line(Age::Newest))?;
                }
                _ => {
                    old.put(file, &line(Age::Newest))?;
                    old.put(file, &line(Age::Stale))?;
                }
            }
            if ghosts.len() < GHOSTS {
                let ghost = chance.guid();
                old.put(file, &written(schema, row, &ghost, row.version, Age::Newest, is_narrow))?;
                ghosts.push((ghost, row.version));
            }
        }
        for (ghost, version) in ghosts {
            new.put("1", &deleted(schema, &ghost, version + 1))?;
        }
        [old, unfinished, new].into_iter().try_for_each(Files::close)
    }

    fn export_changes(&self, store: &Store, table: usize, export: &Export, interval: &str) -> io::Result<()> {
        let schema = &self.schema.tables[table];
        let since = export.since.unwrap_or_default() + 1;
        let mut new = Files::new(&export.folder.join(interval), &schema.logical);
        for (id, row) in store.tables[table].since(since) {
            new.put("2024", &written(schema, row, &id.text(), row.version, Age::Newest, false))?;
        }
        for (version, id) in store.tables[table].deleted_since(since) {
            new.put("1", &deleted(schema, &id.text(), version))?;
        }
        // What was left behind comes again: rows that were deleted since stay so, and others are newer by now.
        let again = |id: &Guid, row: &Row| written(schema, row, &id.text(), row.version, Age::Stale, false);
        for (id, row) in store.tables[table].rows.iter().take(GHOSTS) {
            new.put("2023", &again(id, row))?;
        }
        let mut chance = Chance::of_text(export.seed, &schema.logical);
        if let Some((_, row)) = store.tables[table].rows.iter().next() {
            for _ in 0..GHOSTS {
                (0..3).for_each(|_| _ = chance.below(100));
                let ghost = chance.guid();
                new.put("2023", &written(schema, row, &ghost, 1, Age::Stale, false))?;
            }
        }
        new.close()
    }

    /// Writes the snapshots of a moment (seconds since 1970), beside files that are rewritten in place.
    pub(in crate::sandbox) fn export_snapshots(&self, folder: &Path, at: i64) -> io::Result<()> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        for name in TABLES {
            let Some(table) = self.schema.tables.iter().position(|known| known.logical == name) else { continue };
            let schema = &self.schema.tables[table];
            let mut files = [0, 1].map(|_| String::new());
            for (number, (id, row)) in store.tables[table].rows.iter().enumerate() {
                let line = written(schema, row, &id.text(), row.version, Age::Newest, number % 7 == 0);
                files[number % 2].push_str(&line);
            }
            create_dir_all(folder.join(name).join("Snapshot"))?;
            for (partition, text) in ["2024", "2024_001"].into_iter().zip(&files) {
                // The file under way ends in the middle of a row.
                std::fs::write(folder.join(name).join(format!("{partition}.csv")), text.get(..40).unwrap_or(text))?;
                let place = format!("{name}/Snapshot/{partition}_{at}.csv");
                std::fs::write(folder.join(&place), text)?;
                taken.push((name, partition.to_owned(), place));
            }
        }
        self.describe_snapshots(folder, &TABLES, &taken)
    }
}

fn earlier(interval: &str, minutes: i64) -> String {
    let moment = NaiveDateTime::parse_from_str(interval, FORM).unwrap_or_default();
    (moment - TimeDelta::minutes(minutes)).format(FORM).to_string()
}
