//! A project with open connections: text that was checked against both services' live schemas.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::catalog::{Remembered, catalog, remember, remembered};
use super::connections;
use super::credentials;
use super::error::Error;
use super::projects::{self, Text};
use super::snapshot;
use crate::diagnostic::report::Diagnostics;
use crate::diagnostic::source::Sources;
use crate::dynamics;
use crate::dynamics::client::{Credentials, Dynamics};
use crate::engine::elsewhere;
use crate::engine::functions;
use crate::files::client::Files;
use crate::gainsight;
use crate::gainsight::client::Gainsight;
use crate::http::hosts;
use crate::http::terms::{MAX_WAIT, Terms};
use crate::lang::project::{Parsed, Project, check};
use crate::model::catalog::Catalog;
use crate::model::clock::Clock;
use crate::model::connection::{Connection, Service};
use crate::model::secret::Secret;
use crate::run::services::Services;
use crate::store::bucket::Bucket;
use crate::store::database::Server;
use crate::store::home::state_path;
use crate::store::place::Place;
use crate::store::run_folders::RunFolders;

/// How old schemas may be when a run begins to write, unless a setting says otherwise.
pub const DRIFT_AFTER: Duration = Duration::from_secs(60);

/// Gives the secret of a name, if it is set.
pub type Secrets = Arc<dyn Fn(&str) -> Option<Secret> + Send + Sync>;

/// Where a project is and how it is opened.
#[derive(Clone)]
pub struct Setting {
    /// The folder of `*.ferry` files.
    pub project: PathBuf,
    /// The folder of runs and state.
    pub home: PathBuf,
    /// The place in an object store where run folders are, if they are not below the home.
    pub runs: Option<Bucket>,
    /// The server that has the state; none where it lies in the home.
    pub server: Option<Server>,
    /// `connections.<environment>.ferry`.
    pub environment: Option<String>,
    /// Connections that lead to another URL: identifier and URL.
    pub redirects: Vec<(String, String)>,
    /// Whether schemas come from the project's snapshot, and no service is asked.
    pub offline: bool,
    /// Hosts that connections may lead to, beside those of the services.
    pub allowed_hosts: Vec<String>,
    /// Authorities to trust beside the public ones, as PEM.
    pub authorities: Option<Arc<str>>,
    /// What object stores are signed in to with.
    pub storage: Arc<[(String, Secret)]>,
    /// Where secrets come from.
    pub secrets: Secrets,
    /// The file with the key to what the home keeps encrypted: the sign-ins of people.
    pub key_file: Option<PathBuf>,
    /// Whether the services are asked for their schemas even if they said so a short while ago.
    pub anew: bool,
    /// Whether a run may change a large part of the target.
    pub consented: bool,
    /// How long a run waits for another process to leave the home; not at all, if there is nothing here.
    pub patience: Option<Duration>,
    /// How long a run waits for a window of calls to open, [`MAX_WAIT`] at the most; beyond that it stops, to be gone on with.
    pub max_wait: Duration,
    /// How old schemas may be when a run begins to write without asking for them again.
    pub drift_after: Duration,
    /// Whether somebody looks on while runs are under way: not where the daemon starts them.
    pub is_attended: bool,
    /// Who or what does all this: a name of the operating system's, or `schedule`.
    pub by: String,
    /// Where plans are made; none, if that is here.
    pub place: Option<elsewhere::Place>,
    /// The time.
    pub clock: Clock,
}

/// A checked project, ready to run.
pub struct Workspace {
    /// Its files.
    pub sources: Sources,
    /// What they declare.
    pub project: Project,
    /// What was found: warnings only, if it came from [`Workspace::ready`].
    pub diagnostics: Diagnostics,
    /// The schemas that it was checked against.
    pub catalog: Catalog,
    /// The open connections; none offline.
    pub services: Services,
}

impl Setting {
    /// No project yet, and nothing beyond what every verb needs: services are asked anew, runs ask before they change much.
    #[must_use]
    pub fn new(home: PathBuf, secrets: Secrets, clock: Clock) -> Self {
        Self {
            project: PathBuf::new(),
            home,
            runs: None,
            server: None,
            environment: None,
            redirects: Vec::new(),
            offline: false,
            allowed_hosts: Vec::new(),
            authorities: None,
            storage: Arc::default(),
            secrets,
            key_file: None,
            anew: true,
            consented: false,
            patience: None,
            max_wait: MAX_WAIT,
            drift_after: DRIFT_AFTER,
            is_attended: true,
            by: "ferry".to_owned(),
            place: None,
            clock,
        }
    }

