//! What the daemon looks at in each turn: its files, the time, what is to be tried again, what people said.

use std::collections::BTreeSet;
use std::rc::Rc;

use chrono::{DateTime, Utc};

use super::activation::{Activation, What};
use super::definitions::{Definitions, NotTaken, are_same, look};
use super::serve::{Daemon, Happened, UnderWay};
use super::told::Told;
use crate::app::error::Error;
use crate::app::schedules::due;
use crate::app::updates::note_definitions;
use crate::app::workspace::Setting;
use crate::diagnostic::source::Sources;
use crate::model::outcome::Status;
use crate::store::runs::Run;
use crate::store::state::State;

impl Daemon {
    /// One turn. What goes wrong with a look is told and looked at again.
    pub(super) fn turn(&mut self) {
        self.watch = self.watch.look(self.setting.clock.now());
        self.look_at_files();
        let trouble = self.look_at_the_state().err().map(|error| error.to_string());
        if trouble != self.trouble {
            self.tell(&Told::Notice(match &trouble {
                Some(why) => format!("the state cannot be looked at, and nothing is begun: {why}"),
                None => "the state can be looked at again".to_owned(),
            }));
            self.trouble = trouble;
        }
        self.deliver();
        self.begin();
        self.turned();
    }

    /// Takes up what an earlier process left: runs that a schedule had begun, and times that were decided and never begun.
    pub(super) fn take_up(&mut self) -> Result<(), Error> {
        let state = self.desk()?;
        let paused = state.pauses()?;
        for run in state.unfinished_runs()? {
            let is_paused = paused.iter().any(|pause| pause.name == run.id);
            let one = going_on(&run);
            // Whoever goes on with a run of a chain goes on with the rest of it.
            let is_known = self.queue.has(&one.name) || self.is_busy_with(&run);
            if is_gone_on_with(&run) && !is_paused && !is_known {
                self.queue.push(one);
            }
        }
        for (name, at) in state.unbegun_slots()? {
            let is_known = self.queue.has(&name) || self.under_way.iter().any(|one| one.activation.name == name);
            if !self.definitions.jobs_of(&name).is_empty() && !is_known {
                self.due(name, at);
            }
        }
        Ok(())
    }

    /// What was changed is an update activity.
    pub(super) fn note_definitions(&self) {
        let setting = Setting { by: self.somebody.clone(), ..(*self.setting).clone() };
        if let Err(error) = note_definitions(&setting, &self.definitions.text().sources) {
            self.tell(&Told::Notice(format!("what was changed cannot be kept: {error}")));
        }
    }

    fn look_at_files(&mut self) {
        if self.is_checking {
            return;
        }
        let sources = match look(&self.setting) {
            Ok(sources) => sources,
            Err(error) => return self.not_taken(Sources::default(), NotTaken::Unchecked(error)),
        };
        if self.definitions.is_of(&sources) {
            if self.not_taken.take().is_some() {
                self.tell(&Told::Reloaded(self.definitions.defined()));
            }
            return;
        }
        let now = self.setting.clock.now();
        let again = |at: DateTime<Utc>| {
            now - at >= chrono::TimeDelta::from_std(self.options.check_again_after).unwrap_or_default()
        };
        let is_known = self
            .not_taken
            .as_ref()
            .is_some_and(|(known, at, is_broken)| are_same(known, &sources) && (*is_broken || !again(*at)));
        if is_known {
            return;
        }
        self.is_checking = true;
        let setting = Rc::clone(&self.setting);
        self.happening.push(Box::pin(async move {
            let checked = Definitions::of(sources.clone(), &setting).await;
            Happened::Checked(Box::new(checked), sources)
        }));
    }

    /// What came of a check.
    pub(super) fn checked(&mut self, checked: Result<Definitions, NotTaken>, sources: Sources) {
        self.is_checking = false;
        match checked {
            Ok(definitions) => {
                self.not_taken = None;
                self.definitions = Rc::new(definitions);
                self.note_definitions();
                self.tell(&Told::Reloaded(self.definitions.defined()));
            }
            Err(why) => self.not_taken(sources, why),
        }
    }

