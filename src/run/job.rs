//! One run of one job, from its first request to its last line of the books.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::SecondsFormat;

use super::books;
use super::drift;
use super::error::Error;
use super::extract::{Extracted, extract, remember};
use super::guard;
use super::load::Load;
use super::plan::{Plan, plan};
use super::progress::{Event, Progress};
use super::report::Report;
use super::services::Services;
use crate::model::job::Job;
use crate::model::outcome::{Calls, Counts, Status};
use crate::store::dataset::RunFolder;
use crate::store::home::Home;
use crate::store::runs::Stage;
use crate::store::state::State;

/// Runs a job. A run that fails is a report too, with its message; an error means that not even that could be kept.
///
/// # Errors
/// If the run cannot be begun or ended in the state.
pub async fn run(
    job: &Job,
    chain: Option<&str>,
    services: &Services,
    home: &Home,
    state: &mut State,
    progress: &Progress,
) -> Result<(Report, Option<Error>), Error> {
    let job = &job.at(services.clock.now().timestamp_millis());
    let begun = Begun::new(job, chain, services, state, progress)?;
    let mut report = begun.report(job);
    let result = whole(job, services, home, state, progress, &mut report).await;
    let failed = result.err();
    if let Some(error) = &failed {
        report.status = Status::Failed;
        report.message = Some(error.to_string());
    }
    begun.end(job, services, state, &mut report)?;
    progress(Event::Ended);
    Ok((report, failed))
}

/// Extracts and plans a job, and writes nothing to the target.
///
/// # Errors
/// What stops it.
pub async fn plan_only(
    job: &Job,
    services: &Services,
    home: &Home,
    state: &mut State,
    sample: usize,
    progress: &Progress,
) -> Result<(Report, Plan), Error> {
    let job = &job.at(services.clock.now().timestamp_millis());
    let begun = Begun::new(job, None, services, state, progress)?;
    let mut report = begun.report(job);
    let folder = RunFolder::open(&home.run_folder(&report.run)?)?;
    let result = staged(job, services, state, &folder, sample, progress, &report.run).await;
    match &result {
        Ok(Staged { made, guarded }) => {
            report.counts = made.counts;
            report.records.clone_from(&made.records);
            report.status = Status::Planned;
            if let Err(asks) = guarded {
                progress(Event::Notice(format!("as it stands, {asks}")));
            }
        }
        Err(error) => {
            report.status = Status::Failed;
            report.message = Some(error.to_string());
        }
    }
    begun.end(job, services, state, &mut report)?;
    progress(Event::Ended);
    Ok((report, result?.made))
}

struct Begun {
    run: String,
    calls: Calls,
    since: Instant,
}

impl Begun {
    fn new(
        job: &Job,
        chain: Option<&str>,
        services: &Services,
        state: &mut State,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let now = services.clock.now();
        let day = now.format("%Y%m%d").to_string();
        let run = state.begin_run(&day, &job.name, chain, &now.to_rfc3339_opts(SecondsFormat::Millis, true))?;
        progress(Event::Began { run: run.clone(), job: job.name.clone() });
        Ok(Self { run, calls: services.calls(job)?, since: Instant::now() })
    }

    fn report(&self, job: &Job) -> Report {
        Report {
            run: self.run.clone(),
            job: job.name.clone(),
            status: Status::Running,
            counts: Counts::default(),
            records: BTreeMap::new(),
            calls: Calls::default(),
            error_file: None,
            seconds: 0.0,
            message: None,
        }
    }

    fn end(&self, job: &Job, services: &Services, state: &State, report: &mut Report) -> Result<(), Error> {
        let now = services.calls(job)?;
        report.calls = Calls {
            dynamics: now.dynamics - self.calls.dynamics,
            gainsight: now.gainsight - self.calls.gainsight,
            gainsight_writes: now.gainsight_writes - self.calls.gainsight_writes,
        };
        report.seconds = (self.since.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0;
        let ended = services.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let json = serde_json::to_string(report).map_err(|e| Error::Books(e.to_string()))?;
        Ok(state.end_run(&self.run, &ended, report.status.word(), &json, report.message.as_deref())?)
    }
}

/// A plan, and whether it may be carried out unasked.
struct Staged {
    made: Plan,
    guarded: Result<(), Error>,
}

/// Extraction and plan.
async fn staged(
    job: &Job,
    services: &Services,
    state: &State,
    folder: &RunFolder,
    sample: usize,
    progress: &Progress,
    run: &str,
) -> Result<Staged, Error> {
    if let Some(notice) = services.clock_notice(job)? {
        progress(Event::Notice(notice));
    }
    let timed = Timed::begin(services);
    remember(job, &services.tenancy(job), state, folder).await?;
    let Extracted { rows: read, records: there } = extract(job, services, folder, progress).await?;
    timed.end("extract", read, run, state)?;
    let timed = Timed::begin(services);
    let limits = services.target(job)?.limits;
    let made = plan(job, folder, read, &limits, sample, progress).await?;
    timed.end("plan", read, run, state)?;
    let guarded = guard::admit(job, &made, &there, &limits);
    Ok(Staged { made, guarded })
}

async fn whole(
    job: &Job,
    services: &Services,
    home: &Home,
    state: &mut State,
    progress: &Progress,
    report: &mut Report,
) -> Result<(), Error> {
    let path = home.run_folder(&report.run)?;
    let folder = RunFolder::open(&path)?;
    let Staged { made, guarded } = staged(job, services, state, &folder, 0, progress, &report.run).await?;
    if !services.consented {
        guarded?;
    }
    let planned = made.counts;
    let timed = Timed::begin(services);
    let total = planned.inserted + planned.updated;
    if total > 0 {
        drift::hold(job, services).await?;
    }
    let mut load = Load::new(job, services.target(job)?, progress, &planned);
    // A share of the planned rows is known before the first call, and so are the errors that the plan found.
    let sent = match load.too_many() {
        Ok(()) => load.run(&folder).await,
        stopped => stopped,
    };
    // What was acknowledged is kept, whatever came after it.
    let tenancy = services.tenancy(job);
    state.keep_identities(&tenancy, &load.identities)?;
    state.keep_refusals(&tenancy, &job.name, &report.run, &load.refused, &load.written)?;
    report.counts = load.counts;
    report.records.clone_from(&load.records);
    timed.end("load", total, &report.run, state)?;
    // A run that is stopped says what it knows of its rows too.
    let (file, lines) = books::error_file(job, &report.run, &path, &folder, &load).await?;
    report.error_file = file;
    sent?;
    books::audit(&load.counts, &planned, lines)?;
    report.status = if load.counts.failed() > 0 { Status::Partial } else { Status::Success };
    Ok(())
}

struct Timed {
    started: String,
    since: Instant,
}

impl Timed {
    fn begin(services: &Services) -> Self {
        let started = services.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        Self { started, since: Instant::now() }
    }

    fn end(self, name: &str, rows: u64, run: &str, state: &State) -> Result<(), Error> {
        let seconds = self.since.elapsed().as_secs_f64();
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        Ok(state.add_stage(run, &Stage { name: name.to_owned(), started: self.started, seconds, rows })?)
    }
}
