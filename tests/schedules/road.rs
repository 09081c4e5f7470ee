//! Running a job until it is through, as whoever operates it would: what failed in a way that passes is gone on with.

use std::collections::BTreeSet;

use ferry::app::error::Error;
use ferry::app::workspace::{Setting, Workspace};
use ferry::app::{resuming, runs};
use ferry::diagnostic::render::for_people;
use ferry::model::outcome::Status;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::store::home::state_path;
use ferry::store::state::State;

use super::case::World;
use crate::stage::{Stage, errors};

/// Faults end by themselves, so whoever goes on long enough gets through.
const ATTEMPTS_AT_MOST: usize = 40;

pub struct Road<'a> {
    pub stage: &'a Stage,
    pub world: &'a World,
    pub by_resume: bool,
}

/// A job that is through.
pub struct Through {
    pub reports: Vec<Report>,
    /// How often it had to be gone on with.
    pub resumptions: usize,
}

impl Through {
    /// The report of each job's first run that came to its end.
    pub fn ended(&self, jobs: &[&str]) -> Result<Vec<&Report>, String> {
        let one = |job: &&str| {
            let of_job: Vec<&Report> = self.reports.iter().filter(|r| r.job == *job).collect();
            let at = of_job.iter().position(|r| is_ended(r)).ok_or_else(|| format!("{job} never ended"))?;
            let runs: BTreeSet<&String> = of_job[..=at].iter().map(|r| &r.run).collect();
            let is_one = runs.len() == 1;
            if is_one { Ok(of_job[at]) } else { Err(format!("{job} is not one run: {runs:?}")) }
        };
        jobs.iter().map(one).collect()
    }
}

pub fn is_ended(report: &Report) -> bool {
    matches!(report.status, Status::Success | Status::Partial)
}

/// What a step along the road is.
#[derive(Clone, Copy)]
enum Step<'a> {
    Run,
    Replay(&'a str),
}

impl Road<'_> {
    /// Runs the job in the stage's home.
    pub async fn run(&self) -> Result<Through, String> {
        self.go(&self.stage.setting, Step::Run).await
    }

    /// The same in another home, which knows of nothing.
    pub async fn run_in(&self, setting: &Setting) -> Result<Through, String> {
        self.go(setting, Step::Run).await
    }

    /// Runs the rows again that a run left in its error file.
    pub async fn replay(&self, run: &str) -> Result<Through, String> {
        self.go(&self.stage.setting, Step::Replay(run)).await
    }

    async fn go(&self, setting: &Setting, step: Step<'_>) -> Result<Through, String> {
        let (mut reports, mut attempts) = (Vec::new(), 0);
        loop {
            attempts += 1;
            match self.attempt(setting, step, &mut reports).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) if error.exit_code() == 3 && can_pass(&error) => {}
                Err(error) => return Err(format!("attempt {attempts}: {}", told(&error))),
            }
            if attempts == ATTEMPTS_AT_MOST {
                return Err(format!("it is not through after {attempts} attempts: {:?}", reports.last()));
            }
        }
        for report in reports.iter().filter(|report| is_ended(report)) {
            balanced(report)?;
        }
        Ok(Through { reports, resumptions: attempts - 1 })
    }

    /// One process's work; whether that was all.
    async fn attempt(&self, setting: &Setting, step: Step<'_>, reports: &mut Vec<Report>) -> Result<bool, Error> {
        let workspace = Workspace::of(self.world.text(self.stage), setting).await?.or_mistakes()?;
        let progress = silent();
        let before = reports.len();
        let is_open = is_open(setting);
        if is_open && (self.by_resume || matches!(step, Step::Replay(_))) {
            resuming::resume(&workspace, setting, None, &progress, |r| reports.push(r.clone())).await?;
            let wanted = if matches!(step, Step::Run) { self.world.jobs() } else { Vec::new() };
            let has_ended = |job: &&str| reports.iter().any(|r| r.job == *job && is_ended(r));
            return Ok(wanted.iter().all(has_ended));
        }
        match step {
            Step::Run => {
                runs::run(&workspace, setting, self.world.job(), &progress, |r| reports.push(r.clone())).await?;
            }
            Step::Replay(run) => {
                resuming::replay(&workspace, setting, run, &[], &progress, |r| reports.push(r.clone())).await?;
            }
        }
        Ok(reports.len() > before)
    }
}

fn told(error: &Error) -> String {
    match error {
        Error::Text(both) => both.0.sorted().into_iter().map(|found| for_people(found, &both.1, false)).collect(),
        other => other.to_string(),
    }
}

fn is_open(setting: &Setting) -> bool {
    let state = State::look(&state_path(&setting.home)).expect("the state can be read");
    state.is_some_and(|state| !state.unfinished_runs().expect("it can be read").is_empty())
}

/// Whether going on may help: not if a clause or a guard ended the run.
fn can_pass(error: &Error) -> bool {
    match error {
        Error::Run(error) => error.can_resume(),
        Error::Connection { cause, .. } => cause.can_resume(),
        _ => false,
    }
}

/// Every row has one outcome, and those that failed are in the error file.
fn balanced(report: &Report) -> Result<(), String> {
    let lines = errors(report).len() as u64;
    let is_balanced = report.counts.balance() && lines == report.counts.failed();
    if is_balanced { Ok(()) } else { Err(format!("{lines} rows are in the error file: {report:?}")) }
}

/// The rows that failed, with what became of them.
pub fn failed(report: &Report) -> BTreeSet<String> {
    let refused = |code: &str| if code == "REFUSED_BEFORE" { "REFUSED".to_owned() } else { code.to_owned() };
    errors(report)
        .iter()
        .map(|line| format!("{} {} {}", report.job, line["source_key"], refused(&line["code"])))
        .collect()
}
