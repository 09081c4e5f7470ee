//! Runs in the state: when each began, how it ended, how long its stages took. What `ferry activity` shows.

use super::bases::move_base;
use super::database::{OptionalExtension, Row, params};
use super::due::bring_up_to_date;
use super::error::Result;
use super::ledger::{Begin, End, Phase, Unfinished};
use super::notices;
use super::state::{State, Tenancy};
use super::users::keep_ambiguous;

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// `20261123-0001`.
    pub id: String,
    /// The job's name.
    pub job: String,
    /// The chain that it was part of.
    pub chain: Option<String>,
    /// Who or what started it; unknown of runs of an earlier version.
    pub by: Option<String>,
    /// The time that it was due at by its schedule, in milliseconds since 1970.
    pub slot_ms: Option<i64>,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC; none while it runs, or if it was interrupted.
    pub ended: Option<String>,
    /// `running`, `success`, `partial`, `failed`, `cancelled`, `planned`.
    pub status: String,
    /// Its report as JSON, once it has ended.
    pub report: Option<String>,
    /// Why it failed.
    pub message: Option<String>,
    /// How many processes have worked on it.
    pub attempts: i64,
    /// As which of all runs it began: of two the later one has the greater number, whatever the clocks of their machines said. 0 of runs
    /// in a state of an earlier version.
    pub began: i64,
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
    /// Whose state a run belongs to, and the digest of its job; empty of runs of an earlier version.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn belongs_to(&self, run: &str) -> Result<(Tenancy, Option<String>)> {
        let found =
            self.database.query_row("SELECT organization, tenant, job_digest FROM run WHERE id = ?1", [run], |row| {
                let text = |at: usize| row.get::<Option<String>>(at).map(Option::unwrap_or_default);
                Ok((Tenancy { organization: text(0)?, tenant: text(1)? }, row.get(2)?))
            });
        Ok(found.optional()?.unwrap_or_default())
    }

    pub(super) fn begin_run(&self, one: &Begin<'_>) -> Result<String> {
        self.change("begin", |change| {
            let last: Option<String> = change
                .query_row(
                    "SELECT id FROM run WHERE id LIKE ?1 || '-%' ORDER BY length(id) DESC, id DESC LIMIT 1",
                    [one.day],
                    |row| row.get(0),
                )
                .optional()?;
            let number = last.and_then(|id| id.rsplit('-').next()?.parse::<u32>().ok()).unwrap_or(0) + 1;
            let id = format!("{}-{number:04}", one.day);
            change.queue(
                "INSERT INTO run (id, job, chain, started, status, organization, tenant, phase, job_digest, now_ms, chosen,
                     relied, started_by, slot_ms, began, seen)
                 VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?10, ?7, ?8, ?9, ?11, ?12, ?13,
                     (SELECT coalesce(max(began), 0) + 1 FROM run), (SELECT max(number) FROM writing))",
                params![
                    id,
                    one.job,
                    one.chain,
                    one.started,
                    one.of.organization,
                    one.of.tenant,
                    one.job_digest,
                    one.now_ms,
                    one.chosen,
                    if one.can_resume { Phase::Extracting.word() } else { Phase::Planning.word() },
                    one.relied,
                    one.by,
                    one.slot_ms
                ],
            )?;
            Ok(id)
        })
        .inspect(|id| self.enter(id))
    }

    pub(super) fn unfinished_run(&self, of: &Tenancy, job: &str) -> Result<Option<Unfinished>> {
        let found = self.database.query_row(
            "SELECT * FROM run WHERE job = ?1 AND organization = ?2 AND tenant = ?3 AND phase <> 'planning'
             ORDER BY began DESC LIMIT 1",
            params![job, of.organization, of.tenant],
            unfinished,
        );
        Ok(found.optional()?.filter(|one| !matches!(one.phase, Phase::Ended | Phase::Planning)))
    }

    pub(super) fn begun_run(&self, id: &str) -> Result<Option<Unfinished>> {
        self.database.query_row("SELECT * FROM run WHERE id = ?1", [id], unfinished).optional()
    }

    /// A plan becomes a run of this moment: of a job's runs the one that began last is gone on with.
    pub(super) fn apply_plan(&self, id: &str, at: &str) -> Result<bool> {
        self.change("apply", |change| {
            let applied = change.execute(
                "UPDATE run SET phase = 'loading', status = 'running', started = ?2, ended = NULL, report = NULL, message = NULL,
                     began = (SELECT max(began) + 1 FROM run)
                 WHERE id = ?1 AND phase = 'planning' AND status = 'planned'",
                [id, at],
            )?;
            Ok(applied > 0)
        })
        .inspect(|is_applied| if *is_applied { self.enter(id) })
    }

    pub(super) fn run_that_wrote_since(&self, of: &Tenancy, job: &str, plan: &str) -> Result<Option<String>> {
        let found = self.database.query_row(
            "SELECT id FROM run WHERE job = ?1 AND organization = ?2 AND tenant = ?3 AND id <> ?4
             AND wrote > (SELECT coalesce(seen, 0) FROM run WHERE id = ?4) ORDER BY wrote DESC LIMIT 1",
            params![job, of.organization, of.tenant, plan],
            |row| row.get(0),
        );
        found.optional()
    }

    pub(super) fn take_run_up(&self, id: &str) -> Result<()> {
        self.change("take_up", |change| {
            // Whoever goes on with a run ends its pause.
            change.queue("DELETE FROM pause WHERE name = ?1", [id])?;
            change.queue(
                "UPDATE run SET status = 'running', ended = NULL, report = NULL, message = NULL, attempts = attempts + 1
                 WHERE id = ?1",
                [id],
            )?;
            Ok(())
        })
        .inspect(|()| self.enter(id))
    }

    /// Gives a run up.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn abandon_run(&self, id: &str, at: &str, why: &str) -> Result<()> {
        self.change("abandon", |change| {
            change.queue("DELETE FROM pause WHERE name = ?1", [id])?;
            change.queue(
                "UPDATE run SET status = 'cancelled', phase = 'ended', ended = coalesce(ended, ?2), message = ?3 WHERE id = ?1",
                params![id, at, why],
            )?;
            Ok(())
        })
        .inspect(|()| self.leave(id))
    }

    /// Keeps that a run stopped where it is, if it has not ended.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn interrupt_run(&self, id: &str) -> Result<()> {
        self.change("interrupt", |change| {
            change.queue("UPDATE run SET status = 'interrupted' WHERE id = ?1 AND status = 'running'", [id])?;
            Ok(())
        })
        .inspect(|()| self.leave(id))
    }

    /// Keeps that a run that waited has failed, and why if that is not what it says already: nobody tries it again by himself. It can be
    /// gone on with as before.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn fail_waiting(&self, id: &str, why: Option<&str>) -> Result<()> {
        self.change("give_up", |change| {
            let waits = "SELECT report, message FROM run WHERE id = ?1 AND status LIKE 'waiting_%'";
            let read = |row: &Row<'_>| Ok((row.get::<Option<String>>(0)?, row.get::<Option<String>>(1)?));
            if let Some((report, message)) = change.query_row(waits, [id], read).optional()? {
                let message = why.or(message.as_deref());
                let report = report.map(|report| failed(&report, message));
                let give_up = "UPDATE run SET status = 'failed', message = ?2, report = ?3 WHERE id = ?1";
                change.queue(give_up, params![id, message, report])?;
            }
            change.queue("DELETE FROM approval WHERE run = ?1", [id])
        })
    }

    pub(super) fn move_run(&self, id: &str, phase: Phase, plan: Option<(&str, &str)>) -> Result<()> {
        self.change(phase.word(), |change| {
            let (planned, digest) = plan.unzip();
            change.queue(
                "UPDATE run SET phase = CASE WHEN phase = 'planning' THEN phase ELSE ?2 END, planned = coalesce(?3, planned), plan_digest = coalesce(?4, plan_digest)
                 WHERE id = ?1",
                params![id, phase.word(), planned, digest],
            )?;
            Ok(())
        })
    }

    pub(super) fn end_run(&self, end: &End<'_>) -> Result<()> {
        self.change("end", |change| {
            change.queue(
                "UPDATE run SET ended = ?2, status = ?3, report = ?4, message = ?5,
                     phase = CASE WHEN ?6 = 1 OR phase = 'planning' THEN phase ELSE 'ended' END WHERE id = ?1",
                params![end.run, end.ended, end.status, end.report, end.message, end.can_resume],
            )?;
            change.queue(
                "UPDATE batch SET state = 'acknowledged' WHERE run = ?1 AND state IN ('sent', 'unknown')
                 AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.batch = batch.id AND result IS NULL)",
                [end.run],
            )?;
            if let Some(base) = end.base {
                move_base(change, end.of, end.job, base)?;
            }
            bring_up_to_date(change, end)?;
            keep_ambiguous(change, end)?;
            notices::keep(change, end.notices)
        })
        .inspect(|()| self.leave(end.run))
    }

    pub(super) fn keep_stage(&self, run: &str, stage: &Stage) -> Result<()> {
        self.change("stage", |change| {
            change.queue(
                "INSERT INTO stage (run, name, started, seconds, rows) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![run, stage.name, stage.started, stage.seconds, stage.rows],
            )?;
            Ok(())
        })
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn runs(&self, at_most: u32) -> Result<Vec<Run>> {
        let query = self.database.prepare("SELECT * FROM run ORDER BY id DESC LIMIT ?1");
        query.query_map([at_most], run)
    }

    /// One run with its stages.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn run(&self, id: &str) -> Result<Option<(Run, Vec<Stage>)>> {
        let found = self.database.query_row("SELECT * FROM run WHERE id = ?1", [id], run).optional()?;
        let Some(found) = found else { return Ok(None) };
        let query = self.database.prepare("SELECT name, started, seconds, rows FROM stage WHERE run = ?1");
        let stages = query.query_map([id], |row| {
            Ok(Stage { name: row.get(0)?, started: row.get(1)?, seconds: row.get(2)?, rows: row.get(3)? })
        })?;
        Ok(Some((found, stages)))
    }

    /// Runs that can be gone on with: of each job the newest, if it did not end and nobody is working on it. The oldest comes first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn unfinished_runs(&self) -> Result<Vec<Run>> {
        let (oldest, newest) = self.orders()?;
        let query = self.database.prepare(&format!(
            "SELECT * FROM run AS one WHERE phase NOT IN ('ended', 'planning') AND id = (
                SELECT id FROM run AS other WHERE other.job = one.job AND other.organization = one.organization
                AND other.tenant = one.tenant AND other.phase <> 'planning' ORDER BY {newest} LIMIT 1)
             AND id NOT IN (SELECT value FROM json_each(?1)) ORDER BY {oldest}"
        ));
        query.query_map([self.alive_as_json()], run)
    }

    /// Orders of runs, the oldest first and the newest first. A state that an earlier version made is looked at as it is.
    pub(super) fn orders(&self) -> Result<(&'static str, &'static str)> {
        let is_counted = self.has_table("writing")?;
        Ok(if is_counted { ("began", "began DESC") } else { ("started, id", "started DESC, id DESC") })
    }

    /// Forgets the pages, calls and outcomes of a run; what it amounted to stays. Says whether there were any.
    ///
    /// # Errors
    /// If they cannot be forgotten.
    pub fn clean_run(&self, id: &str) -> Result<bool> {
        self.change("clean", |change| {
            let mut forgotten = 0;
            for table in ["page", "reading", "outcome", "batch"] {
                forgotten += change.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [id])?;
            }
            change.queue("UPDATE run SET phase = 'ended' WHERE id = ?1 AND phase <> 'planning'", [id])?;
            Ok(forgotten > 0)
        })
    }

    /// The newest run of a job that is no plan.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn last_run(&self, job: &str) -> Result<Option<Run>> {
        let (_, newest) = self.orders()?;
        let last = format!("SELECT * FROM run WHERE job = ?1 AND phase <> 'planning' ORDER BY {newest} LIMIT 1");
        self.database.query_row(&last, [job], run).optional()
    }

    /// How the last run of a job that came to an end did, plans apart; none if it never did.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn last_status(&self, job: &str) -> Result<Option<String>> {
        let (_, newest) = self.orders()?;
        let last = format!(
            "SELECT status FROM run WHERE job = ?1 AND ended IS NOT NULL AND phase <> 'planning' ORDER BY {newest} LIMIT 1"
        );
        self.database.query_row(&last, [job], |row| row.get(0)).optional()
    }
}

