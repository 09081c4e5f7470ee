//! Batches in the ledger: each call is written down before it is made, and what came of each row after.
//!
//! A row whose call is under way stands there without a result. What a call was answered, who a new record is and what was
//! refused are one transaction: they cannot come apart.

use super::database::{OptionalExtension, Row, Transaction, params};
use super::error::Result;
use super::lease::machine;
use super::ledger::{Answer, Intent, LOOKED, Lost, Recorded, Settled, Tally};
use super::links::keep_relink;
use super::pages::note;
use super::refusals::{Refused, forget_refusal, keep_refusal};
use super::state::{State, Tenancy};
use super::users::keep_identity;
use crate::model::reject::RejectCode;
use crate::model::sabotage::{self, Bug};

/// How long a call may wait for its turn after it was written down: windows of calls, pauses that the service asks for, and the calls
/// that were written down with it.
const SENT_WITHIN_MS: i64 = 3_600_000;

/// When a call without an answer may have been sent at the latest, by this machine's clock; `GONE`, `WITHIN` and `EPOCH` stand for what is bound. Of
/// another opening, which may have been on another machine, no moment is believed, as that clock may be ahead or behind: it was gone
/// when this one began. `EPOCH` is null where there is one machine.
const SENT_BY: &str = "CASE WHEN EPOCH IS NOT NULL AND epoch IS DISTINCT FROM EPOCH THEN GONE
    WHEN state = 'unknown' OR sent_at_ms >= GONE THEN sent_at_ms
    WHEN sent_at_ms + WITHIN < GONE THEN sent_at_ms + WITHIN ELSE GONE END";

/// A call of a kind is the last one of its kind from now on: `?1` the run, `?2` the kind, `?3` the machine, `?4` the moment.
const WRITING: &str = "INSERT INTO writing (tenant, what, number, run, others, machine, at_ms)
    SELECT tenant, ?2, (SELECT coalesce(max(number), 0) + 1 FROM writing), ?1, 0, ?3, ?4 FROM run WHERE id = ?1 AND tenant IS NOT NULL
    ON CONFLICT (tenant, what) DO UPDATE SET run = excluded.run, number = excluded.number, machine = excluded.machine,
        others = CASE WHEN writing.run = excluded.run THEN writing.others ELSE writing.number END, at_ms = excluded.at_ms";

/// By how much the clock of another machine may be wrong at most: what it says is longer ago is long ago.
const CLOCKS_APART_MS: i64 = 3_600_000;

impl State {
    pub(super) fn keep_intents(&self, run: &str, calls: &[Intent]) -> Result<Vec<i64>> {
        self.change("intend", |change| {
            let insert = change.prepare(
                "INSERT INTO batch (run, step, what, rows, epoch, sent_at_ms, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'sent') RETURNING id",
            );
            let open = change.prepare(
                "INSERT INTO outcome (run, row, step, batch, source_id) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (run, row, step) DO UPDATE SET batch = excluded.batch, result = NULL",
            );
            let (mut numbers, machine) = (Vec::with_capacity(calls.len()), machine());
            for call in calls {
                let rows = i64::try_from(call.rows.len()).unwrap_or(i64::MAX);
                let id: i64 = insert
                    .query_row(params![run, call.step, call.what, rows, self.epoch, call.at_ms], |row| row.get(0))?;
                for (row, source_id) in &call.rows {
                    open.queue(params![run, row, call.step, id, source_id])?;
                }
                numbers.push(id);
                change.queue(WRITING, params![run, call.what, machine, call.at_ms])?;
            }
            change.queue(
                "UPDATE run SET wrote = (SELECT max(number) FROM writing WHERE run = ?1) WHERE id = ?1",
                [run],
            )?;
            Ok(numbers)
        })
    }

    pub(super) fn keep_answers(
        &self,
        run: &str,
        of: &Tenancy,
        job: &str,
        calls: &[(i64, Answer)],
        rows: &[Settled],
    ) -> Result<()> {
        self.change("settle", |change| {
            for row in rows {
                keep_row(change, run, of, job, row)?;
            }
            for (id, answer) in calls {
                let heard_at = if let Answer::Unknown { heard_at_ms } = answer { Some(heard_at_ms) } else { None };
                change.queue(
                    "UPDATE batch SET state = ?2, sent_at_ms = coalesce(?3, sent_at_ms) WHERE id = ?1",
                    params![id, answer.word(), heard_at],
                )?;
                if let Some(heard_at) = heard_at {
                    // What it made is as new as that, by the clock of who heard it.
                    change.queue(
                        "UPDATE writing SET at_ms = ?3, machine = ?4 WHERE run = ?1
                         AND what = (SELECT what FROM batch WHERE id = ?2) AND (at_ms < ?3 OR machine IS DISTINCT FROM ?4)",
                        params![run, id, heard_at, machine()],
                    )?;
                }
                // What a call was answered holds for all of its rows: those without an outcome are to be sent again.
                if heard_at.is_none() {
                    change.queue("DELETE FROM outcome WHERE batch = ?1 AND result IS NULL", [id])?;
                }
            }
            Ok(())
        })
    }

