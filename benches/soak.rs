//! Hours in minutes: jobs run again and again through random faults, while somebody changes the source.
//!
//! Ferry runs in a process of its own (`worker`), which lives as long as the soak: its memory, its open files and its home must not
//! grow. Here are the sandbox with the faults, a new schedule for every run, the writer who changes rows meanwhile, and the table that
//! is printed each minute. At the end the faults and the changes stop; then Gainsight must be what a run from scratch would leave.

#![allow(clippy::panic)] // A soak that finds something ends there.

pub mod writer;

pub mod worker;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferry::app::sandboxes::{secrets, write_project};
use ferry::model::secret::environment_variable;
use ferry::sandbox::{Options, Sandbox, fault_schedule, start};
use serde_json::Value;

/// What the bench is called with to be the process that runs Ferry.
pub const WORKER: &str = "soak-worker";

const ROWS: usize = 150;
pub const SCALE: f64 = 1_000.0;
const CLEANED_EVERY: u64 = 10;
/// Faults end by themselves, so nothing fails more often in a row.
const FAILED_AT_MOST: u64 = 60;
/// What Ferry may take, in MB: the ceiling of a small container.
const CEILING_MB: f64 = 512.0;

/// Runs for that many minutes.
pub fn soak(minutes: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let options = Options { rows: ROWS, limits_scale: SCALE, ..Options::default() };
    let sandbox = Arc::new(runtime.block_on(start(options)).expect("the sandbox starts"));
    let folder = std::env::temp_dir().join(format!("ferry-soak-{}", std::process::id()));
    write_project(&folder.join("project"), &sandbox).expect("the project is written");
    let mut soak = Soak {
        worker: Worker::start(&folder, &sandbox),
        sandbox: Arc::clone(&sandbox),
        sums: Sums::default(),
        since: Instant::now(),
    };
    let writing = runtime.spawn(writer::write(Arc::clone(&sandbox)));
    soak.through(Duration::from_secs(60 * minutes as u64));
    writing.abort();
    let verdict = soak.rests(&folder);
    soak.line();
    soak.summary();
    drop(soak);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    match verdict {
        Ok(()) => println!("Gainsight is what a run from scratch would leave"),
        Err(why) => panic!("{why}"),
    }
}

/// The process that runs Ferry. It is asked in lines and answers in lines of JSON.
struct Worker {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Worker {
    fn start(folder: &std::path::Path, sandbox: &Sandbox) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([WORKER.as_ref(), folder.as_os_str()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.envs(secrets(sandbox.credentials()).map(|(name, value)| (environment_variable(name), value)));
        let mut child = command.spawn().expect("it starts again");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, answers }
    }

