//! What becomes of an activation that is at its end: nothing more, or it is tried again later.

use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::activation::{Activation, Done, What, status_of};
use super::serve::{Daemon, Happened};
use super::told::Told;
use crate::app::error::Error;
use crate::app::held::Held;
use crate::app::notices::{Delivered, Posts, deliver_due, run_given_up};
use crate::app::retention::retain;
use crate::model::outcome::Status;
use crate::run::error::Error as RunError;
use crate::store::error::Error as StoreError;

const HOUR_MS: i64 = 3_600_000;
/// How often notices that are due are looked for.
const DELIVERED_EVERY: TimeDelta = TimeDelta::seconds(5);
/// How long a delivery may take; what has no answer by then is tried again.
const DELIVERED_WITHIN: Duration = Duration::from_secs(60);

impl Daemon {
    /// Hears what happened.
    pub(super) async fn hear(&mut self, happened: Happened) {
        match happened {
            Happened::Checked(checked, sources) => self.checked(*checked, sources),
            Happened::Delivered(delivered) => self.delivered(*delivered),
            Happened::Left(name) => {
                if let Some(one) = self.remove(&name) {
                    self.give_up_cancelled(&one.held);
                }
            }
            Happened::Broke(name, words) => {
                self.remove(&name);
                let why =
                    format!("it broke off ({words}); this is a bug of Ferry, please report it with the run folder");
                self.tell(&Told::Failed { name, why });
            }
            Happened::Done(done) => {
                if let Some(one) = self.remove(&done.activation.name) {
                    self.ended(*done, &one.held);
                    self.retain(&one.held).await;
                }
            }
        }
    }

    /// What is kept for a time goes; what is under way stays.
    async fn retain(&self, held: &Held) {
        match retain(&self.setting, &self.definitions.project.settings, held).await {
            Ok(Some(went)) if !went.is_nothing() => self.tell(&Told::Notice(went.told())),
            Ok(_) => {}
            Err(error) => self.tell(&Told::Notice(format!("old runs cannot be cleaned away: {error}"))),
        }
    }

    fn ended(&mut self, done: Done, held: &Held) {
        let Done { activation, reports, has_begun, error } = done;
        let Some(error) = error else { return };
        let why = error.to_string();
        self.tell(&Told::Failed { name: activation.name.clone(), why: why.clone() });
        if self.state_was_away(&error) {
            // Nobody could write down what became of it: what is left to do stands in the state, and shows when that can be looked at.
            self.is_to_take_up = true;
            return;
        }
        // Of several that stopped, the one that time alone brings on comes first; the others are gone on with behind it.
        let waiting = [
            Status::WaitingRetry,
            Status::WaitingTarget,
            Status::WaitingQuota,
            Status::WaitingAuth,
            Status::WaitingApproval,
        ];
        let stopped = waiting.iter().find_map(|status| reports.iter().find(|report| report.status == *status));
        let (status, what) = match (stopped, &activation.what) {
            (Some(report), _) => (report.status, What::GoOn(report.run.clone())),
            (None, _) if has_begun => return,
            (None, what) => (status_of(&error), what.clone()),
        };
        match (status, &what) {
            (Status::WaitingRetry, _) => self.retry(activation, what, held),
            // Calls come back with the next hour or the next day, and so may a sign-in.
            (Status::WaitingQuota | Status::WaitingAuth | Status::WaitingTarget, What::GoOn(_)) => {
                let at = self.next_hour();
                self.later.push((at, Activation { what, ..activation }));
            }
            // Approval is looked for in each turn.
            (Status::WaitingApproval, _) => {}
            // A sign-in that is missing from the beginning shows at the next time, and so does what is wrong with a job.
            (_, What::Slot(_)) => self.given_up(activation.in_vain.as_deref(), None, held),
            (_, What::GoOn(run)) => self.given_up(Some(run), Some(&why), held),
        }
    }

    /// Whether it is for the want of the state that something did not end: a server was away, or another has taken over meanwhile.
    fn state_was_away(&self, error: &Error) -> bool {
        let Error::Run(RunError::Store(error)) = error else { return false };
        let was_away = match error {
            StoreError::State { source, .. } => source.may_pass(),
            other => matches!(other, StoreError::OwnershipLost),
        };
        was_away && self.setting.place().is_server()
    }

    /// When the next hour of the services' windows begins.
    fn next_hour(&self) -> DateTime<Utc> {
        let passed = self.setting.clock.limits_now_ms().rem_euclid(HOUR_MS);
        self.after(self.setting.clock.real(HOUR_MS - passed))
    }

    fn retry(&mut self, activation: Activation, what: What, held: &Held) {
        let tries = activation.tries + 1;
        let name = activation.name.clone();
        let wait = self.options.retry_after.get(activation.tries as usize).copied();
        let Some(wait) = wait else {
            self.tell(&Told::GivenUp { name, tries });
            let run = if let What::GoOn(run) = &what { Some(run) } else { activation.in_vain.as_ref() };
            return self.given_up(run.map(String::as_str), None, held);
        };
        let at = self.after(wait);
        self.tell(&Told::Retried { name, at, tries });
        self.later.push((at, Activation { what, tries, ..activation }));
    }

    /// A run that is not tried again by itself has failed, and whoever is to know is told.
    fn given_up(&self, run: Option<&str>, why: Option<&str>, held: &Held) {
        let Some(run) = run else { return };
        let kept = held.state.fail_waiting(run, why).map_err(Error::from);
        let told = kept.and_then(|()| run_given_up(&held.state, &self.definitions.project, &self.setting, run));
        if let Err(error) = told {
            self.tell(&Told::Notice(format!("run {run}: {error}")));
        }
    }

    /// Gives up what somebody asked to be given up and nobody works on.
    pub(super) fn give_up_cancelled(&mut self, held: &Held) {
        let at = self.setting.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let asked = held.state.pauses().unwrap_or_default().into_iter().filter(|pause| pause.is_cancel);
        for pause in asked.filter(|pause| !held.state.is_alive(&pause.name)) {
            let how = format!("{} had it cancelled", pause.by);
            match held.state.abandon_run(&pause.name, &at, &how) {
                Ok(()) => self.later.retain(|(_, one)| one.run() != Some(&pause.name)),
                Err(error) => self.tell(&Told::Notice(format!("run {}: {error}", pause.name))),
            }
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