    pub(super) fn recorded(&self, run: &str, row: i64, step: u8) -> Result<Option<Recorded>> {
        let query = self.database.prepare(
            "SELECT result, gsid, message, field, value, source_id FROM outcome WHERE run = ?1 AND row = ?2 AND step = ?3",
        );
        query.query_row(params![run, row, step], read).optional()
    }

    /// When the last call without an answer may have been sent: of one run, or of all others of a tenant that nobody is working on. A
    /// call whose answer was heard to be lost had been sent by then. Of others only their intent is known: they may have waited for
    /// their turn, but not longer than a call may, and not beyond the end of whoever made them.
    pub(super) fn last_sent(&self, run: &str, tenant: Option<&str>) -> Result<Option<i64>> {
        let params = params![run, self.gone_by_ms(), SENT_WITHIN_MS, self.epoch_among_machines()];
        let alone = format!(
            "SELECT max({}) FROM batch WHERE run = ?1 AND state IN ('sent', 'unknown')
             AND EXISTS (SELECT 1 FROM outcome WHERE outcome.batch = batch.id AND result IS NULL)",
            sent_by(2)
        );
        let Some(tenant) = tenant else { return self.database.query_row(&alone, params, |row| row.get(0)) };
        let of_others = format!(
            "SELECT max({}) FROM batch JOIN run ON run.id = batch.run
             WHERE batch.run <> ?1 AND run.tenant = ?2 AND state IN ('sent', 'unknown')
             AND batch.run NOT IN (SELECT value FROM json_each(?6))
             AND EXISTS (SELECT 1 FROM outcome WHERE outcome.batch = batch.id AND result IS NULL)",
            sent_by(3)
        );
        let (gone_by, epoch) = (self.gone_by_ms(), self.epoch_among_machines());
        let params = params![run, tenant, gone_by, SENT_WITHIN_MS, epoch, self.alive_as_json()];
        self.database.query_row(&of_others, params, |row| row.get(0))
    }

    pub(super) fn notes_of_others(&self, tenant: &str, run: &str, name: &str) -> Result<Vec<(String, String)>> {
        let query = self.database.prepare(
            "SELECT reading.run, reading.checkpoint FROM reading JOIN run ON run.id = reading.run
             WHERE reading.dataset = ?3 AND reading.checkpoint <> '' AND run.tenant = ?1 AND run.id <> ?2
             AND run.id NOT IN (SELECT value FROM json_each(?4)) ORDER BY reading.run",
        );
        let found =
            query.query_map(params![tenant, run, name, self.alive_as_json()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found)
    }

    pub(super) fn last_made_of(&self, tenant: &str, what: &[String]) -> Result<Option<i64>> {
        // Whoever made it on another machine was gone when this opening began. Unless that is long ago, his clock is not believed.
        let query = self.database.prepare(
            "SELECT CASE WHEN machine IS NOT DISTINCT FROM ?3 OR at_ms < ?5 THEN at_ms ELSE ?4 END
             FROM writing WHERE tenant = ?1 AND what = ?2",
        );
        let (machine, opened_ms) = (machine(), self.opened_ms);
        let mut last = None;
        for one in what {
            let params = params![tenant, one, machine, opened_ms, opened_ms - CLOCKS_APART_MS];
            last = last.max(query.query_row(params, |row| row.get::<i64>(0)).optional()?);
        }
        Ok(last)
    }

    /// Whether a run has calls without an answer of which nobody knows yet that they can have no effect any more.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn has_open_calls(&self, run: &str) -> Result<bool> {
        Ok(self.last_sent(run, None)?.is_some())
    }

