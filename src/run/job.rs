//! One run of one job, from its first request to its last line of the books.
//!
//! A run may take several processes: each goes on where the ledger says that the one before it stopped. What was read is not read
//! again, the plan is made from what was read and is the same whoever makes it, and what was sent is not sent twice.

use std::collections::BTreeMap;
use std::time::Instant;

use super::basis;
use super::books::{self, Draft};
use super::chain::With;
use super::drift;
use super::error::Error;
use super::extract::extract;
use super::guard;
use super::load::Load;
use super::overlay::{self, Earlier};
use super::plan::{Plan, plan};
use super::progress::{Progress, Voice};
use super::quota;
use super::recorder::Recorder;
use super::relinking::relink;
use super::report::Report;
use super::services::Services;
use super::skipping::skip;
use super::spending::Spending;
use super::timed::Timed;
use super::turn::Turn;
use super::undertaking::{How, Undertaking, has_looked, undertake};
use super::verifying::{are_known, verify};
use super::waiting;
use super::whereabouts::plan_digest;
use crate::model::dataset;
use crate::model::job::Job;
use crate::model::outcome::{Calls, Counts, Status};
use crate::model::policy::Via;
use crate::model::sabotage::{self, Bug};
use crate::store::dataset::RunFolder;
use crate::store::error::Error as StoreError;
use crate::store::home::Home;
use crate::store::ledger::{Failed, Ledger, Phase};

/// Runs a job, or goes on with a run of it. A run that fails is a report too, with its message; an error means that not even that
/// could be kept.
///
/// # Errors
/// If the run cannot be begun or ended in the ledger.
pub async fn run(
    job: &Job,
    how: &How,
    services: &Services,
    home: &Home,
    ledger: &dyn Ledger,
    progress: &Progress,
) -> Result<(Report, Option<Error>), Error> {
    run_in_turn(job, how, &With { services, home, ledger, progress }, &Turn::at_once()).await
}

/// The same for a job of a chain, which looks at its target when its turn has come.
pub(super) async fn run_in_turn(
    job: &Job,
    how: &How,
    with: &With<'_>,
    turn: &Turn,
) -> Result<(Report, Option<Error>), Error> {
    let With { services, home, ledger, progress } = *with;
    if !turn.has_come()
        && has_looked(job, services, ledger)?
        && let Err(skipped) = turn.comes().await
    {
        return Ok((skip(job, how, &skipped, with)?, Some(skipped)));
    }
    let progress = Voice::new(&job.name, how.chain.is_some(), progress);
    let one = undertake(job, how, !turn.has_come(), with, &progress).await?;
    let _alive = Alive { run: &one.run, ledger };
    let progress = &progress.of(&one.run);
    progress.began(one.attempts_before > 0);
    let (job, services) = (&job.at(one.now_ms), &services.metered(job)?);
    let begun = Begun::now();
    Working { job, services, home, ledger, progress, one: &one, earlier: &[], turn }.carried_out(begun).await
}

/// A run that this process works on, until this is dropped: whoever works on it may be dropped before its end.
struct Alive<'a> {
    run: &'a str,
    ledger: &'a dyn Ledger,
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.ledger.left(self.run);
    }
}

/// When a process began to work on a run.
pub(super) struct Begun {
    since: Instant,
}

impl Begun {
    pub(super) fn now() -> Self {
        Self { since: Instant::now() }
    }

    pub(super) fn report(&self, job: &Job, one: &Undertaking) -> Report {
        Report {
            run: one.run.clone(),
            job: job.name.clone(),
            status: Status::Running,
            counts: Counts::default(),
            records: BTreeMap::new(),
            calls: Calls::default(),
            error_file: None,
            seconds: 0.0,
            message: None,
            resumed: u64::try_from(one.attempts_before).unwrap_or_default(),
            retried: None,
            chosen: one.chosen.as_ref().map(|ids| ids.len() as u64),
            read: None,
        }
    }

    /// What the process spent on the run, by the services that are the run's own.
    pub(super) fn complete(&self, job: &Job, services: &Services, report: &mut Report) -> Result<(), Error> {
        report.calls = services.calls(job)?;
        report.seconds = (self.since.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0;
        Ok(())
    }
}

/// A plan, and whether it may be carried out unasked.
pub(super) struct Staged {
    pub(super) made: Plan,
    pub(super) guarded: Result<(), Error>,
}

/// A run being worked on, with everything that it needs.
pub(super) struct Working<'a> {
    pub(super) job: &'a Job,
    pub(super) services: &'a Services,
    pub(super) home: &'a Home,
    pub(super) ledger: &'a dyn Ledger,
    pub(super) progress: &'a Voice<'a>,
    pub(super) one: &'a Undertaking,
    /// The plans of a chain's earlier jobs, where it is planned and not run.
    pub(super) earlier: &'a [Earlier],
    /// When it may look at the target.
    pub(super) turn: &'a Turn,
}

