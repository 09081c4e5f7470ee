//! The daemon for half an hour: `ferry serve` as a process of its own runs the out-of-the-box chain each minute, through random faults, while
//! somebody changes the source; it is asked to stop, stopped without time to end, and killed, and begun again each time.
//!
//! At the end the faults and the changes stop. Then every time of the schedule must have been decided, every one that was begun must
//! have a run, no two runs of a job may have been under way at once, and Gainsight must be what a run from scratch would leave.

#![allow(clippy::panic)] // A soak that finds something ends there.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use ferry::app::sandboxes::{secrets, write_project};
use ferry::model::secret::environment_variable;
use ferry::sandbox::{Options, Sandbox, fault_schedule, start};
use ferry::store::state::State;
use serde_json::Value;

use super::soak::{SCALE, writer};

const FERRY: &str = env!("CARGO_BIN_EXE_ferry");
const CHAIN: &str = "Dynamics_Company Person Sync";
const ROWS: usize = 150;
/// Other faults strike after this long.
const FAULTS_FOR: Duration = Duration::from_secs(20);
/// What a daemon has to end in, beyond what it is given.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// How the daemon is stopped.
#[derive(Debug, Clone, Copy)]
enum How {
    /// SIGTERM, with time to end.
    Asked,
    /// SIGTERM, and no time.
    AtOnce,
    /// SIGKILL.
    Killed,
}

/// Serves for that many minutes.
pub fn serve(minutes: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = Options { rows: ROWS, limits_scale: SCALE, ..Options::default() };
    let sandbox = Arc::new(runtime.block_on(start(options)).expect("the sandbox starts"));
    let folder = std::env::temp_dir().join(format!("ferry-serve-{}", std::process::id()));
    let desk = Desk { folder: folder.clone(), sandbox: Arc::clone(&sandbox) };
    desk.write_project();
    let writing = runtime.spawn(writer::write(Arc::clone(&sandbox)));
    let began = Utc::now();
    let stops = desk.through(Duration::from_secs(60 * minutes as u64));
    writing.abort();
    let metrics = desk.rests();
    let verdict = desk.looked_over(began);
    println!("{}", verdict.0);
    println!("stopped: {stops:?}; metrics: {} lines", metrics.lines().count());
    verdict.1.unwrap_or_else(|why| panic!("{why}; the home is {}", folder.display()));
    println!("promtool check metrics: {}", checked(&metrics));
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    println!("Gainsight is what a run from scratch would leave");
}

struct Desk {
    folder: PathBuf,
    sandbox: Arc<Sandbox>,
}

struct Served {
    child: Child,
    port: u16,
}

impl Desk {
    fn write_project(&self) {
        let project = self.folder.join("project");
        write_project(&project, &self.sandbox).expect("the project is written");
        let path = project.join("chain.ferry");
        let text = std::fs::read_to_string(&path).expect("it has a chain");
        let text = text.replace("ON FAILURE STOP", "SCHEDULE EVERY 1m\n  ON FAILURE STOP");
        std::fs::write(path, text).expect("it is written");
        // Somebody changes most rows in half an hour, and nobody is there to approve that.
        let path = project.join("connections.ferry");
        let text = std::fs::read_to_string(&path).expect("it has connections");
        let limits = "calls_per_day = 50000, updates_percent = 100, deletes_percent = 100";
        std::fs::write(path, text.replace("calls_per_day = 50000", limits)).expect("it is written");
    }

    fn command(&self, home: &str) -> Command {
        let mut command = Command::new(FERRY);
        command.args(["--project".as_ref(), self.folder.join("project").as_os_str()]);
        command.args(["--home".as_ref(), self.folder.join(home).as_os_str()]);
        command.args(["--clock-scale", &SCALE.to_string()]);
        command.envs(secrets(self.sandbox.credentials()).map(|(name, value)| (environment_variable(name), value)));
        command
    }

    fn begin(&self, stop_within: &str) -> Served {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr()).expect("a port is free").port();
        let log = File::options().append(true).create(true).open(self.folder.join("serve.log")).expect("a log");
        let mut command = self.command("home");
        command.args([
            "serve",
            "--stop-within",
            stop_within,
            "--log",
            "json",
            "--listen",
            &format!("127.0.0.1:{port}"),
        ]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
        Served { child, port }
    }

