//! What becomes of an activation that is at its end: nothing more, or it is tried again later.

use chrono::{DateTime, Utc};

use super::activation::{Activation, Done, What, status_of};
use super::serve::{Daemon, Happened};
use super::told::Told;
use crate::app::held::Held;
use crate::app::retention::retain;
use crate::model::outcome::Status;

const HOUR_MS: i64 = 3_600_000;

impl Daemon {
    /// Hears what happened.
    pub(super) fn hear(&mut self, happened: Happened) {
        match happened {
            Happened::Checked(checked, sources) => self.checked(*checked, sources),
            Happened::Left(name) => drop(self.remove(&name)),
            Happened::Broke(name, words) => {
                self.remove(&name);
                let why =
                    format!("it broke off ({words}); this is a bug of Ferry, please report it with the run folder");
                self.tell(&Told::Failed { name, why });
            }
            Happened::Done(done) => {
                let one = self.remove(&done.activation.name);
                self.ended(*done);
                if let Some(one) = one.filter(|_| self.under_way.is_empty()) {
                    self.retain(&one.held);
                }
            }
        }
    }

    /// What is kept for a time goes, while nothing else is under way.
    fn retain(&self, held: &Held) {
        match retain(&self.setting, &self.definitions.project.settings, held) {
            Ok(Some(went)) if !went.is_nothing() => self.tell(&Told::Notice(went.told())),
            Ok(_) => {}
            Err(error) => self.tell(&Told::Notice(format!("old runs cannot be cleaned away: {error}"))),
        }
    }

    fn ended(&mut self, done: Done) {
        let Done { activation, reports, has_begun, error } = done;
        let Some(error) = error else { return };
        self.tell(&Told::Failed { name: activation.name.clone(), why: error.to_string() });
        // The last run is the one that stopped; where none was begun, the whole thing is tried again.
        let stopped = reports.iter().rev().find(|report| report.status.is_waiting());
        let (status, what) = match (stopped, &activation.what) {
            (Some(report), _) if has_begun => (report.status, What::GoOn(report.run.clone())),
            (Some(report), what) => (report.status, what.clone()),
            (None, What::GoOn(_)) if !has_begun => (status_of(&error), activation.what.clone()),
            (None, _) => return,
        };
        match status {
            Status::WaitingRetry => self.retry(activation, what),
            // Calls come back with the next hour or the next day, and so may a sign-in.
            Status::WaitingQuota | Status::WaitingAuth if matches!(what, What::GoOn(_)) => {
                let at = self.next_hour();
                self.later.push((at, Activation { what, ..activation }));
            }
            // Approval is looked for in each turn; a sign-in that is missing from the beginning shows at the next time.
            _ => {}
        }
    }

    /// When the next hour of the services' windows begins.
    fn next_hour(&self) -> DateTime<Utc> {
        let passed = self.setting.clock.limits_now_ms().rem_euclid(HOUR_MS);
        self.after(self.setting.clock.real(HOUR_MS - passed))
    }

    fn retry(&mut self, activation: Activation, what: What) {
        let tries = activation.tries + 1;
        let name = activation.name.clone();
        let wait = self.options.retry_after.get(activation.tries as usize).copied();
        let Some(wait) = wait else {
            self.tell(&Told::GivenUp { name, tries });
            if let What::GoOn(run) = &what
                && let Err(error) = self.desk().and_then(|state| Ok(state.fail_waiting(run)?))
            {
                self.tell(&Told::Notice(format!("run {run}: {error}")));
            }
            return;
        };
        let at = self.after(wait);
        self.tell(&Told::Retried { name, at, tries });
        self.later.push((at, Activation { what, tries, ..activation }));
    }
}
