//! The open clients of a project's connections, by the identifiers that scripts use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::error::Error;
use crate::dynamics::client::Dynamics;
use crate::engine::elsewhere::Place;
use crate::files::client::Files;
use crate::files::location::{self, Storage};
use crate::gainsight::client::Gainsight;
use crate::model::catalog::Object;
use crate::model::clock::{Clock, Mark};
use crate::model::connection::Limits;
use crate::model::job::Job;
use crate::model::outcome::Calls;
use crate::store::bucket::Bucket;
use crate::store::dataset::RunFolder;
use crate::store::state::Tenancy;
use crate::{dynamics, files};

/// Clocks that are further apart than this are told of.
pub const CLOCKS_APART_SECONDS: i64 = 60;

/// What a run talks to, and whether it may do as it likes there.
pub struct Services {
    /// Sources.
    pub dynamics: BTreeMap<String, Dynamics>,
    /// Files: sources too, and what lookups search.
    pub files: BTreeMap<String, Files>,
    /// Targets.
    pub gainsight: BTreeMap<String, Gainsight>,
    /// The id of each source's organisation.
    pub organizations: BTreeMap<String, String>,
    /// The host of each target's tenant.
    pub tenants: BTreeMap<String, String>,
    /// What object stores are signed in to with.
    pub storage: Arc<Storage>,
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
    /// Where plans are made; none, if that is here.
    pub place: Option<Place>,
}

/// What rows of a table are read from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Dynamics.
    Dynamics(&'a Dynamics),
    /// Files.
    Files(&'a Files),
}

impl Source<'_> {
    /// Rows of one page.
    #[must_use]
    pub fn page_size(self) -> u32 {
        match self {
            Self::Dynamics(dynamics) => dynamics.page_size(),
            Self::Files(_) => Limits::DEFAULT.page_size,
        }
    }

    /// How far its clock is ahead of ours. Files have none: what is asked of them goes by their names.
    #[must_use]
    pub fn seconds_ahead(self) -> i64 {
        match self {
            Self::Dynamics(dynamics) => dynamics.seconds_ahead(),
            Self::Files(_) => 0,
        }
    }
}

impl Services {
    /// A run's folder, in the form that its plans read where they are made.
    pub(super) fn formed(&self, folder: RunFolder) -> RunFolder {
        if self.place.is_some() { folder.shared() } else { folder }
    }

    /// A place that files are handed over in.
    ///
    /// # Errors
    /// If what the environment says does not suffice, or a folder is not there.
    pub(super) fn place(&self, url: &str) -> Result<Bucket, Error> {
        let wrong = |detail: String| files::error::Error::Location { url: url.to_owned(), detail };
        let parsed = Url::parse(url).map_err(|e| wrong(e.to_string()))?;
        let (store, path) = location::open(url, Path::new(""), &self.storage)?;
        Ok(Bucket::new(store, parsed, path))
    }

    /// The source of a job.
    ///
    /// # Errors
    /// If its connection is not open.
    pub fn source(&self, job: &Job) -> Result<Source<'_>, Error> {
        self.connected(&job.source.connection)
    }

    /// What has the tables of a connection.
    ///
    /// # Errors
    /// If it is not open.
    pub fn connected(&self, name: &str) -> Result<Source<'_>, Error> {
        let files = || self.files.get(name).map(Source::Files);
        let found = self.dynamics.get(name).map(Source::Dynamics).or_else(files);
        found.ok_or_else(|| Error::NotOpen(name.to_owned()))
    }

    /// A table as it is now; none if there is none.
    ///
    /// # Errors
    /// If its connection is not open, or does not answer.
    pub async fn table(&self, connection: &str, name: &str) -> Result<Option<Object>, Error> {
        match self.connected(connection)? {
            Source::Dynamics(dynamics) => match dynamics.describe(name).await {
                Err(dynamics::error::Error::NoTable(_)) => Ok(None),
                other => Ok(other.map(Some)?),
            },
            Source::Files(files) => match files.describe(name).await {
                Err(files::error::Error::NoTable(_)) => Ok(None),
                other => Ok(other.map(Some)?),
            },
        }
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
        let target = self.target(job)?.metered();
        let mut dynamics = BTreeMap::new();
        if let Source::Dynamics(source) = self.source(job)? {
            dynamics.insert(job.source.connection.clone(), source.metered());
        }
        Ok(Self {
            dynamics,
            files: self.files.clone(),
            gainsight: BTreeMap::from([(job.main_target().connection.clone(), target)]),
            organizations: self.organizations.clone(),
            tenants: self.tenants.clone(),
            by: self.by.clone(),
            storage: Arc::clone(&self.storage),
            place: self.place.clone(),
            ..*self
        })
    }

    /// Calls that the job's two connections have spent since they were opened, or metered.
    ///
    /// # Errors
    /// If a connection is not open.
    pub fn calls(&self, job: &Job) -> Result<Calls, Error> {
        let mut calls = self.target(job)?.calls();
        let Source::Dynamics(source) = self.source(job)? else { return Ok(calls) };
        let source = source.meter();
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