/// A report as one of a run that has failed. One that cannot be read stays as it is.
fn failed(report: &str, message: Option<&str>) -> String {
    let Ok(mut all) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(report) else {
        return report.to_owned();
    };
    all.insert("status".to_owned(), "failed".into());
    all.insert("message".to_owned(), message.into());
    serde_json::Value::Object(all).to_string()
}

pub(super) fn run(row: &Row<'_>) -> Result<Run> {
    Ok(Run {
        id: row.get("id")?,
        job: row.get("job")?,
        chain: row.get("chain")?,
        // A state that an earlier version made is looked at as it is.
        by: row.get("started_by").unwrap_or_default(),
        slot_ms: row.get("slot_ms").unwrap_or_default(),
        started: row.get("started")?,
        ended: row.get("ended")?,
        status: row.get("status")?,
        report: row.get("report")?,
        message: row.get("message")?,
        attempts: row.get("attempts").unwrap_or(1),
        began: row.get::<Option<i64>>("began").ok().flatten().unwrap_or_default(),
    })
}

fn unfinished(row: &Row<'_>) -> Result<Unfinished> {
    Ok(Unfinished {
        run: run(row)?,
        phase: Phase::parse(&row.get::<String>("phase")?),
        job_digest: row.get::<Option<String>>("job_digest")?.unwrap_or_default(),
        now_ms: row.get::<Option<i64>>("now_ms")?.unwrap_or_default(),
        relied: row.get("relied")?,
        chosen: row.get("chosen")?,
        planned: row.get("planned")?,
        plan_digest: row.get("plan_digest")?,
        attempts: row.get("attempts")?,
    })
}
