//! The process of a soak that runs Ferry: it does what each line of its input says, and tells in a line what came of it.
//!
//! In: `run`, `replay`, `clean`, `scratch FOLDER`. Out: a line of JSON each: the exit code, what was written, and what the process
//! takes of memory, descriptors and disk.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ferry::app::error::Error;
use ferry::app::workspace::{Setting, Workspace};
use ferry::app::{cleaning, resuming, runs};
use ferry::model::clock::Clock;
use ferry::model::outcome::Status;
use ferry::model::secret::{Secret, environment_variable};
use ferry::run::progress::silent;
use ferry::run::report::Report;
use serde_json::{Value, json};

use super::SCALE;

const CHAIN: &str = "Dynamics_Company Person Sync";
const USERS: &str = "User Sync_Dynamics Connection";

/// Works until its input ends. The argument is the folder of the project and the home.
pub fn work(arguments: &[String]) {
    let folder = PathBuf::from(arguments.first().expect("a folder"));
    let secret = |name: &str| std::env::var(environment_variable(name)).ok().map(Secret::new);
    let mut setting = Setting::new(folder.join("home"), Arc::new(secret), Clock::system(SCALE));
    setting.project = folder.join("project");
    setting.consented = true;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // What the last run of each job left undone, for `replay`.
    let mut last: Vec<Report> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let mut reports = Vec::new();
        let ended = runtime.block_on(async {
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("clean", _) => cleaning::clean(&setting, 0).await.map(drop),
                ("replay", _) => replay(&setting, &last, &mut reports).await,
                ("scratch", home) => run(&Setting { home: home.into(), ..setting.clone() }, &mut reports).await,
                _ => run(&setting, &mut reports).await,
            }
        });
        if line == "run" {
            last.clone_from(&reports);
        }
        let mut told = told(&reports, &setting.home);
        told["exit"] = json!(ended.as_ref().err().map_or(0, Error::exit_code));
        told["error"] = json!(ended.err().map(|error| error.to_string()));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{told}").and_then(|()| out.flush()).expect("somebody listens");
    }
}

async fn run(setting: &Setting, reports: &mut Vec<Report>) -> Result<(), Error> {
    let workspace = Workspace::ready(setting).await?;
    runs::run(&workspace, setting, CHAIN, &silent(), |report| reports.push(report.clone())).await
}

/// Runs the rows again that are in error files.
async fn replay(setting: &Setting, last: &[Report], reports: &mut Vec<Report>) -> Result<(), Error> {
    let workspace = Workspace::ready(setting).await?;
    for report in last.iter().filter(|report| report.error_file.is_some()) {
        resuming::replay(&workspace, setting, &report.run, &[], &silent(), |report| reports.push(report.clone()))
            .await?;
    }
    Ok(())
}

fn told(reports: &[Report], home: &Path) -> Value {
    for report in reports.iter().filter(|r| matches!(r.status, Status::Success | Status::Partial)) {
        assert!(report.counts.balance(), "the books do not balance: {report:?}");
    }
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let updated: u64 = reports.iter().filter(|r| r.job != USERS).map(|r| r.counts.updated).sum();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0)
    };
    json!({
        "resumed": reports.iter().filter(|r| r.resumed > 0).count(),
        "written": sum(|r| r.counts.inserted + r.counts.updated),
        "inserted": sum(|r| r.counts.inserted),
        "updated_but_users": updated,
        "writes": sum(|r| r.calls.gainsight_writes),
        "calls": sum(|r| r.calls.dynamics + r.calls.gainsight),
        "rss_kb": kb("VmRSS:"),
        "peak_kb": kb("VmHWM:"),
        "descriptors": std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
        "home_kb": size(home) / 1024,
    })
}

fn size(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
