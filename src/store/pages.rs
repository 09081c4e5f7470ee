//! Pages in the ledger: which of a run's datasets were read how far.

use super::database::{OptionalExtension, Transaction, params};
use super::dataset::Part;
use super::error::Result;
use super::ledger::Reading;
use super::state::State;

impl State {
    pub(super) fn kept_reading(&self, run: &str, dataset: &str) -> Result<Option<Reading>> {
        let found = self.database.query_row(
            "SELECT checkpoint, rows, is_done FROM reading WHERE run = ?1 AND dataset = ?2",
            [run, dataset],
            |row| Ok((row.get(0)?, row.get::<i64>(1)?, row.get(2)?)),
        );
        let Some((checkpoint, rows, is_done)) = found.optional()? else { return Ok(None) };
        let query = self
            .database
            .prepare("SELECT file, rows, digest FROM page WHERE run = ?1 AND dataset = ?2 ORDER BY number");
        let parts = query.query_map([run, dataset], |row| {
            Ok(Part { file: row.get(0)?, rows: row.get::<i64>(1)?.unsigned_abs(), digest: row.get(2)? })
        })?;
        Ok(Some(Reading { parts, checkpoint, rows: rows.unsigned_abs(), is_done }))
    }

    pub(super) fn keep_page(&self, run: &str, dataset: &str, part: Option<&Part>, checkpoint: &str) -> Result<()> {
        self.change("page", |change| {
            let rows = part.map_or(0, |part| part.rows);
            change.queue(
                "INSERT INTO reading (run, dataset, checkpoint, rows, is_done) VALUES (?1, ?2, ?3, ?4, 0)
                 ON CONFLICT (run, dataset) DO UPDATE SET checkpoint = excluded.checkpoint, rows = reading.rows + excluded.rows",
                params![run, dataset, checkpoint, whole(rows)],
            )?;
            if let Some(part) = part {
                change.queue(
                    "INSERT INTO page (run, dataset, number, file, rows, digest)
                     SELECT ?1, ?2, count(*) + 1, ?3, ?4, ?5 FROM page WHERE run = ?1 AND dataset = ?2",
                    params![run, dataset, part.file, whole(part.rows), part.digest],
                )?;
            }
            Ok(())
        })
    }

    pub(super) fn keep_note(&self, run: &str, name: &str, text: &str) -> Result<()> {
        self.change("note", |change| note(change, run, name, text))
    }

    pub(super) fn keep_read_whole(&self, run: &str, dataset: &str) -> Result<()> {
        self.change("read", |change| {
            change.queue(
                "INSERT INTO reading (run, dataset, checkpoint, rows, is_done) VALUES (?1, ?2, '', 0, 1)
                 ON CONFLICT (run, dataset) DO UPDATE SET is_done = 1",
                [run, dataset],
            )?;
            Ok(())
        })
    }

    pub(super) fn forget_reading(&self, run: &str, dataset: &str) -> Result<()> {
        self.change("reread", |change| {
            change.queue("DELETE FROM page WHERE run = ?1 AND dataset = ?2", [run, dataset])?;
            change.queue("DELETE FROM reading WHERE run = ?1 AND dataset = ?2", [run, dataset])?;
            Ok(())
        })
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Keeps a note of a run under a name, in place of an earlier one, within a change that it belongs to.
pub(super) fn note(change: &Transaction<'_>, run: &str, name: &str, text: &str) -> Result<()> {
    change.queue(
        "INSERT INTO reading (run, dataset, checkpoint, rows, is_done) VALUES (?1, ?2, ?3, 0, 0)
         ON CONFLICT (run, dataset) DO UPDATE SET checkpoint = excluded.checkpoint",
        [run, name, text],
    )
}
