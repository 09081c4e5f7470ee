//! A daemon under a test's eyes: its project is a folder, its clock is set by hand, and what it tells is waited for, never slept for.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use ferry::app::error::Error;
use ferry::app::schedules::scheduled;
use ferry::daemon::options::Options;
use ferry::daemon::serve::{Stop, serve};
use ferry::daemon::told::Told;
use ferry::model::clock::Clock;
use ferry::run::report::Report;
use ferry::schedule::times::next_after;
use ferry::store::home::state_path;
use ferry::store::runs::Run;
use ferry::store::slots::Kept;
use ferry::store::state::State;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use crate::stage::{SCALE, Stage};

/// What a test waits for at the most before it says that it never came.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same, where it is looked for in each turn.
const TURNS_AT_MOST: usize = 1_000;

pub struct Desk {
    pub stage: Stage,
    by: &'static AtomicI64,
    project: TempDir,
}

/// A daemon at work.
pub struct Daemon {
    told: mpsc::UnboundedReceiver<Told>,
    stop: watch::Sender<Stop>,
    served: JoinHandle<Result<(), Error>>,
    /// Everything that was told so far but its turns.
    pub heard: Vec<Told>,
}

impl Desk {
    /// A project of the out-of-the-box jobs without their chain, and of this text.
    pub fn new(mut stage: Stage, more: &str) -> Self {
        let project = tempfile::tempdir().expect("a folder");
        let by = Box::leak(Box::new(AtomicI64::new(0)));
        stage.setting.clock = Clock::system(SCALE).set_by(by);
        stage.setting.project = project.path().to_owned();
        for (_, file) in stage.text(&[]).sources.iter().filter(|(_, file)| file.name != "chain.ferry") {
            std::fs::write(project.path().join(&file.name), &file.text).expect("a file");
        }
        let desk = Self { stage, by, project };
        desk.write("schedules.ferry", more);
        desk
    }

    pub fn write(&self, name: &str, text: &str) {
        // Put in place as a whole: the daemon may look at any moment.
        let (whole, path) = (self.path("new.tmp"), self.path(name));
        std::fs::write(&whole, text).expect("a file");
        std::fs::rename(whole, path).expect("it is put in place");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.project.path().join(name)
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.stage.setting.clock.now()
    }

    /// Sets the clock to a moment. It goes on from there.
    pub fn set_clock(&self, to: DateTime<Utc>) {
        let ahead = (to - self.now()).num_milliseconds();
        self.by.fetch_add(ahead, Ordering::SeqCst);
    }

    pub async fn next_of(&self, name: &str) -> DateTime<Utc> {
        let workspace = ferry::app::workspace::Workspace::ready(&self.stage.setting).await.expect("it is right");
        let entry = scheduled(&workspace.project).into_iter().find(|one| one.name == name).expect("it is scheduled");
        next_after(&entry.schedule, self.now()).expect("it comes")
    }

    pub fn state(&self) -> State {
        State::look(&state_path(&self.stage.setting.home)).expect("it opens").expect("it is there")
    }

    pub fn runs(&self) -> Vec<Run> {
        let mut runs = self.state().runs(100).expect("they are read");
        runs.reverse();
        runs
    }

    /// The decided times of a name, the oldest first.
    pub fn slots(&self, name: &str) -> Vec<Kept> {
        let mut slots = self.state().slots(Some(name), false, 100).expect("they are read");
        slots.reverse();
        slots
    }

    pub fn options() -> Options {
        Options {
            tick: Duration::from_millis(10),
            retry_after: vec![Duration::from_secs(60); 2],
            stop_within: Duration::from_secs(30),
            ..Options::default()
        }
    }

    /// Does something beside a daemon that serves.
    pub async fn with<T>(&self, options: Options, what: impl AsyncFnOnce(&mut Daemon) -> T) -> T {
        let beside = LocalSet::new();
        beside
            .run_until(async {
                let mut daemon = self.begin(options).await;
                let made = what(&mut daemon).await;
                daemon.stop(Stop::Soon).await;
                made
            })
            .await
    }

    /// Begins to serve, within a [`LocalSet`].
    pub async fn begin(&self, options: Options) -> Daemon {
        self.begin_with(options, |_| {}).await
    }

    /// The same with somebody else who listens.
    pub async fn begin_with(&self, options: Options, also: impl Fn(&Told) + Send + Sync + 'static) -> Daemon {
        let mut daemon = self.begin_to_check(options, also);
        daemon.hears(|told| matches!(told, Told::Started(_)).then_some(())).await;
        daemon.turns().await;
        daemon
    }

    /// The same before it has definitions.
    pub fn begin_to_check(&self, options: Options, also: impl Fn(&Told) + Send + Sync + 'static) -> Daemon {
        let (tell, told) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(Stop::No);
        let listener = Arc::new(move |told: &Told| {
            drop(tell.send(told.clone()));
            also(told);
        });
        let served = spawn_local(serve(self.stage.setting.clone(), options, listener, stopped));
        Daemon { told, stop, served, heard: Vec::new() }
    }
}

impl Daemon {
    /// What is told next and fits.
    pub async fn hears<T>(&mut self, fits: impl Fn(&Told) -> Option<T>) -> T {
        let look = async {
            loop {
                let told = self.told.recv().await.expect("the daemon is there");
                let found = fits(&told);
                if !matches!(told, Told::Turned { .. }) {
                    self.heard.push(told);
                }
                if let Some(found) = found {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, look).await;
        found.unwrap_or_else(|_| panic!("it never came; heard: {:#?}", self.heard))
    }

    /// Waits until it has looked at everything once more, at what is there now.
    pub async fn turns(&mut self) {
        while self.told.try_recv().is_ok_and(|told| {
            if !matches!(told, Told::Turned { .. }) {
                self.heard.push(told);
            }
            true
        }) {}
        for _ in 0..2 {
            self.hears(|told| matches!(told, Told::Turned { .. }).then_some(())).await;
        }
    }

    /// Waits until something is so.
    pub async fn turns_until(&mut self, is_so: impl Fn() -> bool) {
        for _ in 0..TURNS_AT_MOST {
            if is_so() {
                return;
            }
            self.turns().await;
        }
        panic!("it never came; heard: {:#?}", self.heard);
    }

    pub async fn ended(&mut self) -> Report {
        self.hears(|told| match told {
            Told::Ended { report, .. } => Some((**report).clone()),
            _ => None,
        })
        .await
    }

    /// Has it stop; gives how many were left where they were.
    pub async fn stop(&mut self, how: Stop) -> usize {
        self.stop.send(how).expect("it listens");
        let left = self
            .hears(|told| match told {
                Told::Stopped { left } => Some(*left),
                _ => None,
            })
            .await;
        (&mut self.served).await.expect("it ends").expect("it ends well");
        left
    }
}
