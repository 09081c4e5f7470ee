//! Where the next run of each job begins to read, in the state. The rows themselves lie in a run's folder.

use super::database::{OptionalExtension, Transaction, params};
use super::error::Result;
use super::ledger::Base;
use super::state::{State, Tenancy};

impl State {
    pub(super) fn kept_base(&self, of: &Tenancy, job: &str) -> Result<Option<Base>> {
        if !self.has_table("base")? {
            return Ok(None);
        }
        let found = self.database.query_row(
            "SELECT run, digest, full_at_ms, cursors FROM base WHERE organization = ?1 AND tenant = ?2 AND job = ?3",
            params![of.organization, of.tenant, job],
            |row| Ok(Base { run: row.get(0)?, digest: row.get(1)?, full_at_ms: row.get(2)?, cursors: row.get(3)? }),
        );
        found.optional()
    }

    /// Forgets where a job's next run begins to read, so that it reads everything; gives the runs whose rows it would have begun with.
    ///
    /// # Errors
    /// If it cannot be forgotten.
    pub fn rewind(&self, job: &str) -> Result<Vec<String>> {
        self.change("rewind", |change| {
            let query = change.prepare("DELETE FROM base WHERE job = ?1 RETURNING run");
            query.query_map([job], |row| row.get(0))
        })
    }

    /// The jobs of which a next run begins somewhere.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn base_jobs(&self) -> Result<Vec<String>> {
        if !self.has_table("base")? {
            return Ok(Vec::new());
        }
        let query = self.database.prepare("SELECT DISTINCT job FROM base ORDER BY job");
        query.query_map((), |row| row.get(0))
    }

    /// The runs whose rows a next run would begin with, of jobs that no project declares any more, as it was last seen.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn undeclared_base_runs(&self) -> Result<Vec<String>> {
        let undeclared =
            "SELECT run FROM base WHERE NOT EXISTS (SELECT 1 FROM definition WHERE kind = 'job' AND name = base.job)";
        let query = self.database.prepare(undeclared);
        query.query_map((), |row| row.get(0))
    }

    /// Has no next run begin with the rows of this one.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn forget_base(&self, run: &str) -> Result<()> {
        self.change("retire", |change| change.execute("DELETE FROM base WHERE run = ?1", [run]).map(drop))
    }

    /// The runs whose rows a next run begins with.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn base_runs(&self) -> Result<Vec<String>> {
        let query = self.database.prepare("SELECT run FROM base");
        query.query_map((), |row| row.get(0))
    }
}

/// Moves a job's base, as part of a change.
pub(super) fn move_base(change: &Transaction<'_>, of: &Tenancy, job: &str, base: &Base) -> Result<()> {
    change.queue(
        "INSERT INTO base (organization, tenant, job, run, digest, full_at_ms, cursors) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (organization, tenant, job) DO UPDATE SET run = excluded.run, digest = excluded.digest,
             full_at_ms = excluded.full_at_ms, cursors = excluded.cursors",
        params![
            of.organization,
            of.tenant,
            job,
            base.run,
            base.digest,
            base.full_at_ms,
            base.cursors
        ],
    )?;
    Ok(())
}
