//! Runs as somebody looks for them: by job, chain and time; and what stands beside one run in the state.
//!
//! Nothing is written here. In: what is wanted. Out: runs, notices, approvals, the calls of each process.

use std::collections::BTreeMap;

use super::database::{OptionalExtension, Row, params};
use super::error::Result;
use super::runs::{Run, run};
use super::state::State;

/// Which runs are wanted; none of a kind stands for all.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// A job's name, or where no job of a run is called so, a part of one; case is ignored.
    pub job: Option<&'a str>,
    /// The same of a chain.
    pub chain: Option<&'a str>,
    /// Those that began at that time or later: RFC 3339, UTC, with milliseconds.
    pub since: Option<&'a str>,
    /// Those that began before that time.
    pub until: Option<&'a str>,
}

/// A notice of a run, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The address.
    pub address: String,
    /// What it tells of.
    pub event: String,
    /// `due`, `delivered`, `given_up`.
    pub state: String,
    /// How often it was tried.
    pub tries: i64,
    /// When that last changed: RFC 3339, UTC.
    pub at: String,
    /// What the last failure said.
    pub message: Option<String>,
}

/// The calls that one process made for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Which opening of the state it was.
    pub epoch: i64,
    /// When it sent the first, in milliseconds since 1970.
    pub first_ms: i64,
    /// When it sent the last.
    pub last_ms: i64,
    /// How many.
    pub calls: u64,
}

const OF_NAME: &str = "(?N IS NULL OR lower(COLUMN) = lower(?N) OR (instr(lower(COLUMN), lower(?N)) > 0
    AND NOT EXISTS (SELECT 1 FROM run AS other WHERE lower(other.COLUMN) = lower(?N))))";

impl State {
    /// Hands out the runs that are wanted, newest first, until `take` says that it has enough.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn executions(&self, wanted: &Wanted<'_>, mut take: impl FnMut(Run) -> bool) -> Result<()> {
        let of = |column: &str, number: &str| OF_NAME.replace("COLUMN", column).replace("?N", number);
        let query = format!(
            "SELECT * FROM run WHERE {} AND {} AND (?3 IS NULL OR started >= ?3) AND (?4 IS NULL OR started < ?4)
             ORDER BY started DESC, id DESC",
            of("job", "?1"),
            of("chain", "?2")
        );
        let params = params![wanted.job, wanted.chain, wanted.since, wanted.until];
        self.database.each(&query, params, |row| Ok(take(run(row)?)))
    }

    /// The newest run of each job that was not a plan, by the job's name.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn newest_runs(&self) -> Result<Vec<Run>> {
        // A state that was made before there were phases is looked at as it is.
        let is_run = if self.has_table("lease")? { "other.phase <> 'planning'" } else { "other.status <> 'planned'" };
        let (_, newest) = self.orders()?;
        let query = self.database.prepare(&format!(
            "SELECT * FROM run AS one WHERE id = (SELECT id FROM run AS other WHERE other.job = one.job AND {is_run}
                 ORDER BY {newest} LIMIT 1) ORDER BY job"
        ));
        query.query_map((), run)
    }

    /// The notices of a run, by address.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn told_of(&self, run: &str) -> Result<Vec<Told>> {
        if !self.has_table("notice")? {
            return Ok(Vec::new());
        }
        let query = self.database.prepare(
            "SELECT address, event, state, tries, at, message FROM notice WHERE run = ?1 ORDER BY address, id",
        );
        query.query_map([run], told)
    }

    /// How many notices are in each state: `due`, `delivered`, `given_up`; and the last that was given up, with why.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn notices_by_state(&self) -> Result<(BTreeMap<String, u64>, Option<Told>)> {
        if !self.has_table("notice")? {
            return Ok((BTreeMap::new(), None));
        }
        let query = self.database.prepare("SELECT state, count(*) FROM notice GROUP BY state");
        let rows = query.query_map((), |row| Ok((row.get(0)?, row.get::<i64>(1)?.unsigned_abs())))?;
        let counted = rows;
        let last = "SELECT address, event, state, tries, at, message FROM notice WHERE state = 'given_up' ORDER BY at DESC, id DESC LIMIT 1";
        Ok((counted, self.database.query_row(last, (), told).optional()?))
    }

    /// Who allowed a run to change as much as it planned, and when, if somebody did.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn approved_by(&self, run: &str) -> Result<Option<(String, String)>> {
        if !self.has_table("approval")? {
            return Ok(None);
        }
        let asked = "SELECT by, at FROM approval WHERE run = ?1";
        self.database.query_row(asked, [run], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    }

    /// The calls of a run by the process that made them, in their order; none once they were cleaned away.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn loaded_by(&self, run: &str) -> Result<Vec<Loaded>> {
        if !self.has_table("batch")? {
            return Ok(Vec::new());
        }
        let query = self.database.prepare(
            "SELECT epoch, min(sent_at_ms), max(sent_at_ms), count(*) FROM batch WHERE run = ?1 GROUP BY epoch ORDER BY 1",
        );
        query.query_map([run], |row| {
            let calls = row.get::<i64>(3)?.unsigned_abs();
            Ok(Loaded { epoch: row.get(0)?, first_ms: row.get(1)?, last_ms: row.get(2)?, calls })
        })
    }
}

fn told(row: &Row<'_>) -> Result<Told> {
    Ok(Told {
        address: row.get(0)?,
        event: row.get(1)?,
        state: row.get(2)?,
        tries: row.get(3)?,
        at: row.get(4)?,
        message: row.get(5)?,
    })
}
