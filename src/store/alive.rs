//! Runs that this process is working on.
//!
//! Several may be under way in one process. What the state says of other runs, such as which of their calls have no answer, is meant of
//! those that nobody is working on any more. Kept in memory, as it is as old as the process. In: runs that begin and end. Out: which are
//! alive, and when a call of one that is not can have been sent at the latest.

use super::error::Result;
use super::state::State;

impl State {
    /// This process works on a run from now on.
    pub(super) fn enter(&self, run: &str) {
        self.alive.borrow_mut().insert(run.to_owned());
    }

    /// This process works on a run no more. What it had under way may have been sent until now, as it may have waited for its turn.
    pub(super) fn leave(&self, run: &str) {
        if self.alive.borrow_mut().remove(run) && self.has_calls_under_way(run).unwrap_or(true) {
            self.left_ms.set(self.left_ms.get().max(chrono::Utc::now().timestamp_millis()));
        }
    }

    /// Whether this process is working on a run.
    #[must_use]
    pub fn is_alive(&self, run: &str) -> bool {
        self.alive.borrow().contains(run)
    }

    /// The runs that are alive, as `json_each` reads them.
    pub(super) fn alive_as_json(&self) -> String {
        serde_json::json!(*self.alive.borrow()).to_string()
    }

    /// The epoch of this opening, where others may have been on other machines.
    pub(super) fn epoch_among_machines(&self) -> Option<i64> {
        self.epoch.filter(|_| self.place.is_server())
    }

    /// Whoever worked on a run that is not alive has sent nothing since this moment, in milliseconds since 1970.
    pub(super) fn gone_by_ms(&self) -> i64 {
        self.opened_ms.max(self.left_ms.get())
    }

    fn has_calls_under_way(&self, run: &str) -> Result<bool> {
        let query = self.database.prepare(
            "SELECT EXISTS (SELECT 1 FROM batch WHERE run = ?1 AND state = 'sent'
             AND EXISTS (SELECT 1 FROM outcome WHERE outcome.batch = batch.id AND result IS NULL))",
        );
        query.query_row([run], |row| row.get(0))
    }
}
