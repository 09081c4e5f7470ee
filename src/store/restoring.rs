//! A copy of the state takes the place of the state, which is kept aside.
//!
//! What was done since the copy was made is unknown to it. So nothing of its runs is gone on with and nothing that was read is begun
//! with: calls of theirs may have been made. What must not be undone is taken over from the state that was there, if it can be read:
//! calls that were spent, times of schedules that were decided, connections that were revoked. In: a held home, a copy. Out: the state.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::backup::version_of_copy;
use super::database::{Transaction, params};
use super::durable;
use super::error::{Result, disk};
use super::home::Home;
use super::state::State;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Where the state lies that was there, if there was one.
    pub aside: Option<PathBuf>,
    /// Whether it could be read.
    pub was_readable: bool,
    /// The newest run that the copy knows.
    pub newest_run: Option<String>,
    /// Runs that could have been gone on with, and are not.
    pub given_up: Vec<String>,
}

/// How far the epoch of a state is moved that nobody knows the epoch of.
pub(super) const EPOCHS_FAR: i64 = 1_000_000;

/// Puts a copy in the place of the state. `stamp` names what is kept aside; `now_ms` is in milliseconds since 1970, `now` the same in
/// RFC 3339.
///
/// # Errors
/// If the copy cannot be used: then nothing was touched. If the disk says no: then the state is either of the two, whole.
pub fn put_back(home: &Home, copy: &Path, stamp: &str, now: &str, now_ms: i64) -> Result<Restored> {
    version_of_copy(copy)?;
    let (path, beside) = (home.state_path(), home.root().join("state.restored.db"));
    take_in(copy, &beside)?;
    let old = path.exists().then(|| old_state(&path));
    let was_readable = old.is_some_and(|readable| readable);
    let state = State::join(&beside)?;
    let file = state.database.file().expect("what lies in the home is a file");
    if was_readable {
        keep_what_must_stay(file, &path)?;
    } else {
        file.execute("UPDATE lease SET epoch = epoch + ?1", [EPOCHS_FAR])?;
    }
    let newest = "SELECT max(id) FROM run";
    let newest_run = file.query_row(newest, [], |row| row.get(0))?;
    let change = state.database.begin()?;
    let given_up = forget_what_was_under_way(&change, now, now_ms)?;
    change.commit()?;
    // The last one to leave brings everything into the one file.
    file.pragma_update(None, "journal_mode", "DELETE")?;
    drop(state);
    let aside = set_aside(&path, stamp)?;
    std::fs::rename(&beside, &path).map_err(disk("cannot put back", &path))?;
    durable::sync_folder(home.root())?;
    Ok(Restored { aside, was_readable, newest_run, given_up })
}

/// A copy of the copy, in the home and whole.
fn take_in(copy: &Path, to: &Path) -> Result<()> {
    for name in ["", "-wal", "-shm", "-journal"] {
        durable::remove(&with_ending(to, name))?;
    }
    let mut from = std::fs::File::open(copy).map_err(disk("cannot read", copy))?;
    let mut file = durable::begin(to)?;
    std::io::copy(&mut from, &mut file).map_err(disk("cannot write", to))?;
    durable::complete(&file, to)
}

/// Takes the state over, so that whoever had it writes nothing more, and brings its log into its file; whether it can be read.
fn old_state(path: &Path) -> bool {
    let taken = || -> Result<bool> {
        let state = State::open(path)?;
        let is_whole = state.complaints()?.is_empty();
        state.database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
        Ok(is_whole)
    };
    taken().unwrap_or(false)
}