    /// Serves, and is stopped every few minutes in one of the ways, while a run is under way.
    fn through(&self, long: Duration) -> Vec<String> {
        let since = Instant::now();
        let mut stops = Vec::new();
        let parts = [How::Asked, How::AtOnce, How::Killed, How::Asked, How::AtOnce, How::Killed];
        let part = long / u32::try_from(parts.len()).expect("a few");
        let mut seed = 0;
        for (number, how) in parts.into_iter().enumerate() {
            let mut served = self.begin(if matches!(how, How::AtOnce) { "0s" } else { "30s" });
            let until = part * u32::try_from(number + 1).expect("a few");
            while since.elapsed() < until {
                let rules = fault_schedule(seed).rules;
                seed += 1;
                self.sandbox.strike_by(&rules).expect("rules that were drawn are right");
                std::thread::sleep(FAULTS_FOR.min(until.saturating_sub(since.elapsed())));
                assert!(served.child.try_wait().expect("it is asked").is_none(), "the daemon is gone");
            }
            stops.push(self.stop(served, how));
            println!(
                "{:>5.1} min, {} runs so far",
                since.elapsed().as_secs_f64() / 60.0,
                self.state().runs(10_000).expect("they are read").len()
            );
        }
        stops
    }

    /// Stops it while a run is under way, as soon as there is one.
    fn stop(&self, mut served: Served, how: How) -> String {
        let looked = Instant::now();
        let under_way = || self.state().runs(3).expect("they are read").iter().any(|run| run.status == "running");
        while !under_way() && looked.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let is_under_way = under_way();
        let signal = if matches!(how, How::Killed) { "-KILL" } else { "-TERM" };
        let sent = Command::new("kill").args([signal, &served.child.id().to_string()]).status().expect("it is sent");
        assert!(sent.success());
        let since = Instant::now();
        let ended = loop {
            if let Some(ended) = served.child.try_wait().expect("it is asked") {
                break ended;
            }
            assert!(since.elapsed() < ENDS_WITHIN, "it does not stop");
            std::thread::sleep(Duration::from_millis(20));
        };
        if !matches!(how, How::Killed) {
            assert_eq!(ended.code(), Some(0), "{how:?}");
        }
        format!(
            "{how:?}{} in {:.1} s",
            if is_under_way { " in the middle of a run" } else { "" },
            since.elapsed().as_secs_f64()
        )
    }

    /// Without faults and changes: a last daemon goes on with what was left, and runs the chain once more.
    fn rests(&self) -> String {
        self.sandbox.strike_by("").expect("no rules are right");
        let served = self.begin("30s");
        let since = Instant::now();
        let calm = |state: &State| {
            let runs = state.runs(3).expect("they are read");
            runs.len() == 3 && runs.iter().all(|run| matches!(run.status.as_str(), "success" | "partial"))
        };
        while !calm(&self.state()) || since.elapsed() < Duration::from_secs(130) {
            assert!(since.elapsed() < Duration::from_secs(600), "it does not come to rest");
            std::thread::sleep(Duration::from_millis(200));
        }
        let metrics = self.asked(served.port, "metrics");
        assert!(self.asked(served.port, "healthz").contains("ok"), "it is alive");
        self.stop(served, How::Asked);
        metrics
    }

    fn asked(&self, port: u16, what: &str) -> String {
        let url = format!("http://127.0.0.1:{port}/{what}");
        let answer = Command::new("curl").args(["--silent", "--fail", &url]).output().expect("curl is there");
        String::from_utf8(answer.stdout).expect("it is text")
    }

    /// What the activity has, and whether that is as it should be.
    fn looked_over(&self, began: DateTime<Utc>) -> (String, Result<(), String>) {
        let state = self.state();
        let runs = state.runs(10_000).expect("they are read");
        let slots = state.slots(Some(CHAIN), false, 10_000).expect("they are read");
        let mut of = BTreeMap::new();
        runs.iter().for_each(|run| *of.entry(run.status.clone()).or_insert(0) += 1);
        let mut decided = BTreeMap::new();
        slots.iter().for_each(|kept| *decided.entry(kept.slot.verdict.word()).or_insert(0) += 1);
        let text = format!("{} runs {of:?}; {} times {decided:?}", runs.len(), slots.len());
        let verdict =
            all_decided(&slots, began).and_then(|()| none_together(&runs)).and_then(|()| self.is_as_from_scratch());
        (text, verdict)
    }

