//! Two worlds that are the same, each with a home of its own: one is synchronised by what changed, the other from scratch.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use ferry::app::projects::{OUT_OF_THE_BOX, Text};
use ferry::app::runs::run_so;
use ferry::app::workspace::Workspace;
use ferry::diagnostic::source::Sources;
use ferry::lang::project::read;
use ferry::model::clock::Clock;
use ferry::model::outcome::Status;
use ferry::run::progress::silent;
use ferry::run::report::Report;
use ferry::run::undertaking::How;
use ferry::sandbox::{Options, start};

use super::deed::Deed;
use super::ways::{Meanwhile, Ways};
use crate::stage::{CHAIN, SCALE, Stage};

/// 2027-01-15T08:00:00Z, when the first day begins.
const FIRST_DAY_MS: i64 = 1_800_000_000_000;
const DAY_MS: i64 = 86_400_000;
/// How long after the things of a day the jobs run.
const LATER_MS: i64 = 3_600_000;
/// Clocks that differ by a multiple of this have the same windows of calls, as a day's window passes in this time.
#[allow(clippy::cast_possible_truncation)]
const WINDOW_MS: i64 = DAY_MS / SCALE as i64;

const FILES: [(&str, &str); 4] = [
    ("accounts.ferry", include_str!("jobs/accounts.ferry")),
    ("opportunities.ferry", include_str!("jobs/opportunities.ferry")),
    ("others.ferry", include_str!("jobs/others.ferry")),
    ("people.ferry", include_str!("jobs/people.ferry")),
];

/// The jobs behind the chain, in the order in which they run.
pub const JOBS: [&str; 20] = [
    "Company parents",
    "Company owners",
    "Company stages",
    "Deals",
    "Closing soon",
    "Deal contacts",
    "Deal openings",
    "Highest deals",
    "Recent accounts",
    "Accounts of the enabled",
    "Merged accounts",
    "Titles of people",
    "Newest contacts",
    "Contacts of owners",
    "Titles of users",
    "Projects",
    "Active projects",
    "Teams",
    "Units",
    "Users by manager",
];

pub struct Pair {
    pub daily: Stage,
    pub full: Stage,
    pub ways: Ways,
    pub meanwhile: Meanwhile,
    /// Jobs whose counts differed, with the first day and the counts.
    pub miscounts: Mutex<BTreeMap<String, (u64, String)>>,
    /// By how many milliseconds the clocks of both homes are set.
    set: &'static AtomicI64,
}

impl Pair {
    pub async fn of(seed: u64, rows: usize) -> Self {
        // A clock takes a number that lives for ever; there are few pairs.
        let set: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
        let (daily, full) = (stage(seed, rows, set).await, stage(seed, rows, set).await);
        let (ways, meanwhile) = (Ways::of(seed), Meanwhile::default());
        ways.hold(&daily.sandbox);
        ways.hold(&full.sandbox);
        meanwhile.begin(&daily.sandbox);
        Self { daily, full, ways, meanwhile, miscounts: Mutex::default(), set }
    }

    pub fn both(&self) -> impl Iterator<Item = &Stage> {
        [&self.daily, &self.full].into_iter()
    }

    /// Begins a day in both services.
    pub fn dawn(&self, day: u64) {
        self.both().for_each(|stage| stage.sandbox.set_clock(morning_ms(day)));
    }

