//! The loop: it looks, begins what is due, and hears what came of it, until it is asked to stop.
//!
//! In: a setting, options, a listener, and a word to stop. Out: nothing but what was done. Everything that it decides is written down
//! before it is done, so that it may end at any moment.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{AbortHandle, Abortable, LocalBoxFuture};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::watch;

use super::activation::{Activation, Done, What};
use super::beginning::{begun_with, followed};
use super::definitions::{Definitions, NotTaken};
use super::options::Options;
use super::queue::Queue;
use super::told::{Listener, Told};
use crate::app::error::Error;
use crate::app::held::Held;
use crate::app::notices::Delivered;
use crate::app::workspace::Setting;
use crate::diagnostic::source::Sources;
use crate::run::error::Error as RunError;
use crate::run::progress::Event;
use crate::schedule::due::Watch;
use crate::store::error::Error as StoreError;
use crate::store::following::Following;
use crate::store::state::State;

/// Whether the daemon is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// It serves.
    No,
    /// It begins nothing more, and waits for what is under way as long as the options say.
    Soon,
    /// It leaves what is under way where it is.
    Now,
}

/// What is under way.
pub(super) struct UnderWay {
    pub(super) activation: Activation,
    /// The numbers of its runs, as they begin.
    pub(super) runs: Arc<Mutex<Vec<String>>>,
    /// Whether it is kept which run came of its time.
    pub(super) is_noted: bool,
    /// What it works by: its jobs may have gone from the files since.
    definitions: Rc<Definitions>,
    leave: AbortHandle,
    pub(super) held: Rc<Held>,
}

impl UnderWay {
    /// Whether a run is one of its.
    pub(super) fn has_run(&self, run: &str) -> bool {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|one| one == run)
    }
}

impl UnderWay {
    /// Keeps which run came of its time; whether there is nothing more to keep.
    pub(super) fn note(&self, state: &State) -> Result<bool, Error> {
        let What::Slot(at) = &self.activation.what else { return Ok(true) };
        let first = self.runs.lock().unwrap_or_else(PoisonError::into_inner).first().cloned();
        let Some(first) = first else { return Ok(false) };
        state.slot_begun(&self.activation.name, *at, &first)?;
        Ok(true)
    }
}

pub(super) enum Happened {
    /// An activation is at its end.
    Done(Box<Done>),
    /// Notices were delivered, or not.
    Delivered(Box<Result<Delivered, Error>>),
    /// One was left where it was.
    Left(String),
    /// One broke off in a way that it never should.
    Broke(String, String),
    /// Files were checked.
    Checked(Box<Result<Definitions, NotTaken>>, Sources),
}

/// The daemon at work.
pub(super) struct Daemon {
    pub(super) setting: Rc<Setting>,
    /// Nobody else follows the schedules meanwhile.
    following: Following,
    /// Whether something was left behind when the state was away, and is to be gone on with.
    pub(super) is_to_take_up: bool,
    /// Who began it, as the operating system calls them.
    pub(super) somebody: String,
    pub(super) options: Options,
    pub(super) listener: Listener,
    pub(super) definitions: Rc<Definitions>,
    /// The files as they were when they were last looked at and not taken.
    pub(super) not_taken: Option<(Sources, DateTime<Utc>, bool)>,
    pub(super) is_checking: bool,
    pub(super) is_delivering: bool,
    /// When notices were last looked for.
    pub(super) delivered_at: DateTime<Utc>,
    pub(super) queue: Queue,
    /// What is tried again, and when.
    pub(super) later: Vec<(DateTime<Utc>, Activation)>,
    pub(super) under_way: Vec<UnderWay>,
    pub(super) happening: FuturesUnordered<LocalBoxFuture<'static, Happened>>,
    pub(super) watch: Watch,
    pub(super) held: Weak<Held>,
    /// Why the state cannot be looked at, if it cannot.
    pub(super) trouble: Option<String>,
    /// What was said to wait, so that it is said once.
    told_to_wait: BTreeSet<String>,
}

