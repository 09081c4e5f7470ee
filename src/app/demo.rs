//! `demo`: a sandbox, the out-of-the-box chain twice, and the proof that the second time had nothing to do.

use std::path::PathBuf;

use super::error::Error;
use super::projects::{Text, for_sandbox};
use super::runs;
use super::sandboxes::secret_source;
use super::workspace::{Setting, Workspace};
use crate::diagnostic::source::Sources;
use crate::lang::project::read;
use crate::model::clock::Clock;
use crate::run::progress::Progress;
use crate::run::report::Report;
use crate::sandbox::{self, Sandbox};
use crate::store::project::clear;

/// The chain that the demo runs.
pub const CHAIN: &str = "Dynamics_Company Person Sync";

/// What the demo is made from.
#[derive(Debug, Clone)]
pub struct Demo {
    /// Contacts of the seeded world.
    pub rows: usize,
    /// Its seed.
    pub seed: u64,
    /// A folder with a world instead.
    pub world: Option<PathBuf>,
    /// How much faster than documented the windows of the call limits go by, on both sides.
    pub limits_scale: f64,
    /// Where runs and state go: cleared first.
    pub home: PathBuf,
}

/// One pass of the chain.
#[derive(Debug)]
pub struct Pass {
    /// A report for each job.
    pub reports: Vec<Report>,
}

/// Runs the demo. `at` is told when the sandbox serves and when a report is there, with the number of its pass.
/// The sandbox comes back with the passes, still serving, so that a test can look into it.
///
/// # Errors
/// What stopped it.
pub async fn run(
    demo: &Demo,
    progress: &Progress,
    mut at: impl FnMut(Step<'_>),
) -> Result<(Vec<Pass>, Sandbox), Error> {
    let options = sandbox::Options {
        rows: demo.rows,
        seed: demo.seed,
        world: demo.world.clone(),
        dynamics_port: 0,
        gainsight_port: 0,
        limits_scale: demo.limits_scale,
        latency_ms: 0,
        faults: None,
        tls: false,
        suffix: sandbox::Options::default().suffix,
    };
    let sandbox = sandbox::start(options).await?;
    at(Step::Serving(&sandbox));
    clear(&demo.home)?;
    let clock = Clock::system(demo.limits_scale);
    // The sandbox is nobody's.
    let setting =
        Setting { consented: true, ..Setting::new(demo.home.clone(), secret_source(sandbox.credentials()), clock) };
    let mut passes = Vec::new();
    for number in 1..=2 {
        at(Step::Pass(number));
        let mut sources = Sources::default();
        for (name, text) in for_sandbox(sandbox.dynamics_url(), sandbox.gainsight_url()) {
            sources.add(format!("jobs/{name}"), text);
        }
        let parsed = read(&sources);
        let workspace = Workspace::of(Text { sources, parsed }, &setting).await?.or_mistakes()?;
        let mut reports = Vec::new();
        runs::run(&workspace, &setting, CHAIN, progress, |report| {
            at(Step::Ended(number, report));
            reports.push(report.clone());
        })
        .await?;
        passes.push(Pass { reports });
    }
    Ok((passes, sandbox))
}

/// What the demo has come to.
pub enum Step<'a> {
    /// The sandbox serves.
    Serving(&'a Sandbox),
    /// A pass begins.
    Pass(u32),
    /// A job of a pass has ended.
    Ended(u32, &'a Report),
}

/// Whether both passes balance and the second had nothing to write.
#[must_use]
pub fn is_proven(passes: &[Pass]) -> bool {
    let balanced = passes.iter().flat_map(|p| &p.reports).all(|r| r.counts.balance());
    let idle =
        passes.last().is_some_and(|p| p.reports.iter().all(|r| r.counts.sent() == 0 && r.calls.gainsight_writes == 0));
    passes.len() == 2 && passes.iter().all(|p| p.reports.len() == 3) && balanced && idle
}