    fn not_taken(&mut self, sources: Sources, why: NotTaken) {
        let is_new = self.not_taken.as_ref().is_none_or(|(known, _, _)| !are_same(known, &sources));
        let is_broken = matches!(why, NotTaken::Broken(_));
        self.not_taken = Some((sources, self.setting.clock.now(), is_broken));
        if !is_new {
            return;
        }
        match why {
            NotTaken::Broken(broken) => {
                let (mistakes, _) = broken.0.tally();
                self.tell(&Told::Broken { mistakes, first: super::definitions::first(&broken.0, &broken.1) });
            }
            NotTaken::Unchecked(error) => self.tell(&Told::Unchecked { why: error.to_string() }),
        }
    }

    fn look_at_the_state(&mut self) -> Result<(), Error> {
        let state = self.desk()?;
        if self.is_to_take_up {
            self.take_up()?;
            self.is_to_take_up = false;
        }
        let now = self.setting.clock.now();
        let (come, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
        self.later = later;
        let come: Vec<(DateTime<Utc>, Activation)> = come;
        come.into_iter().for_each(|(_, one)| self.queue.push(one));
        self.note_runs(&state)?;
        self.look_at_the_time(&state)?;
        for run in state.approved_runs()? {
            if !self.is_busy_with(&run) {
                self.queue.push(going_on(&run));
            }
        }
        self.look_at_pauses(&state)
    }

    fn look_at_the_time(&mut self, state: &State) -> Result<(), Error> {
        let under_way = self.under_way.iter().map(|one| one.activation.name.clone());
        let busy: BTreeSet<String> = under_way.chain(self.queue.names()).collect();
        let definitions = Rc::clone(&self.definitions);
        let looked = due(state, &definitions.entries, self.watch, &busy)?;
        for (name, slot) in looked.passed {
            self.tell(&Told::Passed { name, slot: slot.at, why: slot.verdict.word() });
        }
        for one in looked.due {
            self.due(one.name, one.at);
        }
        Ok(())
    }

    /// A run that is paused stops where it is, and stays so until somebody goes on with it. One that is to be given up is.
    fn look_at_pauses(&mut self, state: &State) -> Result<(), Error> {
        for pause in state.pauses()? {
            let named = |one: &&UnderWay| one.has_run(&pause.name);
            if let Some(name) = self.under_way.iter().find(named).map(|one| one.activation.name.clone()) {
                self.leave(&name);
            } else if let Some(held) = self.held.upgrade().filter(|_| pause.is_cancel) {
                self.give_up_cancelled(&held);
            }
        }
        Ok(())
    }

    /// Keeps which runs came of the times that were decided.
    fn note_runs(&mut self, state: &State) -> Result<(), Error> {
        for one in self.under_way.iter_mut().filter(|one| !one.is_noted) {
            one.is_noted = one.note(state)?;
        }
        Ok(())
    }

    fn due(&mut self, name: String, slot: DateTime<Utc>) {
        let late_ms = (self.setting.clock.now() - slot).num_milliseconds();
        self.tell(&Told::Due { name: name.clone(), slot, late_ms });
        // The run that is due takes up what was to be tried again.
        self.later.retain(|(_, one)| one.name != name);
        self.queue.push(Activation { name, what: What::Slot(slot), tries: 0, in_vain: None });
    }

    fn is_busy_with(&self, run: &Run) -> bool {
        self.queue.has_run(&run.id)
            || self.later.iter().any(|(_, one)| one.run() == Some(&run.id))
            || self.under_way.iter().any(|one| one.activation.run() == Some(&run.id) || one.has_run(&run.id))
    }
}

/// A run to be gone on with, under the name of its chain if it has one.
pub(super) fn going_on(run: &Run) -> Activation {
    let name = run.chain.clone().unwrap_or_else(|| run.job.clone());
    Activation { name, what: What::GoOn(run.id.clone()), tries: 0, in_vain: None }
}

/// Whether a daemon that begins goes on with a run: one of a schedule that nobody stopped. What people began they go on with.
fn is_gone_on_with(run: &Run) -> bool {
    let status = Status::parse(&run.status);
    let stopped = [
        Status::Running,
        Status::Interrupted,
        Status::WaitingRetry,
        Status::WaitingQuota,
        Status::WaitingAuth,
        Status::WaitingTarget,
    ];
    run.by.as_deref() == Some("schedule") && status.is_some_and(|status| stopped.contains(&status))
}
