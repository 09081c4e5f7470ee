//! Times of schedules that were decided: written down before anything is begun, so that each is begun once at the most, whatever ends
//! in between and however many processes look.
//!
//! In: verdicts of `schedule::due`. Out: those of them that nobody had decided before. Any process may write here, whether a run holds the home or not.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::database::{Failure, Row, Transaction, params};
use super::error::Result;
use super::state::State;
use crate::model::schedule::{Followed, Slot, Verdict};

/// How long decided times are kept.
pub const KEPT: TimeDelta = TimeDelta::days(90);

/// A decided time of a job or a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The job or the chain.
    pub name: String,
    /// The time, and what became of it.
    pub slot: Slot,
    /// When that was decided: RFC 3339, UTC.
    pub decided: String,
    /// Whether a run of it was made, where one should be: a process may have ended in between, or it waits for the home.
    pub has_run: bool,
}

impl State {
    /// What is remembered of each name that follows a schedule: the schedule, and what of it was decided.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn followed(&self) -> Result<BTreeMap<String, (String, Followed)>> {
        let mut all = BTreeMap::new();
        if !self.has_table("following")? {
            return Ok(all);
        }
        let known = "SELECT name, schedule, decided_until_ms FROM following";
        self.database.each(known, (), |row| {
            let followed = Followed { decided_until: moment(row, 2)?, decided: BTreeSet::new() };
            all.insert(row.get::<String>(0)?, (row.get(1)?, followed));
            Ok(true)
        })?;
        let decided = "SELECT slot.name, at_ms FROM slot JOIN following USING (name) WHERE at_ms > decided_until_ms";
        self.database.each(decided, (), |row| {
            if let Some((_, followed)) = all.get_mut(&row.get::<String>(0)?) {
                followed.decided.insert(moment(row, 1)?);
            }
            Ok(true)
        })?;
        Ok(all)
    }

    /// Follows a schedule from now on: nothing of it was missed.
    ///
    /// # Errors
    /// If that cannot be kept.
    pub fn follow(&self, name: &str, schedule: &str, now: DateTime<Utc>) -> Result<()> {
        self.aside(|change| {
            change.queue(
                "INSERT INTO following (name, schedule, decided_until_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET schedule = excluded.schedule, decided_until_ms = excluded.decided_until_ms",
                params![name, schedule, now.timestamp_millis()],
            )?;
            Ok(())
        })
    }

    /// Follows a schedule no more. When it is followed again, nothing of it was missed.
    ///
    /// # Errors
    /// If that cannot be kept.
    pub fn unfollow(&self, name: &str) -> Result<()> {
        self.aside(|change| unfollow(change, name))
    }

    /// Keeps verdicts. Returns those that are new: whoever gets one that is to be run is the one to run it.
    ///
    /// # Errors
    /// If they cannot be kept; then nothing may be begun.
    pub fn decide(
        &self,
        name: &str,
        slots: &[Slot],
        decided_until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Slot>> {
        self.aside(|change| {
            let mut new = Vec::new();
            for slot in slots {
                let made = change.execute(
                    "INSERT INTO slot (name, at_ms, state, decided, more) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (name, at_ms) DO NOTHING",
                    params![
                        name,
                        slot.at.timestamp_millis(),
                        slot.verdict.word(),
                        now.to_rfc3339_opts(SecondsFormat::Secs, true),
                        i64::try_from(slot.more).unwrap_or(i64::MAX),
                    ],
                )?;
                if made > 0 {
                    new.push(*slot);
                }
            }
            let until = decided_until.timestamp_millis();
            change.queue("UPDATE following SET decided_until_ms = ?2 WHERE name = ?1", params![name, until])?;
            // What is not decided as a whole yet must stay, or it would come again.
            let old = (now - KEPT).timestamp_millis().min(until);
            change.queue("DELETE FROM slot WHERE name = ?1 AND at_ms < ?2", params![name, old])?;
            Ok(new)
        })
    }

    /// Keeps which run came of a time: its own, or one that had been interrupted and was gone on with.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub fn slot_begun(&self, name: &str, at: DateTime<Utc>, run: &str) -> Result<()> {
        self.aside(|change| {
            let at_ms = at.timestamp_millis();
            change.queue("UPDATE slot SET run = ?3 WHERE name = ?1 AND at_ms = ?2", params![name, at_ms, run])?;
            Ok(())
        })
    }

    /// Of each name the newest time at which something was to run, if nothing has come of it.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn unbegun_slots(&self) -> Result<Vec<(String, DateTime<Utc>)>> {
        let query = self.database.prepare(
            "WITH newest AS (
                 SELECT name, max(at_ms) AS at_ms FROM slot WHERE state IN ('begun', 'made_up') GROUP BY name
             )
             SELECT name, at_ms FROM newest JOIN slot USING (name, at_ms) WHERE slot.run IS NULL AND NOT EXISTS (
                 SELECT 1 FROM run WHERE run.slot_ms = at_ms AND (run.job = name OR run.chain = name)
             ) ORDER BY at_ms, name",
        );
        query.query_map((), |row| Ok((row.get(0)?, moment(row, 1)?)))
    }

    /// Whether nothing has come of a time yet. `in_vain` is the run that says why it could not be begun before, which is none of it.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn is_unbegun(&self, name: &str, at: DateTime<Utc>, in_vain: Option<&str>) -> Result<bool> {
        let query = self.database.prepare(
            "SELECT NOT EXISTS (
                 SELECT 1 FROM slot WHERE name = ?1 AND at_ms = ?2 AND run IS NOT NULL AND run IS DISTINCT FROM ?3
             ) AND NOT EXISTS (
                 SELECT 1 FROM run WHERE slot_ms = ?2 AND (job = ?1 OR chain = ?1) AND id IS DISTINCT FROM ?3
             )",
        );
        query.query_row(params![name, at.timestamp_millis(), in_vain], |row| row.get(0))
    }

    /// The decided times, newest first; only those that were not run as they should have been, if `is_missed`.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn slots(&self, name: Option<&str>, is_missed: bool, at_most: u32) -> Result<Vec<Kept>> {
        if !self.has_table("slot")? {
            return Ok(Vec::new());
        }
        let query = self.database.prepare(
            "WITH kept AS (
                 SELECT name, at_ms, state, decided, more, slot.run IS NOT NULL OR EXISTS (
                     SELECT 1 FROM run WHERE run.slot_ms = slot.at_ms AND (run.job = slot.name OR run.chain = slot.name)
                 ) AS has_run FROM slot WHERE ?1 IS NULL OR name = ?1
             )
             SELECT name, at_ms, state, decided, more, has_run FROM kept
             WHERE ?2 = 0 OR state IN ('missed', 'overlapped') OR NOT has_run ORDER BY at_ms DESC, name LIMIT ?3",
        );
        query.query_map(params![name, is_missed, at_most], |row| {
            let word: String = row.get(2)?;
            let more: i64 = row.get(4)?;
            let verdict = Verdict::parse(&word).unwrap_or(Verdict::Missed);
            let slot = Slot { at: moment(row, 1)?, verdict, more: more.unsigned_abs() };
            Ok(Kept { name: row.get(0)?, slot, decided: row.get(3)?, has_run: row.get(5)? })
        })
    }

    /// The names whose schedules are paused, with when and by whom.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn paused_schedules(&self) -> Result<BTreeMap<String, (String, String)>> {
        Ok(self.pauses()?.into_iter().map(|one| (one.name, (one.at, one.by))).collect())
    }
}

/// Within a change that it belongs to: a pause of a schedule, say.
pub(super) fn unfollow(change: &Transaction<'_>, name: &str) -> Result<()> {
    change.queue("DELETE FROM following WHERE name = ?1", [name])?;
    Ok(())
}

fn moment(row: &Row<'_>, column: usize) -> Result<DateTime<Utc>> {
    let millis: i64 = row.get(column)?;
    DateTime::from_timestamp_millis(millis).ok_or_else(|| Failure::unreadable(column).into())
}