    /// Its run folders, for who only reads.
    pub(super) fn run_folders(&self) -> RunFolders {
        RunFolders::of(&self.home, self.runs.clone(), None)
    }

    /// Where the state is.
    #[must_use]
    pub fn place(&self) -> Place {
        self.server.clone().map_or_else(|| Place::File(state_path(&self.home)), Place::Server)
    }

    /// On what terms the clients of a connection talk.
    pub(super) fn terms(&self, connection: &Connection) -> Terms {
        let terms = Terms::of(connection, self.clock, self.authorities.clone());
        Terms { max_wait: self.max_wait.min(MAX_WAIT), ..terms }
    }
}

impl Workspace {
    /// Reads and checks a project. Mistakes in it are in `diagnostics`.
    ///
    /// # Errors
    /// If a file, a secret or a service is not to be had. Mistakes of the text that were found until then come first:
    /// they are the error, if there are any.
    pub async fn open(setting: &Setting) -> Result<Self, Error> {
        let text = projects::open(&setting.project, setting.environment.as_deref())?;
        Self::of(text, setting).await
    }

    /// The same for a project that was read already.
    ///
    /// # Errors
    /// As [`Workspace::open`].
    pub async fn of(mut text: Text, setting: &Setting) -> Result<Self, Error> {
        for (name, url) in &setting.redirects {
            projects::redirect(&mut text.parsed, name, url)?;
        }
        Self::checked(text, setting, false).await
    }

    /// A project with every connection that it declares open, whether a job uses it or not.
    ///
    /// # Errors
    /// As [`Workspace::open`].
    pub async fn everything(setting: &Setting) -> Result<Self, Error> {
        Self::checked(text_of(setting)?, setting, true).await
    }

    async fn checked(text: Text, setting: &Setting, all: bool) -> Result<Self, Error> {
        // A secret is not sent to a place that a connection must not lead to.
        let mut moved = Diagnostics::default();
        connections::held(&text.parsed, setting, &mut moved)?;
        if moved.has_errors() {
            let mut all = text.parsed.diagnostics;
            all.append(moved);
            return Err(Error::Text(Box::new((all, text.sources))));
        }
        let opened = Self::connected(&text.parsed, setting, all).await;
        let (services, mut catalog, is_remembered) = match opened {
            Ok(both) => both,
            // A mistake in the text is nearer to its author than a service that is away.
            Err(_) if text.parsed.diagnostics.has_errors() => {
                return Err(Error::Text(Box::new((text.parsed.diagnostics, text.sources))));
            }
            Err(error) => return Err(error),
        };
        let functions = functions::catalog();
        let (mut project, mut diagnostics) = check(&text.parsed, &catalog, &functions, &text.sources);
        // What is wrong by what was said before may be right by now.
        if is_remembered && diagnostics.has_errors() {
            catalog = Self::asked(&text.parsed, &services, &Remembered::new(), setting).await?;
            (project, diagnostics) = check(&text.parsed, &catalog, &functions, &text.sources);
        }
        Ok(Self { sources: text.sources, project, diagnostics, catalog, services })
    }

    /// Reads and checks a project that must be without mistakes.
    ///
    /// # Errors
    /// As [`Workspace::open`], and if the text has mistakes.
    pub async fn ready(setting: &Setting) -> Result<Self, Error> {
        let workspace = Self::open(setting).await?;
        workspace.or_mistakes()
    }

    /// Itself, if its text has no mistakes.
    ///
    /// # Errors
    /// The mistakes.
    pub fn or_mistakes(self) -> Result<Self, Error> {
        if self.diagnostics.has_errors() {
            return Err(Error::Text(Box::new((self.diagnostics, self.sources))));
        }
        Ok(self)
    }

    /// Open connections and a catalog, and whether a part of it was remembered.
    async fn connected(parsed: &Parsed, setting: &Setting, all: bool) -> Result<(Services, Catalog, bool), Error> {
        let mut services = nothing_open(setting);
        if setting.offline {
            return Ok((services, snapshot::catalog(parsed, setting)?, false));
        }
        let references = parsed.references();
        let used = |name: &str| all || references.objects.iter().any(|(c, _)| c.eq_ignore_ascii_case(name));
        for connection in parsed.connections.values().filter(|c| used(&c.name)) {
            let opened = connect(connection, setting, &mut services).await?;
            opened.map_err(|cause| connections::failed(connection, cause))?;
        }
        let before = if setting.anew { Remembered::new() } else { remembered(parsed.connections.values(), setting) };
        services.schemas_asked = services.schemas_asked.filter(|_| before.is_empty());
        let catalog = Self::asked(parsed, &services, &before, setting).await?;
        Ok((services, catalog, !before.is_empty()))
    }