/// Serves until it is told to stop. Where a service is away at the beginning, it waits until definitions can be checked.
///
/// # Errors
/// If there is nothing to begin with: the project has mistakes, a secret is missing, or the home cannot be used.
pub async fn serve(
    setting: Setting,
    options: Options,
    listener: Listener,
    mut stop: watch::Receiver<Stop>,
) -> Result<(), Error> {
    // What runs here is started by schedules, and nobody looks on.
    let somebody = setting.by.clone();
    let setting = Rc::new(Setting { is_attended: false, by: "schedule".to_owned(), anew: true, ..setting });
    loop {
        // Two of them on one state would take each other's schedules for gone.
        let Some(following) = followed(&setting, &options, &listener, &mut stop).await? else { break };
        let Some(definitions) = begun_with(&setting, &options, &listener, &mut stop).await? else { break };
        listener(&Told::Started(definitions.defined()));
        let mut daemon = Daemon::of(&setting, &somebody, &options, &listener, definitions, following);
        daemon.note_definitions();
        if let Err(error) = daemon.take_up() {
            if !setting.place().is_server() {
                return Err(error);
            }
            // It is looked at again in each turn.
            daemon.is_to_take_up = true;
        }
        if daemon.works(stop.clone()).await {
            return Ok(());
        }
    }
    listener(&Told::Stopped { left: 0 });
    Ok(())
}

impl Daemon {
    fn of(
        setting: &Rc<Setting>,
        somebody: &str,
        options: &Options,
        listener: &Listener,
        definitions: Definitions,
        following: Following,
    ) -> Self {
        let now = setting.clock.now();
        Self {
            setting: Rc::clone(setting),
            following,
            is_to_take_up: false,
            somebody: somebody.to_owned(),
            options: options.clone(),
            listener: Arc::clone(listener),
            definitions: Rc::new(definitions),
            not_taken: None,
            is_checking: false,
            is_delivering: false,
            delivered_at: now,
            queue: Queue::default(),
            later: Vec::new(),
            under_way: Vec::new(),
            happening: FuturesUnordered::new(),
            watch: Watch::begin(now),
            held: Weak::new(),
            trouble: None,
            told_to_wait: BTreeSet::new(),
        }
    }
}

impl Daemon {
    /// Works until it is asked to stop; false if it lost the right to follow the schedules before.
    async fn works(&mut self, mut stop: watch::Receiver<Stop>) -> bool {
        while *stop.borrow() == Stop::No {
            if !self.following.is_held() {
                // Whoever has it now goes on with what is under way here.
                let why = "the right to follow the schedules has run out: the state was away for too long".to_owned();
                self.tell(&Told::StandsBy { why });
                self.leave_all().await;
                return false;
            }
            self.turn();
            tokio::select! {
                Some(happened) = self.happening.next(), if !self.happening.is_empty() => self.hear(happened).await,
                () = self.setting.clock.sleep(self.options.tick) => {}
                // Whoever could say so is gone: nobody can stop it any more but the system.
                changed = stop.changed() => if changed.is_err() { self.setting.clock.sleep(self.options.tick).await },
            }
        }
        self.stops(stop).await;
        true
    }

    /// Waits for what is under way, and leaves what does not end in time.
    async fn stops(&mut self, mut stop: watch::Receiver<Stop>) {
        let (under_way, within) = (self.under_way.len(), self.options.stop_within);
        self.tell(&Told::Stopping { under_way, seconds: within.as_secs() });
        let until = self.setting.clock.mark();
        // A notice that is on its way would arrive a second time if nobody heard that it did.
        while (!self.under_way.is_empty() || self.is_delivering)
            && *stop.borrow() != Stop::Now
            && !self.setting.clock.may_have_passed(until, within)
        {
            self.turned();
            tokio::select! {
                Some(happened) = self.happening.next() => self.hear(happened).await,
                () = self.setting.clock.sleep(self.options.tick) => {}
                _ = stop.changed() => {}
            }
        }
        let left = self.under_way.len();
        self.leave_all().await;
        self.tell(&Told::Stopped { left });
    }

    /// Leaves everything that is under way where it is.
    async fn leave_all(&mut self) {
        for name in self.under_way.iter().map(|one| one.activation.name.clone()).collect::<Vec<_>>() {
            self.leave(&name);
        }
        while !self.under_way.is_empty()
            && let Some(happened) = self.happening.next().await
        {
            self.hear(happened).await;
        }
    }

