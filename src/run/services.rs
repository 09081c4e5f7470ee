//! The open clients of a project's connections, by the identifiers that scripts use.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::Error;
use crate::dynamics::client::Dynamics;
use crate::gainsight::client::Gainsight;
use crate::model::clock::{Clock, Mark};
use crate::model::job::Job;
use crate::model::outcome::Calls;
use crate::store::state::Tenancy;

/// Clocks that are further apart than this are told of.
pub const CLOCKS_APART_SECONDS: i64 = 60;

/// What a run talks to, and whether it may do as it likes there.
pub struct Services {
    /// Sources.
    pub dynamics: BTreeMap<String, Dynamics>,
    /// Targets.
    pub gainsight: BTreeMap<String, Gainsight>,
    /// The id of each source's organisation.
    pub organizations: BTreeMap<String, String>,
    /// The host of each target's tenant.
    pub tenants: BTreeMap<String, String>,
    /// The time.
    pub clock: Clock,
    /// When the services were asked for the schemas that jobs were checked against; none if those were remembered.
    pub schemas_asked: Option<Mark>,
    /// How old those may be when a run begins to write without asking again.
    pub drift_after: Duration,
    /// Whether a run may change a large part of the target: somebody looked at the plan.
    pub consented: bool,
    /// Whether somebody looks on. Where nobody does, a run that cannot go on waits for what it needs, and has not failed.
    pub is_attended: bool,
    /// Who or what starts runs: a name of the operating system's, or `schedule`.
    pub by: String,
}

impl Services {
    /// The source of a job.
    ///
    /// # Errors
    /// If its connection is not open.
    pub fn source(&self, job: &Job) -> Result<&Dynamics, Error> {
        let name = &job.source.connection;
        self.dynamics.get(name).ok_or_else(|| Error::NotOpen(name.clone()))
    }

    /// The target of a job.
    ///
    /// # Errors
    /// If its connection is not open.
    pub fn target(&self, job: &Job) -> Result<&Gainsight, Error> {
        let name = &job.main_target().connection;
        self.gainsight.get(name).ok_or_else(|| Error::NotOpen(name.clone()))
    }

    /// What to say of a source whose clock is far from ours: signing in may fail by that, and the times of runs are ours.
    ///
    /// # Errors
    /// If its connection is not open.
    pub fn clock_notice(&self, job: &Job) -> Result<Option<String>, Error> {
        let ahead = self.source(job)?.seconds_ahead();
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        Ok((ahead.abs() > CLOCKS_APART_SECONDS).then(|| {
            let (apart, name) = (ahead.abs(), &job.source.connection);
            format!("the clock of `{name}` is {apart} s {way} this machine's; set the one that is wrong")
        }))
    }

    /// Whose state the job's is.
    #[must_use]
    pub fn tenancy(&self, job: &Job) -> Tenancy {
        let of = |map: &BTreeMap<String, String>, name: &str| map.get(name).cloned().unwrap_or_default();
        Tenancy {
            organization: of(&self.organizations, &job.source.connection),
            tenant: of(&self.tenants, &job.main_target().connection),
        }
    }

    /// The services of one run of a job: what it spends is counted apart from what other runs spend.
    ///
    /// # Errors
    /// If a connection is not open.
    pub fn metered(&self, job: &Job) -> Result<Self, Error> {
        let (source, target) = (self.source(job)?.metered(), self.target(job)?.metered());
        Ok(Self {
            dynamics: BTreeMap::from([(job.source.connection.clone(), source)]),
            gainsight: BTreeMap::from([(job.main_target().connection.clone(), target)]),
            organizations: self.organizations.clone(),
            tenants: self.tenants.clone(),
            by: self.by.clone(),
            ..*self
        })
    }

    /// Calls that the job's two connections have spent since they were opened, or metered.
    ///
    /// # Errors
    /// If a connection is not open.
    pub fn calls(&self, job: &Job) -> Result<Calls, Error> {
        let (source, mut calls) = (self.source(job)?.meter(), self.target(job)?.calls());
        calls += Calls {
            dynamics: source.sent(),
            retries: source.retries(),
            throttled: source.throttled(),
            waited_ms: source.waited_ms(),
            ..Calls::default()
        };
        Ok(calls)
    }
}