impl Working<'_> {
    /// The whole run, or what is left of it, up to its end in the ledger.
    pub(super) async fn carried_out(&self, begun: Begun) -> Result<(Report, Option<Error>), Error> {
        let mut report = begun.report(self.job, self.one);
        let mut failures = Vec::new();
        let result = self.whole(&mut report, &mut failures).await;
        let result = result.map_err(|error| quota::stopped(error, self.job, &report.counts, None));
        let failed = result.as_ref().err();
        if let Some(error) = failed {
            report.status = waiting::status_of(error, self.services.is_attended);
            report.message = Some(error.to_string());
        }
        begun.complete(self.job, self.services, &mut report)?;
        report.read = self.read_how().await?;
        let can_resume = failed.is_some_and(|error| waiting::can_resume(error, report.status));
        let kept = self.end(&report, can_resume, &failures, result.is_ok()).await;
        self.progress.ended();
        match (kept, result) {
            // What stopped the run is nearer than what came of it; a run whose end is not kept is an interrupted one.
            (Err(_), Err(error)) | (Ok(()), Err(error)) => Ok((report, Some(error))),
            (Err(error), Ok(())) => Err(error),
            (Ok(()), Ok(())) => Ok((report, None)),
        }
    }

    /// The whole run. `failures` are the rows that it leaves undone: all, or where it is stopped, those that are known.
    async fn whole(&self, report: &mut Report, failures: &mut Vec<Failed>) -> Result<(), Error> {
        let folder = self.folder().await?;
        let is_loaded_before = self.one.phase == Phase::Loading && !sabotage::has(Bug::PlanAgain);
        if is_loaded_before {
            self.turn.extracted();
        }
        let planned =
            if is_loaded_before { self.planned_before(&folder).await? } else { self.prepared(&folder).await? };
        let of = self.services.tenancy(self.job);
        let (timed, mut spending) = (Timed::begin(self.services), Spending::begin());
        let recorder = Recorder {
            ledger: self.ledger,
            run: &self.one.run,
            job: &self.job.name,
            of: &of,
            is_resumed: self.one.phase == Phase::Loading,
        };
        let target = self.services.target(self.job)?;
        let mut load = Load::new(self.job, target, self.services.clock, recorder, self.progress, &planned);
        // What files bring is compared anew, and so changes what the plan says of a row.
        if !matches!(self.job.via, Via::Files { .. }) {
            self.ledger.is_ours()?;
            load.draft = Some(Draft::begin(self.job, &self.one.run, &folder));
        }
        // A share of the planned rows is known before the first call, and so are the errors that the plan found.
        let sent = match (load.too_many(), &self.job.via) {
            (Ok(()), Via::Files { url }) => self.through_files(&mut load, &folder, &planned, url).await,
            (Ok(()), _) => load.carry_out(&folder, self.import_job(&planned).await?).await,
            (stopped, _) => stopped,
        };
        let sent = sent.map_err(|error| quota::stopped(error, self.job, &load.counts, Some(&planned)));
        report.counts = load.counts;
        report.records.clone_from(&load.records);
        // Who was taken over writes over nothing of the one who goes on.
        if let Err(lost @ Error::Store(StoreError::OwnershipLost)) = sent {
            return Err(lost);
        }
        // A run that is stopped says what it knows of its rows too. The error of the call is nearer than one of the disk.
        let written = books::error_file(self.job, &self.one.run, &folder, &mut load).await;
        let written = written.map(|written| {
            report.error_file = written.path;
            *failures = written.failed;
        });
        sent?;
        written?;
        timed.end("load", planned.sent(), &self.one.run, self.ledger)?;
        spending.end("load", Vec::new(), self.progress);
        let tally = self.ledger.tally(&self.one.run)?;
        books::audit(&load.counts, &planned, failures.len() as u64, &tally)?;
        relink(self.job, &folder, self.ledger, &of).await?;
        report.status = if load.counts.failed() > 0 { Status::Partial } else { Status::Success };
        report.retried = self.retried(failures)?;
        Ok(())
    }

    /// The run's folder: of a run that begins an empty one. A state that was lost, or put back, gives numbers a second time.
    pub(super) async fn folder(&self) -> Result<RunFolder, Error> {
        if self.one.attempts_before == 0
            && self.one.phase != Phase::Loading
            && self.home.runs().find(&self.one.run).await?.is_some()
        {
            // Whoever took the home over may be at work in it.
            self.ledger.is_ours()?;
            self.home.runs().remove(&self.one.run).await?;
        }
        let folder = self.services.formed(self.home.runs().make(&self.one.run).await?);
        sabotage::place("folder");
        Ok(folder)
    }

    /// Reads and plans, as far as that was not done before; the plan may be carried out then.
    async fn prepared(&self, folder: &RunFolder) -> Result<Counts, Error> {
        let Staged { made, guarded } = self.staged(folder, 0).await?;
        if !self.services.consented && !self.ledger.is_approved(&self.one.run)? {
            let command = || format!("ferry approve {}", self.one.run);
            guarded.map_err(|e| if self.services.is_attended { e } else { guard::allowed_by(e, command()) })?;
        }
        if made.counts.sent() > 0 {
            drift::hold(self.job, self.services).await?;
        }
        if let Some(notice) = quota::notice(self.job, &made.cost) {
            self.progress.notice(notice);
        }
        self.keep_plan(&made)?;
        Ok(made.counts)
    }

    /// The plan that an earlier process made. It is made again where its file is gone or damaged, as it follows from what was read, and
    /// so is what the error file needs of the source.
    async fn planned_before(&self, folder: &RunFolder) -> Result<Counts, Error> {
        // A process that ended while it compared with the target of a later moment has left that comparison.
        if matches!(self.job.via, Via::Files { .. }) {
            folder.put_back().await?;
        }
        let unusable = || Error::Books("the ledger has no plan for a run that was loading".to_owned());
        let (counts, digest) = self.one.planned.as_ref().ok_or_else(unusable)?;
        let is_planned = self.plan_digest(folder).await.ok().as_ref() == Some(digest);
        if !is_planned {
            self.progress.notice("the plan is missing or damaged on disk; it is made again".to_owned());
        }
        if !is_planned || !self.has_source(folder).await? {
            let staged = self.staged(folder, 0).await?;
            if self.plan_digest(folder).await? != *digest {
                return Err(Error::PlanChanged { counts: serde_json::json!(staged.made.counts).to_string() });
            }
        }
        serde_json::from_str(counts).map_err(|_| unusable())
    }

    /// The digest of everything that is loaded.
    pub(super) async fn plan_digest(&self, folder: &RunFolder) -> Result<String, Error> {
        plan_digest(self.job, folder).await
    }

    /// Whether the source's rows are there as they were read.
    pub(super) async fn has_source(&self, folder: &RunFolder) -> Result<bool, Error> {
        match self.ledger.reading(&self.one.run, dataset::SOURCE)? {
            Some(reading) => Ok(folder.is_whole(dataset::SOURCE, &reading.parts).await?),
            None => Ok(false),
        }
    }

    /// Writes down what the plan amounts to, with its digest.
    pub(super) fn keep_plan(&self, made: &Plan) -> Result<(), Error> {
        let counts = serde_json::to_string(&made.counts).map_err(|e| Error::Books(e.to_string()))?;
        Ok(self.ledger.planned(&self.one.run, &counts, &made.digest)?)
    }

    /// Extraction and plan.
    pub(super) async fn staged(&self, folder: &RunFolder, sample: usize) -> Result<Staged, Error> {
        let (job, services, run) = (self.job, self.services, self.one.run.as_str());
        if let Some(notice) = services.clock_notice(job)? {
            self.progress.notice(notice);
        }
        let staging = || self.staging(folder);
        let (timed, is_early, mut spending) = (Timed::begin(services), !self.turn.has_come(), Spending::begin());
        let chosen = self.one.chosen.as_deref();
        if self.one.phase == Phase::Loading && sabotage::has(Bug::PlanAgain) {
            for (object, _) in dataset::objects(job) {
                self.ledger.read_again(run, &dataset::target(&object))?;
            }
        }
        let refreshing = basis::begin(job, self.one, services, self.home, staging()).await?;
        let extracted = extract(job, services, &refreshing, self.turn, self.look(folder)).await?;
        self.turn.extracted();
        let (read, there) = (extracted.rows, &extracted.records);
        refreshing.note_came(extracted.came)?;
        if self.one.phase == Phase::Extracting {
            self.ledger.extracted(run)?;
            if sabotage::has(Bug::CursorEarly) {
                self.move_cursors_only(folder)?;
            }
        }
        self.keep_extract(timed, &extracted, is_early)?;
        spending.end("extract", Vec::new(), self.progress);
        let timed = Timed::begin(services);
        let target = services.target(job)?;
        let drifted = if self.one.verifies { verify(job, target, folder, &refreshing).await? } else { Vec::new() };
        overlay::lay(job, &services.tenancy(job), folder, self.earlier).await?;
        let mut made = plan(job, folder, read, chosen, services, sample, self.progress).await?;
        // What a run that goes on is loading was held against the target when it was planned.
        let is_new = self.one.phase != Phase::Loading && self.earlier.is_empty();
        let numbers = (made.counts.inserted, there.get(&job.main_target().object.name).copied().unwrap_or(0));
        if is_new && numbers.0 > 0 && !are_known(job, target, folder, &refreshing, numbers).await? {
            made = plan(job, folder, read, chosen, services, sample, self.progress).await?;
        }
        if drifted.iter().any(|one| !one.is_none()) {
            basis::doubt(job, services, self.ledger)?;
        }
        made.verified = self.one.verifies.then_some(drifted);
        timed.end("plan", read, run, self.ledger)?;
        let guarded = guard::admit(job, &made, there, &target.limits);
        Ok(Staged { made, guarded })
    }
}
