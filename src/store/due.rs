//! Rows that are still to succeed: what failed in a run stays here until a later run of the job can write it.
//!
//! A run that knows all of its failures replaces what was due of the rows it was about. What is due is never sent by itself: a run
//! reads its rows again, and so never writes what was true when they failed.

use super::database::{Transaction, params};
use super::error::Result;
use super::ledger::End;
use super::state::{State, Tenancy};

/// A row that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The job.
    pub job: String,
    /// The row's primary key in the source.
    pub source_id: String,
    /// The code of the error file.
    pub code: String,
    /// When it is tried again: `time`, `change`, `never`.
    pub retried: String,
    /// What happened.
    pub message: String,
    /// Since when: RFC 3339, UTC.
    pub since: String,
    /// How many runs have tried it.
    pub tries: i64,
    /// The last of them.
    pub run: String,
}

const COLUMNS: &str = "job, source_id, code, retried, message, since, tries, run";

impl State {
    /// Rows that are due: of one job, or of all.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn all_due(&self, of: Option<&Tenancy>, job: Option<&str>) -> Result<Vec<Due>> {
        if !self.has_table("due")? {
            return Ok(Vec::new());
        }
        let query = self.database.prepare(&format!(
            "SELECT {COLUMNS} FROM due WHERE (?1 IS NULL OR job = ?1) AND (?2 IS NULL OR organization = ?2)
             AND (?3 IS NULL OR tenant = ?3) ORDER BY job, source_id"
        ));
        query.query_map(params![job, of.map(|o| &o.organization), of.map(|o| &o.tenant)], |row| {
            Ok(Due {
                job: row.get(0)?,
                source_id: row.get(1)?,
                code: row.get(2)?,
                retried: row.get(3)?,
                message: row.get(4)?,
                since: row.get(5)?,
                tries: row.get(6)?,
                run: row.get(7)?,
            })
        })
    }
}

/// Brings what is due up to date with the end of a run. One that was stopped adds what it knows, and takes nothing away.
pub(super) fn bring_up_to_date(change: &Transaction<'_>, end: &End<'_>) -> Result<()> {
    let (of, job) = (end.of, end.job);
    // Those that are not tried by this run any more are gone: it was about them, and they did not fail.
    match end.chosen {
        _ if !end.are_all => {}
        None => {
            change.queue(
                "UPDATE due SET tries = -tries WHERE organization = ?1 AND tenant = ?2 AND job = ?3",
                params![of.organization, of.tenant, job],
            )?;
        }
        Some(chosen) => {
            let mark = change.prepare(
                "UPDATE due SET tries = -tries WHERE organization = ?1 AND tenant = ?2 AND job = ?3 AND source_id = ?4",
            );
            for id in chosen {
                mark.queue(params![of.organization, of.tenant, job, id])?;
            }
        }
    }
    let keep = change.prepare(
        "INSERT INTO due (organization, tenant, job, source_id, code, retried, message, since, tries, run)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9)
         ON CONFLICT (organization, tenant, job, source_id) DO UPDATE SET code = excluded.code,
             retried = excluded.retried, message = excluded.message, tries = abs(due.tries) + 1, run = excluded.run",
    );
    // In the order in which the table lies: a failed row is next to the one before, not on a page that was put away long ago.
    let mut failed: Vec<_> = end.failed.iter().collect();
    failed.sort_by(|a, b| a.source_id.cmp(&b.source_id));
    for one in failed {
        keep.queue(params![
            of.organization,
            of.tenant,
            job,
            one.source_id,
            one.code,
            one.retried,
            one.message,
            end.ended,
            end.run
        ])?;
    }
    change.queue(
        "DELETE FROM due WHERE tries < 0 AND organization = ?1 AND tenant = ?2 AND job = ?3",
        params![of.organization, of.tenant, job],
    )?;
    Ok(())
}
