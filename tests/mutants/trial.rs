//! A trial: real processes that have a bug, on a home of their own, against a sandbox with a small world.
//!
//! In: bugs, faults, what to run. Out: how processes ended, and what both services saw. What should be is not known here.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Stdio};
use std::time::{Duration, Instant};

use ferry::sandbox::{Call, Options, Sandbox, Service, start_with};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::world;
use crate::stage::{SCALE, Stage};
use crate::terminal::{Desk, ended};

/// No process takes as long as this, whatever bug it has.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Trial {
    desk: Desk,
    /// Serves the sandbox, and ends after it.
    _runtime: Runtime,
}

/// How a process ended.
pub struct Ended {
    pub code: i32,
    pub said: String,
    /// The last line of JSON that it printed.
    pub report: Value,
}

/// A process that stands still.
pub struct Standing {
    child: Child,
    said: BufReader<ChildStderr>,
}

impl Trial {
    /// Pages and batches of three rows.
    pub fn new(bugs: &str, rules: &str) -> Self {
        Self::settling(bugs, rules, 120)
    }

    /// The same where a call without an answer may be carried out for longer: so many seconds of the services' clock.
    pub fn settling(bugs: &str, rules: &str, settle: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let folder = world::folder();
        let options = Options { world: Some(folder.path().to_owned()), limits_scale: SCALE, ..Options::default() };
        let sandbox = runtime.block_on(start_with(options, rules)).expect("the sandbox starts");
        let mut desk = Desk::on(Stage::on(sandbox));
        let file = desk.project().join("connections.ferry");
        let text = std::fs::read_to_string(file).unwrap();
        let small = text
            .replace("page_size = 5000", "page_size = 3")
            .replace("batch_size = 50", &format!("batch_size = 3, settle = {settle}"));
        desk.write("connections.ferry", &small);
        desk.set("FERRY_BUG", bugs);
        Self { desk, _runtime: runtime }
    }

    pub fn stage(&self) -> &Stage {
        &self.desk.stage
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.desk.stage.sandbox
    }

    pub fn home(&self) -> std::path::PathBuf {
        self.desk.home()
    }

    pub fn ferry(&self, arguments: &[&str]) -> Ended {
        self.end(self.begin(arguments, &[]))
    }

    pub fn run(&self, job: &str) -> Ended {
        self.ferry(&["run", job])
    }

    pub fn begin(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
        self.desk.begin_with(&[arguments, &["--json"]].concat(), Stdio::null(), environment)
    }

    /// Waits for a process. One that does not come to an end is killed.
    pub fn end(&self, mut child: Child) -> Ended {
        let since = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if since.elapsed() > PATIENCE {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        let (code, out, said) = ended(child.wait_with_output().unwrap());
        let report = out.lines().filter_map(|line| serde_json::from_str(line).ok()).next_back().unwrap_or_default();
        Ended { code, said, report }
    }

    /// Runs a job as far as a place, and kills it there.
    pub fn killed_at(&self, place: &str, job: &str) -> Result<(), String> {
        let mut standing = self.stopped_at(place, job, "")?;
        standing.child.kill().unwrap();
        standing.child.wait().unwrap();
        Ok(())
    }

    /// Runs a job as far as a place, where it stands until there is a file.
    pub fn stopped_at(&self, place: &str, job: &str, go_on: &str) -> Result<Standing, String> {
        let mut child = self.begin(&["run", job], &[("FERRY_STOP_AT", place), ("FERRY_GO_ON", go_on)]);
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let (mut all, mut line) = (String::new(), String::new());
        while said.read_line(&mut line).unwrap() > 0 {
            if line.starts_with("stopped at") {
                return Ok(Standing { child, said });
            }
            all.push_str(&line);
            line.clear();
        }
        let ended = self.end(child);
        Err(format!("it never came to {place}, and ended with {}: {all}", ended.code))
    }

    /// Waits for a process that was told to go on.
    pub fn went_on(&self, standing: Standing) -> Ended {
        let Standing { mut child, said } = standing;
        child.stderr = Some(said.into_inner());
        self.end(child)
    }

    /// Waits until both services have seen what is to be seen.
    pub fn until(&self, what: &str, is_so: impl Fn(&[Call]) -> bool) -> Result<(), String> {
        let since = Instant::now();
        while !is_so(&self.sandbox().calls()) {
            if since.elapsed() > PATIENCE {
                return Err(format!("{what}: never"));
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        Ok(())
    }

    /// Calls that ask for a change.
    pub fn writes(&self) -> usize {
        self.sandbox().calls().iter().filter(|call| call.write).count()
    }

    /// Records that were written.
    pub fn written(&self) -> usize {
        self.sandbox().calls().iter().filter(|call| call.write).map(|call| call.records).sum()
    }

    /// Requests for pages of accounts.
    pub fn pages(&self) -> usize {
        let calls = self.sandbox().calls();
        let is_page = |call: &&Call| call.path.contains("/accounts?") && !call.path.contains("$top=1");
        calls.iter().filter(|call| call.service == Service::Dynamics).filter(is_page).count()
    }

    /// Requests for records of companies.
    pub fn queries(&self) -> usize {
        self.sandbox().calls().iter().filter(|call| call.path.contains("/query/company")).count()
    }
}