    /// Runs everything in both homes, and tells what it did. `meanwhile` happens while the first home reads, which then runs everything
    /// once more, and in the second world before its runs.
    pub async fn run(&self, day: u64, jobs: &[&str], meanwhile: Vec<Deed>) -> Result<String, String> {
        let is_quiet = meanwhile.is_empty();
        self.meanwhile.wait(meanwhile);
        let mut moment = morning_ms(day) + LATER_MS;
        let mut daily = self.run_one(&self.daily, moment, jobs, false).await?;
        let done = self.meanwhile.done();
        if !is_quiet {
            self.full.sandbox.set_clock(moment);
            done.iter().for_each(|deed| deed.happen(&self.full.sandbox));
            moment += LATER_MS;
            daily = self.run_one(&self.daily, moment, jobs, false).await?;
        }
        let full = self.run_one(&self.full, moment, jobs, true).await?;
        for (daily, full) in daily.iter().zip(&full) {
            if is_quiet && (daily.counts != full.counts || daily.records != full.records) {
                let counts = |report: &Report| format!("{:?} {:?}", report.counts, report.records);
                let told = format!("counts {}, and from scratch {}", counts(daily), counts(full));
                self.miscounts.lock().expect("no panic before").entry(daily.job.clone()).or_insert((day, told));
            }
        }
        let partly = daily.iter().filter(|report| report.read.as_ref().is_some_and(|read| read.full.is_none())).count();
        let meanwhile = if is_quiet { String::new() } else { format!(", while {} things happened", done.len()) };
        Ok(format!("{partly} of {} runs read only what changed{meanwhile}", daily.len()))
    }

    async fn run_one(&self, stage: &Stage, moment: i64, jobs: &[&str], full: bool) -> Result<Vec<Report>, String> {
        stage.sandbox.set_clock(moment);
        let ahead = moment - Utc::now().timestamp_millis();
        self.set.store(ahead.div_euclid(WINDOW_MS) * WINDOW_MS, Ordering::SeqCst);
        let text = text(stage, self.ways.page_size);
        let workspace = Workspace::of(text, &stage.setting).await.map_err(|why| why.to_string())?;
        let workspace = workspace.or_mistakes().map_err(|_| "the project has mistakes")?;
        let mut reports = Vec::new();
        for name in [CHAIN].iter().chain(jobs) {
            run_job(stage, &workspace, name, full, &mut reports).await?;
        }
        Ok(reports)
    }
}

/// The project of a stage with pages of another size.
fn text(stage: &Stage, page_size: usize) -> Text {
    let mut sources = Sources::default();
    for (name, text) in OUT_OF_THE_BOX.iter().chain(&FILES) {
        let text = text
            .replace("https://gainsight123.crm.dynamics.com", stage.sandbox.dynamics_url())
            .replace("https://acme.gainsightcloud.com", stage.sandbox.gainsight_url())
            .replace("page_size = 5000", &format!("page_size = {page_size}"));
        sources.add((*name).to_owned(), text);
    }
    let parsed = read(&sources);
    Text { sources, parsed }
}

async fn run_job(
    stage: &Stage,
    workspace: &Workspace,
    name: &str,
    full: bool,
    reports: &mut Vec<Report>,
) -> Result<(), String> {
    let how = How { full, ..How::default() };
    let first = reports.len();
    let ended = run_so(workspace, &stage.setting, name, &how, &silent(), |report| reports.push(report.clone())).await;
    ended.map_err(|why| format!("\"{name}\"{}: {why}", if full { " from scratch" } else { "" }))?;
    match reports[first..].iter().find(|report| report.status == Status::Failed) {
        Some(failed) => Err(format!("\"{}\" failed: {:?}", failed.job, failed.message)),
        None => Ok(()),
    }
}

async fn stage(seed: u64, rows: usize, set: &'static AtomicI64) -> Stage {
    let options = Options { rows, seed, limits_scale: SCALE, ..Options::default() };
    let mut stage = Stage::on(start(options).await.expect("the sandbox starts"));
    stage.setting.clock = Clock::system(SCALE).set_by(set);
    // Small worlds change by large shares.
    stage.setting.consented = true;
    stage
}

fn morning_ms(day: u64) -> i64 {
    FIRST_DAY_MS + DAY_MS * i64::try_from(day).expect("few days")
}

/// The day after so many days from a morning, as Dynamics keeps days.
pub fn day_text(days: i64) -> String {
    let moment = DateTime::from_timestamp_millis(FIRST_DAY_MS + days * DAY_MS).expect("a day of this century");
    moment.format("%Y-%m-%d").to_string()
}