    fn is_as_from_scratch(&self) -> Result<(), String> {
        let of = |output: &Output| -> Vec<Value> {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
        };
        let run = |home: &str| self.command(home).args(["run", "--yes", "--json", CHAIN]).output().expect("it runs");
        // What was refused by a fault is not what time cures: it is tried again by name.
        let state = self.state();
        for run in state.runs(3).expect("they are read") {
            let _tried = self.command("home").args(["replay", "--yes", &run.id]).output().expect("it runs");
        }
        drop(state);
        // The first may go on with a run that read long ago; the second reads what came since.
        let all =
            [("home", "a run"), ("home", "another run"), ("home", "a further run"), ("scratch", "a run from scratch")];
        for (home, nth) in all {
            let output = run(home);
            let reports = of(&output);
            if reports.len() != 3 {
                return Err(format!("{nth}: {}", String::from_utf8_lossy(&output.stderr)));
            }
            let written = |report: &Value| {
                let counts = &report["counts"];
                let users = report["job"].as_str().is_some_and(|job| job.starts_with("User")) && home == "scratch";
                // A home that is new finds out who is who, which it counts and Gainsight does not see.
                counts["inserted"].as_u64().unwrap_or(1)
                    + if users { 0 } else { counts["updated"].as_u64().unwrap_or(1) }
            };
            let is_calm = !matches!(nth, "a run" | "another run");
            if is_calm && reports.iter().any(|report| written(report) > 0) {
                return Err(format!("{nth} writes: {reports:?}"));
            }
        }
        Ok(())
    }

    fn state(&self) -> State {
        let path = self.folder.join("home").join("state.db");
        let since = Instant::now();
        loop {
            if let Ok(Some(state)) = State::look(&path) {
                return state;
            }
            assert!(since.elapsed() < Duration::from_secs(30), "there is no state");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Every minute is there, from the first whole one on, and what was begun has a run.
fn all_decided(slots: &[ferry::store::slots::Kept], began: DateTime<Utc>) -> Result<(), String> {
    let mut at: Vec<DateTime<Utc>> = slots.iter().map(|kept| kept.slot.at).collect();
    at.sort();
    let (Some(first), Some(last)) = (at.first(), at.last()) else { return Err("no time was decided".to_owned()) };
    if *first > began + TimeDelta::seconds(75) {
        return Err(format!("the first time is {first}"));
    }
    let minutes = (*last - *first).num_minutes() + 1;
    if minutes != i64::try_from(at.len()).unwrap_or(i64::MAX) {
        return Err(format!("{minutes} minutes passed, and {} times were decided", at.len()));
    }
    match slots.iter().find(|kept| kept.slot.verdict.is_run() && !kept.has_run) {
        Some(lost) => Err(format!("{} was decided and has no run", lost.slot.at)),
        None => Ok(()),
    }
}

/// No two runs of a job were under way at once. A run that was interrupted ended when its process did, which nobody wrote down.
fn none_together(runs: &[ferry::store::runs::Run]) -> Result<(), String> {
    let mut of: BTreeMap<&str, Vec<(&str, &str, &str)>> = BTreeMap::new();
    for run in runs {
        if let Some(ended) = &run.ended {
            of.entry(&run.job).or_default().push((&run.started, ended, &run.id));
        }
    }
    for (job, mut times) in of {
        times.sort_unstable();
        for pair in times.windows(2) {
            if pair[1].0 < pair[0].1 {
                return Err(format!("two runs of {job} were under way at once: {pair:?}"));
            }
        }
    }
    Ok(())
}

/// What Prometheus' own tool has to say.
fn checked(metrics: &str) -> String {
    let path = std::env::temp_dir().join(format!("ferry-metrics-{}", std::process::id()));
    std::fs::write(&path, metrics).expect("it is written");
    let said =
        File::open(&path).and_then(|input| Command::new("promtool").args(["check", "metrics"]).stdin(input).output());
    std::fs::remove_file(&path).expect("it goes");
    match said {
        Err(error) => format!("not looked at: {error}"),
        Ok(said) => {
            let words = String::from_utf8_lossy(&said.stderr).into_owned() + &String::from_utf8_lossy(&said.stdout);
            format!("{} {words}", if said.status.success() { "nothing to say" } else { "it objects" })
        }
    }
}