    async fn asked(
        parsed: &Parsed,
        services: &Services,
        before: &Remembered,
        setting: &Setting,
    ) -> Result<Catalog, Error> {
        let catalog = catalog(&parsed.references(), services, before).await?;
        remember(parsed.connections.values(), &catalog, before, setting);
        Ok(catalog)
    }
}

/// The project's text, with its connections leading where they are told to.
///
/// # Errors
/// If a file cannot be read, or a connection cannot be redirected so.
pub(crate) fn text_of(setting: &Setting) -> Result<Text, Error> {
    let mut text = projects::open(&setting.project, setting.environment.as_deref())?;
    for (name, url) in &setting.redirects {
        projects::redirect(&mut text.parsed, name, url)?;
    }
    Ok(text)
}

/// Services of which none is open yet.
pub(super) fn nothing_open(setting: &Setting) -> Services {
    Services {
        dynamics: BTreeMap::new(),
        files: BTreeMap::new(),
        gainsight: BTreeMap::new(),
        organizations: BTreeMap::new(),
        tenants: BTreeMap::new(),
        schemas_asked: Some(setting.clock.mark()),
        drift_after: setting.drift_after,
        consented: setting.consented,
        is_attended: setting.is_attended,
        by: setting.by.clone(),
        storage: Arc::clone(&setting.storage),
        place: setting.place.clone(),
        clock: setting.clock,
    }
}

/// Opens one connection. The outer error is a missing secret, the inner one is the service's.
pub(super) async fn connect(
    connection: &Connection,
    setting: &Setting,
    services: &mut Services,
) -> Result<Result<(), crate::run::error::Error>, Error> {
    connect_with(connection, None, setting, services).await
}

/// The same with credentials that are not kept yet.
pub(super) async fn connect_with(
    connection: &Connection,
    given: Option<Credentials>,
    setting: &Setting,
    services: &mut Services,
) -> Result<Result<(), crate::run::error::Error>, Error> {
    let name = connection.name.clone();
    if connection.service == Service::Files {
        let opened = Files::open(connection, &setting.project, &setting.storage, setting.clock);
        // Files have no organisation: the place where they lie stands for it.
        services.organizations.insert(name.clone(), place_of(&connection.url, &setting.project));
        return Ok(opened.map(|files| drop(services.files.insert(name, files))).map_err(Into::into));
    }
    if connection.service == Service::Dynamics {
        let credentials =
            match given.map_or_else(|| credentials::of_dynamics(connection, setting), |given| Ok(Ok(given)))? {
                Ok(credentials) => credentials,
                Err(error) => return Ok(Err(error.into())),
            };
        let opened = async {
            hosts::admit(connection, &setting.allowed_hosts).map_err(dynamics::error::Error::from)?;
            let client = Dynamics::new(connection, credentials, &setting.terms(connection))?;
            let me = client.who_am_i().await?;
            services.organizations.insert(name.clone(), me.organization_id);
            services.dynamics.insert(name, client);
            Ok(())
        };
        return Ok(opened.await);
    }
    let access = credentials::of_gainsight(connection, setting)?;
    services.tenants.insert(name.clone(), tenant(&connection.url));
    let admitted = hosts::admit(connection, &setting.allowed_hosts).map_err(gainsight::error::Error::from);
    let opened = admitted.and_then(|()| Gainsight::new(connection, access, &setting.terms(connection)));
    Ok(opened.map(|client| drop(services.gainsight.insert(name, client))).map_err(Into::into))
}

/// What names the place of files in our state: of a folder below the project's where that is.
fn place_of(url: &str, project: &Path) -> String {
    if url.contains("://") {
        return url.to_owned();
    }
    let folder = project.join(url);
    folder.canonicalize().unwrap_or(folder).display().to_string()
}

/// What names a Gainsight tenant in our state: its host, as no public call tells an id.
pub fn tenant(url: &str) -> String {
    url.split_once("://").map_or(url, |(_, host)| host).to_lowercase()
}