    /// Whether another run has written to an object of a tenant since a run last wrote, or looked at the target, or began. One that has
    /// not looked yet cannot have missed anything.
    pub(super) fn others_wrote_since(&self, tenant: &str, run: &str, what: &[&str]) -> Result<bool> {
        if self.kept_reading(run, LOOKED)?.is_some_and(|kept| kept.checkpoint.is_empty()) {
            return Ok(false);
        }
        let query = self.database.prepare(
            "SELECT EXISTS (SELECT 1 FROM writing JOIN run ON run.id = ?1 WHERE writing.tenant = ?2 AND what = ?3
             AND CASE WHEN writing.run = ?1 THEN others ELSE number END
               > CASE WHEN coalesce(wrote, 0) > coalesce(seen, 0) THEN wrote ELSE coalesce(seen, 0) END)",
        );
        for one in what {
            if query.query_row(params![run, tenant, one], |row| row.get(0))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A run looks at its target: what was written until now, it sees.
    pub(super) fn keep_look(&self, run: &str, at_ms: i64) -> Result<()> {
        self.change("look", |change| {
            note(change, run, LOOKED, &at_ms.to_string())?;
            change.queue("UPDATE run SET seen = (SELECT max(number) FROM writing) WHERE id = ?1", [run])
        })
    }

    pub(super) fn close_batches_of_others(&self, tenant: &str, run: &str, sent_by_ms: i64) -> Result<()> {
        self.change("close", |change| {
            let close = format!(
                "UPDATE batch SET state = 'abandoned' WHERE run <> ?1 AND state IN ('sent', 'unknown') AND {} <= ?3
                 AND run IN (SELECT id FROM run WHERE tenant = ?2 AND phase = 'ended')
                 AND run NOT IN (SELECT value FROM json_each(?7))",
                sent_by(4)
            );
            let (gone_by, epoch) = (self.gone_by_ms(), self.epoch_among_machines());
            let alive = self.alive_as_json();
            change.queue(&close, params![run, tenant, sent_by_ms, gone_by, SENT_WITHIN_MS, epoch, alive])?;
            Ok(())
        })
    }

    pub(super) fn tally_of(&self, run: &str) -> Result<Tally> {
        // The second step of a row, where it has one, is what became of it.
        let found = self.database.query_row(
            "SELECT count(*) FILTER (WHERE result = 'written'), count(*) FILTER (WHERE result IN ('refused', 'lost')),
                    count(*) FILTER (WHERE result IS NULL)
             FROM outcome AS one WHERE run = ?1
             AND step = (SELECT max(step) FROM outcome AS other WHERE other.run = one.run AND other.row = one.row)",
            [run],
            |row| Ok([row.get::<i64>(0)?, row.get(1)?, row.get(2)?]),
        )?;
        let [written, failed, open] = found.map(i64::unsigned_abs);
        Ok(Tally { written, failed, open })
    }
}

/// [`SENT_BY`] with what is bound from a number on.
fn sent_by(number: u8) -> String {
    let mark = |more: u8| format!("?{}", number + more);
    let of_epoch = SENT_BY.replace("EPOCH", &mark(2));
    format!("({})", of_epoch.replace("WITHIN", &mark(1)).replace("GONE", &mark(0)))
}

fn keep_row(change: &Transaction<'_>, run: &str, of: &Tenancy, job: &str, row: &Settled) -> Result<()> {
    let (result, refused) = match (&row.refused, &row.lost) {
        (Some(refused), _) => ("refused", Some(refused)),
        (None, Some(_)) => ("lost", None),
        (None, None) => ("written", None),
    };
    let message = refused.map(|r| &r.message).or(row.lost.as_ref().map(|lost| &lost.message));
    let (field, value) = (refused.and_then(|r| r.field.as_deref()), refused.and_then(|r| r.value.as_deref()));
    let code = row.lost.as_ref().map(|lost| lost.code.text());
    change.queue(
        "INSERT INTO outcome (run, row, step, source_id, result, gsid, message, field, value)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (run, row, step) DO UPDATE SET result = excluded.result, gsid = excluded.gsid,
                 message = excluded.message, field = excluded.field, value = excluded.value",
        params![run, row.row, row.step, row.source_id, result, row.gsid, message, field.or(code), value],
    )?;
    match refused {
        Some(refused) if !sabotage::has(Bug::RefusalForgotten) => keep_refusal(change, of, job, run, refused)?,
        Some(_) => {}
        None if row.lost.is_none() => forget_refusal(change, of, job, &row.source_id)?,
        None => {}
    }
    if let Some(identity) = row.identity.as_ref().filter(|_| !sabotage::has(Bug::IdentityForgotten)) {
        keep_identity(change, of, identity)?;
    }
    let is_kept = !sabotage::has(Bug::LinkForgotten);
    row.links.iter().filter(|_| is_kept).try_for_each(|one| keep_relink(change, of, job, one))
}

fn read(row: &Row<'_>) -> Result<Recorded> {
    let result: Option<String> = row.get(0)?;
    let message = |row: &Row<'_>| row.get::<Option<String>>(2).map(Option::unwrap_or_default);
    Ok(match result.as_deref() {
        None => Recorded::Open,
        Some("refused") => Recorded::Refused(Refused {
            source_id: row.get(5)?,
            fingerprint: String::new(),
            message: message(row)?,
            field: row.get(3)?,
            value: row.get(4)?,
        }),
        // What is lost is of few kinds; that it is lost is known, even if a later version has another word for why.
        Some("lost") => Recorded::Lost(Lost {
            code: row
                .get::<Option<String>>(3)?
                .and_then(|code| RejectCode::of_lost(&code))
                .unwrap_or(RejectCode::TargetGone),
            message: message(row)?,
        }),
        Some(_) => Recorded::Written(row.get(1)?),
    })
}
