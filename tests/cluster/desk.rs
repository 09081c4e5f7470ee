//! A scheduler in this process, executors as processes of their own, and a run's folder to plan over.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use ferry::cluster::address::Address;
use ferry::cluster::bounds::Bounds;
use ferry::cluster::client::Cluster;
use ferry::cluster::scheduler::Scheduler;
use ferry::engine::elsewhere::{Place, Sending};
use ferry::engine::session::Engine;
use ferry::model::dataset;
use ferry::model::job::Job;
use ferry::run::error::Error;
use ferry::run::stages::stages;
use ferry::store::dataset::RunFolder;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::stage::Stage;
use crate::staged::shared;

/// A scheduler, which is gone with this.
pub struct Served {
    pub url: String,
    task: JoinHandle<()>,
}

impl Served {
    pub async fn begin() -> Self {
        let scheduler = Scheduler::listen("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
        let url = format!("http://{}", scheduler.address);
        let task = tokio::spawn(async move { scheduler.serve().await.unwrap() });
        Self { url, task }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An executor, which is killed with this.
pub struct Worker {
    child: Child,
    _work: TempDir,
}

impl Worker {
    pub fn of(scheduler: &str) -> Self {
        let work = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
        command.args(["cluster", "executor", "--cores", "1", "--memory-mb", "256", "--scheduler", scheduler, "--work"]);
        let child = command.arg(work.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: child.spawn().unwrap(), _work: work }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Has it do nothing more, and keep its connections.
    pub fn freeze(&self) {
        assert!(Command::new("kill").args(["-STOP", &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// A job with the folder of a run of it.
pub struct Planned {
    pub name: String,
    pub job: Job,
    pub folder: RunFolder,
}

/// Runs jobs, and opens what each has read.
pub async fn planned(stage: &Stage, names: &[&str], more: &[(&str, &str)]) -> Vec<Planned> {
    let workspace = stage.workspace(more).await.or_mistakes().expect("the project is right");
    let mut all = Vec::new();
    for name in names {
        let (reports, ended) = stage.try_run_with(name, more).await;
        ended.expect("the run ends");
        for report in reports {
            let path: PathBuf = stage.setting.home.join("runs").join(&report.run);
            let (job, folder) = (workspace.project.jobs[&report.job].at(0), shared(&path).await);
            all.push(Planned { name: report.job, job, folder });
        }
    }
    all
}

impl Planned {
    /// The digests of what its stages give; `half` is called when the source's side is done.
    pub async fn made(&self, sending: Option<Sending>, mut half: impl FnMut()) -> Result<Vec<String>, Error> {
        let engine = Engine::new(self.folder.root()).unwrap().sending(sending);
        let mut rows = 0;
        stages(&engine, &self.job, &self.folder, None, |batch| match batch {
            Some(batch) => rows += batch.num_rows(),
            None => half(),
        })
        .await?;
        assert!(rows > 0, "{} has rows", self.name);
        let mut digests = Vec::new();
        for name in [dataset::MAPPED, dataset::SCREENED, dataset::COMPARED, dataset::CHANGES] {
            digests.push(self.folder.digest(name).await.unwrap());
        }
        Ok(digests)
    }
}

/// What was told of plans that were sent.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Plans of one job on their way to a scheduler.
pub fn sending(url: &str, bounds: Bounds, or_here: bool, told: &Told) -> Sending {
    let cluster = Cluster::new(Address::parse(url).unwrap(), bounds);
    let told = told.clone();
    let tell = move |text| told.0.lock().unwrap().push(text);
    Sending::new(Place { to: Arc::new(cluster), or_here }, Arc::new(tell))
}