    /// Begins what may begin.
    pub(super) fn begin(&mut self) {
        while self.under_way.len() < self.options.side_by_side {
            // What is under way is what it was when it began; what waits is what it will be.
            let begun_by = |one: &UnderWay| (one.activation.clone(), Rc::clone(&one.definitions));
            let of: Vec<(Activation, Rc<Definitions>)> = self.under_way.iter().map(begun_by).collect();
            let now = Rc::clone(&self.definitions);
            let in_the_way = move |one: &Activation, other: &Activation| {
                let found = of.iter().find(|(known, _)| known == other).map(|(_, definitions)| definitions);
                now.are_in_conflict(&one.name, found.unwrap_or(&now), &other.name)
            };
            let under_way: Vec<Activation> = self.under_way.iter().map(|one| one.activation.clone()).collect();
            if self.queue.is_empty() {
                return;
            }
            let held = match self.hold() {
                Ok(held) => held,
                Err(error) => return self.waits(&error),
            };
            // The home may have been long in coming, and the right to follow the schedules may be another's by now.
            if !self.following.is_held() {
                return;
            }
            let Some(next) = self.queue.next(&under_way, in_the_way) else { return };
            match next.is_still_to_begin(&held.state) {
                Ok(true) => {}
                Ok(false) => {
                    let name = &next.name;
                    self.tell(&Told::Notice(format!("what was due of \"{name}\" was begun meanwhile")));
                    // Whoever began it may have left it where it was.
                    self.is_to_take_up = true;
                    continue;
                }
                Err(error) => {
                    self.queue.push(next);
                    return self.waits(&error);
                }
            }
            self.told_to_wait.clear();
            self.start(next, held);
        }
    }

    fn start(&mut self, activation: Activation, held: Rc<Held>) {
        let (leave, registration) = AbortHandle::new_pair();
        let runs: Arc<Mutex<Vec<String>>> = Arc::default();
        let (listener, known) = (Arc::clone(&self.listener), Arc::clone(&runs));
        // The numbers of runs are needed to leave them, or to say of which of them somebody speaks.
        let listener: Listener = Arc::new(move |told| {
            if let Told::Heard { event: Event::Began { run, .. }, .. } = told {
                known.lock().unwrap_or_else(PoisonError::into_inner).push(run.clone());
            }
            listener(told);
        });
        let (definitions, setting) = (Rc::clone(&self.definitions), Rc::clone(&self.setting));
        let name = activation.name.clone();
        let work = activation.clone().carried_out(definitions, setting, Rc::clone(&held), listener);
        let definitions = Rc::clone(&self.definitions);
        self.under_way.push(UnderWay { activation, runs, is_noted: false, definitions, leave, held });
        self.happening.push(Box::pin(async move {
            // A mistake of ours in one run ends that run, and not what is under way beside it.
            match AssertUnwindSafe(Abortable::new(work, registration)).catch_unwind().await {
                Ok(Ok(done)) => Happened::Done(Box::new(done)),
                Ok(Err(_)) => Happened::Left(name),
                Err(panic) => Happened::Broke(name, words(&*panic)),
            }
        }));
    }

    /// The home, if it is to be had.
    fn hold(&mut self) -> Result<Rc<Held>, Error> {
        if let Some(held) = self.held.upgrade() {
            return Ok(held);
        }
        let held = Rc::new(Held::at_once(&self.setting)?);
        self.held = Rc::downgrade(&held);
        Ok(held)
    }

    fn waits(&mut self, error: &Error) {
        let why = match error {
            Error::Run(RunError::Store(StoreError::Busy { .. })) => format!("somebody else is at work: {error}"),
            other => other.to_string(),
        };
        for name in self.queue.names() {
            if self.told_to_wait.insert(name.clone()) {
                self.tell(&Told::Waits { name, why: why.clone() });
            }
        }
    }

    /// Has one stop where it is. What it does is written down before it is done, so that it can be gone on with.
    pub(super) fn leave(&self, name: &str) {
        self.under_way.iter().filter(|one| one.activation.name == name).for_each(|one| one.leave.abort());
    }

    /// Takes one out of what is under way; runs of it that are not at their end are interrupted ones.
    pub(super) fn remove(&mut self, name: &str) -> Option<UnderWay> {
        let at = self.under_way.iter().position(|one| one.activation.name == name)?;
        let one = self.under_way.swap_remove(at);
        if let Err(error) = one.note(&one.held.state) {
            self.tell(&Told::Notice(format!("what came of the time of \"{name}\" cannot be kept: {error}")));
        }
        for run in one.runs.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Err(error) = one.held.state.interrupt_run(run) {
                self.tell(&Told::Notice(format!("run {run}: {error}")));
                self.is_to_take_up |= self.setting.place().is_server();
            }
        }
        Some(one)
    }

    /// The state, beside whoever has the home.
    pub(super) fn desk(&self) -> Result<State, Error> {
        Ok(State::join(self.setting.place())?)
    }

    pub(super) fn tell(&self, told: &Told) {
        (self.listener)(told);
    }

    /// Says that it is alive.
    pub(super) fn turned(&self) {
        self.tell(&Told::Turned {
            has_home: self.held.strong_count() > 0,
            under_way: self.under_way.len(),
            waiting: self.queue.len() + self.later.len(),
        });
    }

    pub(super) fn after(&self, wait: Duration) -> DateTime<Utc> {
        self.setting.clock.now() + wait
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a word").to_owned()
}
