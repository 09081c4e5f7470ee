//! One thing that the daemon does: a job or a chain that is due, or a run that is gone on with.
//!
//! In: definitions, a home that is held. Out: the reports of its runs, and what stopped it. What cannot even be begun has a run of its
//! own in the activity, so that nobody looks for it in vain.

use std::rc::Rc;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};

use super::definitions::Definitions;
use super::told::{Listener, Told};
use crate::app::error::Error;
use crate::app::held::Held;
use crate::app::resuming::resume_held;
use crate::app::runs::run_held;
use crate::app::workspace::{Setting, Workspace};
use crate::model::outcome::Status;
use crate::run::progress::Progress;
use crate::run::report::Report;
use crate::run::undertaking::How;
use crate::run::waiting;
use crate::store::ledger::{Begin, End, Ledger};
use crate::store::state::{State, Tenancy};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The job or the chain.
    pub name: String,
    /// Whether it begins or goes on.
    pub what: What,
    /// How many times it was tried.
    pub tries: u32,
    /// The run that says why it could not be begun, if it could not: one for all tries.
    pub in_vain: Option<String>,
}

/// Whether something begins or goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It begins, because this time has come.
    Slot(DateTime<Utc>),
    /// A run goes on that stopped.
    GoOn(String),
}

/// What came of one.
pub struct Done {
    /// What was to be done.
    pub activation: Activation,
    /// The runs that ended or wait.
    pub reports: Vec<Report>,
    /// Whether a run was begun or gone on with.
    pub has_begun: bool,
    /// What stopped it.
    pub error: Option<Error>,
}

impl Activation {
    /// The run that it goes on with.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        match &self.what {
            What::GoOn(run) => Some(run),
            What::Slot(_) => None,
        }
    }

    /// Whether it is still to be begun, by a state that is held: another may have had the home meanwhile, and have followed the same schedule.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(super) fn is_still_to_begin(&self, state: &State) -> Result<bool, Error> {
        match &self.what {
            What::Slot(at) => Ok(state.is_unbegun(&self.name, *at, self.in_vain.as_deref())?),
            // Whether a run is still to be gone on with is looked at when it is.
            What::GoOn(_) => Ok(true),
        }
    }

    /// Does it. Whoever drops this future leaves the runs where they are.
    pub async fn carried_out(
        self,
        definitions: Rc<Definitions>,
        setting: Rc<Setting>,
        held: Rc<Held>,
        listener: Listener,
    ) -> Done {
        let (heard, name) = (Arc::clone(&listener), self.name.clone());
        let progress: Progress = Arc::new(move |event| heard(&Told::Heard { name: name.clone(), event }));
        let mut reports: Vec<Report> = Vec::new();
        let chain = definitions.project.chains.contains_key(&self.name).then(|| self.name.clone());
        let ended = |report: &Report| {
            let (name, report_told) = (self.name.clone(), Box::new(report.clone()));
            listener(&Told::Ended { name, chain: chain.clone(), report: report_told });
            reports.push(report.clone());
        };
        let result = self.worked_on(&definitions, &setting, &held, &progress, ended).await;
        let (mut error, has_begun) = (result.err(), !reports.is_empty());
        let mut one = self.clone();
        // A run that cannot be gone on with has its line already, and so has what was tried before.
        let slot = if let What::Slot(at) = &self.what { Some(*at) } else { None };
        if let (Some(why), Some(slot), false, None) = (&error, slot, has_begun, &self.in_vain) {
            match self.begun_in_vain(slot, &definitions, &setting, &held, why) {
                Ok(report) => {
                    one.in_vain = Some(report.run.clone());
                    let (name, report) = (self.name.clone(), Box::new(report));
                    listener(&Told::Ended { name, chain, report });
                }
                Err(lost) => error = Some(lost),
            }
        }
        Done { activation: one, reports, has_begun, error }
    }

    async fn worked_on(
        &self,
        definitions: &Definitions,
        setting: &Setting,
        held: &Held,
        progress: &Progress,
        ended: impl FnMut(&Report),
    ) -> Result<(), Error> {
        let workspace = Workspace::of(definitions.text(), setting).await?.or_mistakes()?;
        match &self.what {
            What::Slot(at) => {
                let how = How { slot_ms: Some(at.timestamp_millis()), ..How::default() };
                run_held(&workspace, setting, &self.name, &how, held, progress, ended).await
            }
            // Whoever went on with a chain has done it, or somebody gave it up.
            What::GoOn(run) if !held.state.unfinished_runs()?.iter().any(|one| one.id == *run) => Ok(()),
            What::GoOn(run) => resume_held(&workspace, setting, Some(run), held, progress, ended).await,
        }
    }

    /// A run that says why nothing was begun.
    fn begun_in_vain(
        &self,
        slot: DateTime<Utc>,
        definitions: &Definitions,
        setting: &Setting,
        held: &Held,
        why: &Error,
    ) -> Result<Report, Error> {
        let at = setting.clock.now();
        let moment = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let is_chain = definitions.project.chains.contains_key(&self.name);
        let job = definitions.jobs_of(&self.name).first().map_or(self.name.clone(), |job| job.name.clone());
        let of = Tenancy { organization: String::new(), tenant: String::new() };
        let run = held.state.begin(&Begin {
            day: &at.format("%Y%m%d").to_string(),
            job: &job,
            chain: is_chain.then_some(self.name.as_str()),
            by: &setting.by,
            slot_ms: Some(slot.timestamp_millis()),
            of: &of,
            started: &moment,
            now_ms: at.timestamp_millis(),
            job_digest: "",
            relied: "",
            chosen: None,
            // As nobody's run it is in nobody's way: an earlier run of the job stays the one that is gone on with.
            can_resume: true,
        })?;
        let report = Report::of_nothing(run.clone(), job.clone(), Status::Failed, why.to_string());
        let json = serde_json::json!(report).to_string();
        let end = End::of_nothing(&run, &of, &job, &moment, report.status.word());
        held.state.end(&End { report: &json, message: report.message.as_deref(), ..end })?;
        Ok(report)
    }
}

/// What a run is that could not even be begun.
pub(super) fn status_of(why: &Error) -> Status {
    match why {
        Error::Connection { cause, .. } => waiting::status_of(cause, false),
        Error::Run(cause) => waiting::status_of(cause, false),
        Error::Secret { .. } | Error::Revoked { .. } => Status::WaitingAuth,
        _ => Status::Failed,
    }
}
