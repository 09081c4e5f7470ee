//! A whole `ferry run`: the sandbox is a process of its own, Ferry another, with HTTP on loopback between them and a run folder on disk.
//!
//! Printed are wall time, the CPU of both, Ferry's peak memory, and rows a second: by wall, and with the sandbox's CPU deducted, which is
//! `rows / (wall - sandbox / cores)`: the sandbox takes of the machine what a service elsewhere would not.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::measured::peak_bytes;
use super::workload::job::{NAME, script};
use super::workload::{Workload, world};

const FERRY: &str = env!("CARGO_BIN_EXE_ferry");
/// How much faster the sandbox's windows of calls go by: it refuses none.
const SCALE: &str = "20000";
/// What the project says of calls, and what it says where they are not throttled: no window is waited for, and few are counted anew.
const THROTTLED: &str = "calls_per_minute = 100, calls_per_day = 50000";
const FREE: &str = "calls_per_minute = 100000, calls_per_day = 100000000";
/// How often a running process is looked at.
const LOOKED_EVERY: Duration = Duration::from_millis(5);
/// A tick of the times in `/proc`: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>, always 100 a second for programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// Runs the job of the workload once from nothing, and once more.
pub fn whole(workload: &Workload) {
    let folder = std::env::temp_dir().join(format!("ferry-whole-{}", std::process::id()));
    let since = Instant::now();
    world::write(workload, &folder.join("world"));
    println!("whole: {} rows, {:?}; the world is written in {:.1?}", workload.rows, workload.mix, since.elapsed());
    let since = Instant::now();
    let sandbox = Served::begin(&folder);
    println!("the sandbox serves after {:.1?} with {:.0} MB", since.elapsed(), sandbox.memory() / 1e6);
    std::fs::write(folder.join("project/contacts.ferry"), script(2)).expect("the job is written");
    let connections = folder.join("project/connections.ferry");
    let text = std::fs::read_to_string(&connections).expect("the project has connections");
    assert!(text.contains(THROTTLED), "{text}");
    std::fs::write(&connections, text.replace(THROTTLED, FREE)).expect("the connections are written");
    for what in ["first run", "second run"] {
        sandbox.run(what, &folder, workload);
    }
    drop(sandbox);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

/// A sandbox in a process of its own, ended when it is dropped.
struct Served {
    child: Child,
    secrets: Vec<(String, String)>,
}

impl Served {
    fn begin(folder: &Path) -> Self {
        let mut command = Command::new(FERRY);
        command.args(["sandbox", "--json", "--limits-scale", SCALE, "--world"]).arg(folder.join("world"));
        command.arg("--write-project").arg(folder.join("project"));
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().expect("it is piped"));
        said.read_line(&mut line).expect("it says where it is");
        let told: Value = serde_json::from_str(&line).expect("it says so as JSON");
        let secrets = told["secrets"].as_object().expect("it has secrets").iter();
        let secrets =
            secrets.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
        Self { child, secrets }
    }

    fn memory(&self) -> f64 {
        peak_bytes(self.child.id()).unwrap_or(0.0)
    }

    fn run(&self, what: &str, folder: &Path, workload: &Workload) {
        let before = cpu_seconds(self.child.id()).expect("the sandbox runs");
        let mut command = Command::new(FERRY);
        command.arg("--project").arg(folder.join("project")).arg("--home").arg(folder.join("home"));
        command.args(["run", "--yes", "--json", NAME]);
        command.envs(self.secrets.iter().map(|(name, value)| (name, value)));
        let out = folder.join("report.json");
        let report = std::fs::File::create(&out).expect("a file");
        let since = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(report).stderr(Stdio::inherit()).spawn().expect("it starts");
        let ended = watched(child);
        let wall = since.elapsed().as_secs_f64();
        let sandbox = cpu_seconds(self.child.id()).expect("the sandbox runs") - before;
        say(what, workload, &Times { wall, sandbox, ..ended }, &out);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Nothing is lost with it.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[derive(Default)]
struct Times {
    wall: f64,
    ferry: f64,
    sandbox: f64,
    peak_bytes: f64,
}

fn say(what: &str, workload: &Workload, times: &Times, report: &Path) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let rows = workload.rows as f64;
    let deducted = times.wall - times.sandbox / cores;
    println!(
        "{what}: wall {:.2} s; CPU of ferry {:.2} s, of the sandbox {:.2} s; peak memory of ferry {:.0} MB; {:.0} k rows/s by wall, {:.0} k rows/s with the sandbox's CPU deducted (rows / (wall - sandbox / {cores} cores))",
        times.wall,
        times.ferry,
        times.sandbox,
        times.peak_bytes / 1e6,
        rows / times.wall / 1e3,
        rows / deducted / 1e3,
    );
    let text = std::fs::read_to_string(report).unwrap_or_default();
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        println!("  {}: {}; calls {}", line["status"], line["counts"], line["calls"]);
    }
}

/// Waits for a process, and says what it took: its times are there until it is waited for, its memory only while it runs.
fn watched(mut child: Child) -> Times {
    let mut times = Times::default();
    loop {
        times.peak_bytes = peak_bytes(child.id()).unwrap_or(times.peak_bytes);
        times.ferry = cpu_seconds(child.id()).unwrap_or(times.ferry);
        if let Some(status) = child.try_wait().expect("it is asked") {
            assert!(status.code().is_some_and(|code| code < 3), "ferry ended with {status}");
            return times;
        }
        std::thread::sleep(LOOKED_EVERY);
    }
}

/// User and system time of a process and all its threads.
fn cpu_seconds(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may have blanks and brackets; fields are counted from behind it, the state being the first.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}