    fn ask(&mut self, what: &str) -> Value {
        let input = self.child.stdin.as_mut().expect("it is piped");
        writeln!(input, "{what}").and_then(|()| input.flush()).expect("the worker listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the worker answers");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the worker is gone, or says {line:?}"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

#[derive(Default)]
struct Sums {
    runs: u64,
    failed: u64,
    failed_in_a_row: u64,
    resumed: u64,
    struck: usize,
    rows: u64,
    calls: u64,
    rss_mb: Vec<(f64, f64)>,
    peak_mb: f64,
    descriptors: (u64, u64),
    home_kb: (u64, u64),
}

struct Soak {
    worker: Worker,
    sandbox: Arc<Sandbox>,
    sums: Sums,
    since: Instant,
}

impl Soak {
    fn through(&mut self, long: Duration) {
        let mut minute = 1;
        while self.since.elapsed() < long {
            let rules = fault_schedule(self.sums.runs).rules;
            self.sandbox.strike_by(&rules).expect("rules that were drawn are right");
            self.run("run");
            if self.sums.runs.is_multiple_of(CLEANED_EVERY) {
                self.worker.ask("clean");
            }
            if self.since.elapsed() >= Duration::from_secs(60 * minute) {
                minute += 1;
                self.line();
            }
        }
    }

    /// One run of the chain; says whether it came through.
    fn run(&mut self, what: &str) -> (bool, Value) {
        let answer = self.worker.ask(what);
        let exit = answer["exit"].as_u64().unwrap_or(99);
        assert!(matches!(exit, 0 | 3), "run {}: {answer}", self.sums.runs);
        let number = |name: &str| answer[name].as_u64().unwrap_or(0);
        let sums = &mut self.sums;
        sums.runs += 1;
        sums.failed += u64::from(exit == 3);
        sums.failed_in_a_row = if exit == 3 { sums.failed_in_a_row + 1 } else { 0 };
        assert!(sums.failed_in_a_row <= FAILED_AT_MOST, "it does not come through any more: {answer}");
        sums.resumed += number("resumed");
        sums.rows += number("written");
        sums.calls += number("calls");
        sums.struck += self.sandbox.struck().into_iter().sum::<usize>();
        sums.rss_mb.push((self.since.elapsed().as_secs_f64() / 60.0, number("rss_kb") as f64 / 1024.0));
        sums.peak_mb = sums.peak_mb.max(number("peak_kb") as f64 / 1024.0);
        sums.descriptors = widened(sums.descriptors, number("descriptors"));
        sums.home_kb = widened(sums.home_kb, number("home_kb"));
        (exit == 0, answer)
    }

    /// No faults and no changes any more: what was refused by mistake is replayed, and then nothing is left to be written.
    fn rests(&mut self, folder: &std::path::Path) -> Result<(), String> {
        self.sandbox.strike_by("").expect("no rules are right");
        for what in ["run", "replay", "run"] {
            let (is_through, answer) = self.run(what);
            if !is_through {
                return Err(format!("{what}, when all is quiet: {answer}"));
            }
        }
        let (_, answer) = self.run("run");
        if answer["writes"] != 0 {
            return Err(format!("a further run writes: {answer}"));
        }
        let (is_through, answer) = self.run(&format!("scratch {}", folder.join("scratch").display()));
        // A home that is new finds out who is who, which it counts and Gainsight does not see.
        if !is_through || answer["inserted"] != 0 || answer["updated_but_users"] != 0 {
            return Err(format!("a run from scratch writes: {answer}"));
        }
        Ok(())
    }

    fn line(&self) {
        let (sums, rss) = (&self.sums, self.sums.rss_mb.last().map_or(0.0, |(_, mb)| *mb));
        println!(
            "{:>5.1} min {:>6} runs {:>5} failed {:>5} gone on with {:>6} strikes {:>8} rows written {:>8} calls  RSS {:>6.1} MB (peak \
             {:.1})  files {}..{}  home {}..{} kB",
            self.since.elapsed().as_secs_f64() / 60.0,
            sums.runs,
            sums.failed,
            sums.resumed,
            sums.struck,
            sums.rows,
            sums.calls,
            rss,
            sums.peak_mb,
            sums.descriptors.0,
            sums.descriptors.1,
            sums.home_kb.0,
            sums.home_kb.1
        );
    }

    fn summary(&self) {
        // The first fifth fills what is filled once.
        let settled = &self.sums.rss_mb[self.sums.rss_mb.len() / 5..];
        let of = |pick: fn(f64, f64) -> f64, from: f64| settled.iter().fold(from, |a, (_, mb)| pick(a, *mb));
        let (least, most) = (of(f64::min, f64::INFINITY), of(f64::max, 0.0));
        let is_below = if self.sums.peak_mb <= CEILING_MB { "below" } else { "ABOVE" };
        println!(
            "RSS {least:.1}..{most:.1} MB, {:+.2} MB a minute; peak {:.1} MB, {is_below} the ceiling of {CEILING_MB} MB",
            slope(settled),
            self.sums.peak_mb
        );
    }
}

/// A range that has this number too; the empty one is (0, 0).
fn widened(range: (u64, u64), by: u64) -> (u64, u64) {
    if range == (0, 0) { (by, by) } else { (range.0.min(by), range.1.max(by)) }
}

/// The line of least squares through the points, as its rise.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| points.iter().map(pick).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let rise: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let run: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    if run > 0.0 { rise / run } else { 0.0 }
}