fn keep_what_must_stay(database: &Connection, old: &Path) -> Result<()> {
    database.execute("ATTACH ?1 AS old", [old.to_string_lossy()])?;
    let kept = database.execute_batch(
        "BEGIN IMMEDIATE;
         INSERT INTO lease SELECT * FROM old.lease WHERE true
             ON CONFLICT (name) DO UPDATE SET epoch = max(epoch, excluded.epoch);
         INSERT INTO spent SELECT * FROM old.spent WHERE true ON CONFLICT (tenant, api, length_ms) DO UPDATE SET
             calls = iif(excluded.number = number, max(calls, excluded.calls), iif(excluded.number > number, excluded.calls, calls)),
             number = max(number, excluded.number);
         INSERT INTO upkeep SELECT * FROM old.upkeep WHERE name = 'began'
             ON CONFLICT (name) DO UPDATE SET at_ms = excluded.at_ms;
         INSERT OR IGNORE INTO slot SELECT * FROM old.slot;
         INSERT INTO following SELECT * FROM old.following WHERE true ON CONFLICT (name) DO UPDATE SET
             schedule = excluded.schedule, decided_until_ms = excluded.decided_until_ms;
         UPDATE main.connection AS ours SET revoked = theirs.revoked FROM old.connection AS theirs
             WHERE theirs.name = ours.name AND theirs.revoked IS NOT NULL;
         COMMIT;",
    );
    if kept.is_err() {
        // What cannot be taken over as a whole is not taken over in part.
        let _undone = database.execute_batch("ROLLBACK");
    }
    database.execute("DETACH old", [])?;
    Ok(kept?)
}

/// Has nothing be gone on with or begun with, no notice sent a second time, and the next run wait until no call of the time that is
/// unknown can have an effect any more. Gives the runs that could have been gone on with.
pub(super) fn forget_what_was_under_way(change: &Transaction<'_>, now: &str, now_ms: i64) -> Result<Vec<String>> {
    let under_way = "SELECT id FROM run WHERE phase NOT IN ('ended', 'planning') ORDER BY id";
    let given_up: Vec<String> = change.query_map(under_way, (), |row| row.get(0))?;
    change.queue(
        "UPDATE run SET status = 'cancelled', ended = coalesce(ended, ?1), phase = 'ended', message = 'the state was put back to a \
         copy of the time before it ended' WHERE phase NOT IN ('ended', 'planning')",
        [now],
    )?;
    change.queue("DELETE FROM base", ())?;
    change.queue(
        "UPDATE notice SET state = 'given_up', message = 'the state was put back: it may have been delivered' WHERE state = 'due'",
        (),
    )?;
    let newest = "SELECT max(id) FROM run WHERE tenant IS NOT NULL GROUP BY tenant";
    let newest: Vec<String> = change.query_map(newest, (), |row| row.get(0))?;
    for run in newest {
        let batch: i64 = change.query_row(
            "INSERT INTO batch (run, step, what, rows, epoch, sent_at_ms, state) VALUES (?1, 1, 'unknown', 1, 0, ?2, 'unknown')
             RETURNING id",
            params![run, now_ms],
            |row| row.get(0),
        )?;
        change.queue(
            "INSERT INTO outcome (run, row, step, batch, source_id) VALUES (?1, -1, 1, ?2, '')
             ON CONFLICT (run, row, step) DO UPDATE SET batch = excluded.batch, source_id = '', result = NULL, gsid = NULL,
                 message = NULL, field = NULL, value = NULL",
            params![run, batch],
        )?;
    }
    Ok(given_up)
}

/// Keeps the state that was there under another name, beside its place.
fn set_aside(path: &Path, stamp: &str) -> Result<Option<PathBuf>> {
    if !path.exists() {
        return Ok(None);
    }
    let aside = path.with_file_name(format!("state.before-{stamp}.db"));
    // A log that belongs to another file would be played into the one that takes its place.
    for name in ["-wal", "-shm", "-journal"] {
        let from = with_ending(path, name);
        if from.exists() {
            let to = with_ending(&aside, name);
            std::fs::rename(&from, &to).map_err(disk("cannot set aside", &from))?;
        }
    }
    // Linked and not moved, where that can be: the state's place is never empty, or the next process would begin an empty one there.
    if std::fs::hard_link(path, &aside).is_err() {
        std::fs::rename(path, &aside).map_err(disk("cannot set aside", path))?;
    }
    Ok(Some(aside))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
