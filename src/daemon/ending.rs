//! What becomes of an activation that is at its end: nothing more, or it is tried again later.

use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::activation::{Activation, Done, What, status_of};
use super::serve::{Daemon, Happened};
use super::told::Told;
use crate::app::error::Error;
use crate::app::held::Held;
use crate::app::notices::{Delivered, Posts, deliver_due, run_given_up};
use crate::app::retention::retain;
use crate::model::outcome::Status;

const HOUR_MS: i64 = 3_600_000;
/// How often notices that are due are looked for.
const DELIVERED_EVERY: TimeDelta = TimeDelta::seconds(5);
/// How long a delivery may take; what has no answer by then is tried again.
const DELIVERED_WITHIN: Duration = Duration::from_secs(60);

impl Daemon {
    /// Hears what happened.
    pub(super) fn hear(&mut self, happened: Happened) {
        match happened {
            Happened::Checked(checked, sources) => self.checked(*checked, sources),
            Happened::Delivered(delivered) => self.delivered(*delivered),
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
        let last = reports.last().map(|report| report.run.clone());
        // The last run is the one that stopped; where none was begun, the whole thing is tried again.
        let stopped = reports.iter().rev().find(|report| report.status.is_waiting());
        let (status, what) = match (stopped, &activation.what) {
            (Some(report), _) if has_begun => (report.status, What::GoOn(report.run.clone())),
            (Some(report), what) => (report.status, what.clone()),
            (None, What::GoOn(_)) if !has_begun => (status_of(&error), activation.what.clone()),
            (None, _) if !has_begun => return last.iter().for_each(|run| self.given_up(run)),
            (None, _) => return,
        };
        match status {
            Status::WaitingRetry => self.retry(activation, what, last),
            // Calls come back with the next hour or the next day, and so may a sign-in.
            Status::WaitingQuota | Status::WaitingAuth if matches!(what, What::GoOn(_)) => {
                let at = self.next_hour();
                self.later.push((at, Activation { what, ..activation }));
            }
            // A sign-in that is missing from the beginning shows at the next time; somebody is told now.
            Status::WaitingAuth => last.iter().for_each(|run| self.given_up(run)),
            // Approval is looked for in each turn.
            _ => {}
        }
    }

    /// When the next hour of the services' windows begins.
    fn next_hour(&self) -> DateTime<Utc> {
        let passed = self.setting.clock.limits_now_ms().rem_euclid(HOUR_MS);
        self.after(self.setting.clock.real(HOUR_MS - passed))
    }

    fn retry(&mut self, activation: Activation, what: What, last: Option<String>) {
        let tries = activation.tries + 1;
        let name = activation.name.clone();
        let wait = self.options.retry_after.get(activation.tries as usize).copied();
        let Some(wait) = wait else {
            self.tell(&Told::GivenUp { name, tries });
            let run = if let What::GoOn(run) = what { Some(run) } else { last };
            return run.iter().for_each(|run| self.given_up(run));
        };
        let at = self.after(wait);
        self.tell(&Told::Retried { name, at, tries });
        self.later.push((at, Activation { what, tries, ..activation }));
    }

    /// A run that is not tried again by itself has failed, if time was all that it waited for, and whoever is to know is told.
    fn given_up(&self, run: &str) {
        let kept = self.desk().and_then(|state| {
            state.fail_waiting(run)?;
            run_given_up(&state, &self.definitions.project, &self.setting, run)
        });
        if let Err(error) = kept {
            self.tell(&Told::Notice(format!("run {run}: {error}")));
        }
    }

    /// Notices are on their way beside everything else.
    pub(super) fn deliver(&mut self) {
        let now = self.setting.clock.now();
        if self.is_delivering || now < self.delivered_at + DELIVERED_EVERY {
            return;
        }
        (self.is_delivering, self.delivered_at) = (true, now);
        let (setting, posts) = (Rc::clone(&self.setting), Posts::of(&self.definitions.project));
        self.happening.push(Box::pin(async move {
            Happened::Delivered(Box::new(deliver_due(&setting, &posts, DELIVERED_WITHIN).await))
        }));
    }

    fn delivered(&mut self, delivered: Result<Delivered, Error>) {
        self.is_delivering = false;
        match delivered {
            Ok(Delivered { later, given_up, .. }) => {
                for (address, why) in later {
                    self.tell(&Told::Notice(format!("a notice to {address} did not arrive and is tried again: {why}")));
                }
                for (address, why) in given_up {
                    let how = "`ferry notices` shows it";
                    self.tell(&Told::Notice(format!("a notice to {address} is given up: {why}; {how}")));
                }
            }
            Err(error) => self.tell(&Told::Notice(format!("notices cannot be looked at: {error}"))),
        }
    }
}
