//! Runs in the state: when each began, how it ended, how long its stages took. What `ferry activity` shows.

use rusqlite::{OptionalExtension, Row, params};

use super::error::Result;
use super::state::State;

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// `20261123-0001`.
    pub id: String,
    /// The job's name.
    pub job: String,
    /// The chain that it was part of.
    pub chain: Option<String>,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC; none while it runs, or if it was interrupted.
    pub ended: Option<String>,
    /// `running`, `success`, `partial`, `failed`.
    pub status: String,
    /// Its report as JSON, once it has ended.
    pub report: Option<String>,
    /// Why it failed.
    pub message: Option<String>,
}

/// A stage of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// `extract`, `plan`, `load`.
    pub name: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// How long it took.
    pub seconds: f64,
    /// Rows that it handled.
    pub rows: i64,
}

impl State {
    /// Begins a run on this day (`20261123`) and gives it its number.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn begin_run(&mut self, day: &str, job: &str, chain: Option<&str>, started: &str) -> Result<String> {
        let change = self.database.transaction()?;
        let last: Option<String> = change
            .query_row("SELECT max(id) FROM run WHERE id LIKE ?1 || '-%'", [day], |row| row.get(0))
            .optional()?
            .flatten();
        let number = last.and_then(|id| id.rsplit('-').next()?.parse::<u32>().ok()).unwrap_or(0) + 1;
        let id = format!("{day}-{number:04}");
        change.execute(
            "INSERT INTO run (id, job, chain, started, status) VALUES (?1, ?2, ?3, ?4, 'running')",
            params![id, job, chain, started],
        )?;
        change.commit()?;
        Ok(id)
    }

    /// Ends a run.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn end_run(&self, id: &str, ended: &str, status: &str, report: &str, message: Option<&str>) -> Result<()> {
        self.database.execute(
            "UPDATE run SET ended = ?2, status = ?3, report = ?4, message = ?5 WHERE id = ?1",
            params![id, ended, status, report, message],
        )?;
        Ok(())
    }

    /// Keeps a stage that has ended.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn add_stage(&self, run: &str, stage: &Stage) -> Result<()> {
        self.database.execute(
            "INSERT INTO stage (run, name, started, seconds, rows) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![run, stage.name, stage.started, stage.seconds, stage.rows],
        )?;
        Ok(())
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn runs(&self, at_most: u32) -> Result<Vec<Run>> {
        let mut query = self.database.prepare("SELECT * FROM run ORDER BY id DESC LIMIT ?1")?;
        let runs = query.query_map([at_most], run)?.collect::<std::result::Result<_, _>>()?;
        Ok(runs)
    }

    /// One run with its stages.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn run(&self, id: &str) -> Result<Option<(Run, Vec<Stage>)>> {
        let found = self.database.query_row("SELECT * FROM run WHERE id = ?1", [id], run).optional()?;
        let Some(found) = found else { return Ok(None) };
        let mut query = self.database.prepare("SELECT name, started, seconds, rows FROM stage WHERE run = ?1")?;
        let stages = query
            .query_map([id], |row| {
                Ok(Stage { name: row.get(0)?, started: row.get(1)?, seconds: row.get(2)?, rows: row.get(3)? })
            })?
            .collect::<std::result::Result<_, _>>()?;
        Ok(Some((found, stages)))
    }

    /// How the last ended run of a job ended; none if it never ran to an end.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn last_status(&self, job: &str) -> Result<Option<String>> {
        let found = self.database.query_row(
            "SELECT status FROM run WHERE job = ?1 AND ended IS NOT NULL ORDER BY id DESC LIMIT 1",
            [job],
            |row| row.get(0),
        );
        Ok(found.optional()?)
    }
}

fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.get("id")?,
        job: row.get("job")?,
        chain: row.get("chain")?,
        started: row.get("started")?,
        ended: row.get("ended")?,
        status: row.get("status")?,
        report: row.get("report")?,
        message: row.get("message")?,
    })
}
